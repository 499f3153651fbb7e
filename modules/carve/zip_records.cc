#include "carve/zip_records.h"

#include <algorithm>

namespace exhibit::carve::zip {
namespace {

constexpr std::uint16_t longest_name = 4096;    // bytes: no file system has a longer path
constexpr unsigned highest_version = 63;        // 4.4.3.2: 6.3
constexpr std::uint16_t unused_flags = 0xc780;  // 4.4.4: bits 7 to 10, 14 and 15
constexpr std::uint32_t in_extra = 0xffffffff;  // 4.4.8: the 64-bit extra field has the value
constexpr std::uint16_t zip64_tag = 0x0001;     // 4.5.3
constexpr std::uint64_t most = std::uint64_t{1} << 62;

bool is_method(unsigned method) {  // 4.4.5, and 99: AE-x encryption
  return method <= 10 || method == 12 || method == 14 || method == 16 || (method >= 18 && method <= 20) ||
         (method >= 93 && method <= 99);
}

bool is_name(ByteSpan name) {
  return !name.empty() && name.size() <= longest_name &&
         std::all_of(name.begin(), name.end(), [](std::uint8_t byte) { return byte >= 0x20 && byte != 0x7f; });
}

// 4.5.3: only the fields whose 32-bit form is full are there, in this order.
bool read_zip64(const Content& content, std::uint64_t position, std::uint64_t length, Member& member, bool has_offset) {
  const bool plain = member.plain == in_extra, compressed = member.compressed == in_extra;
  if (!plain && !compressed && !has_offset) return true;
  Reader reader(content, position);
  const std::uint64_t end = position + length;
  while (reader.ok() && reader.position() + 4 <= end) {
    const std::uint16_t tag = reader.le16(), size = reader.le16();
    const std::uint64_t next = reader.position() + size;
    if (tag != zip64_tag) {
      reader.seek(next);
      continue;
    }
    const unsigned needed = 8u * (unsigned{plain} + unsigned{compressed} + unsigned{has_offset});
    if (next > end || size < needed) return false;
    if (plain) member.plain = reader.le64();
    if (compressed) member.compressed = reader.le64();
    if (has_offset) member.offset = reader.le64();
    return reader.ok() && member.plain < most && member.compressed < most && member.offset < most;
  }
  return false;
}

}  // namespace

std::optional<Member> read_local(const Content& content, std::uint64_t position) {
  Reader reader(content, position);
  if (!reader.take(local_mark)) return std::nullopt;
  Member member;
  const unsigned version = reader.le16() & 0xff;
  member.offset = position;
  member.flags = reader.le16();
  member.method = reader.le16();
  member.time = reader.le32();
  member.crc = reader.le32();
  member.compressed = reader.le32();
  member.plain = reader.le32();
  const std::uint16_t name_length = reader.le16(), extra_length = reader.le16();
  const bool is_sane = version <= highest_version && (member.flags & unused_flags) == 0 && is_method(member.method) &&
                       name_length <= longest_name;
  if (!reader.ok() || !is_sane) return std::nullopt;
  const ByteSpan name = reader.bytes(name_length);
  if (!reader.ok() || !is_name(name)) return std::nullopt;
  member.name.assign(name.begin(), name.end());
  if (extra_length > reader.left()) return std::nullopt;
  if (!read_zip64(content, reader.position(), extra_length, member, false)) return std::nullopt;
  member.end = reader.position() + extra_length;
  const bool contradicts = member.method == stored && !member.is_encrypted() && !member.has_descriptor() &&
                           member.compressed != member.plain;
  if (contradicts) return std::nullopt;
  return member;
}

std::optional<Member> read_central(const Content& content, std::uint64_t position) {
  Reader reader(content, position);
  if (!reader.take(central_mark)) return std::nullopt;
  Member member;
  reader.skip(4);  // versions
  member.flags = reader.le16();
  member.method = reader.le16();
  member.time = reader.le32();
  member.crc = reader.le32();
  member.compressed = reader.le32();
  member.plain = reader.le32();
  const std::uint64_t name_length = reader.le16(), extra_length = reader.le16(), comment_length = reader.le16();
  const std::uint16_t disk = reader.le16();
  reader.skip(6);  // attributes
  member.offset = reader.le32();
  const bool is_sane = (disk == 0 || disk == 0xffff) && is_method(member.method) && name_length <= longest_name;
  if (!reader.ok() || !is_sane) return std::nullopt;
  const ByteSpan name = reader.bytes(name_length);
  if (!reader.ok() || !is_name(name)) return std::nullopt;
  member.name.assign(name.begin(), name.end());
  if (extra_length + comment_length > reader.left()) return std::nullopt;
  if (!read_zip64(content, reader.position(), extra_length, member, member.offset == in_extra)) return std::nullopt;
  member.end = reader.position() + extra_length + comment_length;
  return member;
}

namespace {

// 4.3.16; `end64`: where the 64-bit end record lies, if there is one.
std::optional<End> read_both(const Content& content, std::uint64_t position, std::optional<std::uint64_t> end64) {
  Reader reader(content, position);
  if (!reader.take(end_mark)) return std::nullopt;
  End found;
  const std::uint16_t disk = reader.le16(), directory_disk = reader.le16(), here = reader.le16();
  found.records = reader.le16();
  found.size = reader.le32();
  found.offset = reader.le32();
  const std::uint16_t comment = reader.le16();
  if (!reader.ok() || !reader.skip(comment)) return std::nullopt;
  found.end = reader.position();
  if (!end64) return disk == 0 && directory_disk == 0 && here == found.records ? std::optional(found) : std::nullopt;
  Reader wide(content, *end64);  // 4.3.14
  const bool is_end = wide.take(end64_mark);
  wide.skip(8 + 2 + 2 + 4 + 4 + 8);  // size, versions, disks, records on this disk
  found.records = wide.le64();
  found.size = wide.le64();
  found.offset = wide.le64();
  if (!is_end || !wide.ok() || found.size > most || found.offset > most) return std::nullopt;
  found.companions = position - *end64;
  return found;
}

}  // namespace

std::optional<End> read_end(const Content& content, std::uint64_t position) {
  Reader reader(content, position);
  if (reader.take(signature_mark)) {  // 4.3.13
    const std::uint16_t length = reader.le16();
    reader.skip(length);
  }
  std::optional<std::uint64_t> end64;
  if (starts_with(content.at(reader.position(), 4), end64_mark)) {
    end64 = reader.position();
    reader.skip(4);
    const std::uint64_t length = reader.le64();
    if (!reader.ok() || length > content.size() || !reader.skip(length)) return std::nullopt;
    if (!reader.take(locator_mark) || !reader.skip(locator_length - 4)) return std::nullopt;
  }
  return read_both(content, reader.position(), end64);
}

std::optional<End> read_end_backward(const Content& content, std::uint64_t position) {
  constexpr std::uint64_t companions = end64_length + locator_length;
  std::optional<std::uint64_t> end64;
  if (position >= companions && starts_with(content.at(position - locator_length, 4), locator_mark)) {
    end64 = position - companions;
  }
  return read_both(content, position, end64);
}

}  // namespace exhibit::carve::zip
