#pragma once
// Whatever yields bytes by offset: an image, a partition, a file's content, an unlocked volume, a snapshot.
// So formats nest in any order.

#include <exhibit/result.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace exhibit {

// Why a stretch of bytes isn't what the medium held. Spelled as in `doubt` (findings.md).
enum class DoubtCause { read_error, crc_error, missing_segment, zero_filled };
const char* name_of(DoubtCause cause);

// A stretch whose bytes are not vouched for: they were delivered as zeros.
struct Doubt {
  std::uint64_t offset = 0;  // bytes, in the source that reports it
  std::uint64_t length = 0;  // bytes
  DoubtCause cause = DoubtCause::read_error;
  bool operator==(const Doubt&) const = default;
};

class ByteSource {
 public:
  virtual ~ByteSource() = default;

  // Bytes.
  virtual std::uint64_t size() const = 0;

  // Fills `buffer` from `offset` and returns how many bytes were delivered: fewer than asked only where the
  // source ends. Damaged stretches are delivered as zeros and told by doubts(); an Error means that nothing
  // was delivered. Not to be called by two threads at once.
  virtual Result<std::size_t> read_at(std::uint64_t offset, std::span<std::byte> buffer) = 0;

  // The damage inside [offset, offset + length) that reading has met so far, sorted, without overlaps,
  // clipped to the range. A stretch never read is not known.
  virtual std::vector<Doubt> doubts(std::uint64_t offset, std::uint64_t length) const = 0;

  // How many reads so far touched a damaged stretch: lets a reader of transformed content, who has no extents
  // to ask doubts() about, notice that something beneath it was damaged.
  virtual std::uint64_t damaged_reads() const = 0;
};

}  // namespace exhibit
