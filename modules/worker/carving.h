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

// Tells candidates by messages `candidates`: {"at":[[media offset, signature, is an anchor],…]}. What is full of one
// pattern is no reason to fill a disk: of each signature so many of one stretch are told, and a problem tells the rest.
class CandidateTeller {
 public:
  static constexpr std::uint64_t most_of_a_signature = std::uint64_t{1} << 16;

  CandidateTeller(std::string evidence, const Carving& carving, base::Reporter& reporter,
                  std::function<void(const base::Json&)> message);
  void take(const carve::Candidate& candidate);
  // Of the stretch [offset, offset + length) of the medium.
  void finish(std::uint64_t offset, std::uint64_t length);

 private:
  void flush();

  std::string evidence_;
  const Carving& carving_;
  base::Reporter& reporter_;
  std::function<void(const base::Json&)> message_;
  std::vector<std::uint64_t> counts_;  // of each signature
  base::Json pending_ = base::Json::array();
};

// The message `found`, and back.
base::Json to_message(const carve::Found& found, const Carving& carving);
Result<carve::Found> found_from_message(const base::Json& message, const Carving& carving);

}  // namespace exhibit::worker
