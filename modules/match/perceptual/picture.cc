#include "match/perceptual/picture.h"

#include <algorithm>

namespace exhibit::match {
namespace {

// The first of the hashed rows that come from row `y` or one behind it.
std::size_t first_row_from(std::size_t y, std::size_t height, std::size_t hashed) {
  return (y * hashed + height - 1) / height;
}

}  // namespace

const char* name_of(Scaling scaling) { return scaling == Scaling::none ? "none" : "nearest-512"; }

Result<void> Canvas::begin(std::uint64_t width, std::uint64_t height, std::uint64_t most) {
  if (width == 0 || height == 0) return Error{ErrorCode::corrupt, "the picture has no size", {}, {}};
  if (width > most / height || std::max(width, height) > most_side) {
    return Error{ErrorCode::size_limit,
                 "the picture has " + std::to_string(width) + " x " + std::to_string(height) +
                     " points; such are decoded up to " + std::to_string(most),
                 {},
                 {}};
  }
  width_ = static_cast<std::size_t>(width);
  height_ = static_cast<std::size_t>(height);
  const bool scaled = scaling_ == Scaling::nearest_512 && std::max(width_, height_) > pdq_side;
  luma_.width = scaled ? pdq_side : width_;
  luma_.height = scaled ? pdq_side : height_;
  luma_.values.assign(luma_.width * luma_.height, 0);
  return {};
}

bool Canvas::wants(std::size_t y) const {
  return y < height_ && first_row_from(y, height_, luma_.height) < first_row_from(y + 1, height_, luma_.height);
}

void Canvas::row(std::size_t y, std::span<const std::uint8_t> points, std::size_t channels) {
  if (y >= height_ || points.size() < width_ * channels) return;
  const std::size_t begin = first_row_from(y, height_, luma_.height),
                    end = first_row_from(y + 1, height_, luma_.height);
  if (begin == end) return;
  float* first = luma_.values.data() + begin * luma_.width;
  for (std::size_t x = 0; x < luma_.width; ++x) {
    const std::uint8_t* point = points.data() + nearest(x, width_, luma_.width) * channels;
    first[x] = channels == 1 ? static_cast<float>(*point) : luma_of(point[0], point[1], point[2]);
  }
  for (std::size_t other = begin + 1; other < end; ++other) {
    std::copy_n(first, luma_.width, luma_.values.data() + other * luma_.width);
  }
}

const PictureDecoder* decoder_of(std::string_view type) {
  const auto all = picture_decoders();
  const auto found = std::ranges::find_if(all, [&](const PictureDecoder* each) {
    return !type.empty() && std::ranges::find(each->types, type) != each->types.end();
  });
  return found == all.end() ? nullptr : *found;
}

Result<PictureHash> hash_picture(const PictureDecoder& decoder, std::span<const std::uint8_t> file, Scaling scaling) {
  Canvas canvas(scaling);
  PictureHash hash;
  hash.is_whole = EXHIBIT_TRY(decoder.decode(file, canvas));
  if (!canvas.has_begun()) return Error{ErrorCode::corrupt, "there is no picture in it", {}, {}};
  hash.width = canvas.width();
  hash.height = canvas.height();
  hash.pdq = pdq_of(canvas.take());
  return hash;
}

}  // namespace exhibit::match
