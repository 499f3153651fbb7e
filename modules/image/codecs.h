#pragma once
// Unpacking the units of compressed containers. Each fills `out` and says how many bytes it was; nothing where the
// stream is damaged or holds more than `out` has room for. What follows the stream is passed over.

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

struct libdeflate_decompressor;

namespace exhibit::image {

class Inflater {
 public:
  Inflater();
  std::optional<std::size_t> zlib(std::string_view stored, std::span<std::byte> out);  // RFC 1950; its Adler-32 holds
  std::optional<std::size_t> deflate(std::string_view stored, std::span<std::byte> out);  // RFC 1951

 private:
  struct Release {
    void operator()(libdeflate_decompressor* decompressor) const;
  };
  std::unique_ptr<libdeflate_decompressor, Release> decompressor_;
};

std::optional<std::size_t> unpack_zstd(std::string_view stored, std::span<std::byte> out);

}  // namespace exhibit::image
