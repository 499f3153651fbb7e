#pragma once
// DEFLATE (RFC 1951) in a stream, bare, within zlib (RFC 1950) or gzip (RFC 1952): in bounded memory, and kept at any
// point to go on from there again.

#include <zlib.h>

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>

#include "carve/content.h"

namespace exhibit::carve {

class Inflate {
 public:
  // zlib's windowBits.
  enum class Wrapping : int { none = -15, zlib = 15, gzip = 31 };
  enum class Status {
    hungry,  // all input was taken, and the stream goes on
    ended,   // the stream's own end, with its checksum where it has one
    broken,  // isn't DEFLATE, or the checksum contradicts
    full,    // the plain bytes pass the limit
  };

  explicit Inflate(Wrapping wrapping);
  Inflate(const Inflate& other);
  Inflate& operator=(const Inflate&) = delete;
  ~Inflate();

  // Takes `input`, and no more plain bytes than make `limit` in all. What was plain goes to `sink`, if any.
  Status run(ByteSpan input, std::uint64_t limit, const std::function<void(ByteSpan)>& sink = {});

  std::uint64_t consumed() const { return stream_.total_in; }
  std::uint64_t produced() const { return stream_.total_out; }
  std::uint32_t crc() const { return crc_; }  // CRC-32 of what was produced

 private:
  z_stream stream_{};
  std::uint32_t crc_ = 0;
  bool is_usable_ = false;
};

// Runs `inflate` over content from `offset` on, to no further than `end`.
Inflate::Status inflate_from(Inflate& inflate, const Content& content, std::uint64_t offset, std::uint64_t end,
                             std::uint64_t limit, const std::function<void(ByteSpan)>& sink = {});

// What data came to that were unpacked in one piece.
struct Inflated {
  std::uint64_t consumed = 0, produced = 0;  // bytes
  std::uint32_t crc = 0;                     // CRC-32 of what was produced
};
// Data no longer than this are unpacked at once, which is faster than in a stream: bytes.
inline constexpr std::uint64_t most_packed_at_once = std::uint64_t{128} << 10;
inline constexpr std::uint64_t most_plain_at_once = std::uint64_t{512} << 10;
static_assert(most_packed_at_once <= Content::window);
// Of data without lengths so much is tried: most are shorter. Bytes.
inline constexpr std::uint64_t packed_tried = std::uint64_t{32} << 10;

// The packed data at `offset` if they are in order and end within the next `most_packed` bytes. Nothing: ask a stream,
// which knows where they break.
std::optional<Inflated> inflate_at_once(const Content& content, std::uint64_t offset, std::uint64_t most_packed,
                                        Inflate::Wrapping wrapping);

// A place in packed data from which to go on.
struct Checkpoint {
  std::uint64_t position = 0;              // in the content
  std::uint32_t crc = 0;                   // of data that aren't packed
  std::shared_ptr<const Inflate> inflate;  // of those that are
};
// Bytes between two checkpoints, and how many are kept: together more than join() tries cuts over.
inline constexpr std::uint64_t checkpoint_spacing = std::uint64_t{32} << 10;
inline constexpr std::size_t most_checkpoints = 24;
void remember(std::deque<Checkpoint>& recent, Checkpoint checkpoint);

// Runs `inflate`, whose next byte is at `position`, to no further than `end`, and puts the last places worth going on
// from in `recent`.
Inflate::Status inflate_remembering(Inflate& inflate, const Content& content, std::uint64_t position, std::uint64_t end,
                                    std::uint64_t limit, std::deque<Checkpoint>& recent);

}  // namespace exhibit::carve
