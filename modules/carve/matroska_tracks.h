#pragma once
// The tracks of Matroska (RFC 9559, 5.1.4), and what their blocks must look like.

#include <array>
#include <optional>

#include "carve/ebml.h"
#include "carve/video_units.h"

namespace exhibit::carve {

struct MatroskaTracks {
  enum Kind : std::uint8_t {
    none,    // no such track
    other,   // nothing is known of its frames
    packed,  // pictures packed so that no sector of zeros or text can lie in them
    units,   // AVC or HEVC: units that each tell their length
  };
  struct Track {
    Kind kind = none;
    UnitFormat format;
  };
  static constexpr std::size_t most = 64;  // numbers from here on count as the last one
  std::array<Track, most> tracks{};
  bool has_video = false;
};

// Tracks (5.1.4) in full; nothing: elements that can't be.
std::optional<MatroskaTracks> read_matroska_tracks(const Content& content, const EbmlElement& tracks);

// Whether the block whose data `block` is (10.1) belongs to one of the tracks, and its frame is one of its kind's.
bool is_matroska_block(const Content& content, const EbmlElement& block, const MatroskaTracks& tracks);

}  // namespace exhibit::carve
