// bzip2 by libbz2, which checks each block's CRC-32 and the stream's.

#include <bzlib.h>

#include "expand/codec.h"

namespace exhibit::expand {
namespace {

class Bzip2Codec final : public Codec {
 public:
  Bzip2Codec() { is_usable_ = BZ2_bzDecompressInit(&stream_, 0, 0) == BZ_OK; }
  ~Bzip2Codec() override {
    if (is_usable_) BZ2_bzDecompressEnd(&stream_);
  }
  Bzip2Codec(const Bzip2Codec&) = delete;
  Bzip2Codec& operator=(const Bzip2Codec&) = delete;

  Step run(std::span<const std::byte> in, std::span<std::byte> out, bool) override {
    if (!is_usable_) return {0, 0, false, Error{ErrorCode::memory_limit, "bzip2: no memory", {}, {}}};
    char nowhere = 0;
    stream_.next_in = const_cast<char*>(reinterpret_cast<const char*>(in.data()));
    stream_.avail_in = static_cast<unsigned>(in.size());
    stream_.next_out = out.empty() ? &nowhere : reinterpret_cast<char*>(out.data());
    stream_.avail_out = static_cast<unsigned>(out.size());
    const int status = BZ2_bzDecompress(&stream_);
    Step made{in.size() - stream_.avail_in, out.size() - stream_.avail_out, status == BZ_STREAM_END};
    if (status == BZ_MEM_ERROR) {
      made.error = Error{ErrorCode::memory_limit, "bzip2: no memory", {}, {}};
    } else if (status != BZ_OK && status != BZ_STREAM_END) {
      made.error = Error{ErrorCode::corrupt, "bzip2: a block contradicts its checksum, or is none", {}, {}};
    }
    return made;
  }

  void begin_again() override {
    BZ2_bzDecompressEnd(&stream_);
    stream_ = {};
    is_usable_ = BZ2_bzDecompressInit(&stream_, 0, 0) == BZ_OK;
  }
  bool can_begin(std::byte first) const override { return first == std::byte{'B'}; }

 private:
  bz_stream stream_{};
  bool is_usable_ = false;
};

}  // namespace

std::unique_ptr<Codec> make_bzip2() { return std::make_unique<Bzip2Codec>(); }

}  // namespace exhibit::expand
