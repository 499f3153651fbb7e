#pragma once
// Builds an index: entries in any order and number, in bounded memory; the same file from the same inputs, whatever
// the order in which they are given.

#include <exhibit/result.h>

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "hashset/index_header.h"
#include "hashset/partition.h"

namespace exhibit::hashset {

struct BuildOptions {
  bool names = true;   // keep the entries' names
  std::string folder;  // of scratch files; in memory where empty
};

class Builder {
 public:
  explicit Builder(BuildOptions options) : options_(std::move(options)) {}

  // Whose entries come next; its facts once they are known.
  void begin_input(std::string name) { source_ = std::move(name), labels_of_source_.clear(); }
  void end_input(InputFacts facts) { inputs_.push_back(std::move(facts)); }

  // Takes all the entry's digests, or none and says why. Digests of empty content are refused, and those of blocks that
  // every medium is full of where `refuse_trivial`: then `trivial` is set.
  struct Taken {
    std::optional<Refusal> refusal;
    bool trivial = false;
  };
  Result<Taken> take(const Entry& entry, bool refuse_trivial);
  std::uint64_t entries() const { return entries_; }

  // Writes the file at the descriptor's place, which must be its beginning. Once.
  Result<void> write(int fd, const Description& description);

 private:
  class Writer;
  class TableWriter;
  Result<std::uint16_t> label_for(std::string_view category);

  BuildOptions options_;
  std::array<std::unique_ptr<Partition>, algorithm_count> partitions_;
  std::vector<InputFacts> inputs_;
  std::string source_;
  std::map<Label, std::uint16_t> labels_;                               // by the order of their coming
  std::map<std::string, std::uint16_t, std::less<>> labels_of_source_;  // by category
  std::uint64_t entries_ = 0;
};

}  // namespace exhibit::hashset
