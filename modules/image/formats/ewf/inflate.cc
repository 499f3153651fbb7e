#include "image/formats/ewf/inflate.h"

#include <exhibit/result.h>
#include <libdeflate.h>

namespace exhibit::image::ewf {

void Inflater::Release::operator()(libdeflate_decompressor* decompressor) const {
  libdeflate_free_decompressor(decompressor);
}

Inflater::Inflater() : decompressor_(libdeflate_alloc_decompressor()) {
  EXHIBIT_CHECK(decompressor_ != nullptr);  // it asks for some ten KiB
}

std::optional<std::size_t> Inflater::inflate(std::string_view stored, std::span<std::byte> out) {
  std::size_t length = 0;
  if (libdeflate_zlib_decompress(decompressor_.get(), stored.data(), stored.size(), out.data(), out.size(), &length) !=
      LIBDEFLATE_SUCCESS) {
    return std::nullopt;
  }
  return length;
}

}  // namespace exhibit::image::ewf
