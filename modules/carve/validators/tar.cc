// tar (POSIX.1-1988 to 2008, ustar and pax interchange formats; GNU tar's manual, "Basic Tar Format"). Headers of 512
// bytes, each with a sum of its bytes, and two blocks of zeros at the end. Nothing vouches for the members' bytes.

#include <array>

#include "carve/archive_walk.h"

namespace exhibit::carve {
namespace {

constexpr std::uint64_t block = 512;        // bytes
constexpr std::uint64_t record = 20 * 512;  // bytes: what GNU tar, bsdtar and Python's tarfile write at a time
constexpr std::uint64_t most_size = std::uint64_t{1} << 50;

// Octal digits, or base 256 with the first bit set (GNU, star).
std::optional<std::uint64_t> number(ByteSpan field) {
  std::uint64_t value = 0;
  if ((field[0] & 0x80) != 0) {
    for (const std::uint8_t byte : field.last(8)) value = value << 8 | byte;
    return value;
  }
  std::size_t i = 0;
  while (i < field.size() && field[i] == ' ') ++i;
  const std::size_t first = i;
  for (; i < field.size() && field[i] >= '0' && field[i] <= '7'; ++i) value = value << 3 | (field[i] - '0');
  const bool ends = i == field.size() || field[i] == 0 || field[i] == ' ';
  return ends && i > first ? std::optional(value) : std::nullopt;
}

bool is_sum_right(ByteSpan header) {
  constexpr std::size_t at = 148, length = 8;
  const auto stated = number(header.subspan(at, length));
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < block; ++i) sum += i >= at && i < at + length ? ' ' : header[i];
  return stated == sum;
}

// Bytes of data behind the header, in whole blocks. Nothing: not a header.
std::optional<std::uint64_t> data_of(ByteSpan header, std::uint64_t* plain) {
  if (header.size() < block || !starts_with(header.subspan(257), "ustar") || header[0] == 0) return std::nullopt;
  if (!is_sum_right(header)) return std::nullopt;
  const auto size = number(header.subspan(124, 12));
  if (!size || *size > most_size) return std::nullopt;
  const std::uint8_t type = header[156];
  // Links, devices and folders have none, whatever their size says.
  const bool has_none = type >= '1' && type <= '6';
  const bool is_text = type == 'x' || type == 'g' || type == 'L' || type == 'K';
  *plain = has_none || is_text ? 0 : *size;
  return has_none ? 0 : (*size + block - 1) / block * block;
}

bool is_zero(const Content& content, std::uint64_t from, std::uint64_t to) {
  while (from < to) {
    ByteSpan bytes = content.at(from, std::min(block, to - from));
    bytes = bytes.first(std::min<std::uint64_t>(bytes.size(), to - from));
    if (bytes.empty() || std::any_of(bytes.begin(), bytes.end(), [](std::uint8_t byte) { return byte != 0; })) {
      return false;
    }
    from += bytes.size();
  }
  return true;
}

Verdict validate(const Content& content, Memory&) {
  std::uint64_t position = 0, last = 0, members = 0, unproved = 0;
  for (;;) {
    std::uint64_t plain = 0;
    const auto data = data_of(content.at(position, block), &plain);
    if (!data) break;
    unproved = std::max(unproved, plain);
    last = position;
    position += block + *data;
    if (position > content.size()) return judge_cut(content, last, position, members);
    ++members;
  }
  if (members == 0) return {};
  if (!is_zero(content, position, position + 2 * block) || position + 2 * block > content.size()) {
    return judge_cut(content, last, position + block, members);
  }
  // Zeros up to a whole record are the archive's: what writes no more than two blocks (Go, busybox) is rarer.
  const std::uint64_t end = position + 2 * block, full = (end + record - 1) / record * record;
  return judge_whole(full <= content.size() && is_zero(content, end, full) ? full : end, unproved);
}

std::optional<std::uint64_t> begin_of(const Content& before, std::uint64_t anchor) {
  constexpr std::uint64_t mark_offset = 257;
  if (anchor < mark_offset) return std::nullopt;
  const std::uint64_t begin = anchor - mark_offset;
  std::uint64_t plain = 0;
  if (!data_of(before.at(begin, block), &plain)) return std::nullopt;
  const auto end_of = [&](std::uint64_t header) -> std::uint64_t {
    const auto data = data_of(before.at(header, block), &plain);
    return data ? header + block + *data : 0;
  };
  return has_header_before(before, begin, "ustar", mark_offset, end_of) ? std::nullopt : std::optional(begin);
}

}  // namespace

extern const Validator tar_validator;
const Validator tar_validator = {"tar", validate, nullptr, begin_of};

}  // namespace exhibit::carve
