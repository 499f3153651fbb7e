// The file of a disclosure: written and read. What it proves is checked in check_disclosure.cc.

#include "manifest/disclosure.h"

#include <algorithm>
#include <initializer_list>

namespace exhibit::manifest {
namespace {

using base::Json;

constexpr std::string_view digest_prefix = "sha256:";
constexpr std::size_t sha256_size = 32;
constexpr std::size_t salt_size = 32;

Error bad(const std::string& what) { return {ErrorCode::corrupt, "the disclosure: " + what, {}, {}}; }

// ---- written

Json to_json(const ProofHashes& proofs) {
  Json out = Json::object();
  for (const auto& [algorithm, hashes] : proofs) {
    Json& list = out[algorithm] = Json::array();
    for (const std::string& hash : hashes) list.push_back(base::to_hex(hash));
  }
  return out;
}

Json to_json(const DisclosedSignature& signature) {
  Json out = {{"name", signature.name}, {"cms", base::base64_encode(signature.cms)}};
  if (signature.timestamp) out["timestamp"] = base::base64_encode(*signature.timestamp);
  return out;
}

Json to_json(const SaltedLine& line) { return {{"line", line.line}, {"salt", base::to_hex(line.salt)}}; }

Json to_json(const DisclosedRecord& record) {
  Json out = to_json(record.salted);
  out["index"] = record.index;
  out["paths"] = to_json(record.paths);
  return out;
}

Json to_json(const DisclosedItem& item);
Json to_json(const DisclosedVolume& volume);
Json to_json(const Absence& absence);

template <typename Record>
Json list_of(const std::vector<Record>& records) {
  Json list = Json::array();
  for (const Record& record : records) list.push_back(to_json(record));
  return list;
}

Json to_json(const DisclosedItem& item) {
  return {{"evidence", item.evidence}, {"item", item.item}, {"records", list_of(item.records)}};
}

Json to_json(const DisclosedVolume& volume) {
  return {{"evidence", volume.evidence},
          {"volume", volume.volume},
          {"first", volume.first},
          {"records", list_of(volume.records)},
          {"proofs", to_json(volume.proofs)}};
}

Json to_json(const ContentNeighbour& neighbour) {
  return {{"index", neighbour.index}, {"key", base::to_hex(neighbour.key)}, {"paths", to_json(neighbour.paths)}};
}

Json to_json(const Absence& absence) {
  Json out = {{"evidence", absence.evidence}, {"digest", std::string(digest_prefix) + base::to_hex(absence.digest)}};
  if (absence.low) out["low"] = to_json(*absence.low);
  if (absence.high) out["high"] = to_json(*absence.high);
  return out;
}

// ---- read

// One object, read key by key.
class Fields {
 public:
  // `optional` keys may be missing, `keys` may not, and there are no others.
  static Result<Fields> of(const Json& value, std::string place, std::initializer_list<const char*> keys,
                           std::initializer_list<const char*> optional = {}) {
    if (!value.is_object()) return bad(place + " isn't an object");
    for (const char* key : keys) {
      if (!value.contains(key)) return bad(place + " has no \"" + key + "\"");
    }
    for (const auto& entry : value.items()) {
      const auto is_this = [&](const char* key) { return entry.key() == key; };
      if (std::none_of(keys.begin(), keys.end(), is_this) && std::none_of(optional.begin(), optional.end(), is_this))
        return bad(place + " has a key that this format doesn't have: \"" + entry.key() + "\"");
    }
    return Fields(value, std::move(place));
  }

  bool has(const char* key) const { return value_.contains(key); }
  const Json& at(const char* key) const { return value_.at(key); }
  std::string place(const char* key) const { return place_ + "." + key; }

