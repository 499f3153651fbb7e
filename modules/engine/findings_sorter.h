#pragma once
// The records of one evidence in canonical order (manifest.md, "Canonical form and order"), however many there are.

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/external_sorter.h"
#include "base/record_line.h"
#include "engine/task.h"

namespace exhibit::engine {

// Takes item, match and problem records in any order and gives them back volume by volume: each item by id, followed
// by its matches (by, source, rule, first offset) and its problems (stage, cause, detail); then the volume's own. Where
// these are equal the lines decide, as bytes, and what was told twice stands once.
//
// A record is of the innermost volume that its id (a match's `item`, a problem's `where`) lies in, and of the evidence
// where it lies in none. A match or problem that names something without an item record is among the volume's own.
class FindingsSorter {
 public:
  enum class Part { items, own };
  struct Written {
    std::uint64_t items = 0, matches = 0, problems = 0;
  };

  // `folder` holds what passes `memory_bytes` (external_sorter.h), in two files without a name.
  static Result<std::unique_ptr<FindingsSorter>> create(std::string folder, std::string evidence_id,
                                                        std::uint64_t memory_bytes);

  // Before any record that lies in it. The order doesn't matter.
  void add_volume(const std::string& id);

  // `record` passed base::check_record. Records of other kinds are passed over. Error: corrupt where an item or a match
  // lies in no volume; interrupted where the disk is full.
  Result<void> add(const base::RecordLine& record);

  // The records of one volume, or the evidence's own, in order; lines without LF. Any part may be asked for at any
  // time and again, but after the first time nothing may be added.
  Result<Written> for_each(const std::string& id, Part part, const LineCall& call);

 private:
  FindingsSorter(std::string folder, std::string evidence_id, std::uint64_t memory_bytes);
  std::uint32_t volume_of(std::string_view id) const;
  Result<Written> for_each_item(std::uint32_t volume, const LineCall& call);
  Result<Written> for_each_own(std::uint32_t volume, const LineCall& call);

  std::string evidence_id_;
  std::map<std::string, std::uint32_t, std::less<>> volumes_;  // id -> section; the evidence's is evidence_section
  std::size_t longest_volume_id_ = 0;
  base::ExternalSorter items_;   // what names something of a volume, by its id
  base::ExternalSorter own_;     // what names the volume, and from `items_` what has no item
  std::vector<bool> is_parted_;  // by section: what has no item went from `items_` to `own_`
  bool is_reading_ = false;
};

}  // namespace exhibit::engine
