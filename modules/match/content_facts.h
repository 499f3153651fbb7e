#pragma once
// What is known of a content before libyara has searched it.

#include <yara.h>

#include <cstddef>
#include <cstdint>
#include <span>

namespace exhibit::match {

// A comparison with a number that stands at a fixed place, as in `uint16(0) == 0x5A4D`.
struct PlaceTest {
  std::uint8_t reader = 0;  // the opcode, OP_INT8 to OP_UINT32BE
  std::int64_t offset = 0;
  std::int64_t value = 0;
  auto operator<=>(const PlaceTest&) const = default;  // NOLINT(modernize-use-nullptr): a false alarm
};

// What is known of one content.
struct ContentFacts {
  std::span<const std::uint64_t> possible_strings;  // one bit a string of YR_RULES: it may match
  bool read = false;                                // else nothing below is known
  std::uint64_t size = 0;
  std::span<const std::byte> head;  // its first bytes
  // Taken for false or undefined wherever the rule that is asked about makes it.
  const PlaceTest* denied = nullptr;
};

// The number that libyara's `reader` gives at `offset`: none where that isn't known.
struct PlaceNumber {
  bool known = false;
  bool undefined = false;  // past the content's end
  std::int64_t value = 0;
};
// What a content begins with if YARA's module `pe` finds a program in it. Else all of the module but its constants and
// `is_pe` is undefined: pe.c of libyara 4.2.3, pe_get_header and module_load.
inline constexpr PlaceTest program_test{.reader = 244, .offset = 0, .value = 0x5A4D};  // OP_UINT16; MZ
bool has_no_program(const ContentFacts& facts);

PlaceNumber number_at(const ContentFacts& facts, std::uint8_t reader, std::int64_t offset);

// Whether a match of `string` may begin in [from, to]: exact for plain texts in the part of the content that is known.
bool text_may_start_within(const ContentFacts& facts, const YR_STRING& string, std::int64_t from, std::int64_t to);

}  // namespace exhibit::match
