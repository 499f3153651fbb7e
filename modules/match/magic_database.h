#pragma once
// libmagic's compiled database (.mgc), as libmagic 5.44 lays it out and walks it (file 5.44, src/file.h and
// src/softmagic.c): a header and two sets of records. The first set holds the ordinary entries in the order in which
// they are tried: an entry is a record of level 0, whose test decides whether its continuations (levels above 0, right
// behind it) are looked at. The second set holds named entries, which continuations `use`.

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace exhibit::match {

// One record, byte for byte (struct magic; numbers in the machine's order).
struct MagicRecord {
  std::uint16_t level;
  std::uint8_t flags, factor, relation, value_size, type, indirect_type, indirect_operator, mask_operator, condition,
      factor_operator;
  std::int32_t offset, indirect_offset;
  std::uint32_t line;
  std::uint32_t range;  // strings, searches: how far; regular expressions: bytes or lines. Numbers: mask, low half
  std::uint32_t string_flags;  // likewise; numbers: mask, high half
  std::array<unsigned char, 128> value;
  std::array<char, 64> description;
  std::array<char, 80> mime_type;
  std::array<char, 8> apple;
  std::array<char, 64> extensions;
};
static_assert(sizeof(MagicRecord) == 376 && alignof(MagicRecord) == 4);

// The names are libmagic's.
namespace magic_flag {
inline constexpr std::uint8_t indirect = 0x01, relative = 0x02, unsigned_number = 0x08, binary_test = 0x20,
                              text_test = 0x40, from_end = 0x80;
}
namespace magic_type {
inline constexpr std::uint8_t byte = 1, host_short = 2, host_long = 4, string = 5, big_short = 7, big_long = 8,
                              little_short = 10, little_long = 11, regex = 17, search = 20, host_quad = 24,
                              little_quad = 25, big_quad = 26, indirect = 41, name = 45, use = 46, der = 48, guid = 49;
}
namespace magic_string {
inline constexpr std::uint32_t compact_blanks = 0x1, optional_blanks = 0x2, ignore_lower = 0x4, ignore_upper = 0x8,
                               regex_lines = 0x800, indirect_relative = 0x1;
}
// A MIME type of no content: an excerpt's answer where libmagic would begin anew at another place of the content, with
// the whole database (records of type indirect). Ask with the whole one.
inline constexpr const char* restart_type = "exhibit/restart";

// An ordinary entry: the records that libmagic may look at when it tries this entry.
struct MagicEntry {
  std::uint32_t first = 0;           // index of its record of level 0 among the ordinary records
  std::uint32_t records = 0;         // that one alone if it names a MIME type, for libmagic then stops there
  std::vector<std::uint32_t> names;  // named entries that it uses, through others too; sorted
  bool whole_only = false;           // may begin anew in a way that restart_type can't stand for
};

class MagicDatabase {
 public:
  // nullopt: not the layout described above (another version, another machine's).
  static std::optional<MagicDatabase> read(const std::string& path);

  const std::vector<MagicEntry>& entries() const { return entries_; }
  const MagicRecord& test_of(std::uint32_t entry) const { return ordinary()[entries_[entry].first]; }
  // A database of these entries (ascending, none of them whole_only) and what they use, in the same order.
  std::vector<MagicRecord> excerpt(std::span<const std::uint32_t> entries) const;
  // The whole database. libmagic wants it writable, and doesn't write.
  std::vector<MagicRecord>& all() { return records_; }

 private:
  struct Named {
    std::string name;
    std::uint32_t first = 0, records = 0;
  };
  std::span<const MagicRecord> ordinary() const { return std::span(records_).subspan(1, ordinary_count_); }
  std::span<const MagicRecord> named() const { return std::span(records_).subspan(1 + ordinary_count_); }
  bool take_apart();
  void follow(std::span<const MagicRecord> records, MagicEntry& entry) const;

  std::vector<MagicRecord> records_;
  std::size_t ordinary_count_ = 0;
  std::vector<MagicEntry> entries_;
  std::vector<Named> names_;
};

}  // namespace exhibit::match
