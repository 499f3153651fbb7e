// Zstandard (RFC 8878) by libzstd, which checks a frame's checksum where it has one.

#include <zstd.h>
#include <zstd_errors.h>

#include "expand/codec.h"

namespace exhibit::expand {
namespace {

struct Free {
  void operator()(ZSTD_DStream* stream) const { ZSTD_freeDStream(stream); }
};

constexpr int largest_window = 31;  // what `zstd --ultra --long=31` makes: 2 GiB

class ZstdCodec final : public Codec {
 public:
  ZstdCodec() : stream_(ZSTD_createDStream()) {
    if (stream_ != nullptr) ZSTD_DCtx_setParameter(stream_.get(), ZSTD_d_windowLogMax, largest_window);
  }

  Step run(std::span<const std::byte> in, std::span<std::byte> out, bool) override {
    if (stream_ == nullptr) return {0, 0, false, Error{ErrorCode::memory_limit, "zstd: no memory", {}, {}}};
    ZSTD_inBuffer input = {in.data(), in.size(), 0};
    ZSTD_outBuffer output = {out.data(), out.size(), 0};
    const std::size_t status = ZSTD_decompressStream(stream_.get(), &output, &input);
    Step made{input.pos, output.pos, status == 0};
    if (ZSTD_isError(status) != 0) {
      const ZSTD_ErrorCode code = ZSTD_getErrorCode(status);
      const bool is_memory = code == ZSTD_error_memory_allocation || code == ZSTD_error_frameParameter_windowTooLarge;
      const std::string what = std::string("zstd: ") + ZSTD_getErrorName(status);
      made.error = Error{is_memory ? ErrorCode::memory_limit : ErrorCode::corrupt, what, {}, {}};
    }
    return made;
  }

  void begin_again() override {}
  bool can_begin(std::byte first) const override {
    return first == std::byte{0x28} || (first & std::byte{0xf0}) == std::byte{0x50};
  }

 private:
  std::unique_ptr<ZSTD_DStream, Free> stream_;
};

}  // namespace

std::unique_ptr<Codec> make_zstd() { return std::make_unique<ZstdCodec>(); }

}  // namespace exhibit::expand
