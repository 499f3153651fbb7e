#include "manifest/order.h"

#include <algorithm>
#include <array>
#include <functional>

#include "base/checked.h"
#include "base/record.h"

namespace exhibit::manifest {
namespace {

using base::Json;
using Complaint = std::optional<std::string>;

// findings.md, `coverage`.
constexpr std::array coverage_classes = {"allocated",   "deleted", "slack",     "metadata",
                                         "unallocated", "gap",     "unreadable"};

std::string text(const Json& record, const char* key) {
  const auto at = record.find(key);
  return at != record.end() && at->is_string() ? at->get<std::string>() : std::string();
}

std::uint64_t number(const Json& record, const char* key) {
  const auto at = record.find(key);
  return at != record.end() && at->is_number_unsigned() ? at->get<std::uint64_t>() : 0;
}

bool is_within(const std::string& id, const std::string& folder) {
  return id.size() > folder.size() + 1 && id.starts_with(folder) && id[folder.size()] == '/';
}

std::uint64_t short_hash(const std::string& id) { return std::hash<std::string>()(id); }

// Whether the bytes by class add up to `size`.
Complaint sums_up(const Json& record, std::uint64_t size) {
  const std::string here = "the coverage of " + text(record, "where");
  const auto bytes = record.find("bytes");
  if (bytes == record.end() || !bytes->is_object()) return here + " has no \"bytes\"";
  std::uint64_t sum = 0;
  for (const auto& entry : bytes->items()) {
    const Json& value = entry.value();
    std::optional<std::uint64_t> more;
    if (value.is_number_unsigned()) more = base::checked_add(sum, value.get<std::uint64_t>());
    const bool known =
        std::find(coverage_classes.begin(), coverage_classes.end(), entry.key()) != coverage_classes.end();
    if (!known || !more) {
      std::string complaint = here;
      return complaint.append(known ? ": no size in \"" : " has the unknown class \"").append(entry.key()).append("\"");
    }
    sum = *more;
  }
  if (sum == size) return {};
  return here + " adds up to " + std::to_string(sum) + " bytes of " + std::to_string(size);
}

}  // namespace

VolumeKey volume_key(const Json& record) { return {number(record, "offset"), text(record, "id")}; }

MatchKey match_key(const Json& record, std::string line) {
  const auto places = record.find("where");
  const bool placed = places != record.end() && places->is_array() && !places->empty() && places->front().is_object();
  return {text(record, "by"), text(record, "source"), text(record, "rule"),
          placed ? number(places->front(), "offset") : 0, std::move(line)};
}

ProblemKey problem_key(const Json& record, std::string line) {
  return {text(record, "stage"), text(record, "cause"), text(record, "detail"), std::move(line)};
}

std::optional<std::string> OrderChecker::next(const Json& record, std::string_view line) {
  if (const auto sound = base::check_record(record); !sound.ok()) return sound.error().message;
  const std::string kind = text(record, "record");
  if (kind == "evidence") return on_evidence(record);
  if (section_ == Section::start) return "the first record is a " + kind + ", not the evidence";
  if (section_ == Section::done) return "a " + kind + " after the coverage of the evidence";
  if (kind == "volume") return on_volume(record);
  if (kind == "item") return on_item(record);
  if (kind == "match") return on_match(record, line);
  if (kind == "problem") return on_problem(record, line);
  if (kind == "coverage") return on_coverage(record);
  return "a record of kind " + kind + " has no place in a findings file";
}

void OrderChecker::begin(Section section, std::string owner) {
  section_ = section;
  stage_ = Stage::head;
  owner_ = std::move(owner);
  match_.reset();
  problem_.reset();
}

std::optional<std::string> OrderChecker::on_evidence(const Json& record) {
  if (evidence_) return "a second evidence record";
  evidence_ = record;
  evidence_id_ = text(record, "id");
  begin(Section::evidence_tail, evidence_id_);
  const auto size = record.find("size");
  if (size == record.end() || !size->is_number_unsigned()) return "the evidence has no \"size\"";
  return {};
}

std::optional<std::string> OrderChecker::missing_coverage() const {
  if (!volume_open_) return {};
  return "the volume " + volume_->id + " ends without its coverage";
}

std::optional<std::string> OrderChecker::on_volume(const Json& record) {
  const VolumeKey key = volume_key(record);
  Complaint complaint = missing_coverage();
  if (!complaint && section_ == Section::evidence_tail && stage_ != Stage::head)
    complaint = "the volume " + key.id + " stands after the evidence's own problems";
  if (!complaint && volume_ && key <= *volume_)
    complaint = "the volume " + key.id + " stands after " + volume_->id + ", which comes later by (offset, id)";
  if (!complaint && !is_within(key.id, evidence_id_)) complaint = "the volume " + key.id + " isn't of " + evidence_id_;
  if (!volume_ids_.insert(key.id).second && !complaint) complaint = "a second volume " + key.id;
  parents_.insert(text(record, "parent"));
  volume_ = key;
  volume_size_ = number(record, "size");
  volume_open_ = true;
  item_.reset();
  items_.clear();
  items_sorted_ = false;
  begin(Section::volume, key.id);
  return complaint;
}

std::optional<std::string> OrderChecker::on_item(const Json& record) {
  const std::string id = text(record, "id");
  if (!volume_open_) return "the item " + id + " stands outside any volume";
  Complaint complaint;
  if (section_ == Section::volume && (stage_ != Stage::head || item_))
    complaint = "the item " + id + " stands after its volume's own records";
  if (!complaint && text(record, "volume") != volume_->id)
    complaint = "the item " + id + " of " + text(record, "volume") + " stands in " + volume_->id;
  if (!complaint && !is_within(id, volume_->id)) complaint = "the item " + id + " isn't named after its volume";
  if (!complaint && item_ && id <= *item_)
    complaint = id == *item_ ? "the item " + id + " stands twice" : "the item " + id + " stands after " + *item_;
  item_ = id;
  items_.push_back(short_hash(id));
  begin(Section::item, id);
  return complaint;
}

// The records of `owner` come: still those of the current item, or the volume's, or the evidence's.
std::optional<std::string> OrderChecker::step_to(const std::string& owner) {
  if (owner == owner_) return {};
  if (section_ == Section::item && volume_open_ && owner == volume_->id) {
    begin(Section::volume, owner);
    return {};
  }
  return "a record about " + owner + " stands among those of " + owner_;
}

std::optional<std::string> OrderChecker::on_match(const Json& record, std::string_view line) {
  const std::string item = text(record, "item");
  if (section_ == Section::evidence_tail) return "a match with " + item + " stands outside any volume";
  if (Complaint complaint = step_to(item)) return complaint;
  if (stage_ == Stage::problems) return "a match with " + item + " stands after a problem of it";
  stage_ = Stage::matches;
  MatchKey key = match_key(record, std::string(line));
  const bool sorted = !match_ || *match_ <= key;
  match_ = std::move(key);
  if (sorted) return {};
  return "the matches of " + item + " aren't in order of (by, source, rule, first offset)";
}

bool OrderChecker::is_item_of_volume(const std::string& id) {
  if (!items_sorted_) std::sort(items_.begin(), items_.end());
  items_sorted_ = true;
  return std::binary_search(items_.begin(), items_.end(), short_hash(id));
}

bool OrderChecker::is_in_some_volume(const std::string& id) const {
  for (std::size_t slash = id.find('/'); slash != std::string::npos; slash = id.find('/', slash + 1)) {
    if (volume_ids_.contains(id.substr(0, slash))) return true;
  }
  return volume_ids_.contains(id);
}

std::optional<std::string> OrderChecker::on_problem(const Json& record, std::string_view line) {
  std::string where = text(record, "where");
  // Something of the volume that has no item record: the volume's own.
  if (volume_open_ && where != owner_ && is_within(where, volume_->id)) {
    if (is_item_of_volume(where)) return "a problem of the item " + where + " doesn't stand after it";
    where = volume_->id;
  }
  if (section_ == Section::evidence_tail && is_within(where, evidence_id_) && !is_in_some_volume(where))
    where = evidence_id_;
  if (Complaint complaint = step_to(where)) return complaint;
  stage_ = Stage::problems;
  ProblemKey key = problem_key(record, std::string(line));
  const bool sorted = !problem_ || *problem_ <= key;
  problem_ = std::move(key);
  if (sorted) return {};
  return "the problems of " + where + " aren't in order of (stage, cause, detail)";
}

std::optional<std::string> OrderChecker::on_coverage(const Json& record) {
  const std::string where = text(record, "where");
  if (Complaint complaint = step_to(where)) return complaint;
  if (section_ == Section::evidence_tail) {
    section_ = Section::done;
    return sums_up(record, number(*evidence_, "size"));
  }
  if (section_ != Section::volume) return "a coverage of the item " + where;
  volume_open_ = false;
  begin(Section::evidence_tail, evidence_id_);
  return sums_up(record, volume_size_);
}

std::optional<std::string> OrderChecker::finish() const {
  if (section_ == Section::start) return {};  // an empty file claims nothing
  if (Complaint complaint = missing_coverage()) return complaint;
  if (section_ != Section::done) return "the evidence " + evidence_id_ + " ends without its coverage";
  for (const std::string& parent : parents_) {
    if (parent != evidence_id_ && !volume_ids_.contains(parent)) return "the parent " + parent + " has no record";
  }
  return {};
}

}  // namespace exhibit::manifest
