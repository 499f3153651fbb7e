// GIF by giflib: the first frame, where it lies on the screen.

#include <gif_lib.h>

#include <algorithm>
#include <array>
#include <memory>
#include <vector>

#include "match/perceptual/picture.h"

namespace exhibit::match {
namespace {

struct Close {
  void operator()(GifFileType* file) const { DGifCloseFile(file, nullptr); }
};
using Gif = std::unique_ptr<GifFileType, Close>;

int read_some(GifFileType* file, GifByteType* to, int length) {
  auto& rest = *static_cast<std::span<const std::uint8_t>*>(file->UserData);
  const std::size_t there = std::min(rest.size(), static_cast<std::size_t>(std::max(length, 0)));
  std::copy_n(rest.data(), there, to);
  rest = rest.subspan(there);
  return static_cast<int>(there);
}

// Up to the first frame's description.
bool find_frame(GifFileType* gif) {
  for (GifRecordType kind = UNDEFINED_RECORD_TYPE; DGifGetRecordType(gif, &kind) == GIF_OK;) {
    if (kind == IMAGE_DESC_RECORD_TYPE) return DGifGetImageDesc(gif) == GIF_OK;
    if (kind != EXTENSION_RECORD_TYPE) return false;
    int code = 0;
    GifByteType* block = nullptr;
    if (DGifGetExtension(gif, &code, &block) != GIF_OK) return false;
    while (block != nullptr) {
      if (DGifGetExtensionNext(gif, &block) != GIF_OK) return false;
    }
  }
  return false;
}

// The order in which rows come: GIF89a, appendix E.
std::vector<std::size_t> order_of_rows(std::size_t count, bool interlaced) {
  struct Pass {
    std::size_t first, step;
  };
  constexpr std::array<Pass, 4> passes = {{{0, 8}, {4, 8}, {2, 4}, {1, 2}}};
  std::vector<std::size_t> rows;
  for (std::size_t y = 0; y < count && !interlaced; ++y) rows.push_back(y);
  for (const Pass& pass : passes) {
    for (std::size_t y = pass.first; y < count && interlaced; y += pass.step) rows.push_back(y);
  }
  return rows;
}

Result<bool> decode(std::span<const std::uint8_t> file, Canvas& canvas) {
  int error = 0;
  const Gif gif(DGifOpen(&file, read_some, &error));
  if (gif == nullptr || !find_frame(gif.get()))
    return Error{ErrorCode::corrupt, "no frame of the GIF can be read", {}, {}};
  const GifImageDesc& frame = gif->Image;
  const auto number = [](int value) { return static_cast<std::size_t>(std::max(value, 0)); };
  const std::size_t left = number(frame.Left), top = number(frame.Top);
  const std::size_t width = number(frame.Width), height = number(frame.Height);
  EXHIBIT_TRY(canvas.begin(std::max(number(gif->SWidth), left + width), std::max(number(gif->SHeight), top + height)));
  const ColorMapObject* colours = frame.ColorMap != nullptr ? frame.ColorMap : gif->SColorMap;
  if (colours == nullptr) return Error{ErrorCode::corrupt, "the GIF has no colours", {}, {}};
  std::vector<GifPixelType> points(width);
  std::vector<std::uint8_t> row(3 * canvas.width());
  for (const std::size_t y : order_of_rows(height, frame.Interlace)) {
    if (DGifGetLine(gif.get(), points.data(), static_cast<int>(width)) != GIF_OK) return false;
    for (std::size_t x = 0; x < width; ++x) {
      if (points[x] >= colours->ColorCount) continue;
      const GifColorType& colour = colours->Colors[points[x]];
      std::uint8_t* point = row.data() + 3 * (left + x);
      point[0] = colour.Red, point[1] = colour.Green, point[2] = colour.Blue;
    }
    canvas.row(top + y, row, 3);
  }
  return true;
}

}  // namespace

extern const PictureDecoder gif_decoder;
const PictureDecoder gif_decoder = {.name = "giflib",
                                    .types = {"image/gif"},
                                    .version = []() -> std::string {
                                      return std::to_string(GIFLIB_MAJOR) + "." + std::to_string(GIFLIB_MINOR) + "." +
                                             std::to_string(GIFLIB_RELEASE);
                                    },
                                    .prepare = nullptr,
                                    .decode = decode};

}  // namespace exhibit::match
