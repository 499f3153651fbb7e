#include "carve/zip_directory.h"

#include <algorithm>

namespace exhibit::carve::zip {
namespace {

// How far back a member without a descriptor is looked for: members that are longer are told otherwise.
constexpr std::uint64_t farthest_back = std::uint64_t{1} << 20;  // bytes
constexpr unsigned most_marks = 16;                              // of those looked at on the way back
// The same for the member before: hostile chains lie within each other, and each one's way to the directory is long.
constexpr unsigned most_chains = 128;
constexpr std::uint64_t longest_header = local_length + 2 * 0xffff;

std::uint64_t mix(std::uint64_t value) {  // the finalizer of SplitMix64
  value = (value ^ value >> 30) * 0xbf58476d1ce4e5b9;
  value = (value ^ value >> 27) * 0x94d049bb133111eb;
  return value ^ value >> 31;
}

// Whether the local header at `header` has its data end at `position`.
bool ends_at(const Content& content, std::uint64_t header, std::uint64_t position) {
  const auto member = read_local(content, header);
  if (!member || member->end > position) return false;
  return member->compressed == position - member->end && member->has_sizes();
}

// The header of a member whose data begin at `data`.
bool has_header_before(const Content& content, std::uint64_t data) {
  const std::uint64_t floor = data > longest_header ? data - longest_header : 0;
  std::uint64_t to = data;
  for (unsigned i = 0; i < most_marks && to > floor; ++i) {
    const std::uint64_t header = find_last(content, local_mark, floor, to);
    if (header == to) return false;
    const auto member = read_local(content, header);
    if (member && member->end == data) return true;
    to = header + local_mark.size() - 1;
  }
  return false;
}

// Whether a descriptor (4.3.9) ends at `position` whose member has its header where its length says.
bool has_descriptor_before(const Content& content, std::uint64_t position) {
  for (const std::uint64_t length : {16, 12, 24, 20}) {
    if (position < length + local_length) continue;
    Reader reader(content, position - length);
    const bool marked = length % 8 == 0;
    if (marked && !reader.take(descriptor_mark)) continue;
    reader.skip(4);
    const std::uint64_t compressed = length >= 20 ? reader.le64() : reader.le32();
    const std::uint64_t data_end = position - length;
    if (compressed <= data_end && has_header_before(content, data_end - compressed)) return true;
  }
  return false;
}

}  // namespace

void Tally::note(const Member& member, std::uint64_t offset) {
  const std::uint64_t place = mix(offset + 0x9e3779b97f4a7c15);
  std::uint64_t sum = mix(place ^ member.compressed);
  sum = mix(sum ^ (member.is_provable() ? member.plain : 0));
  sum = mix(sum ^ (member.is_provable() ? member.crc : 0) ^ std::uint64_t{member.method} << 32);
  for (const char c : member.name) sum = (sum ^ static_cast<std::uint8_t>(c)) * 0x100000001b3;
  digest += mix(sum);
  details += mix(place ^ member.time ^ std::uint64_t{member.flags} << 32);
  ++members;
}

std::optional<Directory> read_directory(const Content& content, std::uint64_t begin,
                                        const std::function<void(const Member&)>& each, Reached* reached) {
  Directory directory;
  directory.begin = begin;
  std::uint64_t position = begin, records = 0;
  while (const auto member = read_central(content, position)) {
    if (each) each(*member);
    if (reached != nullptr) *reached = {position, member->end};
    position = member->end;
    ++records;
  }
  const auto end = read_end(content, position);
  if (records == 0 || !end) return std::nullopt;
  // Without the 64-bit records the count goes round (old programs wrote more than it holds).
  const bool agrees = end->size == position - begin && (end->companions > 0 || end->records == (records & 0xffff)) &&
                      (end->companions == 0 || end->records == records);
  if (!agrees) return std::nullopt;
  directory.end = *end;
  return directory;
}

std::optional<Directory> hop_to_directory(const Content& content, std::uint64_t member, std::uint64_t* reached,
                                          std::uint64_t most) {
  *reached = member;
  for (auto header = read_local(content, member); header; header = read_local(content, *reached)) {
    if (most-- == 0 || !header->has_sizes() || header->compressed > content.size() - header->end) return std::nullopt;
    *reached = header->end + header->compressed;
    if (header->has_descriptor() && starts_with(content.at(*reached, 4), descriptor_mark)) *reached += 16;
  }
  return read_directory(content, *reached, {});
}

bool is_one_directory(const Content& content, std::uint64_t begin, std::uint64_t end) {
  return find_last(content, end_mark, begin, end) == end;
}

std::optional<Directory> find_directory(const Content& content, std::uint64_t from, std::uint64_t to) {
  for (std::uint64_t at = find(content, end_mark, from, to); at < to; at = find(content, end_mark, at + 1, to)) {
    const auto end = read_end_backward(content, at);
    if (!end || end->size == 0 || end->size > at) continue;
    if (end->companions > at - end->size || end->offset != at - end->companions - end->size) continue;
    if (!is_one_directory(content, end->offset, at)) continue;
    if (const auto directory = read_directory(content, end->offset, {})) return directory;
  }
  return std::nullopt;
}

bool has_predecessor(const Content& content, std::uint64_t position) {
  if (has_descriptor_before(content, position)) return true;
  const std::uint64_t floor = position > farthest_back ? position - farthest_back : 0;
  std::uint64_t to = position;
  for (unsigned i = 0; i < most_chains && to > floor; ++i) {
    const std::uint64_t header = find_last(content, local_mark, floor, to);
    if (header == to) return false;
    if (ends_at(content, header, position)) return true;
    to = header + local_mark.size() - 1;
  }
  return false;
}

}  // namespace exhibit::carve::zip
