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

template <typename Enum, std::size_t N>
std::optional<Enum> value_named(const std::array<Enum, N>& values, const TextValue& name) {
  std::string scratch;
  return value_named(values, name.string(scratch));
}

bool has_size(const TextValue& object, std::string_view key) {
  const auto value = object.find(key);
  return value && value->is_size();
}

template <typename Enum, std::size_t N>
bool names_one_of(const TextValue& value, const std::array<Enum, N>& values) {
  return value.is_string() && value_named(values, value).has_value();
}

// What a key may hold. Each answers what is wrong, or nullptr.
using Complaint = const char*;

Complaint is_text(const TextValue& value) { return value.is_string() ? nullptr : "isn't a string"; }
Complaint is_size(const TextValue& value) { return value.is_size() ? nullptr : "isn't a size"; }
Complaint is_boolean(const TextValue& value) { return value.is_boolean() ? nullptr : "isn't a boolean"; }
Complaint is_kind(const TextValue& value) { return names_one_of(value, kinds) ? nullptr : "is unknown"; }
Complaint is_state(const TextValue& value) { return names_one_of(value, states) ? nullptr : "is unknown"; }

Complaint is_mode(const TextValue& value) {
  if (!value.is_size()) return "isn't a size";
  return value.size() > UINT32_MAX ? "is too large" : nullptr;
}

Complaint is_digests(const TextValue& value) {
  if (!value.is_object()) return "isn't an object";
  const bool texts = value.each_member([](auto, const TextValue& digest) { return digest.is_string(); });
  return texts ? nullptr : "holds something else than text";
}

bool lacks_or_has_text(const TextValue& object, std::string_view key) {
  const auto value = object.find(key);
  return !value || value->is_string();
}

Complaint is_times(const TextValue& value) {
  if (!value.is_object()) return "isn't an object";
  const bool are_texts = value.each_member([](std::string_view key, const TextValue& time) {
    const bool is_known = key == "accessed" || key == "born" || key == "changed" || key == "modified";
    return !is_known || time.is_string();
  });
  return are_texts ? nullptr : "holds something else than text";
}

// A list of two values, by each of which is asked.
template <typename First, typename Second>
bool is_pair(const TextValue& value, const First& first, const Second& second) {
  std::size_t count = 0;
  const auto fits = [&](const TextValue& each) { return ++count == 1 ? first(each) : count == 2 && second(each); };
  return value.is_array() && value.each_element(fits) && count == 2;
}

bool is_a_size(const TextValue& value) { return value.is_size(); }

Complaint is_extents(const TextValue& value) {
  if (!value.is_array()) return "isn't a list";
  const auto is_place = [](const TextValue& place) { return place.is_integer() && place.integer() >= sparse_run; };
  const bool runs = value.each_element([&](const TextValue& run) { return is_pair(run, is_place, is_a_size); });
  return runs ? nullptr : "holds something else than runs";
}

Complaint is_doubts(const TextValue& value) {
  if (!value.is_array()) return "isn't a list";
  Complaint complaint = nullptr;
  value.each_element([&](const TextValue& entry) {
    const auto cause = entry.is_object() ? entry.find("cause") : std::nullopt;
    if (!entry.is_object()) {
      complaint = "holds something else than objects";
    } else if (!has_size(entry, "offset") || !has_size(entry, "length")) {
      complaint = "has no sizes";
    } else if (!cause || !names_one_of(*cause, doubt_causes)) {
      complaint = "has an unknown cause";
    }
    return complaint == nullptr;
  });
  return complaint;
}

// The places of a match.
Complaint is_places(const TextValue& value) {
  if (!value.is_array()) return "isn't a list";
  const bool places = value.each_element([](const TextValue& place) {
    return place.is_object() && has_size(place, "offset") && has_size(place, "length") &&
           lacks_or_has_text(place, "string");
  });
  return places ? nullptr : "holds something else than places";
}

Complaint is_extent(const TextValue& value) {
  return is_pair(value, is_a_size, is_a_size) ? nullptr : "isn't an offset and a length";
}

// Bytes by class.
Complaint is_counts(const TextValue& value) {
  if (!value.is_object()) return "isn't an object";
  const bool sizes = value.each_member([](auto, const TextValue& count) { return count.is_size(); });
  return sizes ? nullptr : "holds something else than sizes";
}

