// Records of NTFS that lie where no file system leads to them any more: file records (FILE) and index records (INDX)
// (libfsntfs, New Technologies File System). Each is sealed by its update sequence: the last two bytes of every 512
// are the same number. Records that lie one behind the other are one object.

#include <algorithm>
#include <array>
#include <cstring>

#include "carve/validator.h"

namespace exhibit::carve {
namespace {

constexpr std::size_t stride = 512;             // bytes: of the update sequence
constexpr std::size_t longest = 4096;           // bytes of a record
constexpr std::uint64_t kept_every = 64 << 10;  // bytes

using Record = std::array<std::uint8_t, longest>;

std::uint32_t le16(const Record& record, std::size_t at) { return record[at] | std::uint32_t{record[at + 1]} << 8; }
std::uint32_t le32(const Record& record, std::size_t at) { return le16(record, at) | le16(record, at + 2) << 16; }

// Attributes with their lengths, up to the mark that ends them.
bool attributes_hold(const Record& record, std::size_t size) {
  const std::size_t used = le32(record, 24);
  std::size_t at = le16(record, 20);
  if (le32(record, 28) != size || used > size || used < 48 || at < 42 || at % 8 != 0) return false;
  while (at + 4 <= used) {
    const std::uint32_t type = le32(record, at);
    if (type == 0xffffffff) return true;
    if (type == 0 || type % 16 != 0 || type > 0x100 || at + 16 > used) return false;
    const std::size_t length = le32(record, at + 4);
    if (length < 16 || length % 8 != 0 || length > used - at) return false;
    at += length;
  }
  return false;
}

// Index entries with their lengths, up to the last, which says so.
bool entries_hold(const Record& record, std::size_t size) {
  constexpr std::size_t node = 24;  // where the node header lies: its offsets count from there
  const std::size_t first = le32(record, node), used = le32(record, node + 4), room = le32(record, node + 8);
  if (used > room || room + node > size || first < 16 || first % 8 != 0 || first > used) return false;
  std::size_t at = node + first;
  while (at + 16 <= node + used) {
    const std::size_t length = le16(record, at + 8);
    if (length < 16 || length % 8 != 0 || length > node + used - at) return false;
    if ((le16(record, at + 12) & 2) != 0) return at + length <= node + used;
    at += length;
  }
  return false;
}

// The length of the record at `at`; 0: there is none.
std::size_t record_at(const Content& content, std::uint64_t at) {
  const ByteSpan head = content.at(at, 8);
  if (head.size() < 8) return 0;
  const bool is_file = starts_with(head, "FILE");
  if (!is_file && !starts_with(head, "INDX")) return 0;
  const std::size_t sequence = head[4] | std::size_t{head[5]} << 8, count = head[6] | std::size_t{head[7]} << 8;
  if (count < 2 || count > longest / stride + 1 || sequence < 40 || sequence % 2 != 0) return 0;
  const std::size_t size = (count - 1) * stride;
  if (sequence + 2 * count > stride - 2 || (size & (size - 1)) != 0) return 0;
  const ByteSpan bytes = content.at(at, size);
  if (bytes.size() < size) return 0;
  Record record{};
  std::memcpy(record.data(), bytes.data(), size);
  for (std::size_t i = 1; i < count; ++i) {
    const std::size_t end = i * stride - 2;
    if (le16(record, end) != le16(record, sequence)) return 0;
    record[end] = record[sequence + 2 * i];
    record[end + 1] = record[sequence + 2 * i + 1];
  }
  return (is_file ? attributes_hold(record, size) : entries_hold(record, size)) ? size : 0;
}

struct State : Memory::State {
  std::uint64_t position = 0;
};

Verdict validate(const Content& content, Memory& memory) {
  State state;
  if (const auto* known = static_cast<const State*>(memory.latest())) state = *known;
  const bool is_file = starts_with(content.at(0, 4), "FILE");
  std::uint64_t kept = state.position;
  while (starts_with(content.at(state.position, 4), is_file ? "FILE" : "INDX")) {
    const std::size_t length = record_at(content, state.position);
    if (length == 0) break;
    state.position += length;
    if (state.position - kept >= kept_every) memory.keep(kept = state.position, std::make_shared<State>(state));
  }
  if (state.position == 0) return {};
  return Verdict::whole(state.position, is_file ? "mft" : "indx");
}

// A record behind another is a part of the object that begins before it.
std::optional<std::uint64_t> begin_of(const Content& before, std::uint64_t anchor) {
  const std::size_t length = record_at(before, anchor);
  if (length == 0) return std::nullopt;
  const bool is_first = anchor < length || record_at(before, anchor - length) != length ||
                        before.at(anchor, 1)[0] != before.at(anchor - length, 1)[0];
  return is_first ? std::optional(anchor) : std::nullopt;
}

}  // namespace

extern const Validator ntfs_record_validator;
const Validator ntfs_record_validator = {"ntfs-record", validate, nullptr, begin_of};

}  // namespace exhibit::carve
