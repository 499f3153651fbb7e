// GIMP's XCF (devel-docs/xcf.txt of GIMP 2.10): offsets lead from the image to layers and channels, from these to
// levels, and from those to tiles, each of which must unpack to exactly its pixels. The object ends with the last of
// it.

#include <libdeflate.h>

#include <algorithm>
#include <vector>

#include "carve/validator.h"

namespace exhibit::carve {
namespace {

constexpr unsigned most_properties = 1000, most_parts = 10'000, most_levels = 32;
constexpr std::uint64_t tile_side = 64, most_tiles = std::uint64_t{1} << 20;
constexpr std::uint32_t longest_side = 524'288;                  // GIMP_MAX_IMAGE_SIZE
constexpr std::uint64_t most_packed = std::uint64_t{256} << 10;  // bytes of a tile, with room to spare
constexpr unsigned long_offsets_version = 11, precision_version = 4;
constexpr std::uint64_t keep_distance = 4096;

enum Packing { plain = 0, run_lengths = 1, zlib = 2 };

// So many tiles held, in the order in which they are come to.
struct State : Memory::State {
  std::uint64_t tiles = 0, end = 0;
};

class Walk {
 public:
  Walk(const Content& content, Memory& memory) : content_(content), memory_(memory) {
    if (const auto* known = static_cast<const State*>(memory.latest())) known_ = *known;
  }

  Verdict run();

 private:
  std::uint64_t offset(Reader& reader) const { return has_long_offsets_ ? reader.be64() : reader.be32(); }
  bool header(Reader& reader);
  bool properties(Reader& reader);
  bool offsets(Reader& reader, std::size_t most, std::vector<std::uint64_t>& found);
  bool layer(std::uint64_t at);
  bool channel(std::uint64_t at);
  bool name(Reader& reader);
  bool hierarchy(std::uint64_t at);
  bool empty_level(std::uint64_t at);
  bool level(std::uint64_t at, std::uint64_t bytes, std::uint64_t behind);
  bool tile(std::uint64_t at, std::uint64_t next, std::uint64_t pixels, std::uint64_t bytes);
  std::uint64_t unpack(ByteSpan packed, std::uint64_t pixels, std::uint64_t bytes);
  std::uint64_t unpack_runs(ByteSpan packed, std::uint64_t pixels, std::uint64_t bytes);
  bool reach(const Reader& reader) {
    if (!reader.ok()) return fail(reader.position(), content_.size());
    end_ = std::max(end_, reader.position());
    return true;
  }
  bool fail(std::uint64_t begin, std::uint64_t end) {
    failed_ = begin, failed_end_ = end;
    return false;
  }

