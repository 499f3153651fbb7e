#include "hash/interleaved_digest.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "base/json.h"
#include "hash/kernels/constants.h"

namespace exhibit::hash {
namespace {

static_assert(std::endian::native == std::endian::little, "the kernels load little-endian words");

constexpr std::size_t length_bytes = 8;  // of the length that ends a message

// MD5 writes its words little-endian, SHA big-endian.
std::uint32_t in_order(std::uint32_t word, DigestSet set) { return set == with_md5 ? word : __builtin_bswap32(word); }

template <typename Values>
auto words_of(Values& values, DigestSet set) {
  if (set == with_md5) return std::span(values.md5, std::size(values.md5));
  if (set == with_sha1) return std::span(values.sha1, std::size(values.sha1));
  return std::span(values.sha256, std::size(values.sha256));
}

}  // namespace

DigestSet kernel_set(std::string_view algorithm) {
  const auto found = std::ranges::find(kernel_digests, algorithm);
  return found == kernel_digests.end() ? 0 : DigestSet{1} << (found - kernel_digests.begin());
}

ChainingValues initial_values() {
  ChainingValues values;
  std::ranges::copy(md5_initial, values.md5);
  std::ranges::copy(sha1_initial, values.sha1);
  std::ranges::copy(sha256_initial.words, values.sha256);
  return values;
}

std::string chaining_value(const ChainingValues& values, DigestSet set) {
  std::string bytes;
  for (const std::uint32_t word : words_of(values, set)) {
    const std::uint32_t ordered = in_order(word, set);
    bytes.append(reinterpret_cast<const char*>(&ordered), sizeof ordered);
  }
  return bytes;
}

bool set_chaining_value(ChainingValues& values, DigestSet set, std::string_view bytes) {
  const auto words = words_of(values, set);
  if (bytes.size() != words.size_bytes()) return false;
  std::memcpy(words.data(), bytes.data(), bytes.size());
  for (std::uint32_t& word : words) word = in_order(word, set);
  return true;
}

LastBlocks::LastBlocks(std::span<const std::byte> tail, std::uint64_t length) {
  EXHIBIT_CHECK(tail.size() < compression_block);
  blocks.fill(std::byte{0});
  std::ranges::copy(tail, blocks.begin());
  blocks[tail.size()] = std::byte{0x80};
  count = tail.size() + 1 + length_bytes <= compression_block ? 1 : 2;
  const std::uint64_t bits = __builtin_bswap64(length << 3);  // modulo 2^64
  std::memcpy(blocks.data() + count * compression_block - length_bytes, &bits, sizeof bits);
}

void take_last_block(const StreamKernel& kernel, DigestSet set, ChainingValues& values, const std::byte* block) {
  if ((set & ~with_md5) != 0) kernel.take_blocks[set & ~with_md5](values, block, 1);
  if ((set & with_md5) == 0) return;
  std::array<std::byte, compression_block> with_other_length;
  std::memcpy(with_other_length.data(), block, compression_block);
  std::reverse(with_other_length.end() - length_bytes, with_other_length.end());
  kernel.take_blocks[with_md5](values, with_other_length.data(), 1);
}

void add_digests(const ChainingValues& values, DigestSet set, Digests& digests) {
  for (const std::string_view name : kernel_digests) {
    const DigestSet one = kernel_set(name);
    if ((set & one) != 0) digests[std::string(name)] = base::to_hex(chaining_value(values, one));
  }
}

void InterleavedDigest::update(std::span<const std::byte> bytes) {
  const std::size_t filled = length_ % compression_block;
  length_ += bytes.size();
  if (filled > 0) {
    const auto piece = bytes.first(std::min(bytes.size(), compression_block - filled));
    std::ranges::copy(piece, buffer_.begin() + static_cast<std::ptrdiff_t>(filled));
    bytes = bytes.subspan(piece.size());
    if (filled + piece.size() < compression_block) return;
    take_blocks(buffer_.data(), 1);
  }
  const std::size_t whole = bytes.size() / compression_block;
  if (whole > 0) take_blocks(bytes.data(), whole);
  std::ranges::copy(bytes.subspan(whole * compression_block), buffer_.begin());
}

void InterleavedDigest::finish(Digests& digests) {
  const LastBlocks last({buffer_.data(), length_ % compression_block}, length_);
  if (last.count > 1) take_blocks(last.blocks.data(), last.count - 1);
  take_last_block(*kernel_, set_, values_, last.blocks.data() + (last.count - 1) * compression_block);
  add_digests(values_, set_, digests);
  values_ = initial_values();
  length_ = 0;
}

}  // namespace exhibit::hash
