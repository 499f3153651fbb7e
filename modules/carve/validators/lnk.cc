// Shell links ([MS-SHLLINK] 2): a header whose flags tell which parts follow, and blocks up to one that ends them.

#include "carve/validator.h"

namespace exhibit::carve {
namespace {

constexpr std::string_view magic{"\x4c\0\0\0\x01\x14\x02\0\0\0\0\0\xc0\0\0\0\0\0\0\x46", 20};  // 2.1
constexpr std::uint64_t header_length = 0x4c;                                                  // bytes
constexpr std::uint32_t first_block = 0xa0000001, last_block = 0xa000000c;                     // 2.5
constexpr std::uint64_t longest_block = 1 << 20;                                               // bytes
constexpr unsigned strings = 5;                                                                // 2.4

enum Flag : std::uint32_t { has_id_list = 1, has_link_info = 2, first_string = 4, is_unicode = 0x80 };

// 2.2: items, each with its length, up to an empty one.
bool read_id_list(Reader& reader) {
  const std::uint64_t length = reader.le16();
  const std::uint64_t end = reader.position() + length;
  for (;;) {
    const std::uint64_t item = reader.le16();
    if (!reader.ok() || item == 1 || reader.position() > end) return false;
    if (item == 0) return reader.position() == end;
    if (item - 2 > end - reader.position() || !reader.skip(item - 2)) return false;
  }
}

// 2.3.
bool read_link_info(Reader& reader) {
  const std::uint64_t begin = reader.position();
  const std::uint64_t length = reader.le32(), header = reader.le32(), flags = reader.le32();
  if (!reader.ok() || header < 0x1c || header > 0x100 || length < header || length > longest_block || flags > 3) {
    return false;
  }
  reader.le32();
  const std::uint64_t path = reader.le32(), network = reader.le32(), suffix = reader.le32();
  if (!reader.ok() || path >= length || network >= length || suffix < header || suffix >= length) return false;
  if ((flags & 1) != 0) {  // a path on a volume, which isn't empty
    reader.seek(begin + path);
    if (path < header || reader.u8() == 0) return false;
  }
  if ((flags & 2) != 0) {
    reader.seek(begin + network);
    if (network < header || reader.le32() < 0x14) return false;
  }
  reader.seek(begin + length - 1);
  if (reader.u8() != 0) return false;  // all ends with a string
  reader.seek(begin);
  return reader.skip(length);
}

// 2.4: not empty, as there would be no flag for it then, and without an end of its own.
bool read_string(Reader& reader, bool is_wide) {
  const std::uint64_t length = (is_wide ? 2u : 1u) * std::uint64_t{reader.le16()};
  if (!reader.ok() || length == 0 || !reader.skip(length)) return false;
  reader.seek(reader.position() - (is_wide ? 2 : 1));
  return (is_wide ? reader.le16() : reader.u8()) != 0;
}

// [MS-PROPSTORE] 2.1, 2.2: storages with their lengths up to an empty one.
bool is_property_store(Reader reader, std::uint64_t end) {
  for (;;) {
    const std::uint64_t begin = reader.position(), length = reader.le32();
    if (!reader.ok() || begin + 4 > end) return false;
    if (length == 0) return begin + 4 == end;
    if (length < 28 || length > end - begin || !reader.take("1SPS")) return false;
    reader.seek(begin + length);
  }
}

// 2.5: a block, as far as its kind tells what it holds. `reader` is behind the block's signature.
bool is_block(const Reader& reader, std::uint32_t kind, std::uint32_t length) {
  constexpr std::uint32_t tracker = 0xa0000003, properties = 0xa0000009;
  if (kind == properties) return is_property_store(reader, reader.position() + length - 8);
  if (kind != tracker) return true;
  Reader inner = reader;  // 2.5.10: the machine's name, and identifiers that end with its network address
  const bool is_sized = length == 0x60 && inner.le32() == 0x58 && inner.le32() == 0 && inner.u8() != 0;
  inner.seek(reader.position() + length - 8 - 6);
  return is_sized && (inner.le32() != 0 || inner.le16() != 0) && inner.ok();
}

Verdict validate(const Content& content, Memory&) {
  if (!starts_with(content.at(0, magic.size()), magic)) return {};
  Reader reader(content, magic.size());
  const std::uint32_t flags = reader.le32();
  reader.seek(0x42);
  const bool is_reserved = reader.le16() == 0 && reader.le32() == 0 && reader.le32() == 0;
  if (!reader.ok() || !is_reserved || (flags & 0xf8000000) != 0) return {};
  const auto broken = [&](std::uint64_t sound) {
    const std::uint64_t end = std::min(std::max(sound, header_length), content.size());
    return Verdict::broken(end, end, end, DoubtCause::missing_segment);
  };
  std::uint64_t sound = reader.position();
  if ((flags & has_id_list) != 0 && !read_id_list(reader)) return broken(sound);
  sound = reader.position();
  if ((flags & has_link_info) != 0 && !read_link_info(reader)) return broken(sound);
  for (unsigned i = 0; i < strings; ++i) {
    if ((flags & first_string << i) == 0) continue;
    sound = reader.position();
    if (!read_string(reader, (flags & is_unicode) != 0)) return broken(sound);
  }
  for (;;) {  // 2.5
    sound = reader.position();
    const std::uint32_t length = reader.le32();
    if (!reader.ok()) return broken(sound);
    if (length < 4) return Verdict::whole(reader.position());
    const std::uint32_t block = reader.le32();
    const bool is_known = length >= 8 && length <= longest_block && block >= first_block && block <= last_block;
    if (!is_known || !is_block(reader, block, length) || !reader.skip(length - 8)) return broken(sound);
  }
}

}  // namespace

extern const Validator lnk_validator;
const Validator lnk_validator = {"lnk", validate};

}  // namespace exhibit::carve
