// WebP by libwebp; of an animation, by its demultiplexer, the first frame.

#include <webp/decode.h>
#include <webp/demux.h>

#include <memory>
#include <vector>

#include "match/perceptual/picture.h"

namespace exhibit::match {
namespace {

constexpr std::size_t channels = 3, channels_of_animation = 4;

struct Delete {
  void operator()(WebPAnimDecoder* decoder) const { WebPAnimDecoderDelete(decoder); }
};

void put(const std::uint8_t* points, std::size_t each, Canvas& canvas) {
  const std::size_t bytes = canvas.width() * each;
  for (std::size_t y = 0; y < canvas.height(); ++y) {
    if (canvas.wants(y)) canvas.row(y, {points + y * bytes, bytes}, each);
  }
}

Result<bool> decode_first_frame(std::span<const std::uint8_t> file, Canvas& canvas) {
  WebPAnimDecoderOptions options;
  if (WebPAnimDecoderOptionsInit(&options) == 0)
    return Error{ErrorCode::internal, "libwebp is of another version", {}, {}};
  options.color_mode = MODE_RGBA;
  options.use_threads = 0;
  const WebPData data = {file.data(), file.size()};
  const std::unique_ptr<WebPAnimDecoder, Delete> decoder(WebPAnimDecoderNew(&data, &options));
  std::uint8_t* frame = nullptr;  // the decoder's
  int timestamp = 0;
  if (decoder == nullptr || WebPAnimDecoderGetNext(decoder.get(), &frame, &timestamp) == 0)
    return Error{ErrorCode::corrupt, "no frame of the WebP can be decoded", {}, {}};
  put(frame, channels_of_animation, canvas);
  return true;
}

Result<bool> decode(std::span<const std::uint8_t> file, Canvas& canvas) {
  WebPBitstreamFeatures features;
  if (WebPGetFeatures(file.data(), file.size(), &features) != VP8_STATUS_OK || features.width <= 0 ||
      features.height <= 0)
    return Error{ErrorCode::corrupt, "the WebP's header can't be read", {}, {}};
  // An animation needs three pictures in memory.
  EXHIBIT_TRY(canvas.begin(static_cast<std::uint64_t>(features.width), static_cast<std::uint64_t>(features.height),
                           features.has_animation != 0 ? Canvas::most_points_whole / 4 : Canvas::most_points_whole));
  if (features.has_animation != 0) return decode_first_frame(file, canvas);
  std::vector<std::uint8_t> points(canvas.width() * canvas.height() * channels);
  if (WebPDecodeRGBInto(file.data(), file.size(), points.data(), points.size(),
                        static_cast<int>(canvas.width() * channels)) == nullptr)
    return Error{ErrorCode::corrupt, "the WebP's picture can't be decoded", {}, {}};
  put(points.data(), channels, canvas);
  return true;
}

}  // namespace

extern const PictureDecoder webp_decoder;
const PictureDecoder webp_decoder = {.name = "libwebp",
                                     .types = {"image/webp"},
                                     .version = []() -> std::string {
                                       const int version = WebPGetDecoderVersion();  // a byte each
                                       return std::to_string(version >> 16) + "." +
                                              std::to_string(version >> 8 & 0xff) + "." +
                                              std::to_string(version & 0xff);
                                     },
                                     .prepare = nullptr,
                                     .decode = decode};

}  // namespace exhibit::match
