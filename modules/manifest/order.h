#pragma once
// The canonical order of a findings file (manifest.md, "Canonical form and order"): the keys by which a writer sorts,
// and a checker that is fed the records as they come.
//
//   evidence
//   for each volume by (offset, id):   volume
//                                      for each item by id:   item, its matches, its problems
//                                      the volume's own matches (leads in bytes of no item), problems, coverage
//   the evidence's own problems, coverage
//
// A problem about something of a volume that has no item record (a folder that couldn't be read, say) stands among
// the volume's own; one about something of the evidence that is in no volume, among the evidence's own. Where two
// matches or problems are equal by the keys of manifest.md, their lines decide, as bytes.

#include <compare>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"

namespace exhibit::manifest {

struct VolumeKey {
  std::uint64_t offset = 0;
  std::string id;
  auto operator<=>(const VolumeKey&) const = default;  // NOLINT(modernize-use-nullptr)
};

struct MatchKey {
  std::string by, source, rule;
  std::uint64_t first_offset = 0;                     // 0 where the match has no `where`
  std::string line;                                   // canonical, without LF
  auto operator<=>(const MatchKey&) const = default;  // NOLINT(modernize-use-nullptr)
};

struct ProblemKey {
  std::string stage, cause, detail;
  std::string line;                                     // canonical, without LF
  auto operator<=>(const ProblemKey&) const = default;  // NOLINT(modernize-use-nullptr)
};

// Of a record that base::check_record accepts; a key that is missing or of another type counts as empty.
VolumeKey volume_key(const base::Json& record);
MatchKey match_key(const base::Json& record, std::string line);
ProblemKey problem_key(const base::Json& record, std::string line);

// Fed each record of a findings file in turn, says what is out of order or missing. Memory: the ids of the volumes,
// and eight bytes for each item of the current volume.
class OrderChecker {
 public:
  // `line` is the record's own. Complaints are one line each; an empty answer is agreement.
  std::optional<std::string> next(const base::Json& record, std::string_view line);

  // After the last record.
  std::optional<std::string> finish() const;

  // The evidence record, once it came.
  const std::optional<base::Json>& evidence() const { return evidence_; }

 private:
  // What may come next depends on what came last: within a section the stages only go forward.
  enum class Section { start, volume, item, evidence_tail, done };
  enum class Stage { head, matches, problems };

  std::optional<std::string> on_evidence(const base::Json& record);
  std::optional<std::string> on_volume(const base::Json& record);
  std::optional<std::string> on_item(const base::Json& record);
  std::optional<std::string> on_match(const base::Json& record, std::string_view line);
  std::optional<std::string> on_problem(const base::Json& record, std::string_view line);
  std::optional<std::string> on_coverage(const base::Json& record);
  std::optional<std::string> missing_coverage() const;
  std::optional<std::string> step_to(const std::string& owner);
  bool is_item_of_volume(const std::string& id);
  bool is_in_some_volume(const std::string& id) const;
  void begin(Section section, std::string owner);

  std::optional<base::Json> evidence_;
  std::string evidence_id_;
  Section section_ = Section::start;
  Stage stage_ = Stage::head;
  std::string owner_;  // whose records follow: an item, a volume, or the evidence
  std::optional<VolumeKey> volume_;
  std::uint64_t volume_size_ = 0;
  bool volume_open_ = false;          // its coverage hasn't come yet
  std::optional<std::string> item_;   // the last item's id
  std::vector<std::uint64_t> items_;  // of the current volume: hashes of the ids
  bool items_sorted_ = false;
  std::optional<MatchKey> match_;      // the last one of this owner
  std::optional<ProblemKey> problem_;  // the last one of this owner
  std::set<std::string> volume_ids_, parents_;
};

}  // namespace exhibit::manifest
