#include "expand/gzip_whole.h"

#include <libdeflate.h>

#include <algorithm>
#include <cstring>
#include <vector>

#include "expand/codec.h"

namespace exhibit::expand {
namespace {

// Both are held in memory at a time: bytes.
constexpr std::size_t most_packed = std::size_t{1} << 20, most_plain = std::size_t{4} << 20;

// RFC 1952 section 2.3.
constexpr std::size_t header_size = 10, trailer_size = 8, flags_at = 3;
constexpr unsigned header_crc_flag = 2, extra_flag = 4, name_flag = 8;
// RFC 1951: a byte of packed data gives no more than so many.
constexpr std::size_t greatest_ratio = 1032;

struct FreeDecompressor {
  void operator()(libdeflate_decompressor* decompressor) const { libdeflate_free_decompressor(decompressor); }
};

std::size_t little(std::span<const std::byte> bytes, std::size_t offset, std::size_t size) {
  std::size_t value = 0;
  for (std::size_t i = 0; i < size; ++i) value |= std::to_integer<std::size_t>(bytes[offset + i]) << (8 * i);
  return value;
}

// Nothing: the header is more than is read here.
std::optional<std::string> name_in(std::span<const std::byte> packed) {
  const auto flags = std::to_integer<unsigned>(packed[flags_at]);
  // libdeflate passes over the header's own checksum.
  if ((flags & header_crc_flag) != 0) return std::nullopt;
  if ((flags & name_flag) == 0) return std::string();
  std::size_t at = header_size;
  if ((flags & extra_flag) != 0) at += 2 + little(packed, at, 2);
  if (at >= packed.size()) return std::nullopt;
  const auto* text = reinterpret_cast<const char*>(packed.data()) + at;
  const std::size_t room = std::min(packed.size() - at, longest_stream_name);
  const std::size_t length = strnlen(text, room);
  if (length == room) return std::nullopt;
  return std::string(text, length);
}

class WholeStream final : public Stream {
 public:
  WholeStream(std::vector<std::byte> plain, std::string name) : plain_(std::move(plain)), name_(std::move(name)) {}

  Result<std::size_t> read(std::span<std::byte> buffer) override {
    const std::size_t length = std::min(buffer.size(), plain_.size() - position_);
    if (length > 0) std::memcpy(buffer.data(), plain_.data() + position_, length);
    position_ += length;
    return length;
  }
  std::string name() const override { return name_; }
  std::optional<std::uint64_t> size() const override { return plain_.size(); }

 private:
  std::vector<std::byte> plain_;
  std::string name_;
  std::size_t position_ = 0;
};

}  // namespace

std::unique_ptr<Stream> open_gzip_whole(ByteSource& content) {
  if (content.size() > most_packed || content.size() < header_size + trailer_size) return nullptr;
  std::vector<std::byte> packed(static_cast<std::size_t>(content.size()));
  const auto got = content.read_at(0, packed);
  if (!got.ok() || *got != packed.size()) return nullptr;
  auto name = name_in(packed);
  const std::size_t claimed = little(packed, packed.size() - 4, 4);
  if (!name || claimed > std::min(most_plain, packed.size() * greatest_ratio)) return nullptr;
  const std::unique_ptr<libdeflate_decompressor, FreeDecompressor> decompressor(libdeflate_alloc_decompressor());
  if (!decompressor) return nullptr;
  std::vector<std::byte> plain(claimed);
  std::size_t taken = 0, given = 0;
  const auto status = libdeflate_gzip_decompress_ex(decompressor.get(), packed.data(), packed.size(), plain.data(),
                                                    plain.size(), &taken, &given);
  // What follows the stream is the codec's to judge.
  if (status != LIBDEFLATE_SUCCESS || taken != packed.size() || given != plain.size()) return nullptr;
  return std::make_unique<WholeStream>(std::move(plain), std::move(*name));
}

}  // namespace exhibit::expand
