#include "volume/layers/core_storage/metadata.h"

#include <algorithm>
#include <charconv>

#include "base/checked.h"
#include "base/crc.h"
#include "base/json.h"
#include "volume/bytes.h"
#include "volume/sector_cipher.h"
#include "volume/table.h"

namespace exhibit::volume::core_storage {
namespace {

using namespace std::string_view_literals;

constexpr std::size_t header_bytes = 512, block_bytes = 8192, uuid_bytes = 16, key_bytes = 16, wrapped_bytes = 24;
constexpr std::uint64_t most_blocks = std::uint64_t{1} << 17;  // 1 GiB of metadata
constexpr std::uint64_t keys_block = 0x19, logical_volume_block = 0x1a, map_block = 0x305;

Error corrupt(const std::string& why) { return {ErrorCode::corrupt, "Core Storage: " + why, {}, {}}; }

// The sum (CRC-32C) and its seed stand before the bytes.
bool matches_checksum(std::string_view block) {
  constexpr std::uint32_t seed = 0xffffffff;
  return little(block, 4, 4) == seed &&
         little(block, 0, 4) == base::crc32c(seed, std::as_bytes(std::span(block.substr(8))));
}

// Every value of a key of a property list.
std::vector<std::string> values_of(std::string_view list, const std::string& key) {
  std::vector<std::string> found;
  const std::string mark = "<key>" + key + "</key>";
  for (std::size_t at = list.find(mark); at != std::string_view::npos; at = list.find(mark, at + 1)) {
    const std::size_t opens = list.find('<', at + mark.size());
    const std::size_t begins = opens == std::string_view::npos ? opens : list.find('>', opens);
    const std::size_t ends = begins == std::string_view::npos ? begins : list.find('<', begins);
    if (ends != std::string_view::npos) found.emplace_back(list.substr(begins + 1, ends - begins - 1));
  }
  return found;
}

std::string decoded(std::string text) {
  std::erase_if(text, [](char c) { return c == '\n' || c == '\r' || c == '\t' || c == ' '; });
  auto bytes = base::base64_decode(text);
  return bytes.ok() ? bytes.take() : std::string();
}

std::string_view list_in(std::string_view block, std::size_t at) {
  const std::uint64_t offset = little(block, at, 4), size = little(block, at + 4, 4);
  return base::within(offset, size, block.size())
             ? block.substr(static_cast<std::size_t>(offset), static_cast<std::size_t>(size))
             : std::string_view();
}

void take_keys(std::string_view block, Metadata& metadata) {
  const std::string_view list = list_in(block, 112);
  for (const std::string& value : values_of(list, "PassphraseWrappedKEKStruct")) {
    const std::string bytes = decoded(value);
    if (bytes.size() < 172 || little(bytes, 28, 4) != wrapped_bytes) continue;
    metadata.by_password.push_back(
        {bytes.substr(8, uuid_bytes), bytes.substr(32, wrapped_bytes), little(bytes, 168, 4)});
  }
  for (const std::string& value : values_of(list, "KEKWrappedVolumeKeyStruct")) {
    const std::string bytes = decoded(value);
    if (bytes.size() >= 8 + wrapped_bytes && little(bytes, 4, 4) == wrapped_bytes)
      metadata.wrapped_keys.push_back(bytes.substr(8, wrapped_bytes));
  }
}

void take_logical_volume(std::string_view block, Metadata& metadata) {
  const std::string_view list = list_in(block, 128);
  for (std::string value : values_of(list, "com.apple.corestorage.lv.size")) {
    if (value.starts_with("0x")) value.erase(0, 2);
    std::from_chars(value.data(), value.data() + value.size(), metadata.size, 16);
  }
  for (std::string value : values_of(list, "com.apple.corestorage.lv.familyUUID")) {
    std::erase(value, '-');
    std::transform(value.begin(), value.end(), value.begin(),
                   [](char c) { return c >= 'A' && c <= 'F' ? static_cast<char>(c + 32) : c; });
    auto bytes = base::from_hex(value);
    if (bytes.ok() && bytes->size() == uuid_bytes) metadata.family = bytes.take();
  }
}

struct Encrypted {
  std::uint64_t offset = 0, blocks = 0;
};

// The first of the copies that is sound says where the encrypted metadata lie.
Result<Encrypted> find_encrypted(ByteSource& volume, std::string_view header) {
  const std::uint64_t unit = little(header, 96, 4);
  for (std::size_t copy = 0; copy < 4; ++copy) {
    const auto place = base::checked_multiply(little(header, 104 + 8 * copy, 8), unit);
    const std::string block = place ? bytes_at(volume, *place, block_bytes) : std::string();
    if (block.size() < block_bytes || !matches_checksum(block)) continue;
    const std::string groups = bytes_at(volume, *place + little(block, 220, 4), 40);
    const auto offset = groups.size() == 40 ? base::checked_multiply(little(groups, 32, 8), unit) : std::nullopt;
    if (offset) return Encrypted{*offset, std::min(little(groups, 8, 8), most_blocks)};
  }
  return corrupt("no sound copy of its metadata is there");
}

}  // namespace

std::string uuid_text(std::string_view bytes) {
  std::string hex = base::to_hex(bytes);
  // Not as text: GCC 12 takes that for an overlap (-Wrestrict).
  for (const std::size_t at : {8U, 13U, 18U, 23U}) hex.insert(at, 1, '-');
  return hex;
}

bool has_mark(ByteSource& volume) {
  const std::string header = bytes_at(volume, 0, header_bytes);
  return header.size() == header_bytes && std::string_view(header).substr(8, 4) == "\1\0\x10\0"sv &&
         std::string_view(header).substr(88, 4) == "CS\1\0"sv;
}

Result<void> read_metadata(ByteSource& volume, Metadata& metadata) {
  const std::string header = bytes_at(volume, 0, header_bytes);
  metadata.id = uuid_text(std::string_view(header).substr(304, uuid_bytes));
  if (!matches_checksum(header)) return corrupt("its header doesn't match its checksum");
  if (little(header, 168, 4) != key_bytes)
    return Error{ErrorCode::unsupported, "Core Storage with a key of another length than AES-128's", {}, {}};
  const Encrypted place = EXHIBIT_TRY(find_encrypted(volume, header));
  const auto cipher = EXHIBIT_TRY(
      SectorCipher::create("aes-xts-plain64", header.substr(176, key_bytes) + header.substr(304, uuid_bytes)));
  for (std::uint64_t i = 0; i < place.blocks; ++i) {
    std::string block = bytes_at(volume, place.offset + i * block_bytes, block_bytes);
    if (block.size() < block_bytes) return corrupt("its metadata end early");
    if (block.find_first_not_of('\0') == std::string::npos) break;
    cipher->decrypt(i, block_bytes, std::as_writable_bytes(std::span(block)));
    if (!matches_checksum(block)) return corrupt("its metadata are damaged at block " + std::to_string(i));
    const std::uint64_t type = little(block, 10, 2);
    if (type == keys_block) take_keys(block, metadata);
    if (type == logical_volume_block) take_logical_volume(block, metadata);
    if (type == map_block)
      metadata.offset = base::checked_multiply(little(block, 104, 4), little(header, 96, 4)).value_or(0);
  }
  return {};
}

}  // namespace exhibit::volume::core_storage
