// BMP (Microsoft, 'Bitmap Storage'): a header that tells the file's length, and that of a header of pixels, which must
// agree. Nothing tells whether the pixels are the picture's, so that it stays plausible.

#include <algorithm>

#include "carve/bitmap.h"
#include "carve/validator.h"

namespace exhibit::carve {
namespace {

constexpr std::uint64_t file_header = 14;
constexpr std::uint64_t most_padding = 4;      // bytes that programs add behind the pixels
constexpr std::uint64_t palette_slack = 1024;  // between the colours and the pixels

bool glance(ByteSpan head) {
  if (head.size() < file_header + 4) return false;
  const bool is_reserved_zero = head[6] == 0 && head[7] == 0 && head[8] == 0 && head[9] == 0;
  return is_reserved_zero && head[12] == 0 && head[13] == 0 && head[14] >= 12 && head[14] <= 124 && head[15] == 0 &&
         head[16] == 0 && head[17] == 0;
}

Verdict validate(const Content& content, Memory&) {
  Reader reader(content);
  if (!reader.take("BM")) return {};
  const std::uint64_t told = reader.le32();
  const bool is_reserved_zero = reader.le32() == 0;
  const std::uint64_t pixels = reader.le32();
  const auto bitmap = read_bitmap(content, file_header);
  if (!reader.ok() || !is_reserved_zero || !bitmap) return {};
  const std::uint64_t head = file_header + bitmap->header_length + bitmap->palette_length;
  if (pixels < file_header + bitmap->header_length || pixels > head + palette_slack) return {};
  const std::uint64_t body = bitmap->is_compressed() ? bitmap->image_length : bitmap->pixel_bytes();
  const std::uint64_t end = pixels + body;
  // Some programs leave the length out, or count it without the header.
  const bool agrees =
      told >= end && told <= end + most_padding + (bitmap->header_length >= 124 ? bitmap->pixel_bytes() : 0);
  const bool is_loose = told == 0 || told == body || told == end - file_header;
  if (body == 0 || (!agrees && !(is_loose && pixels <= head))) return {};
  const std::uint64_t length = agrees ? told : end;
  if (length > content.size()) {
    return Verdict::broken(pixels, content.size(), content.size(), DoubtCause::missing_segment);
  }
  Verdict verdict = Verdict::whole(length);
  verdict.sound = pixels;
  verdict.tier = Tier::plausible;
  return verdict;
}

}  // namespace

extern const Validator bmp_validator;
const Validator bmp_validator = {"bmp", validate, glance};

}  // namespace exhibit::carve
