#pragma once
// Reading the files that hold an image: pread on the descriptor that was given, and where it has
// holes; nothing else.

#include <optional>

#include "image/image.h"

namespace exhibit::image {

// Fills `buffer` from `offset`; fewer bytes only where the file ends. An Error (io_error) where the system refuses.
Result<std::size_t> read_some(const SegmentFile& segment, std::uint64_t offset, std::span<std::byte> buffer);

// The same, for long pieces of files that may be sparse: their holes are not read. Where the system doesn't know of
// holes all is read.
Result<std::size_t> read_sparse(const SegmentFile& segment, std::uint64_t offset, std::span<std::byte> buffer);

// `length` bytes at `offset`, all of them: an Error (corrupt) where the file ends before. The caller bounds `length`.
Result<std::string> read_exactly(const SegmentFile& segment, std::uint64_t offset, std::size_t length);

// The number that the extension of a numbered piece says: three digits or more, nothing else.
std::optional<std::uint64_t> piece_number(const std::string& name);

}  // namespace exhibit::image
