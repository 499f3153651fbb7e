#pragma once
// Sorts more than memory holds: an external merge sort. Entries gather in memory, and are written out as a sorted run
// when that is full; before they are read, runs are merged until few are left.

#include <exhibit/result.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/unique_fd.h"

namespace exhibit::base {

// Entries are (section, key, value), in that order, keys and values as bytes. What was added twice stands once.
class ExternalSorter {
 public:
  // The runs stand in `folder`, in one file without a name: whatever ends the process, nothing stays. `memory_bytes`
  // bounds what is allocated, but for a key and a value of each run that is being merged, however long they are, some
  // bytes for each run and section in it, and the buffers of a merge, which are 4 KiB each at least (65 of them).
  ExternalSorter(std::string folder, std::uint64_t memory_bytes);
  ~ExternalSorter();

  // Keys and values are shorter than 4 GiB. It never takes longer than writing one run. Error: interrupted where the
  // disk is full, as in for_each.
  Result<void> add(std::uint32_t section, std::string_view key, std::string_view value);

  // In order, until `call` returns an Error. The first time merges what was added. It may be called again, and after
  // more was added; what `call` is given lasts until it returns. `call` must not add to this sorter.
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
  Result<void> merge_runs();

  std::string folder_;
  std::uint64_t entries_bytes_;      // most that may gather in memory
  std::size_t buffer_bytes_;         // of each run that is being written or read
  std::string bytes_;                // the entries in memory, packed
  std::vector<std::size_t> places_;  // where each begins in bytes_
  bool sorted_ = true;
  base::UniqueFd file_;  // of all runs; none before the first
  std::vector<Run> runs_;
};

}  // namespace exhibit::base
