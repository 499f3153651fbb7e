#include "carve/flac_frame.h"

#include <algorithm>
#include <array>
#include <bit>

#include "carve/bits.h"

namespace exhibit::carve {
namespace {

constexpr unsigned most_header = 16;  // bytes: sync, codes, number, block size, rate and CRC-8
constexpr std::uint64_t crc16_length = 2;

// 9.1.8 and 9.3: polynomials x^8+x^2+x+1 and x^16+x^15+x^2+1, not reflected, from 0.
constexpr std::array<std::uint8_t, 256> crc8_table = [] {
  std::array<std::uint8_t, 256> table{};
  for (unsigned i = 0; i < 256; ++i) {
    unsigned value = i;
    for (int bit = 0; bit < 8; ++bit) value = (value << 1) ^ ((value & 0x80) != 0 ? 0x107 : 0);
    table[i] = static_cast<std::uint8_t>(value);
  }
  return table;
}();
constexpr std::array<std::array<std::uint16_t, 256>, 4> crc16_tables = [] {
  std::array<std::array<std::uint16_t, 256>, 4> tables{};
  for (unsigned i = 0; i < 256; ++i) {
    unsigned value = i << 8;
    for (int bit = 0; bit < 8; ++bit) value = (value << 1) ^ ((value & 0x8000) != 0 ? 0x18005 : 0);
    tables[0][i] = static_cast<std::uint16_t>(value);
  }
  for (std::size_t table = 1; table < 4; ++table) {
    for (unsigned i = 0; i < 256; ++i) {
      const unsigned before = tables[table - 1][i];
      tables[table][i] = static_cast<std::uint16_t>((before << 8) ^ tables[0][before >> 8]);
    }
  }
  return tables;
}();

std::uint16_t crc16(const Content& content, std::uint64_t offset, std::uint64_t end) {
  unsigned sum = 0;
  while (offset < end) {
    ByteSpan bytes = content.at(offset, std::min<std::uint64_t>(Content::window, end - offset));
    if (bytes.empty()) return 1;  // no sum of anything with its own CRC
    bytes = bytes.first(std::min<std::uint64_t>(bytes.size(), end - offset));
    std::size_t i = 0;
    for (; i + 4 <= bytes.size(); i += 4) {
      const unsigned first = sum ^ (static_cast<unsigned>(bytes[i]) << 8 | bytes[i + 1]);
      sum = crc16_tables[3][first >> 8] ^ crc16_tables[2][first & 0xff] ^ crc16_tables[1][bytes[i + 2]] ^
            crc16_tables[0][bytes[i + 3]];
    }
    for (; i < bytes.size(); ++i) sum = (sum << 8 & 0xffff) ^ crc16_tables[0][sum >> 8 ^ bytes[i]];
    offset += bytes.size();
  }
  return static_cast<std::uint16_t>(sum);
}

struct Header {
  FlacFrame frame;
  unsigned channels = 0, bits = 0;
  int side = -1;  // the channel that has one bit more
  std::size_t length = 0;
};

// The number coded as UTF-8 codes characters, up to 36 bits (9.1.5).
std::optional<std::uint64_t> read_number(ByteSpan bytes, std::size_t& at) {
  if (at >= bytes.size()) return std::nullopt;
  const std::uint8_t first = bytes[at++];
  const auto ones = static_cast<unsigned>(std::countl_one(first));
  if (ones == 1 || ones == 8) return std::nullopt;
  std::uint64_t value = ones == 0 ? first : first & (0x7fU >> ones);
  for (unsigned i = 1; i < ones; ++i) {
    if (at >= bytes.size() || (bytes[at] & 0xc0) != 0x80) return std::nullopt;
    value = value << 6 | (bytes[at++] & 0x3f);
  }
  return value;
}

// The block's samples (9.1.1) by their code; `at` moves behind what the code needs at the header's end.
std::uint32_t block_size(unsigned code, ByteSpan bytes, std::size_t& at) {
  if (code == 1) return 192;
  if (code >= 2 && code <= 5) return 576U << (code - 2);
  if (code >= 8) return 256U << (code - 8);
  const std::size_t length = code == 6 ? 1 : 2;
  if (code == 0 || at + length > bytes.size()) return 0;
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < length; ++i) value = value << 8 | bytes[at++];
  return value + 1;
}

std::optional<Header> read_header(ByteSpan bytes, const FlacStream& stream) {
  static constexpr std::array<unsigned, 8> depths = {0, 8, 12, 0, 16, 20, 24, 32};  // 9.1.4
  if (bytes.size() < 6 || bytes[0] != 0xff || (bytes[1] & 0xfe) != 0xf8) return std::nullopt;
  Header header;
  header.frame.is_varying = (bytes[1] & 1) != 0;
  const unsigned block = bytes[2] >> 4, rate = bytes[2] & 15, assignment = bytes[3] >> 4, depth = bytes[3] >> 1 & 7;
  if (rate == 15 || assignment > 10 || depth == 3 || (bytes[3] & 1) != 0) return std::nullopt;
  header.channels = assignment < 8 ? assignment + 1 : 2;
  header.side = assignment == 8 || assignment == 10 ? 1 : assignment == 9 ? 0 : -1;  // left-side, right-side, mid-side
  header.bits = depth == 0 ? stream.bits : depths[depth];
  if (header.channels != stream.channels || header.bits != stream.bits) return std::nullopt;
  std::size_t at = 4;
  const auto number = read_number(bytes, at);
  if (!number) return std::nullopt;
  header.frame.number = *number;
  header.frame.samples = block_size(block, bytes, at);
  at += rate == 12 ? 1 : rate == 13 || rate == 14 ? 2 : 0;
  if (header.frame.samples == 0 || header.frame.samples > stream.most_block || at >= bytes.size()) return std::nullopt;
  std::uint8_t sum = 0;
  for (std::size_t i = 0; i < at; ++i) sum = crc8_table[sum ^ bytes[i]];
  if (sum != bytes[at]) return std::nullopt;
  header.length = at + 1;
  return header;
}

// Residuals in partitions of Rice codes (9.2.7).
bool skip_residual(Bits& bits, std::uint32_t samples, unsigned order) {
  const unsigned method = bits.take(2), partitions = bits.take(4);
  if (method > 1 || samples % (1U << partitions) != 0) return false;
  const unsigned width = method == 0 ? 4 : 5, escape = (1U << width) - 1;
  const std::uint32_t each = samples >> partitions;
  if (each < order) return false;
  for (std::uint32_t partition = 0; partition < 1U << partitions && bits.ok(); ++partition) {
    const std::uint32_t count = partition == 0 ? each - order : each;
    const unsigned parameter = bits.take(width);
    if (parameter == escape) {
      const unsigned raw = bits.take(5);
      bits.skip(std::uint64_t{raw} * count);
      continue;
    }
    for (std::uint32_t i = 0; i < count && bits.ok(); ++i) {
      bits.unary();
      bits.take(parameter);
    }
  }
  return bits.ok();
}

// 9.2: type, wasted bits, then by type.
bool skip_subframe(Bits& bits, std::uint32_t samples, unsigned depth) {
  const unsigned head = bits.take(8), type = head >> 1 & 63;
  if (!bits.ok() || (head & 0x80) != 0) return false;
  if ((head & 1) != 0) {
    const unsigned wasted = bits.unary() + 1;
    if (wasted >= depth) return false;
    depth -= wasted;
  }
  if (type == 0) {
    bits.skip(depth);  // constant
  } else if (type == 1) {
    bits.skip(std::uint64_t{depth} * samples);  // verbatim
  } else if (type >= 8 && type <= 12) {
    if (type - 8 > samples) return false;
    bits.skip(std::uint64_t{depth} * (type - 8));
    return skip_residual(bits, samples, type - 8);
  } else if (type >= 32) {
    const unsigned order = type - 31;
    if (order > samples) return false;
    bits.skip(std::uint64_t{depth} * order);
    const unsigned precision = bits.take(4) + 1;
    if (precision == 16) return false;
    bits.skip(5 + std::uint64_t{precision} * order);
    return skip_residual(bits, samples, order);
  } else {
    return false;
  }
  return bits.ok();
}

}  // namespace

