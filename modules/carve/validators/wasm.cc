// WebAssembly modules (W3C, WebAssembly Core Specification, 5.5): sections in a set order, each with its length.

#include <array>

#include "carve/validator.h"

namespace exhibit::carve {
namespace {

constexpr std::uint64_t header_length = 8;          // bytes
constexpr std::uint64_t longest_section = 1 << 30;  // bytes
constexpr unsigned last_section = 13;

// 5.2.2; false: not within 32 bits.
bool read_number(Reader& reader, std::uint64_t& value) {
  value = 0;
  for (unsigned shift = 0; shift < 35; shift += 7) {
    const std::uint8_t byte = reader.u8();
    value |= std::uint64_t{byte & 0x7fu} << shift;
    if (byte < 0x80) return reader.ok();
  }
  return false;
}

// Where a section stands among the others: the count of data stands before the code, tags before globals.
unsigned rank(unsigned section) {
  static constexpr std::array<unsigned, last_section + 1> ranks = {0, 1, 2, 3, 4, 5, 7, 8, 9, 10, 12, 13, 11, 6};
  return ranks[section];
}

// Whether the content of a section can be: its vector's items (5.5.3 and on) for code and data, else only its count.
bool is_section(const Content& content, unsigned section, std::uint64_t begin, std::uint64_t end) {
  constexpr unsigned custom = 0, start = 8, code = 10;
  Reader reader(content, begin);
  std::uint64_t count = 0;
  if (section == custom) return read_number(reader, count) && count <= end - reader.position();
  if (!read_number(reader, count) || reader.position() > end) return false;
  if (section == start || section == 12) return reader.position() == end;
  if (count > end - reader.position()) return false;
  if (section != code) return count > 0 || reader.position() == end;
  for (std::uint64_t i = 0; i < count; ++i) {
    std::uint64_t length = 0;
    if (!read_number(reader, length) || length == 0 || reader.position() > end || length > end - reader.position()) {
      return false;
    }
    reader.seek(reader.position() + length - 1);
    if (reader.u8() != 0x0b) return false;  // each body ends with `end`
  }
  return reader.position() == end;
}

Verdict validate(const Content& content, Memory&) {
  if (!starts_with(content.at(0, header_length), {"\0asm\x01\0\0\0", header_length})) return {};
  std::uint64_t at = header_length, sections = 0;
  unsigned before = 0;
  bool is_broken = false;
  for (;;) {
    Reader reader(content, at);
    const unsigned section = reader.u8();
    std::uint64_t length = 0;
    if (!reader.ok() || section > last_section || !read_number(reader, length)) break;
    const std::uint64_t begin = reader.position();
    if (length == 0 || length > longest_section || length > content.size() - begin) break;
    if (section != 0 && rank(section) <= before) break;
    if (!is_section(content, section, begin, begin + length)) {
      is_broken = section == 10;
      break;
    }
    if (section != 0) before = rank(section);
    at = begin + length;
    ++sections;
  }
  if (sections == 0) return {};
  // Functions that were declared need their code: types alone are no end.
  if (is_broken || before < 7) return Verdict::broken(at, at, at, DoubtCause::missing_segment);
  return Verdict::whole(at);
}

}  // namespace

extern const Validator wasm_validator;
const Validator wasm_validator = {"wasm", validate};

}  // namespace exhibit::carve
