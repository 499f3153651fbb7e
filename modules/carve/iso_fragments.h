#pragma once
// Fragments of a movie (ISO/IEC 14496-12:2015, 8.8): `moof` boxes, whose samples lie in the media beside them, and what
// tells where the last one ends.

#include <span>

#include "carve/iso_boxes.h"

namespace exhibit::carve::iso {

// Adds to the tracks of `movie`, which was read from `box`, the samples of its fragments, up to the first that
// contradicts itself or the movie, or has samples of which `lies_in_media` says no. How many hold.
std::size_t add_fragments(const Content& content, const Box& box, std::span<const Box> fragments,
                          const std::function<bool(const Chunk&)>& lies_in_media, Movie& movie);

// Whether `mfra` (8.8.9), which programs write when they close a file, knows of these fragments alone.
bool is_closed_by(const Content& content, const Box& random_access, std::span<const Box> fragments);

// Where the segments end that a `sidx` box (8.16.3) counts; nothing: it can't be, or counts other indexes.
std::optional<std::uint64_t> end_of_segments(const Content& content, const Box& index);

}  // namespace exhibit::carve::iso
