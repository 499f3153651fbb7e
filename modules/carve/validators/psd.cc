// Photoshop (Adobe, 'Photoshop File Formats Specification'): sections of told lengths, resources one behind the other,
// and the merged picture, whose packed rows must give exactly their pixels.

#include <algorithm>

#include "carve/picture_trailers.h"
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

// How far the packed rows were followed.
struct State : Memory::State {
  std::uint64_t row = 0, data = 0;
};

// 'Image Data Section', packed: the lengths of all rows, and the rows.
Picture walk_rows(const Content& content, const Header& header, std::uint64_t counts_at, Memory& memory) {
  const std::uint64_t row_bytes = (header.width * header.depth + 7) / 8, rows = header.height * header.channels;
  const std::uint64_t entry = header.is_big ? 4 : 2;
  State state;
  state.data = counts_at + rows * entry;
  if (const auto* known = static_cast<const State*>(memory.latest())) state = *known;
  std::uint64_t next_keep = state.data + keep_distance;
  while (state.row < rows) {
    Reader counts(content, counts_at + state.row * entry);
    const std::uint64_t length = header.is_big ? counts.be32() : counts.be16();
    if (!counts.ok() || length > Content::window) return {0, state.data, false};
    Reader packed(content, state.data);
    const ByteSpan bytes = packed.bytes(length);
    if (!packed.ok() || unpacked(bytes) != row_bytes) return {0, state.data, false};
    state.data = packed.position();
    ++state.row;
    if (state.data < next_keep) continue;
    memory.keep(state.data, std::make_shared<State>(state));
    next_keep = state.data + keep_distance;
  }
  return {state.data, state.data, true};
}

// 'Image Data Section'.
Picture walk_picture(const Content& content, const Header& header, std::uint64_t at, Memory& memory) {
  Reader reader(content, at);
  const unsigned compression = reader.be16();
  const std::uint64_t row_bytes = (header.width * header.depth + 7) / 8, rows = header.height * header.channels;
  if (!reader.ok() || compression > 3) return {0, at, false};
  if (compression == 0) return {reader.position() + row_bytes * rows, reader.position(), false};
  if (compression > 1) return {0, reader.position(), false};  // ZIP has no length: not written here
  return walk_rows(content, header, reader.position(), memory);
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
  return verdict;
}

}  // namespace

extern const Validator psd_validator;
const Validator psd_validator = {"psd", validate};

}  // namespace exhibit::carve
