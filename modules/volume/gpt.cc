#include "volume/gpt.h"

#include <zlib.h>

#include <algorithm>

#include "base/checked.h"
#include "base/text.h"
#include "volume/bytes.h"

namespace exhibit::volume {
namespace {

constexpr std::string_view signature = "EFI PART";
constexpr std::size_t header_size = 92, smallest_entry = 128;
constexpr std::uint64_t largest_table = std::uint64_t{16} << 20;  // 128 entries of 128 bytes are usual

std::uint32_t crc32_of(std::string_view bytes) {
  return static_cast<std::uint32_t>(::crc32_z(0, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size()));
}

// Mixed-endian text form: the first three fields are little-endian.
std::string guid_text(std::string_view bytes) {
  static constexpr int order[] = {3, 2, 1, 0, -1, 5, 4, -1, 7, 6, -1, 8, 9, -1, 10, 11, 12, 13, 14, 15};
  static constexpr char digits[] = "0123456789ABCDEF";
  std::string text;
  for (const int at : order) {
    if (at < 0) {
      text += '-';
      continue;
    }
    const auto byte = static_cast<unsigned char>(bytes[static_cast<std::size_t>(at)]);
    text += digits[byte >> 4];
    text += digits[byte & 15];
  }
  return text;
}

bool header_checks(std::string header) {
  const std::uint64_t size = little(header, 12, 4);
  if (size < header_size || size > header.size()) return false;
  const std::uint64_t stored = little(header, 16, 4);
  std::fill_n(header.begin() + 16, 4, '\0');
  return crc32_of(std::string_view(header).substr(0, static_cast<std::size_t>(size))) == stored;
}

}  // namespace

std::optional<Gpt> read_gpt(ByteSource& media, std::uint64_t lba, std::uint32_t block_size) {
  const auto at = base::checked_multiply(lba, block_size);
  if (!at) return std::nullopt;
  const std::string header = bytes_at(media, *at, block_size);
  if (header.size() < header_size || !header.starts_with(signature)) return std::nullopt;
  Gpt gpt;
  gpt.alternate_lba = little(header, 32, 8);
  gpt.tables.push_back({*at, block_size});
  const auto start = base::checked_multiply(little(header, 72, 8), block_size);
  const std::uint64_t count = little(header, 80, 4), entry_size = little(header, 84, 4);
  if (!start || entry_size < smallest_entry || entry_size > block_size * 8ULL) return gpt;
  if (count * entry_size > largest_table) return gpt;
  const std::string entries = bytes_at(media, *start, static_cast<std::size_t>(count * entry_size));
  const bool in_place = little(header, 24, 8) == lba;  // MyLBA: not another copy's header
  gpt.valid = in_place && header_checks(header) && entries.size() == count * entry_size &&
              crc32_of(entries) == little(header, 88, 4);
  gpt.tables.push_back({*start, count * entry_size});
  for (std::size_t slot = 0; (slot + 1) * entry_size <= entries.size(); ++slot) {
    const std::string_view entry = std::string_view(entries).substr(slot * entry_size, entry_size);
    if (entry.substr(0, 16).find_first_not_of('\0') == std::string_view::npos) continue;
    gpt.entries.push_back(
        {slot, little(entry, 32, 8), little(entry, 40, 8), guid_text(entry), base::from_utf16le(entry.substr(56, 72))});
  }
  return gpt;
}

}  // namespace exhibit::volume
