#pragma once
// What a worker keeps for carving, and what is said of it on the wire.

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/reporter.h"
#include "carve/candidate_search.h"
#include "carve/found.h"

namespace exhibit::worker {

struct Carving {
  std::vector<carve::Signature> signatures;
  carve::CandidateSearch search;
  carve::Tier least = carve::Tier::plausible;  // what is reported
  std::string files_sha256;                    // over all signature files: name, LF, text

  // `types`: names of signatures; empty: all. `tiers`: the least one that is wanted.
  static Result<std::unique_ptr<Carving>> load(const std::vector<std::string>& types, const std::string& tier);

  // The signature of that name, which a found line spoke of. Error: none such.
  Result<std::uint32_t> index_of(const std::string& name) const;
};

const char* name_of(carve::Tier tier);  // as findings.md has it; empty for none

// Tells a stretch's candidates by messages `candidates`: {"at":[[media offset, signature, is an anchor],…]}, and by
// `searched` that these were all, but for the signatures `left_out`. What is full of one pattern is no reason to fill a
// disk, nor the coordinator's memory: of each signature, and of all together, so many of one stretch are told.
class CandidateTeller {
 public:
  static constexpr std::uint64_t most_of_a_signature = std::uint64_t{1} << 16;
  static constexpr std::uint64_t most_of_a_stretch = std::uint64_t{1} << 20;

  CandidateTeller(const Carving& carving, std::function<void(const base::Json&)> message);
  void take(const carve::Candidate& candidate);
  // After the last.
  void finish();

 private:
  void flush();

  const Carving& carving_;
  std::function<void(const base::Json&)> message_;
  std::vector<std::uint64_t> counts_;  // of each signature
  std::vector<bool> left_out_;         // signatures of which not all are told
  std::uint64_t told_ = 0;
  base::Json pending_ = base::Json::array();
};

// The message `found`, and back.
base::Json to_message(const carve::Found& found, const Carving& carving);
Result<carve::Found> found_from_message(const base::Json& message, const Carving& carving);

}  // namespace exhibit::worker
