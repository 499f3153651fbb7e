// cpio, the "new" ASCII formats (SVR4; cpio(5)): headers of 110 bytes of hexadecimal, to a member TRAILER!!!.

#include "carve/validator.h"

namespace exhibit::carve {
namespace {

constexpr std::uint64_t header_length = 110, longest_name = 4096;
constexpr std::uint64_t usual_block = 512;  // what an archive is filled up to with zeros
constexpr std::string_view trailer("TRAILER!!!\0", 11);

std::optional<std::uint64_t> field(ByteSpan header, unsigned number) {
  std::uint64_t value = 0;
  for (const std::uint8_t c : header.subspan(6 + 8 * std::size_t{number}, 8)) {
    const unsigned digit = c >= '0' && c <= '9'                     ? c - '0'
                           : (c | 0x20) >= 'a' && (c | 0x20) <= 'f' ? (c | 0x20) - 'a' + 10u
                                                                    : 16;
    if (digit > 15) return std::nullopt;
    value = value << 4 | digit;
  }
  return value;
}

struct Member {
  std::uint64_t next = 0;
  bool is_trailer = false;
};

std::optional<Member> member(const Content& content, std::uint64_t offset) {
  constexpr unsigned size_field = 6, name_field = 11, fields = 13;
  const ByteSpan header = content.at(offset, header_length);
  if (header.size() < header_length || (!starts_with(header, "070701") && !starts_with(header, "070702")))
    return std::nullopt;
  for (unsigned i = 0; i < fields; ++i) {
    if (!field(header, i)) return std::nullopt;
  }
  const std::uint64_t size = *field(header, size_field), name = *field(header, name_field);
  if (name == 0 || name > longest_name) return std::nullopt;
  const std::uint64_t data = (offset + header_length + name + 3) / 4 * 4;
  const bool is_trailer = name == trailer.size() && starts_with(content.at(offset + header_length, name), trailer);
  return Member{(data + size + 3) / 4 * 4, is_trailer};
}

Verdict validate(const Content& content, Memory&) {
  std::uint64_t position = 0, last = 0;
  while (const auto found = member(content, position)) {
    if (found->next > content.size()) break;
    last = position;
    position = found->next;
    if (!found->is_trailer) continue;
    const std::uint64_t fill = (usual_block - position % usual_block) % usual_block;
    ByteSpan behind = content.at(position, fill);
    behind = behind.first(std::min<std::uint64_t>(behind.size(), fill));
    const bool is_filled =
        behind.size() == fill && std::all_of(behind.begin(), behind.end(), [](auto b) { return b == 0; });
    return Verdict::whole(is_filled ? position + fill : position);
  }
  if (position == 0) return {};
  return Verdict::broken(last + header_length, std::min(content.size(), position + header_length), position,
                         DoubtCause::missing_segment);
}

}  // namespace

extern const Validator cpio_validator;
const Validator cpio_validator = {"cpio", validate};

}  // namespace exhibit::carve
