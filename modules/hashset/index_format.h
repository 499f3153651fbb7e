#pragma once
// The layout of an .xhs file: docs/hashset.md has it to the byte. All integers are little-endian; sections begin at
// multiples of `alignment`.
//
//   head      magic, format version
//   sections  of each algorithm in turn: digests, buckets, labels, names, name blocks; of pdq, slots
//   header    canonical JSON: what the set is, and where the sections lie
//   foot      where the header lies, the file's size, SHA-256 of all before it
//
// Digests are uniformly random, so that the first bits of one tell nearly where it stands in a sorted list: a table is
// split into 2^prefix_bits buckets, and within one the next 32 bits are interpolated. Digests are stored without the
// `dropped` first bytes, which the bucket tells.

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace exhibit::hashset {

inline constexpr std::string_view index_magic("\x89XHS\r\n\x1a\n", 8);  // as PNG's: transfers as text break it
inline constexpr std::uint32_t index_version = 1;
inline constexpr std::string_view index_foot_magic("XHS-foot", 8);
inline constexpr std::size_t index_head_bytes = 16;
inline constexpr std::size_t index_foot_bytes = 64;  // header offset, header length, file size, magic, SHA-256
inline constexpr std::size_t index_checksum_bytes = 32;
inline constexpr std::size_t index_alignment = 64;
inline constexpr std::uint64_t longest_index_header = std::uint64_t{16} << 20;

// Of a bucket, 16 to 32 digests: two cache lines around the place that interpolation gives.
inline constexpr unsigned digests_a_bucket_log2 = 4;
inline constexpr unsigned most_prefix_bits = 28;
inline constexpr unsigned most_dropped_bytes = 2;
// A place in a table has 32 bits.
inline constexpr std::uint64_t most_digests = 0xffffffffU;
inline constexpr std::uint64_t names_a_block = 64;
inline constexpr std::size_t most_labels = 0xffff;

// By the number of digests: floor(log2(count)) - 4, within [0, 28].
constexpr unsigned prefix_bits_for(std::uint64_t count) {
  unsigned bits = 0;
  while (bits < most_prefix_bits && (count >> (bits + digests_a_bucket_log2 + 1)) != 0) ++bits;
  return bits;
}
// Of PDQ hashes none: they are compared where they lie.
constexpr unsigned dropped_bytes_for(unsigned prefix_bits) {
  return prefix_bits / 8 < most_dropped_bytes ? prefix_bits / 8 : most_dropped_bytes;
}

// How many bits tell `labels` labels apart.
constexpr unsigned label_bits_for(std::uint64_t labels) {
  unsigned bits = 0;
  while ((std::uint64_t{1} << bits) < labels) ++bits;
  return bits;
}

// A table of PDQ hashes has them by each of their slots as well, 16 bits each (multi-index hashing: Norouzi, Punjani,
// Fleet, 2012): of each slot, where the rows with its value 0, 1, … begin, and behind that the rows by value, then by
// their number. Of hashes that differ in up to 31 bits one slot at least differs in one bit or none.
inline constexpr std::size_t pdq_slots = 16, pdq_slot_values = 65536;
constexpr std::uint64_t pdq_slot_bytes(std::uint64_t rows) { return 4 * (pdq_slot_values + 1 + rows); }

inline std::uint64_t load_le64(const void* at) {
  std::uint64_t value;
  std::memcpy(&value, at, sizeof value);
  return value;
}
inline std::uint32_t load_le32(const void* at) {
  std::uint32_t value;
  std::memcpy(&value, at, sizeof value);
  return value;
}
static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__);

// The first 64 bits of a digest, as a number that sorts as the digest does.
inline std::uint64_t digest_key(const void* digest) { return __builtin_bswap64(load_le64(digest)); }

// A slot's value, of the two bytes that are it.
inline std::size_t pdq_slot_value(const void* at) {
  const auto* bytes = static_cast<const unsigned char*>(at);
  return std::size_t{bytes[0]} << 8 | bytes[1];
}

// The bucket of a digest with this key; 0 where there is but one.
inline std::uint64_t bucket_of(std::uint64_t key, unsigned prefix_bits) {
  return prefix_bits == 0 ? 0 : key >> (64 - prefix_bits);
}

}  // namespace exhibit::hashset
