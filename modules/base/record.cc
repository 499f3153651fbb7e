#include "base/record.h"

#include <array>
#include <string_view>

namespace exhibit::base {
namespace {

constexpr std::array kinds = {ItemKind::file, ItemKind::directory, ItemKind::symlink,     ItemKind::device,
                              ItemKind::fifo, ItemKind::socket,    ItemKind::virtual_file};
constexpr std::array states = {ItemState::allocated, ItemState::deleted, ItemState::overwritten,
                               ItemState::orphan,    ItemState::carved,  ItemState::member};
constexpr std::array doubt_causes = {DoubtCause::read_error, DoubtCause::crc_error, DoubtCause::missing_segment,
                                     DoubtCause::zero_filled};
constexpr std::array record_kinds = {"evidence", "volume", "item", "match", "problem", "coverage", "source"};

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
const Json* find(const Json& record, const char* key) {
  const auto at = record.find(key);
  return at == record.end() ? nullptr : &*at;
}

Result<std::string> text_of(const Json& record, const char* key) {
  const Json* value = find(record, key);
  if (value == nullptr || !value->is_string()) return bad(key, "is missing or not a string");
  return value->get<std::string>();
}

Result<std::optional<std::string>> optional_text(const Json& record, const char* key) {
  const Json* value = find(record, key);
  if (value == nullptr) return std::optional<std::string>();
  if (!value->is_string()) return bad(key, "isn't a string");
  return std::optional(value->get<std::string>());
}

Result<std::uint64_t> size_of(const Json& record, const char* key) {
  const Json* value = find(record, key);
  if (value == nullptr || !value->is_number_unsigned()) return bad(key, "is missing or not a size");
  return value->get<std::uint64_t>();
}

Result<std::vector<Doubt>> doubts_from_json(const Json& value) {
  std::vector<Doubt> doubts;
  if (!value.is_array()) return bad("doubt", "isn't a list");
  for (const Json& entry : value) {
    if (!entry.is_object()) return bad("doubt", "holds something else than objects");
    Doubt doubt;
    doubt.offset = EXHIBIT_TRY(size_of(entry, "offset"));
    doubt.length = EXHIBIT_TRY(size_of(entry, "length"));
    const auto cause = value_named(doubt_causes, EXHIBIT_TRY(text_of(entry, "cause")));
    if (!cause) return bad("doubt", "has an unknown cause");
    doubt.cause = *cause;
    doubts.push_back(doubt);
  }
  return doubts;
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

Result<Times> times_from_json(const Json& value) {
  if (!value.is_object()) return bad("times", "isn't an object");
  Times times;
  times.modified = EXHIBIT_TRY(optional_text(value, "modified"));
  times.accessed = EXHIBIT_TRY(optional_text(value, "accessed"));
  times.changed = EXHIBIT_TRY(optional_text(value, "changed"));
  times.born = EXHIBIT_TRY(optional_text(value, "born"));
  return times;
}

Result<Digests> digests_from_json(const Json& value) {
  if (!value.is_object()) return bad("digests", "isn't an object");
  Digests digests;
  for (const auto& [name, digest] : value.items()) {
    if (!digest.is_string()) return bad("digests", "holds something else than text");
    digests[name] = digest.get<std::string>();
  }
  return digests;
}

Result<void> check_texts(const Json& record, std::initializer_list<const char*> keys) {
  for (const char* key : keys) EXHIBIT_TRY(text_of(record, key));
  return {};
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
                 {"detail", problem.detail}};
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
  std::vector<Extent> extents;
  if (!value.is_array()) return bad("extents", "isn't a list");
  extents.reserve(value.size());
  for (const Json& run : value) {
    const bool pair = run.is_array() && run.size() == 2 && run[0].is_number_integer() && run[1].is_number_unsigned();
    if (!pair || run[0].get<std::int64_t>() < sparse_run) return bad("extents", "holds something else than runs");
    extents.push_back({run[0].get<std::int64_t>(), run[1].get<std::uint64_t>()});
  }
  return extents;
}

Result<Item> item_from_record(const Json& record) {
  Item item;
  item.id = EXHIBIT_TRY(text_of(record, "id"));
  item.volume = EXHIBIT_TRY(text_of(record, "volume"));
  item.path = EXHIBIT_TRY(text_of(record, "path"));
  item.path_raw = EXHIBIT_TRY(optional_text(record, "path_raw"));
  item.stream = EXHIBIT_TRY(optional_text(record, "stream"));
  item.content = EXHIBIT_TRY(text_of(record, "content"));
  const auto kind = value_named(kinds, EXHIBIT_TRY(text_of(record, "kind")));
  if (!kind) return bad("kind", "is unknown");
  item.kind = *kind;
  const auto state = value_named(states, EXHIBIT_TRY(text_of(record, "state")));
  if (!state) return bad("state", "is unknown");
  item.state = *state;
  item.size = EXHIBIT_TRY(size_of(record, "size"));
  if (find(record, "mode") != nullptr) {
    const std::uint64_t mode = EXHIBIT_TRY(size_of(record, "mode"));
    if (mode > UINT32_MAX) return bad("mode", "is too large");
    item.mode = static_cast<std::uint32_t>(mode);
  }
  if (find(record, "uid") != nullptr) item.uid = EXHIBIT_TRY(size_of(record, "uid"));
  if (find(record, "gid") != nullptr) item.gid = EXHIBIT_TRY(size_of(record, "gid"));
  item.link_target = EXHIBIT_TRY(optional_text(record, "link_target"));
  if (const Json* times = find(record, "times")) item.times = EXHIBIT_TRY(times_from_json(*times));
  item.type = EXHIBIT_TRY(optional_text(record, "type"));
  if (const Json* mismatch = find(record, "extension_mismatch")) {
    if (!mismatch->is_boolean()) return bad("extension_mismatch", "isn't a boolean");
    item.extension_mismatch = mismatch->get<bool>();
  }
  if (const Json* digests = find(record, "digests")) item.digests = EXHIBIT_TRY(digests_from_json(*digests));
  if (const Json* extents = find(record, "extents")) item.extents = EXHIBIT_TRY(extents_from_json(*extents));
  item.transform = EXHIBIT_TRY(optional_text(record, "transform"));
  if (const Json* doubts = find(record, "doubt")) item.doubt = EXHIBIT_TRY(doubts_from_json(*doubts));
  item.tier = EXHIBIT_TRY(optional_text(record, "tier"));
  return item;
}

Result<void> check_record(const Json& record) {
  if (!record.is_object()) return bad("record", "isn't an object");
  const std::string kind = EXHIBIT_TRY(text_of(record, "record"));
  bool known = false;
  for (const char* name : record_kinds) known = known || kind == name;
  if (!known) return bad("record", "is of an unknown kind");
  if (kind == "item") EXHIBIT_TRY(item_from_record(record));
  if (kind == "match") EXHIBIT_TRY(check_texts(record, {"item", "by", "source", "source_sha256", "rule"}));
  if (kind == "problem") EXHIBIT_TRY(check_texts(record, {"where", "stage", "cause", "detail"}));
  if (kind == "coverage") EXHIBIT_TRY(check_texts(record, {"where"}));
  if (kind == "evidence") EXHIBIT_TRY(check_texts(record, {"id"}));
  if (kind == "volume") {
    EXHIBIT_TRY(check_texts(record, {"id", "parent", "kind", "scheme"}));
    EXHIBIT_TRY(size_of(record, "offset"));
    EXHIBIT_TRY(size_of(record, "size"));
  }
  return {};
}

}  // namespace exhibit::base
