#pragma once
// What people said of leads: the ledger's `reviewed` events. Their detail has "reviews": [{lead, verdict, why}], and
// "acknowledged": [lead] where somebody looked at content that is not to be shown without a word. A lead is named by
// the SHA-256 of its record's line. Events that a later `corrected` names count for nothing.

#include <exhibit/result.h>

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"

namespace exhibit::custody {

// "confirmed", "dismissed", "needs expert".
std::span<const char* const> verdicts();

struct Review {
  std::string lead;  // 64 hexadecimal digits
  std::string verdict, why;
  std::string name, credential;  // who, and what signed it
  std::string time;
  std::uint64_t seq = 0;
};

// By lead, in the ledger's order. What isn't in the form above is left out: it was never a verdict.
std::map<std::string, std::vector<Review>> reviews_of(std::span<const base::Json> events);

// The leads that somebody acknowledged to look at.
std::vector<std::string> acknowledged(std::span<const base::Json> events);

struct LeadState {
  std::string verdict;   // of verdicts(); "open" where nobody said anything, "disputed" where people differ
  bool settled = false;  // as many people as were asked for said the same
};

// By the latest word of each person (credential); `persons`: how many must agree.
LeadState state_of_lead(std::span<const Review> reviews, std::uint64_t persons);

// Error: what in `detail`'s "reviews" isn't a review. Lists that are absent are empty.
Result<void> check_reviews(const base::Json& detail);

}  // namespace exhibit::custody