  Result<std::string> text(const char* key) const {
    const Json& value = value_.at(key);
    if (!value.is_string()) return bad(place(key) + " isn't a string");
    return value.get<std::string>();
  }
  Result<std::uint64_t> number(const char* key) const {
    const Json& value = value_.at(key);
    if (!value.is_number_unsigned()) return bad(place(key) + " isn't a whole number");
    return value.get<std::uint64_t>();
  }
  Result<std::string> bytes(const char* key, std::size_t size) const {
    auto found = base::from_hex(EXHIBIT_TRY(text(key)));
    if (!found.ok() || found->size() != size)
      return bad(place(key) + " isn't " + std::to_string(size) + " bytes in lower-case hex");
    return found.take();
  }
  Result<std::string> base64(const char* key) const {
    auto found = base::base64_decode(EXHIBIT_TRY(text(key)));
    if (!found.ok()) return bad(place(key) + " isn't base64");
    return found.take();
  }
  Result<ProofHashes> proofs(const char* key) const {
    const Json& value = value_.at(key);
    if (!value.is_object()) return bad(place(key) + " isn't an object");
    ProofHashes proofs;
    for (const auto& [algorithm, hashes] : value.items()) {
      if (!hashes.is_array()) return bad(place(key) + "." + algorithm + " isn't a list");
      auto& list = proofs[algorithm];
      for (const Json& hash : hashes) {
        auto raw = hash.is_string() ? base::from_hex(hash.get_ref<const std::string&>()) : Result<std::string>(bad(""));
        if (!raw.ok()) return bad(place(key) + "." + algorithm + " holds what isn't lower-case hex");
        list.push_back(raw.take());
      }
    }
    return proofs;
  }
  // The elements of a list, each read by `read(element, place)`.
  template <typename Record>
  Result<std::vector<Record>> list(const char* key,
                                   Result<Record> (*read)(const Json& value, const std::string& place)) const {
    const Json& values = value_.at(key);
    if (!values.is_array()) return bad(place(key) + " isn't a list");
    std::vector<Record> records;
    for (std::size_t i = 0; i < values.size(); ++i)
      records.push_back(EXHIBIT_TRY(read(values[i], place(key) + "[" + std::to_string(i) + "]")));
    return records;
  }

