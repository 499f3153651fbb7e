// cpio, the new formats of SVR4 (cpio(5)): headers of hexadecimal text that lead to each other, up to `TRAILER!!!`;
// with `070702` each has the sum of its data's bytes.

#include "carve/archive_walk.h"

namespace exhibit::carve {
namespace {

constexpr std::uint64_t header_length = 110;  // bytes
constexpr std::uint64_t longest_name = 4096;  // bytes
constexpr std::uint64_t io_block = 512;       // bytes: GNU cpio fills the last one
constexpr std::string_view trailer = "TRAILER!!!";

struct Member {
  bool is_trailer = false, has_sum = false;
  std::uint64_t data = 0, size = 0, end = 0;
  std::uint32_t sum = 0;
};

std::optional<std::uint32_t> field(ByteSpan header, std::size_t index) {
  std::uint32_t value = 0;
  for (const std::uint8_t byte : header.subspan(6 + 8 * index, 8)) {
    const bool is_digit = byte >= '0' && byte <= '9', is_letter = (byte | 0x20) >= 'a' && (byte | 0x20) <= 'f';
    if (!is_digit && !is_letter) return std::nullopt;
    value = value << 4 | static_cast<std::uint32_t>(is_digit ? byte - '0' : (byte | 0x20) - 'a' + 10);
  }
  return value;
}

// To a multiple of 4 from `header`, which is one from the archive's begin.
std::uint64_t aligned(std::uint64_t header, std::uint64_t position) { return header + (position - header + 3) / 4 * 4; }

std::optional<Member> read_member(const Content& content, std::uint64_t position) {
  const ByteSpan header = content.at(position, header_length);
  if (header.size() < header_length || !starts_with(header, "07070") || (header[5] != '1' && header[5] != '2')) {
    return std::nullopt;
  }
  for (std::size_t i = 0; i < 13; ++i) {
    if (!field(header, i)) return std::nullopt;
  }
  Member member;
  member.has_sum = header[5] == '2';
  member.size = *field(header, 6);
  const std::uint64_t name_length = *field(header, 11);
  member.sum = *field(header, 12);
  if (name_length < 2 || name_length > longest_name) return std::nullopt;
  Reader reader(content, position + header_length);
  const ByteSpan name = reader.bytes(static_cast<std::size_t>(name_length));
  if (!reader.ok() || name.back() != 0 || name[0] == 0) return std::nullopt;
  member.is_trailer = name.size() == trailer.size() + 1 && starts_with(name, trailer);
  if (member.is_trailer && member.size != 0) return std::nullopt;
  member.data = aligned(position, position + header_length + name_length);
  member.end = aligned(position, member.data + member.size);
  return member;
}

std::uint32_t sum_of(const Content& content, std::uint64_t from, std::uint64_t to) {
  std::uint32_t sum = 0;
  while (from < to) {
    ByteSpan bytes = content.at(from, std::min<std::uint64_t>(Content::window, to - from));
    bytes = bytes.first(std::min<std::uint64_t>(bytes.size(), to - from));
    if (bytes.empty()) break;
    for (const std::uint8_t byte : bytes) sum += byte;
    from += bytes.size();
  }
  return sum;
}

// GNU cpio ends with zeros up to a whole block.
std::uint64_t behind_padding(const Content& content, std::uint64_t end) {
  const std::uint64_t full = (end + io_block - 1) / io_block * io_block;
  const ByteSpan bytes = content.at(end, io_block);
  if (full > content.size()) return end;
  const ByteSpan padding = bytes.first(full - end);
  return std::all_of(padding.begin(), padding.end(), [](std::uint8_t byte) { return byte == 0; }) ? full : end;
}

Verdict validate(const Content& content, Memory&) {
  std::uint64_t position = 0, last = 0, members = 0, unproved = 0;
  for (;;) {
    const auto member = read_member(content, position);
    if (!member) return position == 0 ? Verdict{} : judge_cut(content, last, position + 1, members);
    if (member->end > content.size()) return judge_cut(content, position, member->end, members);
    if (member->is_trailer && members == 0) return {};
    if (member->is_trailer) return judge_whole(behind_padding(content, member->end), unproved);
    if (!member->has_sum) {
      unproved = std::max(unproved, member->size);
    } else if (sum_of(content, member->data, member->data + member->size) != member->sum) {
      return judge_cut(content, position, member->end, members);
    }
    last = position;
    position = member->end;
    ++members;
  }
}

std::optional<std::uint64_t> begin_of(const Content& before, std::uint64_t anchor) {
  if (!read_member(before, anchor)) return std::nullopt;
  const auto end_of = [&](std::uint64_t header) -> std::uint64_t {
    const auto member = read_member(before, header);
    return member && !member->is_trailer ? member->end : 0;
  };
  return has_header_before(before, anchor, "07070", 0, end_of) ? std::nullopt : std::optional(anchor);
}

}  // namespace

extern const Validator cpio_validator;
const Validator cpio_validator = {"cpio", validate, nullptr, begin_of};

}  // namespace exhibit::carve
