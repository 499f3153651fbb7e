#pragma once

#include "match/content.h"

namespace exhibit::match {

// How long one content may take: a base, and more for each byte. A limit against rules that never end, far above what
// any content needs (signature-base's 6,000 rules scan more than 10 MB a second).
struct ScanTime {
  std::uint64_t base_seconds = 60;
  std::uint64_t bytes_per_second = std::uint64_t{1} << 20;
};

// RuleScanner::load with another limit.
Result<std::unique_ptr<RuleScanner>> load_rule_scanner(const std::vector<std::string>& paths, ScanTime time,
                                                       ScanOptions options = {});

}  // namespace exhibit::match
