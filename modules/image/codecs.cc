#include "image/codecs.h"

#include <exhibit/result.h>
#include <libdeflate.h>
#include <zstd.h>

namespace exhibit::image {

void Inflater::Release::operator()(libdeflate_decompressor* decompressor) const {
  libdeflate_free_decompressor(decompressor);
}

Inflater::Inflater() : decompressor_(libdeflate_alloc_decompressor()) {
  EXHIBIT_CHECK(decompressor_ != nullptr);  // it asks for some ten KiB
}

std::optional<std::size_t> Inflater::zlib(std::string_view stored, std::span<std::byte> out) {
  std::size_t length = 0;
  if (libdeflate_zlib_decompress(decompressor_.get(), stored.data(), stored.size(), out.data(), out.size(), &length) !=
      LIBDEFLATE_SUCCESS) {
    return std::nullopt;
  }
  return length;
}

std::optional<std::size_t> Inflater::deflate(std::string_view stored, std::span<std::byte> out) {
  std::size_t length = 0;
  if (libdeflate_deflate_decompress(decompressor_.get(), stored.data(), stored.size(), out.data(), out.size(),
                                    &length) != LIBDEFLATE_SUCCESS) {
    return std::nullopt;
  }
  return length;
}

std::optional<std::size_t> unpack_zstd(std::string_view stored, std::span<std::byte> out) {
  const std::size_t frame = ZSTD_findFrameCompressedSize(stored.data(), stored.size());
  if (ZSTD_isError(frame) != 0) return std::nullopt;
  const std::size_t length = ZSTD_decompress(out.data(), out.size(), stored.data(), frame);
  return ZSTD_isError(length) != 0 ? std::nullopt : std::optional(length);
}

}  // namespace exhibit::image
