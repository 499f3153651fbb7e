#include "match/entry_sieve.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <tuple>
#include <utility>

namespace exhibit::match {
namespace {

// Only there do the records and Pattern's numbers agree.
static_assert(std::endian::native == std::endian::little);

std::uint8_t at(std::span<const std::byte> bytes, std::size_t i) { return std::to_integer<std::uint8_t>(bytes[i]); }

bool begins_with(std::span<const std::byte> bytes, std::initializer_list<std::uint8_t> prefix) {
  return bytes.size() >= prefix.size() && std::equal(prefix.begin(), prefix.end(), bytes.begin(),
                                                     [](std::uint8_t a, std::byte b) { return std::byte{a} == b; });
}

// encoding.c, text_chars: what plain text has below 0x80.
constexpr std::array<bool, 256> plain_text = [] {
  std::array<bool, 256> table{};
  for (std::size_t c = 0x20; c < 0x7F; ++c) table[c] = true;
  for (std::size_t c = 0x07; c <= 0x0D; ++c) table[c] = true;
  table[0x1B] = true;
  return table;
}();

// The length of the well-formed UTF-8 sequence (Unicode, table 3-7; libmagic's rule too) of two bytes or more, 0: none.
std::size_t sequence_length(std::span<const std::byte> bytes) {
  const std::uint8_t first = at(bytes, 0);
  const std::size_t length = first >= 0xC2 && first <= 0xDF   ? 2
                             : (first & 0xF0) == 0xE0         ? 3
                             : first >= 0xF0 && first <= 0xF4 ? 4
                                                              : 0;
  if (length == 0 || bytes.size() < length) return 0;
  const std::uint8_t low = first == 0xE0 ? 0xA0 : first == 0xF0 ? 0x90 : 0x80;
  const std::uint8_t high = first == 0xED ? 0x9F : first == 0xF4 ? 0x8F : 0xBF;
  if (at(bytes, 1) < low || at(bytes, 1) > high) return 0;
  for (std::size_t i = 2; i < length; ++i) {
    if ((at(bytes, i) & 0xC0) != 0x80) return 0;
  }
  return length;
}

bool all_plain_or_utf8(std::span<const std::byte> bytes) {
  for (std::size_t i = 0; i < bytes.size();) {
    if (plain_text[at(bytes, i)]) {
      ++i;
      continue;
    }
    const std::size_t length = sequence_length(bytes.subspan(i));
    if (length == 0) return false;
    i += length;
  }
  return true;
}

std::uint64_t eight_bytes(std::span<const std::byte> bytes, std::size_t offset) {
  std::uint64_t value = 0;
  if (offset < bytes.size())
    std::memcpy(&value, bytes.data() + offset, std::min<std::size_t>(8, bytes.size() - offset));
  return value;
}

std::uint64_t eight_bytes(const MagicRecord& test) {
  std::uint64_t value = 0;
  std::memcpy(&value, test.value.data(), sizeof value);
  return value;
}

struct Number {
  std::size_t size = 0;  // 0: not a number of these kinds
  bool big_endian = false;
};
Number number_of(std::uint8_t type) {
  switch (type) {
    case magic_type::byte:
      return {1, false};
    case magic_type::host_short:
    case magic_type::little_short:
      return {2, false};
    case magic_type::big_short:
      return {2, true};
    case magic_type::host_long:
    case magic_type::little_long:
      return {4, false};
    case magic_type::big_long:
      return {4, true};
    case magic_type::host_quad:
    case magic_type::little_quad:
      return {8, false};
    case magic_type::big_quad:
      return {8, true};
    default:
      return {};
  }
}

std::uint64_t stated_mask(const MagicRecord& test) { return test.range | std::uint64_t{test.string_flags} << 32; }

// Equal after masking (softmagic.c: mconvert(), magiccheck()); the extended sign, above the number's bytes, is left
// out.
std::pair<std::uint64_t, std::uint64_t> mask_and_value(const MagicRecord& test, Number number) {
  const std::uint64_t stated = stated_mask(test);
  const std::uint64_t bits = number.size == 8 ? ~std::uint64_t{0} : (std::uint64_t{1} << 8 * number.size) - 1;
  std::uint64_t mask = (stated == 0 ? ~std::uint64_t{0} : stated) & bits;
  std::uint64_t value = eight_bytes(test) & bits;
  if (number.big_endian) {
    mask = __builtin_bswap64(mask) >> (64 - 8 * number.size);
    value = __builtin_bswap64(value) >> (64 - 8 * number.size);
  }
  return {mask, value};
}

bool is_comparison(const MagicRecord& test) {
  return number_of(test.type).size != 0 && (test.relation == '<' || test.relation == '>') && test.offset >= 0 &&
         test.mask_operator == 0 &&
         (test.flags & (magic_flag::indirect | magic_flag::relative | magic_flag::text_test)) == 0;
}

// softmagic.c, mget(), mconvert() and magiccheck().
bool holds(const MagicRecord& test, std::span<const std::byte> content) {
  const Number number = number_of(test.type);
  const auto offset = static_cast<std::size_t>(test.offset);
  if (number.size < 8 && offset + number.size > content.size()) return false;  // 8: libmagic reads zeros there
  const std::size_t spare = 64 - 8 * number.size;
  std::uint64_t found = eight_bytes(content, offset);
  found = number.big_endian ? __builtin_bswap64(found) >> spare : found << spare >> spare;
  if (const std::uint64_t mask = stated_mask(test); mask != 0) found &= mask;
  const std::uint64_t wanted = eight_bytes(test);
  if ((test.flags & magic_flag::unsigned_number) != 0) return test.relation == '<' ? found < wanted : found > wanted;
  const auto extended = static_cast<std::int64_t>(found << spare) >> spare;
  const auto limit = static_cast<std::int64_t>(wanted);
  return test.relation == '<' ? extended < limit : extended > limit;
}

// The string's first bytes, as far as they stand at fixed places (softmagic.c, file_strncmp()).
std::pair<std::uint64_t, std::uint64_t> mask_and_value(const MagicRecord& test) {
  constexpr std::uint8_t any_case = 0xDF;
  const bool blanks_vary = (test.string_flags & (magic_string::compact_blanks | magic_string::optional_blanks)) != 0;
  const bool cases_vary = (test.string_flags & (magic_string::ignore_lower | magic_string::ignore_upper)) != 0;
  std::size_t size = std::min<std::size_t>(test.value_size, 8);
  if (test.range != 0) size = std::min<std::size_t>(size, test.range);  // libmagic takes the rest for zeros
  std::uint64_t mask = 0, value = 0;
  for (std::size_t i = 0; i < size; ++i) {
    const unsigned char c = test.value[i];
    if (blanks_vary && (c == ' ' || (c >= '\t' && c <= '\r'))) break;
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    const std::uint64_t byte_mask = cases_vary && letter ? any_case : 0xFF;
    mask |= byte_mask << 8 * i;
    value |= (c & byte_mask) << 8 * i;
  }
  return {mask, value};
}

}  // namespace

std::optional<std::size_t> text_size(std::span<const std::byte> head, std::size_t limit) {
  // ascmagic.c, file_ascmagic(): zeros at the end don't count, but for one that keeps an even size even.
  std::size_t size = head.size();
  while (size > 1 && at(head, size - 1) == 0) --size;
  if (size % 2 == 1 && head.size() % 2 == 0) ++size;
  const auto text = head.first(std::min(size, limit));
  // Marks of UTF-8, UTF-16, UTF-32 and UTF-7: converted, if text at all.
  if (begins_with(text, {0xEF, 0xBB, 0xBF}) || begins_with(text, {0xFF, 0xFE}) || begins_with(text, {0xFE, 0xFF}) ||
      begins_with(text, {0x00, 0x00, 0xFE, 0xFF}) || begins_with(text, {'+', '/', 'v'})) {
    return std::nullopt;
  }
  // No encoding that is left, EBCDIC included, has a zero in text.
  if (std::memchr(text.data(), 0, text.size()) != nullptr) return 0;
  if (all_plain_or_utf8(text)) return text.size();
  return std::nullopt;
}

EntrySieve::EntrySieve(const MagicDatabase& database, std::size_t regex_limit)
    : weak_(database.entries().size()), always_(database.entries().size()) {
  for (std::uint32_t entry = 0; entry < weak_.size(); ++entry) add(entry, database.test_of(entry), regex_limit);
}

void EntrySieve::add(std::uint32_t entry, const MagicRecord& test, std::size_t regex_limit) {
  // From the end: libmagic can't tell a buffer's end from the file's, and skips these (msetoffset(), buffer_fill()).
  if ((test.flags & (magic_flag::binary_test | magic_flag::text_test)) == 0 || (test.flags & magic_flag::from_end) != 0)
    return;
  Side& side = (test.flags & magic_flag::binary_test) != 0 ? binary_ : text_;
  const bool simple =
      test.relation == '=' && test.offset >= 0 && (test.flags & (magic_flag::indirect | magic_flag::relative)) == 0;
  if (simple && test.type == magic_type::search) {
    if (const auto required = runs_of_search(test)) return add_runs(entry, test, *required);
  } else if (simple && test.type == magic_type::regex) {
    if (const auto required = runs_of_regex(test, regex_limit)) return add_runs(entry, test, *required);
  } else if (const auto patterns = simple ? patterns_of(test) : std::vector<Pattern>(); !patterns.empty()) {
    for (Pattern pattern : patterns) {
      pattern.entry = entry;
      weak_[entry] = std::popcount(pattern.mask) <= 16 || pattern.value == 0;
      add_pattern(side, pattern);
    }
    return;
  }
  if (is_comparison(test)) {
    weak_[entry] = true;
    return side.comparisons.push_back({entry, &test});
  }
  always_[entry] = true;
  side.always.push_back(entry);
}

void EntrySieve::add_runs(std::uint32_t entry, const MagicRecord& test, const RequiredRuns& required) {
  if ((test.flags & magic_flag::binary_test) != 0) binary_runs_.add(entry, required);
  all_runs_.add(entry, required);
}

// One of them must be there; none: can't be told.
std::vector<EntrySieve::Pattern> EntrySieve::patterns_of(const MagicRecord& test) {
  const auto offset = static_cast<std::uint32_t>(test.offset);
  // For text, libmagic sees zeros behind the text's end; a string doesn't reach there, a number may.
  const bool text = (test.flags & magic_flag::text_test) != 0;
  std::uint64_t mask = 0, value = 0;
  if (test.type == magic_type::string) {
    std::tie(mask, value) = mask_and_value(test);
  } else if (const Number number = number_of(test.type); number.size != 0 && test.mask_operator == 0 && !text) {
    std::tie(mask, value) = mask_and_value(test, number);
  } else if (test.type == magic_type::guid && !text) {
    std::tie(mask, value) = std::pair(~std::uint64_t{0}, eight_bytes(test));
  } else if (test.type == magic_type::der &&
             std::strcmp(reinterpret_cast<const char*>(test.value.data()), "seq") == 0) {
    // der.c, gettag(): the tag of a sequence, or the sign that a longer tag follows, which may overflow to that.
    return {{0x1F, 0x10, 0, offset}, {0x1F, 0x1F, 0, offset}};
  }
  if (mask == 0) return {};
  return {{mask, value, 0, offset}};
}

void EntrySieve::add_pattern(Side& side, const Pattern& pattern) {
  if (pattern.offset != 0) return side.elsewhere.push_back(pattern);
  for (std::uint64_t byte = 0; byte < side.by_first_byte.size(); ++byte) {
    if ((byte & pattern.mask & 0xFF) == (pattern.value & 0xFF)) side.by_first_byte[byte].push_back(pattern);
  }
}

void EntrySieve::sift(std::span<const std::byte> head, std::size_t text, std::vector<std::uint32_t>& entries) {
  entries.clear();
  sift_side(binary_, head, entries);
  if (text > 0) sift_side(text_, head.first(text), entries);
  // Entries for binary content look at the whole head.
  const bool at_once = text == head.size() || text >= binary_runs_.end();
  if (text == 0 || !at_once) binary_runs_.scan(head, entries);
  if (text > 0) all_runs_.scan(head.first(text), entries);
  std::sort(entries.begin(), entries.end());
  entries.erase(std::unique(entries.begin(), entries.end()), entries.end());
}

void EntrySieve::sift_side(const Side& side, std::span<const std::byte> content, std::vector<std::uint32_t>& entries) {
  entries.insert(entries.end(), side.always.begin(), side.always.end());
  const std::uint64_t first = eight_bytes(content, 0);
  for (const Pattern& pattern : side.by_first_byte[first & 0xFF]) {
    if ((first & pattern.mask) == pattern.value) entries.push_back(pattern.entry);
  }
  for (const Pattern& pattern : side.elsewhere) {
    if ((eight_bytes(content, pattern.offset) & pattern.mask) == pattern.value) entries.push_back(pattern.entry);
  }
  for (const Comparison& comparison : side.comparisons) {
    if (holds(*comparison.test, content)) entries.push_back(comparison.entry);
  }
}

}  // namespace exhibit::match
