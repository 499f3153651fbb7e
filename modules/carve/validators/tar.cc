// tar (POSIX.1-1988 ustar, POSIX.1-2001 pax, GNU tar): headers of 512 bytes, each with a checksum over itself, and
// members' data between; two blocks of zeros end it, and programs fill up a record of 10240 bytes with more.

#include <algorithm>

#include "carve/validator.h"

namespace exhibit::carve {
namespace {

constexpr std::uint64_t block = 512, record = 20 * block;  // bytes
constexpr std::size_t size_at = 124, size_length = 12, checksum_at = 148, checksum_length = 8;

// Octal digits between spaces, ended by a space or a zero; or a number in base 256 (GNU tar, "Extended formats").
std::optional<std::uint64_t> number(ByteSpan field) {
  if ((field[0] & 0x80) != 0) {
    std::uint64_t value = field[0] & 0x7f;
    for (const std::uint8_t byte : field.subspan(1)) {
      if (value >> 48 != 0) return std::nullopt;
      value = value << 8 | byte;
    }
    return value;
  }
  std::size_t at = 0;
  while (at < field.size() && field[at] == ' ') ++at;
  std::uint64_t value = 0;
  bool any = false;
  for (; at < field.size() && field[at] >= '0' && field[at] <= '7'; ++at, any = true)
    value = value * 8 + (field[at] - '0');
  if (at < field.size() && field[at] != ' ' && field[at] != 0) return std::nullopt;
  return any ? std::optional(value) : std::nullopt;
}

// The length of the member's data; nothing where the header doesn't hold.
std::optional<std::uint64_t> header(ByteSpan bytes) {
  if (bytes.size() < block) return std::nullopt;
  std::uint64_t sum = std::uint64_t{' '} * checksum_length;
  for (std::size_t i = 0; i < block; ++i) {
    if (i < checksum_at || i >= checksum_at + checksum_length) sum += bytes[i];
  }
  if (number(bytes.subspan(checksum_at, checksum_length)) != sum) return std::nullopt;
  return number(bytes.subspan(size_at, size_length));
}

bool is_zero(const Content& content, std::uint64_t offset, std::uint64_t length) {
  const ByteSpan bytes = content.at(offset, length);
  return bytes.size() >= length &&
         std::all_of(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(length), [](auto b) { return b == 0; });
}

Verdict validate(const Content& content, Memory&) {
  std::uint64_t position = 0, members = 0, last = 0;
  for (;;) {
    if (members > 0 && is_zero(content, position, 2 * block)) {
      position += 2 * block;
      const std::uint64_t fill = (record - position % record) % record;
      return Verdict::whole(is_zero(content, position, fill) ? position + fill : position);
    }
    const auto length = header(content.at(position, block));
    if (!length || *length > UINT64_MAX / 2) break;
    const std::uint64_t next = position + block + (*length + block - 1) / block * block;
    if (next > content.size()) break;
    last = position;
    position = next;
    ++members;
  }
  if (members == 0) return {};
  return Verdict::broken(last + block, std::min(content.size(), position + block), position,
                         DoubtCause::missing_segment);
}

}  // namespace

extern const Validator tar_validator;
const Validator tar_validator = {"tar", validate};

}  // namespace exhibit::carve