std::optional<FlacFrame> read_flac_header(const Content& content, std::uint64_t offset, const FlacStream& stream) {
  ByteSpan head = content.at(offset, most_header);
  head = head.first(std::min<std::size_t>(head.size(), most_header));
  const auto header = read_header(head, stream);
  return header ? std::optional(header->frame) : std::nullopt;
}

std::optional<FlacFrame> read_flac_frame(const Content& content, std::uint64_t offset, const FlacStream& stream) {
  ByteSpan head = content.at(offset, most_header);
  head = head.first(std::min<std::size_t>(head.size(), most_header));
  const auto header = read_header(head, stream);
  if (!header) return std::nullopt;
  FlacFrame frame = header->frame;
  // Samples that codes would make longer are stored as they are: a frame of more than twice that is none.
  const std::uint64_t stored = std::uint64_t{frame.samples} * header->channels * header->bits / 8;
  Bits bits(content, offset + header->length, offset + most_header + 2 * stored + 64);
  bool is_whole = true;
  for (unsigned channel = 0; channel < header->channels && is_whole; ++channel) {
    const bool is_side = static_cast<int>(channel) == header->side;
    is_whole = skip_subframe(bits, frame.samples, header->bits + (is_side ? 1 : 0));
  }
  frame.end = std::min(bits.position() + crc16_length, content.size());
  frame.holds = is_whole && frame.end == bits.position() + crc16_length && crc16(content, offset, frame.end) == 0;
  return frame;
}

}  // namespace exhibit::carve
