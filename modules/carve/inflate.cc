#include "carve/inflate.h"

#include <libdeflate.h>

#include <algorithm>
#include <array>
#include <vector>

namespace exhibit::carve {
namespace {

constexpr std::size_t plain_buffer = std::size_t{64} << 10;  // bytes at a time
constexpr std::size_t input_step = std::size_t{32} << 10;    // bytes at a time

}  // namespace

Inflate::Inflate(Wrapping wrapping) { is_usable_ = inflateInit2(&stream_, static_cast<int>(wrapping)) == Z_OK; }

Inflate::Inflate(const Inflate& other) : crc_(other.crc_) {
  is_usable_ = other.is_usable_ && inflateCopy(&stream_, const_cast<z_stream*>(&other.stream_)) == Z_OK;
}

Inflate::~Inflate() {
  if (is_usable_) inflateEnd(&stream_);
}

Inflate::Status Inflate::run(ByteSpan input, std::uint64_t limit, const std::function<void(ByteSpan)>& sink) {
  if (!is_usable_) return Status::broken;
  std::array<std::uint8_t, plain_buffer> plain;
  stream_.next_in = const_cast<std::uint8_t*>(input.data());
  stream_.avail_in = static_cast<unsigned>(input.size());
  for (;;) {
    stream_.next_out = plain.data();
    stream_.avail_out = plain.size();
    const int result = ::inflate(&stream_, Z_NO_FLUSH);
    const ByteSpan got(plain.data(), plain.size() - stream_.avail_out);
    crc_ = libdeflate_crc32(crc_, got.data(), got.size());
    if (sink && !got.empty()) sink(got);
    if (stream_.total_out > limit) return Status::full;
    if (result == Z_STREAM_END) return Status::ended;
    if (result == Z_BUF_ERROR || (result == Z_OK && stream_.avail_in == 0 && stream_.avail_out > 0)) {
      return Status::hungry;
    }
    if (result != Z_OK) return Status::broken;
  }
}

Inflate::Status inflate_from(Inflate& inflate, const Content& content, std::uint64_t offset, std::uint64_t end,
                             std::uint64_t limit, const std::function<void(ByteSpan)>& sink) {
  while (offset < end) {
    ByteSpan input = content.at(offset, std::min<std::uint64_t>(input_step, end - offset));
    input = input.first(std::min<std::uint64_t>({input.size(), input_step, end - offset}));
    if (input.empty()) break;
    const Inflate::Status status = inflate.run(input, limit, sink);
    if (status != Inflate::Status::hungry) return status;
    offset += input.size();
  }
  return Inflate::Status::hungry;
}

namespace {

struct FreeDecompressor {
  void operator()(libdeflate_decompressor* decompressor) const { libdeflate_free_decompressor(decompressor); }
};

}  // namespace

std::optional<Inflated> inflate_at_once(const Content& content, std::uint64_t offset, std::uint64_t most_packed,
                                        Inflate::Wrapping wrapping) {
  static thread_local const std::unique_ptr<libdeflate_decompressor, FreeDecompressor> decompressor(
      libdeflate_alloc_decompressor());
  static thread_local std::vector<std::uint8_t> plain(most_plain_at_once);
  const auto wanted = static_cast<std::size_t>(std::min(most_packed, most_packed_at_once));
  ByteSpan packed = content.at(offset, wanted);
  packed = packed.first(std::min(packed.size(), wanted));
  if (!decompressor || packed.empty()) return std::nullopt;
  const auto decompress = wrapping == Inflate::Wrapping::none   ? libdeflate_deflate_decompress_ex
                          : wrapping == Inflate::Wrapping::zlib ? libdeflate_zlib_decompress_ex
                                                                : libdeflate_gzip_decompress_ex;
  std::size_t consumed = 0, produced = 0;
  const auto result =
      decompress(decompressor.get(), packed.data(), packed.size(), plain.data(), plain.size(), &consumed, &produced);
  if (result != LIBDEFLATE_SUCCESS) return std::nullopt;
  return Inflated{consumed, produced, libdeflate_crc32(0, plain.data(), produced)};
}

void remember(std::deque<Checkpoint>& recent, Checkpoint checkpoint) {
  recent.push_back(std::move(checkpoint));
  if (recent.size() > most_checkpoints) recent.pop_front();
}

Inflate::Status inflate_remembering(Inflate& inflate, const Content& content, std::uint64_t position, std::uint64_t end,
                                    std::uint64_t limit, std::deque<Checkpoint>& recent) {
  auto status = Inflate::Status::hungry;
  while (position < std::min(end, content.size())) {
    const std::uint64_t next = std::min(end, (position / checkpoint_spacing + 1) * checkpoint_spacing);
    status = inflate_from(inflate, content, position, next, limit);
    if (status != Inflate::Status::hungry || next > content.size()) break;
    position = next;
    if (position < end) remember(recent, {position, 0, std::make_shared<Inflate>(inflate)});
  }
  return status;
}

}  // namespace exhibit::carve