  const Content& content_;
  Memory& memory_;
  State known_;
  unsigned version_ = 0, packing_ = run_lengths;
  bool has_long_offsets_ = false;
  std::uint64_t end_ = 0, tiles_ = 0, kept_ = 0, stopped_ = 0, failed_ = 0, failed_end_ = 0;
};

bool Walk::header(Reader& reader) {
  if (!reader.take("gimp xcf ")) return false;
  const ByteSpan version = reader.bytes(5);
  if (!reader.ok() || version[4] != 0) return false;
  if (!starts_with(version, "file")) {
    if (version[0] != 'v') return false;
    for (std::size_t i = 1; i < 4; ++i) {
      if (version[i] < '0' || version[i] > '9') return false;
      version_ = version_ * 10 + (version[i] - '0');
    }
  }
  has_long_offsets_ = version_ >= long_offsets_version;
  const std::uint32_t width = reader.be32(), height = reader.be32(), type = reader.be32();
  if (version_ >= precision_version) reader.be32();
  return reader.ok() && width > 0 && height > 0 && width <= longest_side && height <= longest_side && type <= 2;
}

bool Walk::properties(Reader& reader) {
  constexpr std::uint32_t end = 0, compression = 17;
  for (unsigned i = 0; i < most_properties; ++i) {
    const std::uint32_t type = reader.be32(), length = reader.be32();
    const std::uint64_t data = reader.position();
    if (type == compression && length == 1) packing_ = reader.u8();
    reader.seek(data);
    if (!reader.skip(length)) return fail(data - 8, content_.size());
    if (type == end) return reach(reader);
  }
  return fail(reader.position(), reader.position());
}

bool Walk::offsets(Reader& reader, std::size_t most, std::vector<std::uint64_t>& found) {
  for (;;) {
    const std::uint64_t next = offset(reader);
    if (!reach(reader)) return false;
    if (next == 0) return true;
    if (found.size() >= most || next >= content_.size()) return fail(reader.position(), reader.position());
    found.push_back(next);
  }
}

bool Walk::name(Reader& reader) {
  const std::uint32_t length = reader.be32();
  return length <= 4096 && reader.skip(length) ? true : fail(reader.position(), reader.position() + 4);
}

bool Walk::layer(std::uint64_t at) {
  Reader reader(content_, at);
  const std::uint32_t width = reader.be32(), height = reader.be32(), type = reader.be32();
  if (width > longest_side || height > longest_side || type > 5) return fail(at, at + 12);
  if (!name(reader) || !properties(reader)) return false;
  const std::uint64_t pixels = offset(reader), mask = offset(reader);
  return reach(reader) && hierarchy(pixels) && (mask == 0 || channel(mask));
}

bool Walk::channel(std::uint64_t at) {
  Reader reader(content_, at);
  const std::uint32_t width = reader.be32(), height = reader.be32();
  if (width > longest_side || height > longest_side) return fail(at, at + 8);
  if (!name(reader) || !properties(reader)) return false;
  const std::uint64_t pixels = offset(reader);
  return reach(reader) && hierarchy(pixels);
}

bool Walk::hierarchy(std::uint64_t at) {
  Reader reader(content_, at);
  const std::uint32_t width = reader.be32(), height = reader.be32(), bytes = reader.be32();
  if (width > longest_side || height > longest_side || bytes == 0 || bytes > 32) return fail(at, at + 12);
  std::vector<std::uint64_t> levels;
  if (!offsets(reader, most_levels, levels)) return false;
  for (std::size_t i = 0; i < levels.size(); ++i) {
    if (i == 0 ? !level(levels[i], bytes, levels.size() > 1 ? levels[1] : 0) : !empty_level(levels[i])) return false;
  }
  return true;
}

// The levels behind the first are there for programs of long ago: two sides, and a zero that is always short.
bool Walk::empty_level(std::uint64_t at) {
  Reader reader(content_, at);
  const std::uint32_t width = reader.be32(), height = reader.be32(), tiles = reader.be32();
  if (width > longest_side || height > longest_side || tiles != 0) return fail(at, at + 12);
  return reach(reader);
}

// `behind`: what follows its last tile; 0: that isn't known.
bool Walk::level(std::uint64_t at, std::uint64_t bytes, std::uint64_t behind) {
  Reader reader(content_, at);
  const std::uint64_t width = reader.be32(), height = reader.be32();
  if (!reader.ok() || width > longest_side || height > longest_side) return fail(at, at + 8);
  std::vector<std::uint64_t> tiles;
  if (!offsets(reader, most_tiles, tiles)) return false;
  const std::uint64_t across = (width + tile_side - 1) / tile_side, down = (height + tile_side - 1) / tile_side;
  if (tiles.empty()) return true;
  if (tiles.size() != across * down) return fail(at, reader.position());
  for (std::uint64_t i = 0; i < tiles.size(); ++i) {
    const std::uint64_t tile_width = std::min(tile_side, width - i % across * tile_side);
    const std::uint64_t tile_height = std::min(tile_side, height - i / across * tile_side);
    // Tiles lie one behind the other.
    const std::uint64_t next = i + 1 < tiles.size() ? tiles[i + 1] : behind;
    if (!tile(tiles[i], next, tile_width * tile_height, bytes)) return false;
  }
  return true;
}

// How many packed bytes give `bytes` planes of `pixels`; 0: none do.
std::uint64_t Walk::unpack(ByteSpan packed, std::uint64_t pixels, std::uint64_t bytes) {
  stopped_ = packed.size();
  if (packing_ == plain) return packed.size() >= pixels * bytes ? pixels * bytes : 0;
  if (packing_ == zlib) {
    std::vector<std::uint8_t> unpacked(pixels * bytes);
    std::size_t taken = 0, given = 0;
    libdeflate_decompressor* decompressor = libdeflate_alloc_decompressor();
    const auto result = libdeflate_zlib_decompress_ex(decompressor, packed.data(), packed.size(), unpacked.data(),
                                                      unpacked.size(), &taken, &given);
    libdeflate_free_decompressor(decompressor);
    return result == LIBDEFLATE_SUCCESS && given == unpacked.size() ? taken : 0;
  }
  return unpack_runs(packed, pixels, bytes);
}

// The same for run lengths, each plane for itself.
std::uint64_t Walk::unpack_runs(ByteSpan packed, std::uint64_t pixels, std::uint64_t bytes) {
  std::size_t at = 0;
  for (std::uint64_t plane = 0; plane < bytes; ++plane) {
    for (std::uint64_t left = pixels; left > 0;) {
      if (at + 3 >= packed.size() + 2) return 0;
      const unsigned code = packed[at++];
      const bool is_run = code < 128;
      std::uint64_t length = is_run ? code + 1 : 256 - code;
      if (code == 127 || code == 128) {
        if (at + 2 > packed.size()) return 0;
        length = static_cast<std::uint64_t>(packed[at] << 8 | packed[at + 1]);
        at += 2;
      }
      stopped_ = at;
      if (length == 0 || length > left) return 0;
      left -= length;
      at += is_run ? 1 : length;
      if (at > packed.size()) return 0;
    }
  }
  return at;
}

bool Walk::tile(std::uint64_t at, std::uint64_t next, std::uint64_t pixels, std::uint64_t bytes) {
  if (++tiles_ <= known_.tiles) {
    end_ = std::max(end_, known_.end);
    return true;
  }
  const ByteSpan packed = content_.at(at, std::min<std::uint64_t>(most_packed, content_.size() - at));
  const std::uint64_t length = unpack(packed.first(std::min<std::uint64_t>(packed.size(), most_packed)), pixels, bytes);
  const std::uint64_t most = next > at ? next : at + 2 * pixels * bytes;
  if (length == 0) return fail(at, std::min(most, at + std::max<std::uint64_t>(stopped_, 1)));
  if (next > at && at + length != next) return fail(at, next);
  end_ = std::max(end_, at + length);
  if (end_ >= kept_ + keep_distance) {
    auto state = std::make_shared<State>();
    state->tiles = tiles_, state->end = end_;
    memory_.keep(end_, std::move(state));
    kept_ = end_;
  }
  return true;
}

Verdict Walk::run() {
  Reader reader(content_);
  if (!header(reader)) return {};
  std::vector<std::uint64_t> layers, channels;
  bool holds = properties(reader) && offsets(reader, most_parts, layers) && offsets(reader, most_parts, channels);
  if (packing_ > zlib) return {};
  for (std::size_t i = 0; holds && i < layers.size(); ++i) holds = layer(layers[i]);
  for (std::size_t i = 0; holds && i < channels.size(); ++i) holds = channel(channels[i]);
  if (holds && tiles_ > 0) {
    Verdict verdict = Verdict::whole(end_);
    if (packing_ == plain) verdict.tier = Tier::plausible;
    return verdict;
  }
  const std::uint64_t length = std::min(std::max(end_, std::min(failed_, content_.size())), content_.size());
  Verdict verdict = Verdict::broken(std::min(failed_, length), std::min(failed_end_, content_.size()), length,
                                    DoubtCause::missing_segment);
  if (tiles_ < 2) verdict.tier = Tier::header_only;
  return verdict;
}

Verdict validate(const Content& content, Memory& memory) { return Walk(content, memory).run(); }

}  // namespace

extern const Validator xcf_validator;
const Validator xcf_validator = {"xcf", validate};

}  // namespace exhibit::carve
