#pragma once
// Pictures as the sealed worker decodes them, as far as a perceptual hash needs them: the first picture of a file (an
// animation's first frame, a TIFF's first page), without its transparency, its colour profile or the turn that its Exif
// data ask for (a hash has the eight ways of turning a picture beside it).

#include <exhibit/result.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "match/perceptual/pdq.h"

namespace exhibit::match {

// How a picture becomes the points that are hashed.
enum class Scaling : std::uint8_t {
  none,         // each point, whatever the size
  nearest_512,  // pdq_side, where a side is longer
};
const char* name_of(Scaling scaling);

// Takes a picture's points as they are decoded, and keeps those that are hashed.
class Canvas {
 public:
  // What a decoder may take of memory. Fixed, so that findings don't depend on the memory given.
  static constexpr std::uint64_t most_points = std::uint64_t{1} << 28;        // decoded row by row
  static constexpr std::uint64_t most_points_whole = std::uint64_t{1} << 26;  // held in memory as a whole
  static constexpr std::uint64_t most_side = std::uint64_t{1} << 24;          // a row must be held in any case

  explicit Canvas(Scaling scaling) : scaling_(scaling) {}

  // The size, as the file's header tells it: before anything is allocated for the points. An Error: size_limit, or
  // corrupt where it has none.
  Result<void> begin(std::uint64_t width, std::uint64_t height, std::uint64_t most = most_points_whole);
  // Whether row `y` is hashed at all.
  bool wants(std::size_t y) const;
  // `channels` bytes a point: 1 (grey), 3 (red, green, blue) or 4 (a fourth that isn't looked at).
  void row(std::size_t y, std::span<const std::uint8_t> points, std::size_t channels);

  bool has_begun() const { return width_ != 0; }
  std::size_t width() const { return width_; }
  std::size_t height() const { return height_; }
  Luma take() { return std::move(luma_); }

 private:
  Scaling scaling_;
  std::size_t width_ = 0, height_ = 0;
  Luma luma_;
};

// A row of the table of decoders: decoders/NAME.cc. No exceptions, no printing; nothing is opened.
struct PictureDecoder {
  const char* name;
  std::array<std::string_view, 2> types;  // MIME types, as libmagic tells them
  std::string (*version)();               // of the library
  // What must be done before the process seals itself; nullptr: nothing.
  void (*prepare)();
  // The first picture of `file` onto the canvas. True: to its end, without a complaint of the decoder's; false: some of
  // it is missing or damaged. Error: there is no picture, or it's beyond what is decoded.
  Result<bool> (*decode)(std::span<const std::uint8_t> file, Canvas& canvas);
};
std::span<const PictureDecoder* const> picture_decoders();

// nullptr: pictures of this type aren't decoded.
const PictureDecoder* decoder_of(std::string_view type);

struct PictureHash {
  Pdq pdq;
  std::size_t width = 0, height = 0;  // of the picture, points
  bool is_whole = true;
};
Result<PictureHash> hash_picture(const PictureDecoder& decoder, std::span<const std::uint8_t> file, Scaling scaling);

}  // namespace exhibit::match
