// PNG by libpng. It reports errors by longjmp: each step that may jump holds nothing that has a destructor.

#include <png.h>

#include <algorithm>
#include <csetjmp>
#include <vector>

#include "match/perceptual/picture.h"

namespace exhibit::match {
namespace {

constexpr png_alloc_size_t longest_chunk = png_alloc_size_t{64} << 20;  // of those that are held in memory

class Png {
 public:
  explicit Png(std::span<const std::uint8_t> file) : rest_(file) {
    png_ = png_create_read_struct(
        PNG_LIBPNG_VER_STRING, this,
        [](png_structp png, png_const_charp) { std::longjmp(static_cast<Png*>(png_get_error_ptr(png))->jump_, 1); },
        [](png_structp, png_const_charp) {});
    if (png_ != nullptr) info_ = png_create_info_struct(png_);
  }
  ~Png() { png_destroy_read_struct(&png_, &info_, nullptr); }
  Png(const Png&) = delete;
  Png& operator=(const Png&) = delete;

  bool read_header() {
    if (png_ == nullptr || info_ == nullptr || setjmp(jump_) != 0) return false;
    png_set_user_limits(png_, PNG_UINT_31_MAX, PNG_UINT_31_MAX);  // Canvas::begin has the limit
    png_set_chunk_malloc_max(png_, longest_chunk);
    png_set_read_fn(png_, this, [](png_structp png, png_bytep to, std::size_t length) {
      auto& rest = static_cast<Png*>(png_get_io_ptr(png))->rest_;
      if (length > rest.size()) png_error(png, "it ends early");
      std::copy_n(rest.data(), length, to);
      rest = rest.subspan(length);
    });
    png_read_info(png_, info_);
    return true;
  }
  // Eight bits a channel, grey or red, green and blue.
  bool start() {
    if (setjmp(jump_) != 0) return false;
    png_set_expand(png_);
    png_set_strip_16(png_);
    png_set_strip_alpha(png_);
    passes_ = png_set_interlace_handling(png_);
    png_read_update_info(png_, info_);
    return true;
  }
  bool read_row(std::uint8_t* row) {
    if (setjmp(jump_) != 0) return false;
    png_read_row(png_, row, nullptr);
    return true;
  }
  // What comes behind the picture is read for its checksums.
  bool finish() {
    if (setjmp(jump_) != 0) return false;
    png_read_end(png_, nullptr);
    return true;
  }

  std::uint64_t width() const { return png_get_image_width(png_, info_); }
  std::uint64_t height() const { return png_get_image_height(png_, info_); }
  bool is_interlaced() const { return png_get_interlace_type(png_, info_) != PNG_INTERLACE_NONE; }
  std::size_t row_bytes() const { return png_get_rowbytes(png_, info_); }
  std::size_t channels() const { return png_get_channels(png_, info_); }
  int passes() const { return passes_; }

 private:
  std::span<const std::uint8_t> rest_;
  png_structp png_ = nullptr;
  png_infop info_ = nullptr;
  int passes_ = 1;
  std::jmp_buf jump_{};
};

Result<bool> decode(std::span<const std::uint8_t> file, Canvas& canvas) {
  Png png(file);
  if (!png.read_header()) return Error{ErrorCode::corrupt, "the PNG's header can't be read", {}, {}};
  const bool whole = png.is_interlaced();
  EXHIBIT_TRY(canvas.begin(png.width(), png.height(), whole ? Canvas::most_points_whole : Canvas::most_points));
  if (!png.start()) return Error{ErrorCode::corrupt, "the PNG's picture can't be decoded", {}, {}};
  const std::size_t bytes = png.row_bytes();
  std::vector<std::uint8_t> rows(bytes * (whole ? canvas.height() : 1));
  bool is_sound = true;
  for (int pass = 0; pass < png.passes() && is_sound; ++pass) {
    for (std::size_t y = 0; y < canvas.height() && is_sound; ++y) {
      std::uint8_t* row = rows.data() + (whole ? y * bytes : 0);
      is_sound = png.read_row(row);
      if (is_sound && !whole && canvas.wants(y)) canvas.row(y, {row, bytes}, png.channels());
    }
  }
  for (std::size_t y = 0; y < canvas.height() && whole; ++y) {
    if (canvas.wants(y)) canvas.row(y, {rows.data() + y * bytes, bytes}, png.channels());
  }
  return is_sound && png.finish();
}

}  // namespace

extern const PictureDecoder png_decoder;
const PictureDecoder png_decoder = {.name = "libpng",
                                    .types = {"image/png"},
                                    .version = []() -> std::string { return png_get_libpng_ver(nullptr); },
                                    .prepare = nullptr,
                                    .decode = decode};

}  // namespace exhibit::match
