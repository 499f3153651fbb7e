#pragma once
// Boxes of the ISO base media file format (ISO/IEC 14496-12:2015) and of QuickTime, and the tables that say where a
// track's samples lie.

#include <algorithm>
#include <functional>
#include <optional>
#include <vector>

#include "carve/alac_frame.h"
#include "carve/content.h"
#include "carve/riff.h"
#include "carve/video_units.h"

namespace exhibit::carve::iso {

struct Box {
  std::uint32_t type = 0;   // its letters, the first one highest
  std::uint64_t begin = 0;  // of its size field
  std::uint64_t body = 0;
  std::uint64_t end = 0;  // may lie beyond the content
  bool is_open = false;   // its size is 0: it reaches to the file's end, wherever that is
};

// The box at `position` (4.2); nothing: its size or its letters can't be.
std::optional<Box> read_box(const Content& content, std::uint64_t position);

// Calls for each box in [begin, end) until it returns false. Whether the boxes fill the range exactly.
bool for_each_box(const Content& content, std::uint64_t begin, std::uint64_t end,
                  const std::function<bool(const Box&)>& call);

// A track's samples (8.7): a chunk of samples that lie one behind the other.
struct Chunk {
  std::uint64_t offset = 0, length = 0;  // bytes, in the file
  std::uint32_t first_sample = 0, samples = 0;
};
// What a sample can be recognised by.
enum class Coding { unknown, units, aac, alac, mpeg4_visual, h263, jpeg, dv, packed };
struct Track {
  std::vector<Chunk> chunks;
  std::vector<std::uint32_t> sizes;  // of each sample; empty: all have `size`
  std::uint32_t size = 0;
  Coding coding = Coding::unknown;
  UnitFormat units;
  AlacConfig alac;
  std::uint32_t size_of(std::uint32_t sample) const { return sizes.empty() ? size : sizes[sample]; }
};

// Whether the sample [begin, end) looks like one of the track's coding.
bool is_sample(const Content& content, const Track& track, std::uint64_t begin, std::uint64_t end);

struct Movie {
  std::vector<Track> tracks;
  bool is_odd = false;  // its user data aren't boxes throughout: some programs' aren't
};
// A `moov` box. Nothing: its boxes or tables contradict each other.
std::optional<Movie> read_movie(const Content& content, const Box& box);

}  // namespace exhibit::carve::iso
