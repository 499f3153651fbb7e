#include "base/record.h"

#include <algorithm>
#include <array>
#include <span>
#include <string_view>

#include "base/text.h"

namespace exhibit::base {
namespace {

constexpr std::array kinds = {ItemKind::file, ItemKind::directory, ItemKind::symlink,     ItemKind::device,
                              ItemKind::fifo, ItemKind::socket,    ItemKind::virtual_file};
constexpr std::array states = {ItemState::allocated, ItemState::deleted, ItemState::overwritten,
                               ItemState::orphan,    ItemState::carved,  ItemState::member};
constexpr std::array doubt_causes = {DoubtCause::read_error, DoubtCause::crc_error, DoubtCause::missing_segment,
                                     DoubtCause::zero_filled};

Error bad(std::string_view key, std::string_view why) {
  return {ErrorCode::corrupt, "record: \"" + std::string(key) + "\" " + std::string(why), {}, {}};
}

template <typename Enum, std::size_t N>
std::optional<Enum> value_named(const std::array<Enum, N>& values, std::string_view name) {
  for (const Enum value : values) {
    if (name == name_of(value)) return value;
  }
  return std::nullopt;
}

// nullptr where the key is absent.
const Json* find(const Json& record, std::string_view key) {
  const auto at = record.find(key);
  return at == record.end() ? nullptr : &*at;
}

const std::string* text_in(const Json& record, std::string_view key) {
  const Json* value = find(record, key);
  return value == nullptr ? nullptr : value->get_ptr<const std::string*>();
}

bool has_size(const Json& record, std::string_view key) {
  const Json* value = find(record, key);
  return value != nullptr && value->is_number_unsigned();
}

template <typename Enum, std::size_t N>
bool names_one_of(const Json& value, const std::array<Enum, N>& values) {
  const auto* text = value.get_ptr<const std::string*>();
  return text != nullptr && value_named(values, *text).has_value();
}

// What a key may hold. Each answers what is wrong, or nullptr.
using Complaint = const char*;

Complaint is_text(const Json& value) { return value.is_string() ? nullptr : "isn't a string"; }
Complaint is_size(const Json& value) { return value.is_number_unsigned() ? nullptr : "isn't a size"; }
Complaint is_boolean(const Json& value) { return value.is_boolean() ? nullptr : "isn't a boolean"; }
Complaint is_kind(const Json& value) { return names_one_of(value, kinds) ? nullptr : "is unknown"; }
Complaint is_state(const Json& value) { return names_one_of(value, states) ? nullptr : "is unknown"; }

Complaint is_mode(const Json& value) {
  if (!value.is_number_unsigned()) return "isn't a size";
  return value.get<std::uint64_t>() > UINT32_MAX ? "is too large" : nullptr;
}

Complaint is_digests(const Json& value) {
  if (!value.is_object()) return "isn't an object";
  for (const auto& [name, text] : value.get_ref<const Json::object_t&>()) {
    if (!text.is_string()) return "holds something else than text";
  }
  return nullptr;
}

bool lacks_or_has_text(const Json& record, std::string_view key) {
  const Json* value = find(record, key);
  return value == nullptr || value->is_string();
}

Complaint is_times(const Json& value) {
  if (!value.is_object()) return "isn't an object";
  for (const char* key : {"accessed", "born", "changed", "modified"}) {
    if (!lacks_or_has_text(value, key)) return "holds something else than text";
  }
  return nullptr;
}

Complaint is_extents(const Json& value) {
  if (!value.is_array()) return "isn't a list";
  for (const Json& run : value) {
    const bool pair = run.is_array() && run.size() == 2 && run[0].is_number_integer() && run[1].is_number_unsigned();
    if (!pair || run[0].get<std::int64_t>() < sparse_run) return "holds something else than runs";
  }
  return nullptr;
}

Complaint is_doubts(const Json& value) {
  if (!value.is_array()) return "isn't a list";
  for (const Json& entry : value) {
    if (!entry.is_object()) return "holds something else than objects";
    if (!has_size(entry, "offset") || !has_size(entry, "length")) return "has no sizes";
    const Json* cause = find(entry, "cause");
    if (cause == nullptr || !names_one_of(*cause, doubt_causes)) return "has an unknown cause";
  }
  return nullptr;
}

// The places of a match.
Complaint is_places(const Json& value) {
  if (!value.is_array()) return "isn't a list";
  for (const Json& place : value) {
    if (!place.is_object() || !has_size(place, "offset") || !has_size(place, "length") ||
        !lacks_or_has_text(place, "string"))
      return "holds something else than places";
  }
  return nullptr;
}

Complaint is_extent(const Json& value) {
  const bool pair =
      value.is_array() && value.size() == 2 && value[0].is_number_unsigned() && value[1].is_number_unsigned();
  return pair ? nullptr : "isn't an offset and a length";
}

// Bytes by class.
Complaint is_counts(const Json& value) {
  if (!value.is_object()) return "isn't an object";
  for (const auto& [name, count] : value.get_ref<const Json::object_t&>()) {
    if (!count.is_number_unsigned()) return "holds something else than sizes";
  }
  return nullptr;
}

struct Field {
  std::string_view key;
  Complaint (*check)(const Json& value);
  bool required = false;
};
constexpr bool required = true;

// findings.md. In order of their keys, as a record's are, so that one pass over both finds all.
constexpr Field item_fields[] = {{"content", is_text, required},
                                 {"digests", is_digests},
                                 {"doubt", is_doubts},
                                 {"extension_mismatch", is_boolean},
                                 {"extents", is_extents},
                                 {"gid", is_size},
                                 {"id", is_text, required},
                                 {"kind", is_kind, required},
                                 {"link_target", is_text},
                                 {"mode", is_mode},
                                 {"path", is_text, required},
                                 {"path_raw", is_text},
                                 {"size", is_size, required},
                                 {"state", is_state, required},
                                 {"stream", is_text},
                                 {"tier", is_text},
                                 {"times", is_times},
                                 {"transform", is_text},
                                 {"type", is_text},
                                 {"uid", is_size},
                                 {"volume", is_text, required}};
constexpr Field match_fields[] = {
    {"by", is_text, required},     {"item", is_text, required},          {"rule", is_text, required},
    {"source", is_text, required}, {"source_sha256", is_text, required}, {"where", is_places}};
constexpr Field problem_fields[] = {{"cause", is_text, required},
                                    {"detail", is_text, required},
                                    {"extent", is_extent},
                                    {"stage", is_text, required},
                                    {"where", is_text, required}};
constexpr Field coverage_fields[] = {
    {"bytes", is_counts, required}, {"examined", is_counts, required}, {"where", is_text, required}};
constexpr Field evidence_fields[] = {{"digests", is_digests},
                                     {"id", is_text, required},
                                     {"integrity", is_text},
                                     {"size", is_size},
                                     {"stored_digests", is_digests}};
constexpr Field volume_fields[] = {{"id", is_text, required},     {"kind", is_text, required},
                                   {"offset", is_size, required}, {"parent", is_text, required},
                                   {"scheme", is_text, required}, {"size", is_size, required}};

constexpr bool in_order(std::span<const Field> fields) {
  return std::is_sorted(fields.begin(), fields.end(), [](const auto& a, const auto& b) { return a.key < b.key; });
}

struct Kind {
  std::string_view name;
  std::span<const Field> fields;
};
constexpr Kind record_kinds[] = {{"item", item_fields},
                                 {"match", match_fields},
                                 {"problem", problem_fields},
                                 {"coverage", coverage_fields},
                                 {"evidence", evidence_fields},
                                 {"volume", volume_fields},
                                 {"source", {}}};
static_assert(std::all_of(std::begin(record_kinds), std::end(record_kinds),
                          [](const Kind& kind) { return in_order(kind.fields); }));

Result<void> check_fields(const Json& record, std::span<const Field> fields) {
  if (!record.is_object()) return bad("record", "isn't an object");
  const auto& members = record.get_ref<const Json::object_t&>();
  auto member = members.begin();
  for (const Field& field : fields) {
    while (member != members.end() && member->first < field.key) ++member;
    if (member != members.end() && member->first == field.key) {
      if (const Complaint complaint = field.check(member->second)) return bad(field.key, complaint);
    } else if (field.required) {
      return bad(field.key, "is missing");
    }
  }
  return {};
}

// Of a record whose fields were checked.
std::optional<std::string> optional_text(const Json& record, std::string_view key) {
  const std::string* text = text_in(record, key);
  return text == nullptr ? std::nullopt : std::optional(*text);
}

std::optional<std::uint64_t> optional_size(const Json& record, std::string_view key) {
  const Json* value = find(record, key);
  return value == nullptr ? std::nullopt : std::optional(value->get<std::uint64_t>());
}

std::vector<Extent> extents_of(const Json& value) {
  std::vector<Extent> extents;
  extents.reserve(value.size());
  for (const Json& run : value) extents.push_back({run[0].get<std::int64_t>(), run[1].get<std::uint64_t>()});
  return extents;
}

std::vector<Doubt> doubts_of(const Json& value) {
  std::vector<Doubt> doubts;
  doubts.reserve(value.size());
  for (const Json& entry : value) {
    doubts.push_back({entry.at("offset").get<std::uint64_t>(), entry.at("length").get<std::uint64_t>(),
                      *value_named(doubt_causes, *text_in(entry, "cause"))});
  }
  return doubts;
}

Times times_of(const Json& value) {
  return {optional_text(value, "modified"), optional_text(value, "accessed"), optional_text(value, "changed"),
          optional_text(value, "born")};
}

template <typename T>
void put(Json& record, const char* key, const std::optional<T>& value) {
  if (value) record[key] = *value;
}

Json to_json(const Times& times) {
  Json out = Json::object();
  put(out, "modified", times.modified);
  put(out, "accessed", times.accessed);
  put(out, "changed", times.changed);
  put(out, "born", times.born);
  return out;
}

}  // namespace

Json to_json(const std::vector<Extent>& extents) {
  Json out = Json::array();
  for (const Extent& extent : extents) {
    // A run's offset is a number of the unsigned kind unless it is the sparse mark.
    if (extent.offset < 0) {
      out.push_back(Json::array({extent.offset, extent.length}));
    } else {
      out.push_back(Json::array({static_cast<std::uint64_t>(extent.offset), extent.length}));
    }
  }
  return out;
}

Json to_json(const std::vector<Doubt>& doubts) {
  Json out = Json::array();
  for (const Doubt& doubt : doubts) {
    out.push_back({{"offset", doubt.offset}, {"length", doubt.length}, {"cause", name_of(doubt.cause)}});
  }
  return out;
}

Json to_record(const Item& item) {
  Json record = {{"record", "item"},
                 {"id", item.id},
                 {"volume", item.volume},
                 {"path", item.path},
                 {"content", item.content},
                 {"kind", name_of(item.kind)},
                 {"state", name_of(item.state)},
                 {"size", item.size}};
  put(record, "path_raw", item.path_raw);
  put(record, "stream", item.stream);
  put(record, "mode", item.mode);
  put(record, "uid", item.uid);
  put(record, "gid", item.gid);
  put(record, "link_target", item.link_target);
  if (Json times = to_json(item.times); !times.empty()) record["times"] = std::move(times);
  put(record, "type", item.type);
  if (item.extension_mismatch) record["extension_mismatch"] = true;
  if (!item.digests.empty()) record["digests"] = item.digests;
  if (item.extents) record["extents"] = to_json(*item.extents);
  put(record, "transform", item.transform);
  if (!item.doubt.empty()) record["doubt"] = to_json(item.doubt);
  put(record, "tier", item.tier);
  return record;
}

Json to_record(const Problem& problem) {
  Json record = {{"record", "problem"},
                 {"where", problem.where},
                 {"stage", problem.stage},
                 {"cause", problem.cause},
                 {"detail", clean_utf8(problem.detail).text}};
  if (problem.extent) record["extent"] = *problem.extent;
  return record;
}

Json to_record(const Match& match) {
  Json record = {{"record", "match"},
                 {"item", match.item},
                 {"by", match.by},
                 {"source", match.source},
                 {"source_sha256", match.source_sha256},
                 {"rule", match.rule}};
  put(record, "category", match.category);
  put(record, "severity", match.severity);
  put(record, "algorithm", match.algorithm);
  put(record, "region", match.region);
  if (!match.where.empty()) {
    Json places = Json::array();
    for (const MatchPlace& place : match.where) {
      places.push_back({{"offset", place.offset}, {"length", place.length}, {"string", place.string}});
    }
    record["where"] = std::move(places);
  }
  if (match.where_truncated) record["where_truncated"] = true;
  return record;
}

Result<std::vector<Extent>> extents_from_json(const Json& value) {
  if (const Complaint complaint = is_extents(value)) return bad("extents", complaint);
  return extents_of(value);
}

Result<std::vector<Doubt>> doubts_from_json(const Json& value) {
  if (const Complaint complaint = is_doubts(value)) return bad("doubt", complaint);
  return doubts_of(value);
}

Result<Item> item_from_record(const Json& record) {
  EXHIBIT_TRY(check_fields(record, item_fields));
  Item item;
  item.id = *text_in(record, "id");
  item.volume = *text_in(record, "volume");
  item.path = *text_in(record, "path");
  item.path_raw = optional_text(record, "path_raw");
  item.stream = optional_text(record, "stream");
  item.content = *text_in(record, "content");
  item.kind = *value_named(kinds, *text_in(record, "kind"));
  item.state = *value_named(states, *text_in(record, "state"));
  item.size = *optional_size(record, "size");
  if (const auto mode = optional_size(record, "mode")) item.mode = static_cast<std::uint32_t>(*mode);
  item.uid = optional_size(record, "uid");
  item.gid = optional_size(record, "gid");
  item.link_target = optional_text(record, "link_target");
  if (const Json* times = find(record, "times")) item.times = times_of(*times);
  item.type = optional_text(record, "type");
  if (const Json* mismatch = find(record, "extension_mismatch")) item.extension_mismatch = mismatch->get<bool>();
  if (const Json* digests = find(record, "digests")) item.digests = digests->get<Digests>();
  if (const Json* extents = find(record, "extents")) item.extents = extents_of(*extents);
  item.transform = optional_text(record, "transform");
  if (const Json* doubts = find(record, "doubt")) item.doubt = doubts_of(*doubts);
  item.tier = optional_text(record, "tier");
  return item;
}

Result<void> check_record(const Json& record) {
  if (!record.is_object()) return bad("record", "isn't an object");
  const std::string* name = text_in(record, "record");
  if (name == nullptr) return bad("record", "is missing or not a string");
  for (const Kind& kind : record_kinds) {
    if (kind.name == *name) return check_fields(record, kind.fields);
  }
  return bad("record", "is of an unknown kind");
}

}  // namespace exhibit::base
