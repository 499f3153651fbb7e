#pragma once
// A case's leads: the match records of its findings, without those that only say that content is known.

#include <exhibit/result.h>

#include <functional>
#include <string>
#include <vector>

#include "base/json.h"
#include "custody/reviews.h"
#include "exhibit/case_fields.h"
#include "exhibit/case_folder.h"

namespace exhibit::cmd {

struct Lead {
  std::string id;  // SHA-256 of the record's line, lower-case hex: anybody can find it with sha256sum
  base::Json record;

  std::string text(const char* key) const;
  bool restricted() const { return text("handling") == "restricted"; }
};

// In the findings' order, of all exhibits. Error where there are no findings.
Result<void> for_each_lead(const CaseFolder& folder, const std::function<Result<void>(const Lead&)>& each);

// How many people must say the same of a lead: the most that one of the profiles asks for.
std::uint64_t persons_for(const std::vector<const custody::Profile*>& profiles, const Lead& lead);

// What a person or a script tells of a review, as an event that can be appended: leads in "reviews" and "acknowledged"
// may be named by their first digits (at least 8). Error: what isn't a review, a lead that isn't there or isn't the
// only one.
Result<custody::Event> review_event(const CaseFolder& folder, base::Json form, const std::string& credential);

}  // namespace exhibit::cmd
