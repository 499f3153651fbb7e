#pragma once
// Image formats: bytes of a medium out of the files that hold them. open_image asks every format in formats/.
// Everything here runs in a sealed process: only the given descriptors are read, nothing is opened by name.

#include <exhibit/byte_source.h>
#include <exhibit/item.h>

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/unique_fd.h"

namespace exhibit::image {

// One file of the evidence, opened read-only by the trusted side.
struct SegmentFile {
  std::string name;  // base name
  std::uint64_t size = 0;
  base::UniqueFd fd;
};

struct ImageDescription {
  std::string format;  // raw, split-raw, ewf-e01 (findings.md)
  std::uint64_t size = 0;
  std::uint32_t sector_size = 512;
  Digests stored_digests;                          // what the container says
  std::map<std::string, std::string> acquisition;  // what the container says of its making, as found, valid UTF-8
  // How many bytes the stored digests are over, where that isn't `size` (an EWF whose source wasn't whole sectors).
  std::optional<std::uint64_t> stored_digests_size;
  // By which a differencing image says what it is a difference to, spelled as that image's format does; may be empty.
  std::string identity;
  // Damage of the container that no byte of the medium stands for, or that explains doubts known from the start (a hash
  // section that doesn't check, a truncated last segment): deterministic texts. The caller makes each a problem of the
  // evidence (stage open, cause corrupt).
  std::vector<std::string> notices;
};

// The medium. Damage met while opening (a table of chunks that doesn't check, say) is in doubts() from the start.
class Image : public ByteSource {
 public:
  virtual const ImageDescription& description() const = 0;
  // Bytes past size() that the container holds and its stored digests cover; empty for most.
  virtual Result<std::string> tail() { return std::string(); }
};

enum class Recognition { not_mine, mine, damaged };

// `segments` in order, the first being the one that was named. `as`: a format's name, settling an ambiguity.
// Two formats say mine: Error ambiguous naming both. One says damaged: Error corrupt, never raw. All say not_mine: raw.
// Error texts name the segment file and what to do.
Result<std::unique_ptr<Image>> open_image(std::vector<SegmentFile> segments, const std::optional<std::string>& as = {});

}  // namespace exhibit::image
