// JPEG by libjpeg-turbo. It reports errors by longjmp: each step that may jump holds nothing that has a destructor.

#include <csetjmp>
#include <cstdio>
// After <cstdio>, which it needs.
#include <jpeglib.h>

#include <vector>

#include "match/perceptual/picture.h"

namespace exhibit::match {
namespace {

// libjpeg-turbo's own advice for hostile files: a small one can ask for any number of passes over the whole picture.
constexpr int most_scans = 500;

#define EXHIBIT_TEXT_OF(number) #number
#define EXHIBIT_VERSION_TEXT(number) EXHIBIT_TEXT_OF(number)

class Jpeg {
 public:
  explicit Jpeg(std::span<const std::uint8_t> file) : file_(file) {
    info_.err = jpeg_std_error(&errors_);
    errors_.error_exit = [](j_common_ptr info) { std::longjmp(of(info).jump_, 1); };
    errors_.output_message = [](j_common_ptr) {};
    progress_.progress_monitor = [](j_common_ptr info) {
      if (of(info).info_.input_scan_number > most_scans) std::longjmp(of(info).jump_, 1);
    };
    info_.client_data = this;
    jpeg_create_decompress(&info_);
    info_.client_data = this;
    info_.progress = &progress_;
  }
  ~Jpeg() { jpeg_destroy_decompress(&info_); }
  Jpeg(const Jpeg&) = delete;
  Jpeg& operator=(const Jpeg&) = delete;

  bool read_header() {
    if (setjmp(jump_) != 0) return false;
    jpeg_mem_src(&info_, file_.data(), file_.size());
    return jpeg_read_header(&info_, TRUE) == JPEG_HEADER_OK;
  }
  // Several scans are gathered in memory before the first row comes.
  bool start() {
    if (setjmp(jump_) != 0) return false;
    const bool of_four = info_.jpeg_color_space == JCS_CMYK || info_.jpeg_color_space == JCS_YCCK;
    info_.out_color_space = info_.jpeg_color_space == JCS_GRAYSCALE ? JCS_GRAYSCALE : of_four ? JCS_CMYK : JCS_RGB;
    return jpeg_start_decompress(&info_) == TRUE;
  }
  bool read_row(std::uint8_t* row) {
    if (setjmp(jump_) != 0) return false;
    return jpeg_read_scanlines(&info_, &row, 1) == 1;
  }
  bool finish() {
    if (setjmp(jump_) != 0) return false;
    return jpeg_finish_decompress(&info_) == TRUE && errors_.num_warnings == 0;
  }
  // A picture for printing has inks for colours, and Adobe's say how much is left white.
  void to_colours(std::vector<std::uint8_t>& row) const {
    if (info_.out_color_space != JCS_CMYK) return;
    for (std::size_t i = 0; i + 3 < row.size(); i += 4) {
      const auto white = [&](std::size_t at) { return info_.saw_Adobe_marker != 0 ? row[at] : 255 - row[at]; };
      const int black = white(i + 3);
      for (std::size_t ink = i; ink < i + 3; ++ink) row[ink] = static_cast<std::uint8_t>(white(ink) * black / 255);
    }
  }

  jpeg_decompress_struct& info() { return info_; }

 private:
  static Jpeg& of(j_common_ptr info) { return *static_cast<Jpeg*>(info->client_data); }

  std::span<const std::uint8_t> file_;
  jpeg_decompress_struct info_{};
  jpeg_error_mgr errors_{};
  jpeg_progress_mgr progress_{};
  std::jmp_buf jump_{};
};

Result<bool> decode(std::span<const std::uint8_t> file, Canvas& canvas) {
  Jpeg jpeg(file);
  if (!jpeg.read_header()) return Error{ErrorCode::corrupt, "the JPEG's header can't be read", {}, {}};
  jpeg_decompress_struct& info = jpeg.info();
  EXHIBIT_TRY(canvas.begin(info.image_width, info.image_height,
                           jpeg_has_multiple_scans(&info) != 0 ? Canvas::most_points_whole : Canvas::most_points));
  if (!jpeg.start()) return Error{ErrorCode::corrupt, "the JPEG's picture can't be decoded", {}, {}};
  const auto channels = static_cast<std::size_t>(info.output_components);
  std::vector<std::uint8_t> row(channels * canvas.width());
  for (std::size_t y = 0; y < canvas.height(); ++y) {
    if (!jpeg.read_row(row.data())) return false;
    if (!canvas.wants(y)) continue;
    jpeg.to_colours(row);
    canvas.row(y, row, channels);
  }
  return jpeg.finish();
}

}  // namespace

extern const PictureDecoder jpeg_decoder;
const PictureDecoder jpeg_decoder = {
    .name = "libjpeg-turbo",
    .types = {"image/jpeg"},
    .version = []() -> std::string { return EXHIBIT_VERSION_TEXT(LIBJPEG_TURBO_VERSION); },
    .prepare = nullptr,
    .decode = decode};

}  // namespace exhibit::match
