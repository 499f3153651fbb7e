#pragma once
// One packed stream: gzip, xz and their like.

#include <exhibit/byte_source.h>

#include <memory>
#include <optional>
#include <span>
#include <string>

#include "base/container_types.h"

namespace exhibit::expand {

class Stream {
 public:
  virtual ~Stream() = default;
  // Fills `buffer` with the plain bytes that follow; 0 at the stream's end, whose checksums then agreed.
  virtual Result<std::size_t> read(std::span<std::byte> buffer) = 0;
  // The name that the stream gives its content; empty: none.
  virtual std::string name() const { return {}; }
  // Of the plain bytes, where it is known before they are read.
  virtual std::optional<std::uint64_t> size() const { return std::nullopt; }
  // What was passed over behind it.
  virtual std::optional<Error> trouble() const { return std::nullopt; }
};

// `content` must outlive the stream.
// zlib's form from `offset` on, as far as it says itself.
std::unique_ptr<Stream> open_zlib(ByteSource& content, std::uint64_t offset);
Result<std::unique_ptr<Stream>> open_stream(base::Container kind, ByteSource& content);

}  // namespace exhibit::expand
