#include "carve/tiff_strips.h"

#include <libdeflate.h>

#include <algorithm>
#include <array>

namespace exhibit::carve {
namespace {

constexpr std::uint64_t most_part = std::uint64_t{16} << 20;  // bytes of one part, packed or not, that are unpacked
constexpr std::uint64_t most_parts = 1 << 16;
constexpr std::uint64_t most_excess = 16;  // bytes that some programs give beyond the last row

enum Compression : unsigned { none = 1, lzw = 5, deflate = 8, old_deflate = 32946, packbits = 32773 };

// TIFF 6.0, section 13: of each code only how many bytes it stands for; the most significant bits first.
std::uint64_t unpack_lzw(ByteSpan packed, std::uint64_t most) {
  constexpr unsigned clear = 256, end = 257, codes = 4096;
  std::array<std::uint16_t, codes> lengths{};
  std::fill_n(lengths.begin(), 256, std::uint16_t{1});
  std::uint64_t given = 0;
  std::uint32_t bits = 0;
  unsigned count = 0, width = 9, next = end + 1, before = 0;
  for (const std::uint8_t byte : packed) {
    bits = bits << 8 | byte;
    count += 8;
    if (count < width) continue;
    count -= width;
    const unsigned code = bits >> count & ((1U << width) - 1);
    if (code == end) return given;
    if (code == clear) {
      width = 9, next = end + 1, before = 0;
      continue;
    }
    if (code > next || (before == 0 && code > clear) || (code == next && (before == 0 || next >= codes))) return 0;
    const unsigned length = code < next ? lengths[code] : before + 1;
    given += length;
    if (given > most) return 0;
    if (before != 0 && next < codes) lengths[next++] = static_cast<std::uint16_t>(before + 1);
    before = length;
    // Early change: a code before the table would need it.
    width = next >= 2047 ? 12 : next >= 1023 ? 11 : next >= 511 ? 10 : 9;
  }
  return given;
}

std::uint64_t unpack_packbits(ByteSpan packed, std::uint64_t most) {
  std::uint64_t given = 0;
  for (std::size_t i = 0; i < packed.size();) {
    const unsigned code = packed[i];
    i += code == 128 ? 1 : code < 128 ? 2 + code : 2;
    if (code != 128) given += code < 128 ? code + 1 : 257 - code;
    if (i > packed.size() || given > most) return 0;
  }
  return given;
}

// As zlib packs: with a checksum.
std::uint64_t unpack_deflate(ByteSpan packed, std::uint64_t most) {
  std::vector<std::uint8_t> bytes(most);
  std::size_t given = 0;
  libdeflate_decompressor* decompressor = libdeflate_alloc_decompressor();
  const auto result =
      libdeflate_zlib_decompress(decompressor, packed.data(), packed.size(), bytes.data(), bytes.size(), &given);
  libdeflate_free_decompressor(decompressor);
  return result == LIBDEFLATE_SUCCESS ? given : 0;
}

// Bytes of the part's rows before packing; 0 where that isn't simply told.
std::uint64_t expected_bytes(const TiffPicture& picture, std::uint64_t part) {
  const std::uint64_t samples = picture.planar == 1 ? picture.samples : 1;
  if (picture.width > 1 << 24 || picture.height > 1 << 24 || samples > 64 || picture.bits > 64) return 0;
  if (picture.tile_width != 0) {
    if (picture.tile_width > 1 << 16 || picture.tile_height > 1 << 16) return 0;
    return (picture.tile_width * samples * picture.bits + 7) / 8 * picture.tile_height;
  }
  const std::uint64_t rows = picture.rows == 0 ? picture.height : std::min(picture.rows, picture.height);
  if (rows == 0) return 0;
  const std::uint64_t in_plane = (picture.height + rows - 1) / rows, index = part % in_plane;
  return (picture.width * samples * picture.bits + 7) / 8 * std::min(rows, picture.height - index * rows);
}

// Strips that were proved, of this picture and of all before it.
struct State : Memory::State {
  std::size_t picture = 0;
  std::uint64_t parts = 0, bytes = 0;
};

class Bytes {
 public:
  // [at, at + length), which lies within the content.
  ByteSpan of(const Content& content, std::uint64_t at, std::uint64_t length) {
    if (length <= Content::window) return content.at(at, length).first(length);
    copy_.clear();
    while (copy_.size() < length) {
      const ByteSpan more =
          content.at(at + copy_.size(), std::min<std::uint64_t>(Content::window, length - copy_.size()));
      if (more.empty()) return {};
      const std::size_t taken = std::min<std::uint64_t>(more.size(), length - copy_.size());
      copy_.insert(copy_.end(), more.begin(), more.begin() + static_cast<std::ptrdiff_t>(taken));
    }
    return copy_;
  }

 private:
  std::vector<std::uint8_t> copy_;
};

}  // namespace

StripsProof prove_strips(const Content& content, Memory& memory, const TiffWalk& walk, std::size_t number) {
  const TiffPicture& picture = walk.pictures()[number];
  StripsProof proof;
  const auto unpack = picture.compression == lzw                                             ? unpack_lzw
                      : picture.compression == packbits                                      ? unpack_packbits
                      : picture.compression == deflate || picture.compression == old_deflate ? unpack_deflate
                                                                                             : nullptr;
  const std::uint64_t parts = std::min(picture.offsets.count, picture.lengths.count);
  if (unpack == nullptr || parts == 0 || parts > most_parts) return proof;
  Bytes bytes;
  std::uint64_t first = 0;
  if (const auto* known = static_cast<const State*>(memory.latest())) {
    first = number < known->picture ? parts : number == known->picture ? known->parts : 0;
    if (number == known->picture) proof.bytes = known->bytes;
  }
  for (std::uint64_t i = first; i < parts; ++i) {
    const std::uint64_t at = walk.value(picture.offsets, i), length = walk.value(picture.lengths, i);
    const std::uint64_t expected = expected_bytes(picture, i);
    if (expected == 0 || expected > most_part || length > most_part) return {};
    if (at > content.size() || length > content.size() - at) return {Proof::fails, proof.bytes, at, at + length};
    const ByteSpan packed = bytes.of(content, at, length);
    if (packed.size() < length || unpack(packed, expected + most_excess) < expected) {
      return {Proof::fails, proof.bytes, at, at + length};
    }
    proof.bytes += length;
    if (at < walk.values_end() || at + length < memory.offset()) continue;
    auto state = std::make_shared<State>();
    state->picture = number, state->parts = i + 1, state->bytes = proof.bytes;
    memory.keep(at + length, std::move(state));
  }
  proof.proof = Proof::holds;
  return proof;
}

}  // namespace exhibit::carve
