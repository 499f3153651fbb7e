// LZ4's frames by liblz4, which checks their checksums.

#include <lz4frame.h>

#include <string>

#include "expand/codec.h"

namespace exhibit::expand {
namespace {

struct Free {
  void operator()(LZ4F_dctx* context) const { LZ4F_freeDecompressionContext(context); }
};

class Lz4Codec final : public Codec {
 public:
  Lz4Codec() {
    LZ4F_dctx* context = nullptr;
    if (LZ4F_isError(LZ4F_createDecompressionContext(&context, LZ4F_VERSION)) == 0) context_.reset(context);
  }

  Step run(std::span<const std::byte> in, std::span<std::byte> out, bool) override {
    if (context_ == nullptr) return {0, 0, false, Error{ErrorCode::memory_limit, "lz4: no memory", {}, {}}};
    std::size_t taken = in.size(), given = out.size();
    const std::size_t status = LZ4F_decompress(context_.get(), out.data(), &given, in.data(), &taken, nullptr);
    Step made{taken, given, status == 0};
    if (LZ4F_isError(status) != 0)
      made.error = Error{ErrorCode::corrupt, std::string("lz4: ") + LZ4F_getErrorName(status), {}, {}};
    return made;
  }

  void begin_again() override {}
  bool can_begin(std::byte first) const override {
    return first == std::byte{0x04} || (first & std::byte{0xf0}) == std::byte{0x50};
  }

 private:
  std::unique_ptr<LZ4F_dctx, Free> context_;
};

}  // namespace

std::unique_ptr<Codec> make_lz4() { return std::make_unique<Lz4Codec>(); }

}  // namespace exhibit::expand
