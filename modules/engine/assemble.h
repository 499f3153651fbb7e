#pragma once
// From tasks' outputs to a findings file in canonical order (manifest.md, "Canonical form and order").

#include <functional>
#include <string>
#include <vector>

#include "engine/journal.h"
#include "engine/task.h"

namespace exhibit::engine {

// One volume's share of the findings: its items in order of id, each followed by its matches and problems.
// Lines are sorted by an index in memory (some 100 bytes a line); their text stays on disk.
class VolumeFindings {
 public:
  explicit VolumeFindings(std::string volume_id) : volume_id_(std::move(volume_id)) {}

  // Takes the item (where `items`), match and problem records of a file; whatever else it holds is passed over.
  Result<void> add(const std::string& path, bool items = true);
  // Takes one record that has no file.
  void add(base::Json record);

  // Items with their matches and problems, in order.
  Result<void> write_items(const LineCall& write) const;
  // The volume's own: matches, then problems.
  Result<void> write_own(const LineCall& write) const;

 private:
  struct Entry {
    std::string owner;  // id of the item, match's item, problem's where
    int rank;           // item, match, problem
    std::string key;    // order within the owner's rank
    std::size_t file;   // into files_, or SIZE_MAX: text is in `extra_`
    std::uint64_t offset, length;
  };
  void add_line(const base::Json& record, std::size_t file, std::uint64_t offset, std::uint64_t length);
  void sort() const;
  Result<void> write(const LineCall& write, bool own) const;

  std::string volume_id_;
  std::vector<std::string> files_;
  std::vector<std::string> extra_;
  mutable std::vector<Entry> entries_;
  mutable bool sorted_ = true;
};

}  // namespace exhibit::engine
