#pragma once
// An image that is a map: for each place of the medium, where its bytes are. A container format gives the map; reading,
// unpacking, the parent beneath a differencing image and the account of what is damaged are the same for all.

#include "image/container_file.h"

namespace exhibit::image {

// What holds at an offset of the medium, and for how many bytes on.
struct Stretch {
  enum class Kind {
    zeros,   // nothing was ever written there
    stored,  // as it is, at `place` of `file`
    packed,  // in a unit of its own, whose `packed_length` bytes are at `place` of `file`
    parent,  // what the parent has there; zeros without one
    lost     // the container doesn't say
  };
  Kind kind = Kind::zeros;
  std::uint64_t length = 0;  // of the medium, from the offset on; more than 0
  std::size_t file = 0;      // index
  std::uint64_t place = 0;
  std::uint64_t unit = 0, unit_length = 0;    // packed: the whole unit's place in the medium; at most `longest_unit`
  std::uint64_t packed_length = 0;            // packed: at most `longest_packed`
  std::uint32_t method = 0;                   // packed: the map's own word for how
  DoubtCause cause = DoubtCause::read_error;  // lost

  static Stretch zeros(std::uint64_t length) { return {.kind = Kind::zeros, .length = length}; }
  static Stretch parent(std::uint64_t length) { return {.kind = Kind::parent, .length = length}; }
  static Stretch lost(std::uint64_t length, DoubtCause cause) {
    return {.kind = Kind::lost, .length = length, .cause = cause};
  }
  static Stretch stored(std::uint64_t length, std::size_t file, std::uint64_t place) {
    return {.kind = Kind::stored, .length = length, .file = file, .place = place};
  }
};

inline constexpr std::uint64_t longest_unit = std::uint64_t{32} << 20;
inline constexpr std::uint64_t longest_packed = std::uint64_t{64} << 20;

class MediumMap {
 public:
  virtual ~MediumMap() = default;
  // `offset` lies within the medium.
  virtual Stretch at(std::uint64_t offset) = 0;
  // Fills `out`, the whole unit; false where the bytes don't give just that.
  virtual bool unpack(const Stretch&, std::string_view, std::span<std::byte>) { return false; }
};

// What an image is made of. `files` are views of `segments`, and the map may hold more of them: a vector that moves
// leaves its elements where they are.
struct MappedParts {
  ImageDescription description;
  std::vector<SegmentFile> segments;
  std::vector<ContainerFile> files;
  std::unique_ptr<MediumMap> map;
  std::unique_ptr<Image> parent;
  std::vector<Doubt> doubts;  // known from the start: stretches that the image holds, but not as the medium had them
};

Result<std::unique_ptr<Image>> make_mapped_image(MappedParts parts);

// Leaves the files of the named image in `segments` and gives those behind them: extents, parents.
std::vector<SegmentFile> split_off_others(std::vector<SegmentFile>& segments);

// The file called `name` (a path of any system: only what follows its last slash or backslash counts) is taken out of
// `segments`, which are those behind the named file; nothing where it isn't there.
std::optional<SegmentFile> take_file(std::vector<SegmentFile>& segments, std::string_view name);
std::string base_name(std::string_view path);

// Opens what an image is a difference to. `others`: the segments behind the image's own ones. An Error names the parent
// that is missing and what to do. A loop of parents can't be: each image takes its own files away.
Result<std::unique_ptr<Image>> open_parent(const std::string& child, const std::string& parent,
                                           std::vector<SegmentFile> others, const std::optional<std::string>& as = {});
// Files that were given and that no image of the chain asked for are an Error: whoever gave them meant something.
Result<void> check_all_used(const std::string& image, const std::vector<SegmentFile>& others);

}  // namespace exhibit::image
