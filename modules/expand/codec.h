#pragma once
// Decoders of packed streams, each a library's: bytes in, bytes out, checksums checked. libarchive's filters aren't
// used for these: that of gzip passes over the checksum, and where one fails early the content looks empty.

#include <exhibit/result.h>

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "base/container_types.h"

namespace exhibit::expand {

// Of a name that a stream gives its content, bytes.
inline constexpr std::size_t longest_stream_name = 4095;

class Codec {
 public:
  struct Step {
    std::size_t taken = 0, given = 0;  // bytes
    bool is_end = false;               // of one stream; its checksums agreed
    // What was packed isn't what it was, or takes too much memory. What was given before stands, though unvouched for.
    std::optional<Error> error = {};
  };

  virtual ~Codec() = default;
  // `is_last`: no more input follows `in`.
  virtual Step run(std::span<const std::byte> in, std::span<std::byte> out, bool is_last) = 0;
  // Another stream follows the one that ended.
  virtual void begin_again() = 0;
  // Whether such a stream can begin with this byte; formats that allow none, none.
  virtual bool can_begin(std::byte first) const = 0;
  // The name that the stream gives its content; empty: none.
  virtual std::string name() const { return {}; }
};

// Each has its file.
std::unique_ptr<Codec> make_gzip();
std::unique_ptr<Codec> make_zlib();  // RFC 1950, as PDF has it
std::unique_ptr<Codec> make_bzip2();
std::unique_ptr<Codec> make_lzma(base::Container kind);  // xz, lzma, lzip
std::unique_ptr<Codec> make_zstd();
std::unique_ptr<Codec> make_lz4();

}  // namespace exhibit::expand
