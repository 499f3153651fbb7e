#include "carve/iso_boxes.h"

#include "base/checked.h"
#include "carve/picture_frame.h"

namespace exhibit::carve::iso {
namespace {

constexpr std::size_t most_entries = std::size_t{1} << 24;  // of a table; a day of film has about 5 million
constexpr unsigned deepest = 10;

bool is_letters(std::uint32_t type) {
  constexpr std::uint32_t most_keys = 4096;
  if (type > 0 && type < most_keys) return true;  // `ilst` of QuickTime's metadata: the numbers of its keys
  for (int shift = 24; shift >= 0; shift -= 8) {
    const unsigned byte = type >> shift & 0xff;
    if ((byte < 0x20 || byte > 0x7e) && byte != 0xa9) return false;  // QuickTime's user data begin with ©
  }
  return true;
}

// What a sample table says before it is put together.
struct Table {
  std::vector<std::uint64_t> offsets;  // stco, co64
  struct Run {
    std::uint32_t first = 0, samples = 0;  // chunk number, counted from 1; samples in each
  };
  std::vector<Run> runs;  // stsc
  std::uint32_t count = 0;
  Track track;
};

// A full box's count of entries of `length` bytes, all of which lie in the box.
std::optional<std::uint32_t> entries(Reader& reader, const Box& box, std::uint64_t length) {
  const std::uint32_t count = reader.be32();
  const bool fits = reader.ok() && count <= most_entries && reader.position() <= box.end &&
                    std::uint64_t{count} * length <= box.end - reader.position();
  return fits ? std::optional(count) : std::nullopt;
}

// avcC and hvcC lie in the sample entry (ISO/IEC 14496-15, 5.3.3.1 and 8.3.3.1).
UnitFormat unit_format(const Content& content, const Box& descriptions) {
  const std::uint64_t limit = std::min(descriptions.end, descriptions.body + 4096);
  const std::uint64_t avc = find(content, "avcC", descriptions.body, limit);
  const std::uint64_t hevc = find(content, "hvcC", descriptions.body, limit);
  if (avc == limit && hevc == limit) return {};
  Reader reader(content, avc < limit ? avc + 4 + 4 : hevc + 4 + 21);
  const unsigned size = (reader.u8() & 3u) + 1;
  return reader.ok() && size != 3 ? UnitFormat{size, avc == limit} : UnitFormat{};
}

// Its box has the same letters as the sample entry that it lies in, and in QuickTime lies within another (Apple, "ALAC
// Magic Cookie Description").
std::optional<AlacConfig> alac_config(const Content& content, const Box& descriptions) {
  constexpr std::uint64_t box_bytes = 36, entry_type = 12;
  const std::uint64_t limit = std::min(descriptions.end, descriptions.body + 4096);
  for (std::uint64_t at = descriptions.body + entry_type; at < limit; ++at) {
    at = find(content, "alac", at, limit);
    if (at < limit && Reader(content, at - 4).be32() == box_bytes) return read_alac_config(content, at + 8);
  }
  return std::nullopt;
}

// The first sample entry's coding (8.5.2; 14496-1, table 5, for what `esds` says).
void read_coding(const Content& content, const Box& descriptions, Track& track) {
  track.units = unit_format(content, descriptions);
  const std::uint32_t type = letters_at(content, descriptions.body + 12);
  const std::uint64_t limit = std::min(descriptions.end, descriptions.body + 4096);
  switch (type) {
    case four_letters("avc1"):
    case four_letters("avc3"):
    case four_letters("hvc1"):
    case four_letters("hev1"):
    case four_letters("dvh1"):
    case four_letters("dvhe"):
      track.coding = track.units.length_size != 0 ? Coding::units : Coding::unknown;
      break;
    case four_letters("mp4a"): {
      // The decoder's description has the object type: behind its tag (4) and length.
      const std::uint64_t box = find(content, "esds", descriptions.body, limit);
      const std::uint64_t aac = find(content, "\x40\x15", box, std::min(limit, box + 64));
      if (box < limit && aac < std::min(limit, box + 64)) track.coding = Coding::aac;
      break;
    }
    case four_letters("alac"):
      if (const auto config = alac_config(content, descriptions)) {
        track.coding = Coding::alac;
        track.alac = *config;
      }
      break;
    case four_letters("mp4v"):
      track.coding = Coding::mpeg4_visual;
      break;
    case four_letters("s263"):
    case four_letters("h263"):
      track.coding = Coding::h263;
      break;
    case four_letters("jpeg"):
    case four_letters("mjpa"):
      track.coding = Coding::jpeg;
      break;
    case four_letters("dvc "):
    case four_letters("dvcp"):
    case four_letters("dv5n"):
    case four_letters("dv5p"):
      track.coding = Coding::dv;
      break;
    case four_letters("av01"):
    case four_letters("vp08"):
    case four_letters("vp09"):
      track.coding = Coding::packed;
      break;
    default:
      break;
  }
}

bool take(const Content& content, const Box& box, Table& table) {
  Reader reader(content, box.body + 4);  // behind version and flags
  switch (box.type) {
    case four_letters("stsd"):
      read_coding(content, box, table.track);
      return true;
    case four_letters("stco"):
    case four_letters("co64"): {
      const bool is_long = box.type == four_letters("co64");
      const auto count = entries(reader, box, is_long ? 8 : 4);
      if (!count) return false;
      for (std::uint32_t i = 0; i < *count; ++i) table.offsets.push_back(is_long ? reader.be64() : reader.be32());
      return reader.ok();
    }
    case four_letters("stsc"): {
      const auto count = entries(reader, box, 12);
      if (!count) return false;
      for (std::uint32_t i = 0; i < *count; ++i) {
        const std::uint32_t first = reader.be32(), samples = reader.be32();
        reader.be32();
        if (first == 0 || (!table.runs.empty() && first <= table.runs.back().first)) return false;
        table.runs.push_back({first, samples});
      }
      return reader.ok();
    }
    case four_letters("stsz"): {
      table.track.size = reader.be32();
      const auto count = entries(reader, box, table.track.size == 0 ? 4 : 0);
      if (!count) return false;
      table.count = *count;
      for (std::uint32_t i = 0; table.track.size == 0 && i < *count; ++i) table.track.sizes.push_back(reader.be32());
      return reader.ok();
    }
    default:
      return true;
  }
}

// Puts chunks together from what the tables say.
bool assemble(Table& table) {
  std::uint32_t sample = 0;
  std::size_t run = 0;
  for (std::uint32_t number = 1; number <= table.offsets.size(); ++number) {
    while (run + 1 < table.runs.size() && table.runs[run + 1].first <= number) ++run;
    if (table.runs.empty()) return false;
    Chunk chunk{table.offsets[number - 1], 0, sample, table.runs[run].samples};
    if (chunk.samples > table.count - sample) return false;
    if (table.track.sizes.empty()) chunk.length = std::uint64_t{chunk.samples} * table.track.size;
    for (std::uint32_t i = 0; !table.track.sizes.empty() && i < chunk.samples; ++i)
      chunk.length += table.track.sizes[sample + i];
    sample += chunk.samples;
    if (!base::checked_add(chunk.offset, chunk.length)) return false;
    table.track.chunks.push_back(chunk);
  }
  return sample == table.count;
}

// Whether all boxes beneath `box` fill it; each track goes to `movie`.
bool descend(const Content& content, const Box& box, unsigned depth, Table& table, Movie& movie) {
  constexpr std::uint32_t containers[] = {four_letters("moov"), four_letters("trak"), four_letters("mdia"),
                                          four_letters("minf"), four_letters("stbl"), four_letters("udta"),
                                          four_letters("meta"), four_letters("ilst")};
  if (std::find(std::begin(containers), std::end(containers), box.type) == std::end(containers))
    return take(content, box, table);
  if (depth == deepest) return false;
  const bool is_track = box.type == four_letters("trak");
  if (is_track) table = {};
  bool holds = true;
  // `meta` has a version and flags before its boxes (8.11.1); QuickTime's hasn't.
  Reader version(content, box.body);
  const std::uint64_t begin = box.type == four_letters("meta") && version.be32() == 0 ? box.body + 4 : box.body;
  const bool filled = for_each_box(content, begin, box.end, [&](const Box& child) {
    holds = child.end <= box.end && descend(content, child, depth + 1, table, movie);
    return holds;
  });
  if (box.type == four_letters("udta") || box.type == four_letters("meta")) {
    movie.is_odd |= !holds || !filled;
    return true;
  }
  if (!holds || !filled) return false;
  if (!is_track) return true;
  if (!table.offsets.empty() && !assemble(table)) return false;
  movie.tracks.push_back(std::move(table.track));
  return true;
}

}  // namespace

std::optional<Box> read_box(const Content& content, std::uint64_t position) {
  Reader reader(content, position);
  std::uint64_t size = reader.be32();
  Box box{reader.be32(), position, position + 8, 0, size == 0};
  if (!reader.ok() || !is_letters(box.type)) return std::nullopt;
  if (size == 1) {
    size = reader.be64();
    box.body += 8;
    if (!reader.ok() || size < 16) return std::nullopt;
  } else if (size != 0 && size < 8) {
    return std::nullopt;
  }
  const auto end = base::checked_add(position, size);
  if (!end) return std::nullopt;
  box.end = box.is_open ? content.size() : *end;
  return box;
}

bool for_each_box(const Content& content, std::uint64_t begin, std::uint64_t end,
                  const std::function<bool(const Box&)>& call) {
  constexpr std::uint64_t terminator = 4;  // bytes of zeros that QuickTime ends some lists with
  while (begin < end) {
    if (end - begin == terminator) {
      Reader reader(content, begin);
      return reader.be32() == 0 && reader.ok();
    }
    const auto box = read_box(content, begin);
    if (!box || box->is_open || box->end > end || !call(*box)) return false;
    begin = box->end;
  }
  return true;
}

bool is_sample(const Content& content, const Track& track, std::uint64_t begin, std::uint64_t end) {
  constexpr std::uint64_t shortest = 8;  // bytes: shorter ones stand for a frame that is left out
  if (end - begin < shortest) return true;
  Reader reader(content, begin);
  switch (track.coding) {
    case Coding::units:
      return has_units(content, begin, end, track.units);
    case Coding::aac:
      return has_aac_end(content, begin, end);
    case Coding::alac:
      return is_alac_frame(content, begin, end, track.alac);
    case Coding::mpeg4_visual: {  // ISO/IEC 14496-2, table 6-3: the codes that begin a sequence or a plane
      const std::uint32_t code = reader.be32();
      return code >> 8 == 1 && ((code & 0xff) < 0x30 || ((code & 0xff) >= 0xb0 && (code & 0xff) <= 0xb6)) &&
             !has_foreign_sector(content, begin, end);
    }
    case Coding::h263:  // H.263, 5.1.1: sixteen zeros, a one, five zeros
      return reader.be32() >> 10 == 0x20 && !has_foreign_sector(content, begin, end);
    case Coding::jpeg:
      return is_picture(content, begin, end, PictureKind::jpeg);
    case Coding::dv:
      return is_picture(content, begin, end, PictureKind::dv);
    case Coding::packed:
      return !has_foreign_sector(content, begin, end);
    case Coding::unknown:
      break;
  }
  return true;
}

std::optional<Movie> read_movie(const Content& content, const Box& box) {
  Movie movie;
  Table table;
  if (box.end > content.size() || !descend(content, box, 0, table, movie)) return std::nullopt;
  return movie;
}

}  // namespace exhibit::carve::iso
