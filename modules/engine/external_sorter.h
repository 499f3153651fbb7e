#pragma once
// Sorts more than memory holds: an external merge sort. Entries gather in memory, are written out as sorted runs when
// that is full, and runs are merged many at a time, so that memory doesn't grow with the entries.

#include <exhibit/result.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/unique_fd.h"

namespace exhibit::engine {

// Entries are (section, key, value), in that order, keys and values as bytes. What was added twice stands once.
class ExternalSorter {
 public:
  // The runs stand in `folder`, in one file without a name: whatever ends the process, nothing stays.
  // `memory_bytes` bounds what is allocated, but for one key and value of each run that is being merged, however long
  // they are, and the floor of the merge's buffers (4 KiB each, at most 31 for each level, 32 runs make one of the
  // next).
  ExternalSorter(std::string folder, std::uint64_t memory_bytes);
  ~ExternalSorter();

  // Keys and values are shorter than 4 GiB. Error: interrupted where the disk is full.
  Result<void> add(std::uint32_t section, std::string_view key, std::string_view value);

  // In order, until `call` returns an Error. It may be called again, and after more was added; what `call` is given
  // lasts until it returns. `call` must not add to this sorter.
  using EntryCall = std::function<Result<void>(std::string_view key, std::string_view value)>;
  Result<void> for_each(std::uint32_t section, const EntryCall& call);

 private:
  struct Run;
  class RunWriter;
  class Source;
  class MemorySource;
  class RunSource;
  class Merge;

  void sort();
  Result<void> spill();
  Result<void> open_file();
  Result<Run> merge_level(const std::vector<Run>& runs) const;

  std::string folder_;
  std::uint64_t entries_bytes_;      // most that may gather in memory
  std::size_t buffer_bytes_;         // of each run that is being written or read
  std::string bytes_;                // the entries in memory, packed
  std::vector<std::size_t> places_;  // where each begins in bytes_
  bool sorted_ = true;
  base::UniqueFd file_;                   // of all runs; none before the first
  std::vector<std::vector<Run>> levels_;  // a run of level n+1 is merged from those of level n
};

}  // namespace exhibit::engine
