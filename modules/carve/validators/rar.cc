// RAR 1.5 to 4 and RAR 5 (the technotes of unrar and rarlab.com/technote.htm): a chain of blocks whose headers carry
// checksums, to a block that ends the archive. Stored files' data are checked, too; packed ones' can't be.

#include "carve/archive_walk.h"

namespace exhibit::carve {
namespace {

constexpr std::string_view mark4("Rar!\x1a\x07\0", 7), mark5("Rar!\x1a\x07\x01\0", 8);

struct Block {
  std::uint64_t next = 0;  // where the block behind it and its data begins
  std::uint64_t data = 0;  // bytes of them
  bool is_end = false, hides_rest = false, is_file = false;
};

// RAR 4: CRC (the lower half of a CRC-32), type, flags, size, and the length of data behind.
std::optional<Block> block4(const Content& content, std::uint64_t offset) {
  constexpr unsigned archive = 0x73, file = 0x74, service = 0x7a, end = 0x7b, first = 0x72;
  constexpr unsigned has_data = 0x8000, is_large = 0x100, hides = 0x80;
  Reader reader(content, offset);
  const unsigned sum = reader.le16(), type = reader.u8(), flags = reader.le16(), size = reader.le16();
  if (!reader.ok() || size < 7 || type < first || type > end || size > content.size() - offset) return std::nullopt;
  if ((crc32(content, offset + 2, size - 2) & 0xffff) != sum) return std::nullopt;
  std::uint64_t data = 0;
  const bool is_file = type == file || type == service;
  if (is_file || (flags & has_data) != 0) data = reader.le32();
  if (is_file && (flags & is_large) != 0) {
    reader.seek(offset + 32);
    data |= std::uint64_t{reader.le32()} << 32;
  }
  if (!reader.ok() || data > UINT64_MAX / 2) return std::nullopt;
  return Block{offset + size + data, data, type == end, type == archive && (flags & hides) != 0, type == file};
}

// Seven bits a byte, the lowest first; the highest bit says that more follow.
std::uint64_t number(Reader& reader) {
  std::uint64_t value = 0;
  for (unsigned shift = 0; shift < 63; shift += 7) {
    const unsigned byte = reader.u8();
    value |= std::uint64_t{byte & 0x7f} << shift;
    if ((byte & 0x80) == 0) break;
  }
  return value;
}

// RAR 5: CRC-32 over size and header, size, type, flags, lengths of the extra area and of the data.
std::optional<Block> block5(const Content& content, std::uint64_t offset) {
  constexpr std::uint64_t file = 2, encryption = 4, end = 5;
  constexpr std::uint64_t has_extra = 1, has_data = 2, largest_header = std::uint64_t{2} << 20;
  Reader reader(content, offset);
  const std::uint32_t sum = reader.le32();
  const std::uint64_t size = number(reader);
  const std::uint64_t header = reader.position();
  if (!reader.ok() || size == 0 || size > largest_header || size > reader.left()) return std::nullopt;
  if (crc32(content, offset + 4, header - offset - 4 + size) != sum) return std::nullopt;
  const std::uint64_t type = number(reader), flags = number(reader);
  if ((flags & has_extra) != 0) number(reader);
  const std::uint64_t data = (flags & has_data) != 0 ? number(reader) : 0;
  if (!reader.ok() || data > UINT64_MAX / 2 || type == 0 || type > end) return std::nullopt;
  return Block{header + size + data, data, type == end, type == encryption, type == file};
}

Verdict validate(const Content& content, Memory&) {
  const bool is_five = starts_with(content.at(0, mark5.size()), mark5);
  if (!is_five && !starts_with(content.at(0, mark4.size()), mark4)) return {};
  std::uint64_t position = is_five ? mark5.size() : mark4.size(), files = 0, before = 0, unproved = 0;
  for (;;) {
    const auto block = is_five ? block5(content, position) : block4(content, position);
    if (!block) break;
    if (block->hides_rest) {  // its headers are encrypted: nothing tells where it ends
      Verdict verdict = Verdict::whole(position);
      verdict.tier = Tier::header_only;
      return verdict;
    }
    if (block->next > content.size()) {
      if (files == 0) return {};
      return Verdict::broken(position, content.size(), position, DoubtCause::missing_segment);
    }
    before = position;
    position = block->next;
    files += block->is_file ? 1 : 0;
    unproved = std::max(unproved, block->data);
    // Checksums are of what comes out, and nothing is unpacked here.
    if (block->is_end) return judge_whole(position, unproved);
  }
  if (files == 0) return {};
  // Archives of old programs have no end block; those of new ones are broken here, or in the data before.
  return Verdict::broken(before, std::min(content.size(), position + 8), position, DoubtCause::missing_segment);
}

}  // namespace

extern const Validator rar_validator;
const Validator rar_validator = {"rar", validate};

}  // namespace exhibit::carve
