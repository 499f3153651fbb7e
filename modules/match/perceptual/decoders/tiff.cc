// TIFF by libtiff: the first page.

#include <tiffio.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <vector>

#include "match/perceptual/picture.h"

namespace exhibit::match {
namespace {

constexpr tmsize_t largest_allocation = tmsize_t{256} << 20;  // of the library's own: a strip or tile

// The file in memory, as libtiff reads it.
struct Input {
  std::span<const std::uint8_t> bytes;
  std::uint64_t at = 0;
  bool complained = false;
};

tmsize_t read_some(thandle_t handle, void* to, tmsize_t length) {
  auto& input = *static_cast<Input*>(handle);
  if (input.at >= input.bytes.size() || length <= 0) return 0;
  const std::size_t there = std::min<std::size_t>(static_cast<std::size_t>(length), input.bytes.size() - input.at);
  std::memcpy(to, input.bytes.data() + input.at, there);
  input.at += there;
  return static_cast<tmsize_t>(there);
}

toff_t seek(thandle_t handle, toff_t offset, int whence) {
  auto& input = *static_cast<Input*>(handle);
  input.at = offset + (whence == SEEK_CUR ? input.at : whence == SEEK_END ? input.bytes.size() : 0);
  return input.at;
}

int complain(TIFF*, void* input, const char*, const char*, va_list) {
  static_cast<Input*>(input)->complained = true;
  return 1;
}

struct Close {
  void operator()(TIFF* tiff) const { TIFFClose(tiff); }
};
struct FreeOptions {
  void operator()(TIFFOpenOptions* options) const { TIFFOpenOptionsFree(options); }
};

std::unique_ptr<TIFF, Close> open_tiff(Input& input) {
  const std::unique_ptr<TIFFOpenOptions, FreeOptions> options(TIFFOpenOptionsAlloc());
  if (options == nullptr) return nullptr;
  TIFFOpenOptionsSetMaxSingleMemAlloc(options.get(), largest_allocation);
  TIFFOpenOptionsSetErrorHandlerExtR(options.get(), complain, &input);
  TIFFOpenOptionsSetWarningHandlerExtR(
      options.get(), [](TIFF*, void*, const char*, const char*, va_list) { return 1; }, nullptr);
  // m: nothing is mapped.
  return std::unique_ptr<TIFF, Close>(TIFFClientOpenExt(
      "picture", "rm", &input, read_some, [](thandle_t, void*, tmsize_t) -> tmsize_t { return 0; }, seek,
      [](thandle_t) { return 0; }, [](thandle_t handle) -> toff_t { return static_cast<Input*>(handle)->bytes.size(); },
      [](thandle_t, void**, toff_t*) { return 0; }, [](thandle_t, void*, toff_t) {}, options.get()));
}

Result<bool> decode(std::span<const std::uint8_t> file, Canvas& canvas) {
  Input input{file, 0, false};
  const auto tiff = open_tiff(input);
  if (tiff == nullptr) return Error{ErrorCode::corrupt, "the TIFF's header can't be read", {}, {}};
  std::uint32_t width = 0, height = 0;
  TIFFGetField(tiff.get(), TIFFTAG_IMAGEWIDTH, &width);
  TIFFGetField(tiff.get(), TIFFTAG_IMAGELENGTH, &height);
  EXHIBIT_TRY(canvas.begin(width, height));
  char why[1024] = "";
  if (TIFFRGBAImageOK(tiff.get(), why) == 0)
    return Error{ErrorCode::unsupported, "a kind of TIFF that isn't decoded", {}, {}};
  // Each 32 bits are red, green, blue and opacity from the lowest byte on.
  std::vector<std::uint32_t> points(canvas.width() * canvas.height());
  const int done = TIFFReadRGBAImageOriented(tiff.get(), width, height, points.data(), ORIENTATION_TOPLEFT, 0);
  for (std::size_t y = 0; y < canvas.height(); ++y) {
    const auto* row = reinterpret_cast<const std::uint8_t*>(points.data() + y * canvas.width());
    if (canvas.wants(y)) canvas.row(y, {row, canvas.width() * 4}, 4);
  }
  return done == 1 && !input.complained;
}

// "LIBTIFF, Version 4.5.0\nCopyright …"
std::string version() {
  const std::string text = TIFFGetVersion();
  const std::size_t end = text.find('\n'), begin = text.rfind(' ', end);
  return begin == std::string::npos ? text.substr(0, end) : text.substr(begin + 1, end - begin - 1);
}

}  // namespace

extern const PictureDecoder tiff_decoder;
const PictureDecoder tiff_decoder = {
    .name = "libtiff", .types = {"image/tiff"}, .version = version, .prepare = nullptr, .decode = decode};

}  // namespace exhibit::match
