#include "carve/jpeg_picture.h"

#include <algorithm>

namespace exhibit::carve::jpeg {
namespace {

constexpr std::uint64_t most_blocks = std::uint64_t{1} << 24;  // of a progressive component: a gigapixel
constexpr unsigned most_scans = 200;                           // more are an attack, not a picture

std::uint64_t divide_up(std::uint64_t a, std::uint64_t b) { return (a + b - 1) / b; }

}  // namespace

Significance::Chunk& Significance::own_chunk(std::uint64_t block) {
  auto& group = groups_[block / (blocks_in_chunk * chunks_in_group)];
  if (group == nullptr) {
    group = std::make_shared<Group>();
  } else if (group.use_count() > 1) {
    group = std::make_shared<Group>(*group);
  }
  auto& chunk = (*group)[block / blocks_in_chunk % chunks_in_group];
  if (chunk == nullptr) {
    chunk = std::make_shared<Chunk>();
  } else if (chunk.use_count() > 1) {
    chunk = std::make_shared<Chunk>(*chunk);
  }
  return *chunk;
}

std::uint64_t Picture::blocks_across(const Component& component) const {
  const unsigned side = process == Process::lossless ? 1 : 8;
  return divide_up(divide_up(std::uint64_t{width} * component.across, most_across), side);
}

std::uint64_t Picture::blocks_down(const Component& component) const {
  const unsigned side = process == Process::lossless ? 1 : 8;
  return divide_up(divide_up(std::uint64_t{height} * component.down, most_down), side);
}

// B.2.4.2
bool Picture::define_tables(ByteSpan data) {
  while (!data.empty()) {
    if (data.size() < 17) return false;
    const unsigned kind = data[0] >> 4, place = data[0] & 0xf;
    if (kind > 1 || place > 3) return false;
    const ByteSpan counts = data.subspan(1, 16);
    std::size_t symbols = 0;
    for (const std::uint8_t count : counts) symbols += count;
    if (symbols > 256 || symbols > data.size() - 17) return false;
    const auto table = HuffmanTable::make(counts, data.subspan(17, symbols), kind == 1);
    if (table == nullptr) return false;
    (kind == 0 ? dc_tables : ac_tables)[place] = table;
    data = data.subspan(17 + symbols);
  }
  return true;
}

// B.2.4.1
bool Picture::define_quantization(ByteSpan data) {
  while (!data.empty()) {
    const unsigned bytes = data[0] >> 4, place = data[0] & 0xf;
    const std::size_t length = 1 + std::size_t{64} * (bytes + 1);
    if (bytes > 1 || place > 3 || data.size() < length) return false;
    const unsigned step = bytes == 0 ? data[1] : static_cast<unsigned>(data[1] << 8 | data[2]);
    dc_steps[place] = static_cast<std::uint16_t>(step);
    data = data.subspan(length);
  }
  return true;
}

// B.2.2
bool Picture::begin_frame(Marker marker, ByteSpan data) {
  if (process != Process::none || data.size() < 6 || data.size() != 6 + std::size_t{3} * data[5]) return false;
  process = marker <= SOF1   ? Process::sequential
            : marker == SOF2 ? Process::progressive
            : marker == SOF3 ? Process::lossless
                             : Process::other;
  precision = data[0];
  height = static_cast<std::uint32_t>(data[1] << 8 | data[2]);
  width = static_cast<std::uint32_t>(data[3] << 8 | data[4]);
  component_count = data[5];
  const bool has_precision =
      process == Process::lossless ? precision >= 2 && precision <= 16 : precision == 8 || precision == 12;
  if (!has_precision || width == 0 || component_count == 0 || component_count > most_components) return false;
  for (unsigned i = 0; i < component_count; ++i) {
    const ByteSpan fields = data.subspan(6 + std::size_t{3} * i, 3);
    Component& component = components[i];
    component = {fields[0], static_cast<std::uint8_t>(fields[1] >> 4), static_cast<std::uint8_t>(fields[1] & 0xf),
                 fields[2]};
    const bool is_sampled =
        component.across >= 1 && component.across <= 4 && component.down >= 1 && component.down <= 4;
    if (!is_sampled || component.quantization > 3) return false;
    most_across = std::max<unsigned>(most_across, component.across);
    most_down = std::max<unsigned>(most_down, component.down);
  }
  if (process != Process::progressive) return true;
  for (unsigned i = 0; i < component_count; ++i) {
    const std::uint64_t blocks = blocks_across(components[i]) * blocks_down(components[i]);
    if (height == 0 || blocks > most_blocks) return false;
    significance[i] = Significance(blocks);
  }
  return true;
}

// Whether the scan's band of coefficients is one that its process has (B.2.3, G.1.1.1).
bool Picture::has_band(const Scan& scan) const {
  if (process == Process::lossless) return scan.first >= 1 && scan.first <= 7 && scan.low < precision;
  if (process == Process::other) return true;
  if (process == Process::sequential) return true;  // some programs leave these fields as they please
  if (scan.first > scan.last || scan.last > 63 || scan.low > 13) return false;
  if (scan.high != 0 && scan.high != scan.low + 1) return false;
  return scan.first == 0 ? scan.last == 0 : scan.count == 1;
}

// B.2.3
bool Picture::begin_scan(ByteSpan data, Scan& scan) {
  if (process == Process::none || data.empty() || data[0] == 0 || data[0] > component_count) return false;
  scan.count = data[0];
  if (data.size() != 4 + std::size_t{2} * scan.count || ++scans > most_scans) return false;
  const ByteSpan band = data.subspan(1 + std::size_t{2} * scan.count);
  scan.first = band[0], scan.last = band[1], scan.high = band[2] >> 4, scan.low = band[2] & 0xf;
  if (!has_band(scan)) return false;
  const bool has_dc = process != Process::progressive || (scan.first == 0 && scan.high == 0);
  const bool has_ac = process == Process::sequential || (process == Process::progressive && scan.first > 0);
  unsigned blocks = 0, seen = 0;
  for (unsigned i = 0; i < scan.count; ++i) {
    unsigned component = 0;
    while (component < component_count && components[component].identifier != data[1 + 2 * i]) ++component;
    if (component == component_count || (seen & (1U << component)) != 0) return false;
    seen |= 1U << component;
    const unsigned dc = data[2 + 2 * i] >> 4, ac = data[2 + 2 * i] & 0xf;
    if (dc > 3 || ac > 3) return false;
    Scan::Part& part = scan.parts[i];
    part.component = static_cast<std::uint8_t>(component);
    part.blocks =
        static_cast<std::uint8_t>(scan.count == 1 ? 1 : components[component].across * components[component].down);
    blocks += part.blocks;
    if (process == Process::other) continue;
    part.dc = dc_tables[dc].get();
    part.ac = ac_tables[ac].get();
    if ((has_dc && part.dc == nullptr) || (has_ac && part.ac == nullptr)) return false;
  }
  if (scan.count > 1 && blocks > 10) return false;  // B.2.3
  if (has_dc) components_seen |= seen;
  const Component& only = components[scan.parts[0].component];
  const std::uint64_t side = process == Process::lossless ? 1 : 8;
  scan.units_in_row = scan.count == 1 ? blocks_across(only) : divide_up(width, side * most_across);
  scan.rows = scan.count == 1 ? blocks_down(only) : divide_up(height, side * most_down);
  return true;
}

}  // namespace exhibit::carve::jpeg