 private:
  Fields(const Json& value, std::string place) : value_(value), place_(std::move(place)) {}
  const Json& value_;
  std::string place_;
};

Result<DisclosedSignature> read_signature(const Json& value, const std::string& place) {
  const Fields fields = EXHIBIT_TRY(Fields::of(value, place, {"name", "cms"}, {"timestamp"}));
  DisclosedSignature signature{EXHIBIT_TRY(fields.text("name")), EXHIBIT_TRY(fields.base64("cms")), {}};
  if (fields.has("timestamp")) signature.timestamp = EXHIBIT_TRY(fields.base64("timestamp"));
  return signature;
}

Result<SaltedLine> read_salted(const Fields& fields) {
  return SaltedLine{EXHIBIT_TRY(fields.text("line")), EXHIBIT_TRY(fields.bytes("salt", salt_size))};
}

Result<SaltedLine> read_line(const Json& value, const std::string& place) {
  return read_salted(EXHIBIT_TRY(Fields::of(value, place, {"line", "salt"})));
}

Result<DisclosedRecord> read_record(const Json& value, const std::string& place) {
  const Fields fields = EXHIBIT_TRY(Fields::of(value, place, {"index", "line", "salt", "paths"}));
  return DisclosedRecord{EXHIBIT_TRY(fields.number("index")), EXHIBIT_TRY(read_salted(fields)),
                         EXHIBIT_TRY(fields.proofs("paths"))};
}

Result<DisclosedItem> read_item(const Json& value, const std::string& place) {
  const Fields fields = EXHIBIT_TRY(Fields::of(value, place, {"evidence", "item", "records"}));
  return DisclosedItem{EXHIBIT_TRY(fields.text("evidence")), EXHIBIT_TRY(fields.text("item")),
                       EXHIBIT_TRY(fields.list("records", read_record))};
}

Result<DisclosedVolume> read_volume(const Json& value, const std::string& place) {
  const Fields fields = EXHIBIT_TRY(Fields::of(value, place, {"evidence", "volume", "first", "records", "proofs"}));
  return DisclosedVolume{EXHIBIT_TRY(fields.text("evidence")), EXHIBIT_TRY(fields.text("volume")),
                         EXHIBIT_TRY(fields.number("first")), EXHIBIT_TRY(fields.list("records", read_line)),
                         EXHIBIT_TRY(fields.proofs("proofs"))};
}

Result<ContentNeighbour> read_neighbour(const Json& value, const std::string& place) {
  const Fields fields = EXHIBIT_TRY(Fields::of(value, place, {"index", "key", "paths"}));
  return ContentNeighbour{EXHIBIT_TRY(fields.number("index")), EXHIBIT_TRY(fields.bytes("key", content_key_size)),
                          EXHIBIT_TRY(fields.proofs("paths"))};
}

Result<Absence> read_absence(const Json& value, const std::string& place) {
  const Fields fields = EXHIBIT_TRY(Fields::of(value, place, {"evidence", "digest"}, {"low", "high"}));
  Absence absence;
  absence.evidence = EXHIBIT_TRY(fields.text("evidence"));
  const std::string digest = EXHIBIT_TRY(fields.text("digest"));
  auto raw = base::from_hex(digest.starts_with(digest_prefix) ? digest.substr(digest_prefix.size()) : "-");
  if (!raw.ok() || raw->size() != sha256_size) return bad(fields.place("digest") + " isn't sha256: and lower-case hex");
  absence.digest = raw.take();
  if (fields.has("low")) absence.low = EXHIBIT_TRY(read_neighbour(fields.at("low"), fields.place("low")));
  if (fields.has("high")) absence.high = EXHIBIT_TRY(read_neighbour(fields.at("high"), fields.place("high")));
  return absence;
}

// A volume's lines and their salts are values; there are no more than the bound on the bytes lets there be.
base::JsonLimits limits() { return {.bytes = largest_disclosure, .values = largest_disclosure}; }

}  // namespace

bool is_disclosure(std::string_view bytes) {
  // As it stands in canonical form; one that is damaged elsewhere is still refused as what it was. Within a string the
  // quotation marks would be escaped.
  constexpr std::string_view key = "\"format\":\"exhibit-disclosure/";
  return bytes.starts_with('{') && bytes.find(key) != std::string_view::npos;
}

std::string write_disclosure(const Disclosure& disclosure) {
  return base::canonical({{"format", disclosure_format},
                          {"manifest", disclosure.manifest},
                          {"signatures", list_of(disclosure.signatures)},
                          {"items", list_of(disclosure.items)},
                          {"volumes", list_of(disclosure.volumes)},
                          {"absent", list_of(disclosure.absent)}});
}

Result<Disclosure> read_disclosure(std::string_view bytes) {
  const auto parsed = base::parse_json(bytes, limits());
  if (!parsed.ok()) return bad(parsed.error().message);
  if (base::canonical(*parsed) != bytes) return bad("isn't in canonical form (RFC 8785, nothing after it)");
  const Fields fields =
      EXHIBIT_TRY(Fields::of(*parsed, "the file", {"format", "manifest", "signatures", "items", "volumes", "absent"}));
  const std::string format = EXHIBIT_TRY(fields.text("format"));
  if (format != disclosure_format) return bad("its format is \"" + format + "\", not " + disclosure_format);
  Disclosure disclosure;
  disclosure.manifest = EXHIBIT_TRY(fields.text("manifest"));
  disclosure.signatures = EXHIBIT_TRY(fields.list("signatures", read_signature));
  disclosure.items = EXHIBIT_TRY(fields.list("items", read_item));
  disclosure.volumes = EXHIBIT_TRY(fields.list("volumes", read_volume));
  disclosure.absent = EXHIBIT_TRY(fields.list("absent", read_absence));
  if (disclosure.items.empty() && disclosure.volumes.empty() && disclosure.absent.empty())
    return bad("it discloses nothing");
  return disclosure;
}

}  // namespace exhibit::manifest
