#pragma once
// An event of the ledger as a person or a script tells it, before it is signed.

#include <exhibit/result.h>

#include <string>

#include "base/json.h"
#include "custody/ledger.h"

namespace exhibit::cmd {

// What is told: {"time", "actor": {"name", "role", "organisation"}, "participants": [{"name", "role"}], "place",
// "evidence": [ids], "detail": {…, "local_time", "time_zone", "clock_offset"}}, nothing else. `detail` may be a text.
// A local time stands with its zone; `time` (UTC) follows from it, or it from `time` or from now.
// Error: what is missing, has no value, or contradicts.
Result<custody::Event> event_of(const std::string& name, const base::Json& form, const std::string& credential);

}  // namespace exhibit::cmd
