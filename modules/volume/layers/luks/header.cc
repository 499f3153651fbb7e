#include "volume/layers/luks/header.h"

#include <openssl/evp.h>

#include <algorithm>
#include <charconv>

#include "base/checked.h"
#include "base/json.h"
#include "base/text.h"
#include "volume/bytes.h"
#include "volume/table.h"

namespace exhibit::volume::luks {
namespace {

using base::Json;
using namespace std::string_view_literals;

constexpr auto mark = "LUKS\xba\xbe"sv, second_mark = "SKUL\xba\xbe"sv;
constexpr std::size_t binary_header = 4096, checksum_at = 448, checksum_room = 64;
constexpr std::size_t least_digest = 20;  // bytes: LUKS1's; a shorter one would fit a wrong key by chance
constexpr std::uint64_t least_second = 0x4000, most_header = 0x400000;  // LUKS2, section 2.2: where the second may be

Error corrupt(std::string why) { return {ErrorCode::corrupt, "the LUKS header is damaged: " + std::move(why), {}, {}}; }

std::string text_of(std::string_view field) { return base::clean_utf8(field.substr(0, field.find('\0'))).text; }

// ---- LUKS1, section 2.1: all numbers are big-endian

constexpr std::size_t first_slot = 208, slot_bytes = 48, slot_count = 8,
                      header1_bytes = first_slot + slot_bytes * slot_count;
constexpr std::uint32_t active = 0x00ac71f3, inactive = 0x0000dead;

Result<Header> read_first_version(const std::string& bytes) {
  if (bytes.size() < header1_bytes) return corrupt("it is cut off");
  const std::string_view all = bytes;
  Header header;
  header.uuid = text_of(all.substr(168, 40));
  header.encryption = text_of(all.substr(8, 32)) + "-" + text_of(all.substr(40, 32));
  const std::string hash = text_of(all.substr(72, 32));
  header.offset = big(all, 104, 4) * 512;
  const std::uint64_t key_bytes = big(all, 108, 4);
  header.digest = {hash, bytes.substr(132, 32), bytes.substr(112, 20), big(all, 164, 4)};
  for (std::size_t i = 0; i < slot_count; ++i) {
    const std::string_view slot = all.substr(first_slot + i * slot_bytes, slot_bytes);
    const std::uint64_t state = big(slot, 0, 4);
    if (state != active && state != inactive) header.remark = "key slot " + std::to_string(i) + " is damaged";
    if (state != active) continue;
    header.slots.push_back({std::to_string(i), "pbkdf2", hash, big(slot, 4, 4), 0, 0, std::string(slot.substr(8, 32)),
                            big(slot, 40, 4) * 512, header.encryption, key_bytes, key_bytes, big(slot, 44, 4), hash});
  }
  return header;
}

// ---- LUKS2, section 2.1: the binary header; section 3: JSON behind it

struct Binary {
  std::string bytes;  // with the JSON
  std::uint64_t sequence = 0;
};

// Nothing: no header with this mark is there, or it doesn't match its checksum.
std::optional<Binary> read_binary(ByteSource& volume, std::uint64_t offset, std::string_view wanted) {
  const std::string start = bytes_at(volume, offset, binary_header);
  if (start.size() < binary_header || !start.starts_with(wanted) || big(start, 6, 2) != 2) return std::nullopt;
  const std::uint64_t size = big(start, 8, 8);
  if (size < least_second || size > most_header || big(start, 256, 8) != offset) return std::nullopt;
  Binary binary{bytes_at(volume, offset, static_cast<std::size_t>(size)), big(start, 16, 8)};
  if (binary.bytes.size() < size) return std::nullopt;
  std::string cleared = binary.bytes;
  cleared.replace(checksum_at, checksum_room, checksum_room, '\0');
  const EVP_MD* digest = EVP_get_digestbyname(text_of(std::string_view(start).substr(72, 32)).c_str());
  std::string sum(EVP_MAX_MD_SIZE, '\0');
  unsigned length = 0;
  if (digest == nullptr || EVP_Digest(cleared.data(), cleared.size(), reinterpret_cast<unsigned char*>(sum.data()),
                                      &length, digest, nullptr) != 1)
    return std::nullopt;
  if (start.compare(checksum_at, std::min<std::size_t>(length, checksum_room), sum, 0, length) != 0)
    return std::nullopt;
  return binary;
}

std::optional<Binary> read_second(ByteSource& volume) {
  for (std::uint64_t at = least_second; at <= most_header; at *= 2)
    if (auto found = read_binary(volume, at, second_mark)) return found;
  return std::nullopt;
}

// Numbers beyond 32 bits are strings of decimal digits (section 3.1).
std::uint64_t number(const Json& object, const char* key) {
  const auto found = object.find(key);
  if (found == object.end()) return 0;
  if (found->is_number_unsigned()) return found->get<std::uint64_t>();
  std::uint64_t value = 0;
  if (!found->is_string()) return 0;
  const std::string& text = found->get_ref<const std::string&>();
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}
std::string text(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}
std::string binary(const Json& object, const char* key) {
  auto bytes = base::base64_decode(text(object, key));
  return bytes.ok() ? bytes.take() : std::string();
}
Json object_in(const Json& object, const char* key) {
  const auto found = object.is_object() ? object.find(key) : object.end();
  return found != object.end() && found->is_object() ? *found : Json::object();
}

KeySlot slot_from(const std::string& name, const Json& value) {
  const Json area = object_in(value, "area"), kdf = object_in(value, "kdf"), split = object_in(value, "af");
  const bool is_argon = kdf.contains("memory");
  return {name,
          text(kdf, "type"),
          text(kdf, "hash"),
          is_argon ? number(kdf, "time") : number(kdf, "iterations"),
          number(kdf, "memory"),
          number(kdf, "cpus"),
          binary(kdf, "salt"),
          number(area, "offset"),
          text(area, "encryption"),
          number(area, "key_size"),
          number(value, "key_size"),
          number(split, "stripes"),
          text(split, "hash")};
}

bool names(const Json& list, const std::string& name) {
  return list.is_array() && std::find(list.begin(), list.end(), Json(name)) != list.end();
}

// The one segment that is decrypted; several mean that the volume is on its way from one key to another.
void take_segment(const Json& segments, Header& header, std::string& name) {
  if (segments.size() != 1) {
    header.unsupported = "it was being encrypted anew when it was seized: " + std::to_string(segments.size()) +
                         " segments, which Exhibit doesn't put together";
    return;
  }
  name = segments.begin().key();
  const Json& segment = segments.begin().value();
  header.offset = number(segment, "offset");
  if (text(segment, "size") != "dynamic") header.size = number(segment, "size");
  header.encryption = text(segment, "encryption");
  header.iv_tweak = number(segment, "iv_tweak");
  header.sector_bytes = number(segment, "sector_size");
  if (text(segment, "type") != "crypt" || segment.contains("integrity"))
    header.unsupported = "its segment is of a kind that Exhibit doesn't decrypt (" + text(segment, "type") +
                         (segment.contains("integrity") ? ", with integrity)" : ")");
}

Result<Header> from_json(const Json& json) {
  Header header;
  std::string segment;
  take_segment(object_in(json, "segments"), header, segment);
  if (header.unsupported) return header;
  const Json slots = object_in(json, "keyslots"), digests = object_in(json, "digests");
  for (const auto& [unused, digest] : digests.items()) {
    if (!digest.is_object() || !names(digest.value("segments", Json()), segment)) continue;
    header.digest = {text(digest, "hash"), binary(digest, "salt"), binary(digest, "digest"),
                     number(digest, "iterations")};
    for (const auto& [name, slot] : slots.items())
      if (names(digest.value("keyslots", Json()), name)) header.slots.push_back(slot_from(name, slot));
  }
  if (header.digest.digest.size() < least_digest) return corrupt("no digest that proves its volume key is there");
  const bool fits = header.sector_bytes >= 512 && header.sector_bytes <= 4096 &&
                    (header.sector_bytes & (header.sector_bytes - 1)) == 0;
  if (!fits) return corrupt("sectors of " + std::to_string(header.sector_bytes) + " bytes");
  return header;
}

Result<Header> read_second_version(ByteSource& volume) {
  const auto first = read_binary(volume, 0, mark);
  const auto second = read_second(volume);
  if (!first && !second) return corrupt("neither of its two copies matches its checksum");
  const Binary& best = first && (!second || first->sequence >= second->sequence) ? *first : *second;
  const std::string_view all = best.bytes;
  const std::string_view json = all.substr(binary_header, all.find('\0', binary_header) - binary_header);
  constexpr base::JsonLimits limits{static_cast<std::size_t>(most_header), 16, 65536};
  const auto parsed = base::parse_json(json, limits);
  if (!parsed.ok() || !parsed->is_object()) return corrupt("its JSON area can't be read");
  Header header = EXHIBIT_TRY(from_json(*parsed));
  header.version = 2;
  header.uuid = text_of(all.substr(168, 40));
  header.label = text_of(all.substr(24, 48));
  if (!first || !second)
    header.remark = std::string("the ") + (first ? "second" : "first") + " copy of its header is missing or damaged";
  header.is_second_copy_alone = bytes_at(volume, 0, mark.size()) != mark;
  return header;
}

}  // namespace

bool has_mark(ByteSource& volume) {
  return bytes_at(volume, 0, mark.size()) == mark || read_second(volume).has_value();
}

Result<Header> read_header(ByteSource& volume) {
  const std::string start = bytes_at(volume, 0, header1_bytes);
  const bool has_first = start.size() >= 8 && start.starts_with(mark);
  const std::uint64_t version = has_first ? big(start, 6, 2) : 2;
  if (version == 1) return read_first_version(start);
  if (version == 2) return read_second_version(volume);
  return corrupt("version " + std::to_string(version));
}

}  // namespace exhibit::volume::luks
