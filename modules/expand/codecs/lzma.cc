// xz, lzip and the older lzma by liblzma, which checks what checksums there are: lzma has none, but its size.

#include <lzma.h>

#include "expand/codec.h"

namespace exhibit::expand {
namespace {

using base::Container;

// The largest dictionary that `xz` makes is 1.5 GiB; its decoder's memory is a little more. Fixed, that findings don't
// depend on the machine: a worker with less says that its memory ended.
constexpr std::uint64_t most_memory = std::uint64_t{2} << 30;

std::optional<Error> error_of(lzma_ret status) {
  switch (status) {
    case LZMA_OK:
    case LZMA_STREAM_END:
    case LZMA_BUF_ERROR:  // it wants more, or more room
      return std::nullopt;
    case LZMA_MEM_ERROR:
    case LZMA_MEMLIMIT_ERROR:
      return Error{ErrorCode::memory_limit, "xz: its dictionary is too large for this worker's memory", {}, {}};
    case LZMA_UNSUPPORTED_CHECK:
    case LZMA_OPTIONS_ERROR:
      return Error{ErrorCode::unsupported, "xz: an option or a checksum that liblzma doesn't know", {}, {}};
    default:
      return Error{ErrorCode::corrupt, "xz: it contradicts its checksum, or isn't packed so", {}, {}};
  }
}

class LzmaCodec final : public Codec {
 public:
  explicit LzmaCodec(Container kind) : kind_(kind) { start(); }
  ~LzmaCodec() override { lzma_end(&stream_); }
  LzmaCodec(const LzmaCodec&) = delete;
  LzmaCodec& operator=(const LzmaCodec&) = delete;

  Step run(std::span<const std::byte> in, std::span<std::byte> out, bool is_last) override {
    if (started_ != LZMA_OK) return {0, 0, false, Error{ErrorCode::memory_limit, "xz: no memory", {}, {}}};
    stream_.next_in = reinterpret_cast<const std::uint8_t*>(in.data());
    stream_.avail_in = in.size();
    stream_.next_out = reinterpret_cast<std::uint8_t*>(out.data());
    stream_.avail_out = out.size();
    const lzma_ret status = lzma_code(&stream_, is_last ? LZMA_FINISH : LZMA_RUN);
    return {in.size() - stream_.avail_in, out.size() - stream_.avail_out, status == LZMA_STREAM_END, error_of(status)};
  }

  void begin_again() override { start(); }
  bool can_begin(std::byte first) const override {
    return kind_ == Container::xz ? first == std::byte{0xfd} : kind_ == Container::lzip && first == std::byte{'L'};
  }

 private:
  void start() {
    switch (kind_) {
      case Container::lzma:
        started_ = lzma_alone_decoder(&stream_, most_memory);
        break;
      case Container::lzip:
        started_ = lzma_lzip_decoder(&stream_, most_memory, 0);
        break;
      default:
        started_ = lzma_stream_decoder(&stream_, most_memory, LZMA_TELL_UNSUPPORTED_CHECK);
    }
  }

  Container kind_;
  lzma_stream stream_ = LZMA_STREAM_INIT;
  lzma_ret started_ = LZMA_OK;
};

}  // namespace

std::unique_ptr<Codec> make_lzma(Container kind) { return std::make_unique<LzmaCodec>(kind); }

}  // namespace exhibit::expand