struct Field {
  std::string_view key;
  Complaint (*check)(const TextValue& value);
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
                                 {"via", is_text},
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

// Both stand in the order of their keys.
Result<void> check_fields(const RecordLine& record, std::span<const Field> fields) {
  auto field = fields.begin();
  const auto pass_over = [&](auto until) -> Result<void> {
    for (; field != until; ++field) {
      if (field->required) return bad(field->key, "is missing");
    }
    return {};
  };
  for (const RecordLine::Member& member : record.members()) {
    const auto known = std::find_if(field, fields.end(), [&](const Field& each) { return each.key == member.key; });
    if (known == fields.end()) continue;
    EXHIBIT_TRY(pass_over(known));
    if (const Complaint complaint = field->check(member.value)) return bad(field->key, complaint);
    ++field;
  }
  return pass_over(fields.end());
}

// Of a record whose fields were checked.
std::vector<Extent> extents_of(const TextValue& value) {
  std::vector<Extent> extents;
  value.each_element([&](const TextValue& run) {
    Extent& extent = extents.emplace_back();
    std::size_t count = 0;
    return run.each_element([&](const TextValue& number) {
      if (count++ == 0) {
        extent.offset = number.integer();
      } else {
        extent.length = number.size();
      }
      return true;
    });
  });
  return extents;
}

std::vector<Doubt> doubts_of(const TextValue& value) {
  std::vector<Doubt> doubts;
  value.each_element([&](const TextValue& entry) {
    doubts.push_back(
        {entry.find("offset")->size(), entry.find("length")->size(), *value_named(doubt_causes, *entry.find("cause"))});
    return true;
  });
  return doubts;
}

Times times_of(const TextValue& value) {
  const auto text = [&](std::string_view key) {
    const auto found = value.find(key);
    return found ? std::optional(found->string()) : std::nullopt;
  };
  return {text("modified"), text("accessed"), text("changed"), text("born")};
}

Digests digests_of(const TextValue& value) {
  Digests digests;
  value.each_member([&](std::string_view key, const TextValue& digest) {
    const TextValue name(std::string_view(key.data() - 1, key.size() + 2));  // with its quotation marks
    digests.insert_or_assign(name.string(), digest.string());
    return true;
  });
  return digests;
}

// What reads a field of a record into an item; a row for each of item_fields.
struct Reader {
  std::string_view key;
  void (*read)(Item& item, const TextValue& value);
};
constexpr Reader item_readers[] = {
    {"content", [](Item& item, const TextValue& value) { item.content = value.string(); }},
    {"digests", [](Item& item, const TextValue& value) { item.digests = digests_of(value); }},
    {"doubt", [](Item& item, const TextValue& value) { item.doubt = doubts_of(value); }},
    {"extension_mismatch", [](Item& item, const TextValue& value) { item.extension_mismatch = value.is_true(); }},
    {"extents", [](Item& item, const TextValue& value) { item.extents = extents_of(value); }},
    {"gid", [](Item& item, const TextValue& value) { item.gid = value.size(); }},
    {"id", [](Item& item, const TextValue& value) { item.id = value.string(); }},
    {"kind", [](Item& item, const TextValue& value) { item.kind = *value_named(kinds, value); }},
    {"link_target", [](Item& item, const TextValue& value) { item.link_target = value.string(); }},
    {"mode", [](Item& item, const TextValue& value) { item.mode = static_cast<std::uint32_t>(value.size()); }},
    {"path", [](Item& item, const TextValue& value) { item.path = value.string(); }},
    {"path_raw", [](Item& item, const TextValue& value) { item.path_raw = value.string(); }},
    {"size", [](Item& item, const TextValue& value) { item.size = value.size(); }},
    {"state", [](Item& item, const TextValue& value) { item.state = *value_named(states, value); }},
    {"stream", [](Item& item, const TextValue& value) { item.stream = value.string(); }},
    {"tier", [](Item& item, const TextValue& value) { item.tier = value.string(); }},
    {"times", [](Item& item, const TextValue& value) { item.times = times_of(value); }},
    {"transform", [](Item& item, const TextValue& value) { item.transform = value.string(); }},
    {"type", [](Item& item, const TextValue& value) { item.type = value.string(); }},
    {"uid", [](Item& item, const TextValue& value) { item.uid = value.size(); }},
    {"via", [](Item& item, const TextValue& value) { item.via = value.string(); }},
    {"volume", [](Item& item, const TextValue& value) { item.volume = value.string(); }}};
static_assert(std::equal(std::begin(item_readers), std::end(item_readers), std::begin(item_fields),
                         std::end(item_fields), [](const auto& a, const auto& b) { return a.key == b.key; }));

template <typename T>
void put(Json& record, const char* key, const std::optional<T>& value) {
  if (value) record[key] = *value;
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
  put(record, "feature", match.feature);
  put(record, "handling", match.handling);
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
  const std::string text = canonical(value);
  if (const Complaint complaint = is_extents(TextValue(text))) return bad("extents", complaint);
  return extents_of(TextValue(text));
}

Result<std::vector<Doubt>> doubts_from_json(const Json& value) {
  const std::string text = canonical(value);
  if (const Complaint complaint = is_doubts(TextValue(text))) return bad("doubt", complaint);
  return doubts_of(TextValue(text));
}

Result<Item> item_from_record(const RecordLine& record) {
  EXHIBIT_TRY(check_fields(record, item_fields));
  Item item;
  const Reader* next = std::begin(item_readers);
  for (const RecordLine::Member& member : record.members()) {
    const Reader* reader =
        std::find_if(next, std::end(item_readers), [&](const Reader& each) { return each.key == member.key; });
    if (reader == std::end(item_readers)) continue;
    reader->read(item, member.value);
    next = reader + 1;
  }
  return item;
}

Result<Item> item_from_record(const Json& record) {
  const std::string text = canonical(record);
  RecordLine line;
  if (!line.read(text)) return bad("record", "isn't an object");
  return item_from_record(line);
}

Result<void> check_record(const RecordLine& record) {
  const TextValue* name = record.find("record");
  if (name == nullptr || !name->is_string()) return bad("record", "is missing or not a string");
  std::string scratch;
  const std::string_view text = name->string(scratch);
  for (const Kind& kind : record_kinds) {
    if (kind.name == text) return check_fields(record, kind.fields);
  }
  return bad("record", "is of an unknown kind");
}

Result<void> check_record(const Json& record) {
  const std::string text = canonical(record);
  RecordLine line;
  if (!line.read(text)) return bad("record", "isn't an object");
  return check_record(line);
}

}  // namespace exhibit::base
