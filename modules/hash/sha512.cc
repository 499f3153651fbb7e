#include "hash/sha512.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "hash/kernels/constants.h"

namespace exhibit::hash {
namespace {

using Word = std::uint64_t;

static_assert(std::endian::native == std::endian::little, "words are swapped to and from big-endian");

// FIPS 180-4 section 4.1.3.
Word big_sigma0(Word x) { return std::rotr(x, 28) ^ std::rotr(x, 34) ^ std::rotr(x, 39); }
Word big_sigma1(Word x) { return std::rotr(x, 14) ^ std::rotr(x, 18) ^ std::rotr(x, 41); }
Word small_sigma0(Word x) { return std::rotr(x, 1) ^ std::rotr(x, 8) ^ x >> 7; }
Word small_sigma1(Word x) { return std::rotr(x, 19) ^ std::rotr(x, 61) ^ x >> 6; }
Word choose(Word x, Word y, Word z) { return ((y ^ z) & x) ^ z; }
Word majority(Word x, Word y, Word z) { return (x & y) | ((x | y) & z); }

}  // namespace

void Sha512::start() {
  std::ranges::copy(sha512_initial, h_.begin());
  length_ = 0;
}

// FIPS 180-4 section 6.4.2. Step t has its a in letters[-t mod 8], so that nothing moves.
void Sha512::take_block(const std::byte* bytes) {
  std::array<Word, 16> w;  // the schedule's last sixteen words
  std::memcpy(w.data(), bytes, block_bytes);
  for (Word& word : w) word = __builtin_bswap64(word);
  std::array<Word, 8> letters = h_;
#pragma GCC unroll 80
  for (std::size_t t = 0; t < 80; ++t) {
    const auto letter = [&](std::size_t i) -> Word& { return letters[(80 + i - t) % 8]; };
    Word& word = w[t % 16];
    if (t >= 16) word += small_sigma1(w[(t - 2) % 16]) + w[(t - 7) % 16] + small_sigma0(w[(t - 15) % 16]);
    const Word t1 =
        letter(7) + big_sigma1(letter(4)) + choose(letter(4), letter(5), letter(6)) + word + sha512_constants[t];
    letter(3) += t1;
    letter(7) = t1 + big_sigma0(letter(0)) + majority(letter(0), letter(1), letter(2));
  }
  for (std::size_t i = 0; i < 8; ++i) h_[i] += letters[i];
}

void Sha512::update(std::span<const std::byte> bytes) {
  const std::size_t filled = length_ % block_bytes;
  length_ += bytes.size();
  if (filled > 0) {
    const auto piece = bytes.first(std::min(bytes.size(), block_bytes - filled));
    std::ranges::copy(piece, buffer_.begin() + static_cast<std::ptrdiff_t>(filled));
    bytes = bytes.subspan(piece.size());
    if (filled + piece.size() < block_bytes) return;
    take_block(buffer_.data());
  }
  for (; bytes.size() >= block_bytes; bytes = bytes.subspan(block_bytes)) take_block(bytes.data());
  std::ranges::copy(bytes, buffer_.begin());
}

std::string Sha512::finish() {
  // FIPS 180-4 section 5.1.2: a one, zeros, and the length in bits as 128 bits.
  constexpr std::size_t length_bytes = 16;
  const std::size_t filled = length_ % block_bytes;
  std::array<std::byte, 2 * block_bytes> last{};
  std::copy_n(buffer_.begin(), filled, last.begin());
  last[filled] = std::byte{0x80};
  const std::size_t end = filled + 1 + length_bytes <= block_bytes ? block_bytes : 2 * block_bytes;
  const std::array<Word, 2> bits = {__builtin_bswap64(length_ >> 61), __builtin_bswap64(length_ << 3)};
  std::memcpy(last.data() + end - length_bytes, bits.data(), length_bytes);
  for (std::size_t at = 0; at < end; at += block_bytes) take_block(last.data() + at);
  std::string digest = chaining_value();
  start();
  return digest;
}

std::string Sha512::chaining_value() const {
  std::string bytes(sizeof h_, '\0');
  auto words = h_;
  for (Word& word : words) word = __builtin_bswap64(word);
  std::memcpy(bytes.data(), words.data(), bytes.size());
  return bytes;
}

bool Sha512::resume(std::string_view chaining_value, std::uint64_t length) {
  if (chaining_value.size() != sizeof h_ || length % block_bytes != 0) return false;
  std::memcpy(h_.data(), chaining_value.data(), sizeof h_);
  for (Word& word : h_) word = __builtin_bswap64(word);
  length_ = length;
  return true;
}

}  // namespace exhibit::hash
