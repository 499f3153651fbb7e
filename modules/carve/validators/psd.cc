// Photoshop (Adobe, 'Photoshop File Formats Specification'): sections of told lengths, resources one behind the other,
// and the merged picture, whose packed rows must give exactly their pixels.

#include <algorithm>
#include <vector>

#include "carve/picture_trailers.h"
#include "carve/seam.h"
#include "carve/validator.h"

namespace exhibit::carve {
namespace {

constexpr std::uint64_t header_length = 26;
constexpr std::uint64_t keep_distance = 4096, humility = 16384;  // bytes
constexpr unsigned most_channels = 56, most_resources = 10'000;
constexpr std::uint32_t longest_side = 30'000, longest_big_side = 300'000;

struct Header {
  bool is_big = false;  // PSB: 64-bit lengths
  std::uint64_t channels = 0, width = 0, height = 0;
  unsigned depth = 0;
};

bool read_header(Reader& reader, Header& header) {
  if (!reader.take("8BPS")) return false;
  const unsigned version = reader.be16();
  header.is_big = version == 2;
  const bool is_zero = reader.be32() == 0 && reader.be16() == 0;
  header.channels = reader.be16();
  header.height = reader.be32(), header.width = reader.be32();
  header.depth = reader.be16();
  const unsigned mode = reader.be16();
  const std::uint32_t longest = header.is_big ? longest_big_side : longest_side;
  const bool has_depth = header.depth == 1 || header.depth == 8 || header.depth == 16 || header.depth == 32;
  return reader.ok() && (version == 1 || version == 2) && is_zero && has_depth && mode <= 9 && header.channels >= 1 &&
         header.channels <= most_channels && header.width >= 1 && header.width <= longest && header.height >= 1 &&
         header.height <= longest;
}

// 'Image Resources Section': blocks that fill [at, end). Tells where they stop holding.
std::uint64_t walk_resources(const Content& content, std::uint64_t at, std::uint64_t end) {
  for (unsigned i = 0; i < most_resources && at < end; ++i) {
    Reader reader(content, at);
    const ByteSpan mark = reader.bytes(4);
    const bool is_mark = starts_with(mark, "8BIM") || starts_with(mark, "MeSa") || starts_with(mark, "AgHg") ||
                         starts_with(mark, "PHUT") || starts_with(mark, "DCSR");
    reader.be16();
    const unsigned name = reader.u8();
    reader.skip(name | 1U);  // padded so that the length byte and the name are even
    const std::uint64_t length = reader.be32();
    if (!reader.ok() || !is_mark || length > end - std::min(reader.position(), end)) return at;
    at = std::min(reader.position() + length + length % 2, end);
  }
  return at;
}

// How many bytes of PackBits at `at` (`length` of them) give; nothing where they run over the end.
std::uint64_t unpacked(ByteSpan row) {
  std::uint64_t pixels = 0;
  for (std::size_t i = 0; i < row.size();) {
    const unsigned code = row[i];
    if (code == 128) {
      ++i;
    } else if (code < 128) {
      if (i + 2 + code > row.size()) return 0;
      pixels += code + 1;
      i += 2 + code;
    } else {
      if (i + 2 > row.size()) return 0;
      pixels += 257 - code;
      i += 2;
    }
  }
  return pixels;
}

struct Picture {
  std::uint64_t end = 0, held = 0;
  bool is_proved = false;
};

// Packed rows: the lengths of all of them, and the rows, each of which must give exactly its bytes.
struct Rows {
  std::uint64_t counts = 0;  // where the lengths lie
  std::uint64_t number = 0, bytes = 0;
  bool is_big = false;
};

// Rows that end within what `memory` knows held before.
Picture walk_rows(const Content& content, const Rows& rows, Memory& memory) {
  const std::uint64_t entry = rows.is_big ? 4 : 2, known = memory.offset();
  std::uint64_t data = rows.counts + rows.number * entry, next_keep = std::max(data, known) + keep_distance;
  for (std::uint64_t row = 0; row < rows.number; ++row) {
    Reader counts(content, rows.counts + row * entry);
    const std::uint64_t length = rows.is_big ? counts.be32() : counts.be16();
    if (!counts.ok() || length > Content::window) return {0, data, false};
    if (data + length > known) {
      Reader packed(content, data);
      const ByteSpan bytes = packed.bytes(length);
      if (!packed.ok() || unpacked(bytes) != rows.bytes) return {0, data, false};
    }
    data += length;
    if (data < next_keep) continue;
    memory.keep(data, std::make_shared<Memory::State>());
    next_keep = data + keep_distance;
  }
  return {data, data, true};
}

// 'Image Data Section'.
Picture walk_picture(const Content& content, const Header& header, std::uint64_t at, Memory& memory) {
  Reader reader(content, at);
  const unsigned compression = reader.be16();
  const std::uint64_t row_bytes = (header.width * header.depth + 7) / 8, rows = header.height * header.channels;
  if (!reader.ok() || compression > 3) return {0, at, false};
  if (compression == 0) return {reader.position() + row_bytes * rows, reader.position(), false};
  if (compression > 1) return {0, reader.position(), false};  // ZIP has no length: not written here
  return walk_rows(content, {reader.position(), rows, row_bytes, header.is_big}, memory);
}

struct Channel {
  int identifier = 0;
  std::uint64_t length = 0, width = 0, height = 0;
};

// 'Layer records': the channels of all layers. False: they don't hold.
bool read_layers(Reader& reader, const Header& header, std::vector<Channel>& channels) {
  const int told = static_cast<std::int16_t>(reader.be16());
  const int layers = told < 0 ? -told : told;
  for (int i = 0; i < layers; ++i) {
    const std::uint64_t top = reader.be32(), left = reader.be32(), bottom = reader.be32(), right = reader.be32();
    const unsigned count = reader.be16();
    const std::uint64_t width = (right - left) & 0xffffffff, height = (bottom - top) & 0xffffffff;
    if (!reader.ok() || count > most_channels || width > longest_big_side || height > longest_big_side) return false;
    for (unsigned c = 0; c < count; ++c) {
      const int identifier = static_cast<std::int16_t>(reader.be16());
      channels.push_back({identifier, header.is_big ? reader.be64() : reader.be32(), width, height});
    }
    if (!reader.take("8BIM") || !reader.skip(8) || !reader.skip(reader.be32())) return false;
  }
  return reader.ok();
}

// 'Layer and Mask Information Section' at [at, at + length): where its channels stop holding; 0: they hold.
std::uint64_t broken_layer(const Content& content, const Header& header, std::uint64_t at, Memory& memory) {
  Reader reader(content, at);
  const std::uint64_t information = header.is_big ? reader.be64() : reader.be32();
  if (information == 0) return 0;
  std::vector<Channel> channels;
  if (!read_layers(reader, header, channels)) return std::max<std::uint64_t>(reader.position(), 1);
  std::uint64_t data = reader.position();
  for (const Channel& channel : channels) {
    Reader picture(content, data);
    const unsigned compression = picture.be16();
    if (!picture.ok() || compression > 3 || channel.length < 2) return data;
    const std::uint64_t row_bytes = (channel.width * header.depth + 7) / 8;
    // Masks (below -1) have sides of their own.
    if (compression == 1 && channel.identifier >= -1) {
      const Rows rows{picture.position(), channel.height, row_bytes, header.is_big};
      const Picture held = walk_rows(content, rows, memory);
      if (held.end == 0) return held.held;
      // Some programs pad.
      if (held.end > data + channel.length || held.end + 4 < data + channel.length) return held.held;
    }
    data += channel.length;
    if (data > content.size()) return content.size();
  }
  return 0;
}

Verdict broken_at(const Content& content, std::uint64_t sound, std::uint64_t held) {
  const std::uint64_t end = std::min(held, content.size());
  Verdict verdict =
      Verdict::broken(std::min(sound, end), std::min(end + 1024, content.size()), end, DoubtCause::missing_segment);
  verdict.doubts = {{end, 0, DoubtCause::missing_segment}};
  return verdict;
}

Verdict validate(const Content& content, Memory& memory) {
  Reader reader(content);
  Header header;
  if (!read_header(reader, header)) return {};
  reader.skip(reader.be32());  // 'Color Mode Data Section'
  const std::uint64_t resources_length = reader.be32(), resources = reader.position();
  if (!reader.ok()) return {};
  const std::uint64_t resources_end = walk_resources(content, resources, resources + resources_length);
  if (resources_end < resources + resources_length) {
    if (resources_end == resources) return {};
    return broken_at(content, header_length, resources_end);
  }
  reader.seek(resources_end);
  const std::uint64_t layers = header.is_big ? reader.be64() : reader.be32();
  const std::uint64_t layers_begin = reader.position();
  if (layers > 0) {
    if (const std::uint64_t at = broken_layer(content, header, layers_begin, memory)) {
      const std::uint64_t sound =
          at > layers_begin + humility && memory.latest() != nullptr ? at - humility : layers_begin;
      return broken_at(content, std::max(sound, resources_end), at);
    }
  }
  if (!reader.skip(layers)) return broken_at(content, resources_end, content.size());
  const Picture picture = walk_picture(content, header, layers_begin + layers, memory);
  // Rows that hold one behind the other are the picture's, except the last few: foreign bytes are noticed at once.
  const std::uint64_t rows = picture.held > resources_end + humility ? picture.held - humility : 0;
  const std::uint64_t sound =
      std::max(layers > 0 ? layers_begin : resources_end, memory.latest() != nullptr ? rows : 0);
  if (picture.end == 0) return broken_at(content, sound, picture.held);
  if (picture.end > content.size()) return broken_at(content, sound, content.size());
  Verdict verdict = Verdict::whole(end_of_trailers(content, picture.end), header.is_big ? "psb" : "psd");
  if (!picture.is_proved) verdict.tier = Tier::plausible;
  // Nothing proves what lies in the resources.
  if (content.seam() > 0 && content.seam() <= layers_begin) verdict.misfit = misfit_of_seam(content);
  return verdict;
}

}  // namespace

extern const Validator psd_validator;
const Validator psd_validator = {"psd", validate};

}  // namespace exhibit::carve
