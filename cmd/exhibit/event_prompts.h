#pragma once
// Asks a person at a terminal for an event, field by field, in the profile's language.

#include <exhibit/result.h>

#include <string>
#include <vector>

#include "base/json.h"
#include "custody/ledger.h"
#include "custody/profile.h"

namespace exhibit::cmd {

struct Asked {
  std::string event;
  std::vector<const custody::Profile*> profiles;
  std::string language;
  std::vector<custody::OpenTransfer> open;  // what could be accepted
};

// The form that event_of() reads. Questions go to standard error, answers come from standard input. An answer
// `none: because …` becomes {"none": "because …"}; an empty one leaves the field out, after a second question where it
// is required; one that can't be is asked for again. Error where the input ends before the last question.
Result<base::Json> ask_for_event(const Asked& asked);

}  // namespace exhibit::cmd
