// HEIF with HEVC pictures (HEIC) by libheif and libde265. libheif's own way of calling libde265 starts a thread, which
// a sealed process must not: so it is given another, of a higher priority, that doesn't.

#include <libde265/de265.h>
#include <libheif/heif.h>
#include <libheif/heif_plugin.h>

#include <algorithm>
#include <cstring>
#include <memory>

#include "match/perceptual/picture.h"

namespace exhibit::match {
namespace {

// --- HEVC for libheif

constexpr heif_error done = {heif_error_Ok, heif_suberror_Unspecified, "done"};
constexpr heif_error failed = {heif_error_Decoder_plugin_error, heif_suberror_Unspecified,
                               "the picture can't be decoded"};
constexpr int priority = 200;  // libheif's own has 100

de265_decoder_context* context_of(void* decoder) { return static_cast<de265_decoder_context*>(decoder); }

// NAL units, each behind its length in four bytes (ISO/IEC 14496-15, 4.3.3).
heif_error push_units(void* decoder, const void* data, std::size_t size) {
  const auto* bytes = static_cast<const std::uint8_t*>(data);
  for (std::size_t at = 0; at < size;) {
    if (size - at < 4) return failed;
    const std::uint32_t length = static_cast<std::uint32_t>(bytes[at]) << 24 |
                                 static_cast<std::uint32_t>(bytes[at + 1]) << 16 |
                                 static_cast<std::uint32_t>(bytes[at + 2]) << 8 | bytes[at + 3];
    at += 4;
    if (length > size - at || length > INT32_MAX) return failed;
    if (de265_push_NAL(context_of(decoder), bytes + at, static_cast<int>(length), 0, nullptr) != DE265_OK)
      return failed;
    at += length;
  }
  return done;
}

heif_error copy_plane(const de265_image* from, int channel, heif_image* to, heif_channel plane) {
  const int width = de265_get_image_width(from, channel), height = de265_get_image_height(from, channel);
  const int bits = de265_get_bits_per_pixel(from, channel);
  if (heif_image_add_plane(to, plane, width, height, bits).code != heif_error_Ok) return failed;
  int from_stride = 0, to_stride = 0;
  const std::uint8_t* source = de265_get_image_plane(from, channel, &from_stride);
  std::uint8_t* target = heif_image_get_plane(to, plane, &to_stride);
  if (source == nullptr || target == nullptr) return failed;
  const auto bytes = static_cast<std::size_t>(width) * (bits > 8 ? 2 : 1);
  for (int y = 0; y < height; ++y)
    std::memcpy(target + static_cast<std::ptrdiff_t>(y) * to_stride,
                source + static_cast<std::ptrdiff_t>(y) * from_stride, bytes);
  return done;
}

heif_error to_heif(const de265_image* picture, heif_image** out) {
  const int width = de265_get_image_width(picture, 0), height = de265_get_image_height(picture, 0);
  const auto points = static_cast<std::uint64_t>(std::max(width, 0)) * static_cast<std::uint64_t>(std::max(height, 0));
  if (points == 0 || points > Canvas::most_points_whole) return failed;
  constexpr heif_chroma chromas[] = {heif_chroma_monochrome, heif_chroma_420, heif_chroma_422, heif_chroma_444};
  const de265_chroma chroma = de265_get_chroma_format(picture);
  const bool grey = chroma == de265_chroma_mono;
  heif_image* image = nullptr;
  if (heif_image_create(width, height, grey ? heif_colorspace_monochrome : heif_colorspace_YCbCr, chromas[chroma],
                        &image)
          .code != heif_error_Ok)
    return failed;
  constexpr heif_channel planes[] = {heif_channel_Y, heif_channel_Cb, heif_channel_Cr};
  for (int channel = 0; channel < (grey ? 1 : 3); ++channel) {
    if (copy_plane(picture, channel, image, planes[channel]).code == heif_error_Ok) continue;
    heif_image_release(image);
    return failed;
  }
  *out = image;
  return done;
}

// The first picture that comes out.
heif_error decode_units(void* decoder, heif_image** out) {
  de265_decoder_context* context = context_of(decoder);
  de265_flush_data(context);
  *out = nullptr;
  for (int more = 1; more != 0 && *out == nullptr;) {
    more = 0;
    if (de265_decode(context, &more) != DE265_OK) break;
    const de265_image* picture = de265_get_next_picture(context);
    if (picture == nullptr) continue;
    const heif_error error = to_heif(picture, out);
    de265_release_next_picture(context);
    if (error.code != heif_error_Ok) return error;
  }
  return *out == nullptr ? failed : done;
}

constexpr heif_decoder_plugin hevc = {
    .plugin_api_version = 3,
    .get_plugin_name = [] { return "libde265 without threads"; },
    .init_plugin = nullptr,
    .deinit_plugin = nullptr,
    .does_support_format =
        [](heif_compression_format format) { return format == heif_compression_HEVC ? priority : 0; },
    .new_decoder = [](void** decoder) { return (*decoder = de265_new_decoder()) == nullptr ? failed : done; },
    .free_decoder = [](void* decoder) { de265_free_decoder(context_of(decoder)); },
    .push_data = push_units,
    .decode_image = decode_units,
    .set_strict_decoding = [](void*, int) {},
    .id_name = "exhibit-libde265"};

// --- the picture

template <auto release>
struct Release {
  template <typename T>
  void operator()(T* handle) const {
    release(handle);
  }
};
using File = std::unique_ptr<heif_context, Release<heif_context_free>>;
using Handle = std::unique_ptr<heif_image_handle, Release<heif_image_handle_release>>;
using Image = std::unique_ptr<heif_image, Release<heif_image_release>>;
using Options = std::unique_ptr<heif_decoding_options, Release<heif_decoding_options_free>>;

Error broken(const char* what) { return {ErrorCode::corrupt, what, {}, {}}; }

Result<bool> decode(std::span<const std::uint8_t> file, Canvas& canvas) {
  const File context(heif_context_alloc());
  heif_context_set_max_decoding_threads(context.get(), 0);
  if (heif_context_read_from_memory_without_copy(context.get(), file.data(), file.size(), nullptr).code !=
      heif_error_Ok)
    return broken("the HEIF's structure can't be read");
  heif_image_handle* primary = nullptr;
  if (heif_context_get_primary_image_handle(context.get(), &primary).code != heif_error_Ok)
    return broken("the HEIF has no picture");
  const Handle handle(primary);
  const auto side = [](int pixels) { return static_cast<std::uint64_t>(std::max(pixels, 0)); };
  EXHIBIT_TRY(canvas.begin(side(heif_image_handle_get_width(primary)), side(heif_image_handle_get_height(primary))));
  const Options options(heif_decoding_options_alloc());
  options->ignore_transformations = 1;
  options->convert_hdr_to_8bit = 1;
  heif_image* decoded = nullptr;
  const heif_error error =
      heif_decode_image(primary, &decoded, heif_colorspace_RGB, heif_chroma_interleaved_RGB, options.get());
  const Image image(decoded);
  if (error.code != heif_error_Ok) return broken("the HEIF's picture can't be decoded");
  const std::uint64_t width = side(heif_image_get_width(decoded, heif_channel_interleaved));
  const std::uint64_t height = side(heif_image_get_height(decoded, heif_channel_interleaved));
  int stride = 0;
  const std::uint8_t* points = heif_image_get_plane_readonly(decoded, heif_channel_interleaved, &stride);
  if (points == nullptr || stride <= 0) return broken("the HEIF's picture can't be decoded");
  // Before it was turned it may have had another size.
  EXHIBIT_TRY(canvas.begin(width, height));
  for (std::size_t y = 0; y < canvas.height(); ++y) {
    if (canvas.wants(y)) canvas.row(y, {points + y * static_cast<std::size_t>(stride), canvas.width() * 3}, 3);
  }
  return true;
}

}  // namespace

extern const PictureDecoder heif_decoder;
const PictureDecoder heif_decoder = {
    .name = "libheif",
    .types = {"image/heic", "image/heif"},
    .version = []() -> std::string { return heif_get_version() + std::string(" libde265 ") + de265_get_version(); },
    .prepare =
        [] {
          heif_init(nullptr);  // what it loads at run time is loaded now
          heif_register_decoder_plugin(&hevc);
        },
    .decode = decode};

}  // namespace exhibit::match
