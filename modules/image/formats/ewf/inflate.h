#pragma once
// zlib streams (RFC 1950) by libdeflate, which checks their Adler-32 as it goes.

#include <memory>
#include <optional>
#include <span>
#include <string_view>

struct libdeflate_decompressor;

namespace exhibit::image::ewf {

class Inflater {
 public:
  Inflater();
  // How many bytes the stream holds, all of them in `out`; nothing where it is damaged or holds more. What follows the
  // stream in `stored` is passed over, as zlib's uncompress does.
  std::optional<std::size_t> inflate(std::string_view stored, std::span<std::byte> out);

 private:
  struct Release {
    void operator()(libdeflate_decompressor* decompressor) const;
  };
  std::unique_ptr<libdeflate_decompressor, Release> decompressor_;
};

}  // namespace exhibit::image::ewf
