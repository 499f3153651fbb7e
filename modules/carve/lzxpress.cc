#include "carve/lzxpress.h"

#include <array>

namespace exhibit::carve {
namespace {

constexpr std::size_t symbols = 512, longest_code = 15;  // 2.1.4
constexpr unsigned end_symbol = 256;
constexpr std::size_t chunk = 65536;       // bytes of plain text for which a set of codes holds
constexpr std::size_t code_lengths = 256;  // bytes: two lengths each

// The decoder of one chunk: each code of up to 15 bits leads to its symbol.
class Codes {
 public:
  // False: the lengths make no complete set of codes.
  bool build(ByteSpan lengths) {
    table_.assign(std::size_t{1} << longest_code, 0);
    std::size_t place = 0;
    for (std::size_t length = 1; length <= longest_code; ++length) {
      for (std::size_t symbol = 0; symbol < symbols; ++symbol) {
        const std::size_t told = symbol % 2 == 0 ? lengths[symbol / 2] & 0x0f : lengths[symbol / 2] >> 4;
        if (told != length) continue;
        const std::size_t count = std::size_t{1} << (longest_code - length);
        if (count > table_.size() - place) return false;
        for (std::size_t i = 0; i < count; ++i) table_[place + i] = static_cast<std::uint16_t>(symbol << 4 | length);
        place += count;
      }
    }
    return place == table_.size();
  }
  std::uint16_t entry(std::uint32_t bits) const { return table_[bits >> (32 - longest_code)]; }

 private:
  std::vector<std::uint16_t> table_;  // symbol and length of its code
};

// Sixteen bits are read at a time; bytes of long matches lie between them (2.2.4).
class Bits {
 public:
  Bits(const Content& content, std::uint64_t position) : reader_(content, position) {
    bits_ = half() << 16;
    bits_ |= half();
  }
  std::uint32_t peek() const { return bits_; }
  void skip(unsigned count) {
    bits_ = count < 32 ? bits_ << count : 0;
    left_ -= static_cast<int>(count);
    if (left_ >= 0) return;
    bits_ |= half() << static_cast<unsigned>(-left_);
    left_ += 16;
  }
  std::uint32_t take(unsigned count) {
    const std::uint32_t value = count == 0 ? 0 : bits_ >> (32 - count);
    skip(count);
    return value;
  }
  Reader& reader() { return reader_; }

 private:
  std::uint32_t half() { return reader_.le16(); }

  Reader reader_;
  std::uint32_t bits_ = 0;
  int left_ = 16;  // bits beyond the first sixteen
};

// The length of a match beyond the three that each has.
std::uint64_t match_length(Bits& bits, unsigned told) {
  if (told < 15) return told;
  std::uint64_t length = bits.reader().u8();
  if (length < 255) return length + 15;
  length = bits.reader().le16();
  return length != 0 ? length : bits.reader().le32();
}

// Up to `until`; a last match may reach beyond, but not beyond `most`.
bool unpack_chunk(Bits& bits, const Codes& codes, std::size_t until, std::size_t most,
                  std::vector<std::uint8_t>& plain) {
  while (plain.size() < until) {
    const std::uint16_t entry = codes.entry(bits.peek());
    const unsigned symbol = entry >> 4;
    bits.skip(entry & 0x0f);
    if (!bits.reader().ok()) return false;
    if (symbol < 256) {
      plain.push_back(static_cast<std::uint8_t>(symbol));
      continue;
    }
    const unsigned offset_bits = (symbol - 256) >> 4;
    const std::uint64_t length = match_length(bits, (symbol - 256) & 0x0f) + 3;
    const std::size_t offset = (std::size_t{1} << offset_bits) + bits.take(offset_bits);
    if (offset > plain.size() || length > most - plain.size()) return false;
    for (std::uint64_t i = 0; i < length; ++i) plain.push_back(plain[plain.size() - offset]);
  }
  return bits.reader().ok();
}

}  // namespace

std::uint64_t unpack_lzxpress(const Content& content, std::uint64_t begin, std::uint64_t length,
                              std::vector<std::uint8_t>& plain) {
  Codes codes;
  std::uint64_t at = begin;
  while (plain.size() < length) {
    const ByteSpan lengths = content.at(at, code_lengths);
    if (lengths.size() < code_lengths || !codes.build(lengths.first(code_lengths))) return 0;
    Bits bits(content, at + code_lengths);
    const std::size_t until = std::min<std::uint64_t>(length, plain.size() + chunk);
    if (!unpack_chunk(bits, codes, until, length, plain)) return 0;
    const std::uint16_t last = codes.entry(bits.peek());
    if (plain.size() == length && last >> 4 == end_symbol) bits.skip(last & 0x0f);
    at = bits.reader().position();
  }
  return at;
}

}  // namespace exhibit::carve
