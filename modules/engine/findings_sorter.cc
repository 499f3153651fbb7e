#include "engine/findings_sorter.h"

#include <algorithm>

#include "engine/number_key.h"

namespace exhibit::engine {
namespace {

using namespace std::string_view_literals;
using Part = FindingsSorter::Part;
using Written = FindingsSorter::Written;

constexpr std::uint32_t evidence_section = 0;  // volumes count from 1

// The order of an owner's records; a byte of their keys.
constexpr char item_rank = 0, match_rank = 1, problem_rank = 2;

// Keys are compared as bytes, so a text within one ends in a mark that sorts before whatever may go on there; a zero
// byte in the text is told from the mark by an FF behind it.
constexpr std::string_view end_of_text = "\0\0"sv;
void append_text(std::string& key, std::string_view text) {
  for (std::size_t zero = 0; (zero = text.find('\0')) != std::string_view::npos; text.remove_prefix(zero + 1))
    key.append(text.substr(0, zero)).append("\0\xFF"sv);
  key.append(text).append(end_of_text);
}

std::uint64_t first_offset(const base::RecordLine& match) {
  const base::TextValue* places = match.find("where");
  const auto first = places != nullptr && places->is_array() ? places->first() : std::nullopt;
  const auto offset = first && first->is_object() ? first->find("offset") : std::nullopt;
  return offset && offset->is_size() ? offset->size() : 0;
}

void append_match(std::string& key, const base::RecordLine& record) {
  std::string scratch;
  key += match_rank;
  for (const char* name : {"by", "source", "rule"}) append_text(key, record.string(name, scratch));
  put_number(key, first_offset(record));
}

void append_problem(std::string& key, const base::RecordLine& record) {
  std::string scratch;
  key += problem_rank;
  for (const char* name : {"stage", "cause", "detail"}) append_text(key, record.string(name, scratch));
}

void count(Written& written, char rank) {
  ++(rank == item_rank ? written.items : rank == match_rank ? written.matches : written.problems);
}

}  // namespace

FindingsSorter::FindingsSorter(std::string folder, std::string evidence_id, std::uint64_t memory_bytes)
    : evidence_id_(std::move(evidence_id)),
      items_(folder, memory_bytes / 4 * 3),
      own_(std::move(folder), memory_bytes / 4),
      is_parted_(1, true) {}

Result<std::unique_ptr<FindingsSorter>> FindingsSorter::create(std::string folder, std::string evidence_id,
                                                               std::uint64_t memory_bytes) {
  return std::unique_ptr<FindingsSorter>(new FindingsSorter(std::move(folder), std::move(evidence_id), memory_bytes));
}

void FindingsSorter::add_volume(const std::string& id) {
  EXHIBIT_CHECK(id != evidence_id_);
  if (!volumes_.emplace(id, static_cast<std::uint32_t>(is_parted_.size())).second) return;
  is_parted_.push_back(false);
  longest_volume_id_ = std::max(longest_volume_id_, id.size());
}

std::uint32_t FindingsSorter::volume_of(std::string_view id) const {
  if (const auto itself = volumes_.find(id); itself != volumes_.end()) return itself->second;
  std::uint32_t innermost = evidence_section;
  for (std::size_t slash = id.find('/'); slash <= longest_volume_id_; slash = id.find('/', slash + 1)) {
    if (const auto found = volumes_.find(id.substr(0, slash)); found != volumes_.end()) innermost = found->second;
  }
  return innermost;
}

Result<void> FindingsSorter::add(const base::RecordLine& record) {
  EXHIBIT_CHECK(!is_reading_);
  std::string scratch;
  const std::string_view kind = record.string("record", scratch);
  const bool is_item = kind == "item", is_match = kind == "match";
  if (!is_item && !is_match && kind != "problem") return {};
  const std::string_view owner = record.string(is_item ? "id" : is_match ? "item" : "where", scratch);
  const std::uint32_t volume = volume_of(owner);
  if (volume == evidence_section && (is_item || is_match))
    return Error{ErrorCode::corrupt, std::string(owner) + ": lies in no volume of " + evidence_id_, {}, {}};
  const bool is_own = volume == evidence_section || (!is_item && volumes_.contains(owner));
  std::string key;
  if (!is_own) append_text(key, owner);
  if (is_item) {
    key += item_rank;
  } else if (is_match) {
    append_match(key, record);
  } else {
    append_problem(key, record);
  }
  return (is_own ? own_ : items_).add(volume, key, record.text());
}

Result<Written> FindingsSorter::for_each(const std::string& id, Part part, const LineCall& call) {
  is_reading_ = true;
  const auto found = volumes_.find(id);
  EXHIBIT_CHECK(found != volumes_.end() || id == evidence_id_);
  const std::uint32_t volume = found != volumes_.end() ? found->second : evidence_section;
  return part == Part::items ? for_each_item(volume, call) : for_each_own(volume, call);
}

// An item comes before whatever else names it: what comes without one belongs to the volume.
Result<Written> FindingsSorter::for_each_item(std::uint32_t volume, const LineCall& call) {
  Written written;
  std::string item;  // the last one's key up to its rank
  EXHIBIT_TRY(items_.for_each(volume, [&](std::string_view key, std::string_view line) -> Result<void> {
    const std::size_t rank = key.find(end_of_text) + end_of_text.size();
    if (key[rank] == item_rank) item = key.substr(0, rank);
    if (key.substr(0, rank) != item)
      return is_parted_[volume] ? Result<void>() : own_.add(volume, key.substr(rank), line);
    count(written, key[rank]);
    return call(line);
  }));
  is_parted_[volume] = true;
  return written;
}

Result<Written> FindingsSorter::for_each_own(std::uint32_t volume, const LineCall& call) {
  if (!is_parted_[volume]) EXHIBIT_TRY(for_each_item(volume, [](std::string_view) { return Result<void>(); }));
  Written written;
  EXHIBIT_TRY(own_.for_each(volume, [&](std::string_view key, std::string_view line) -> Result<void> {
    count(written, key.front());
    return call(line);
  }));
  return written;
}

}  // namespace exhibit::engine
