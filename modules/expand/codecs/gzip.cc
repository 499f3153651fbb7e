// gzip (RFC 1952) and zlib's own form (RFC 1950) by zlib.

#include <zlib.h>

#include <algorithm>
#include <vector>

#include "expand/codec.h"

namespace exhibit::expand {
namespace {

// zlib's windowBits: the largest window, with gzip's header and trailer, or zlib's.
constexpr int gzip_window = 15 + 16, zlib_window = 15;

class DeflateCodec final : public Codec {
 public:
  explicit DeflateCodec(int window) : is_gzip_(window == gzip_window), name_(longest_stream_name + 1) {
    is_usable_ = inflateInit2(&stream_, window) == Z_OK;
    header_.name = reinterpret_cast<Bytef*>(name_.data());
    header_.name_max = static_cast<uInt>(name_.size() - 1);
    if (is_usable_ && is_gzip_) inflateGetHeader(&stream_, &header_);
  }
  ~DeflateCodec() override {
    if (is_usable_) inflateEnd(&stream_);
  }
  DeflateCodec(const DeflateCodec&) = delete;
  DeflateCodec& operator=(const DeflateCodec&) = delete;

  Step run(std::span<const std::byte> in, std::span<std::byte> out, bool) override {
    if (!is_usable_) return {0, 0, false, Error{ErrorCode::memory_limit, name_of_kind() + ": no memory", {}, {}}};
    Bytef nowhere = 0;  // zlib wants a place even for no byte
    stream_.next_in = const_cast<Bytef*>(reinterpret_cast<const Bytef*>(in.data()));
    stream_.avail_in = static_cast<uInt>(in.size());
    stream_.next_out = out.empty() ? &nowhere : reinterpret_cast<Bytef*>(out.data());
    stream_.avail_out = static_cast<uInt>(out.size());
    const int status = inflate(&stream_, Z_NO_FLUSH);
    Step made{in.size() - stream_.avail_in, out.size() - stream_.avail_out, status == Z_STREAM_END};
    if (status == Z_MEM_ERROR) made.error = Error{ErrorCode::memory_limit, name_of_kind() + ": no memory", {}, {}};
    if (status == Z_DATA_ERROR || status == Z_NEED_DICT || status == Z_STREAM_ERROR) {
      const char* why = stream_.msg != nullptr ? stream_.msg : "not packed so";
      made.error = Error{ErrorCode::corrupt, name_of_kind() + ": " + why, {}, {}};
    }
    return made;
  }

  void begin_again() override { inflateReset(&stream_); }
  bool can_begin(std::byte first) const override { return is_gzip_ && first == std::byte{0x1f}; }
  std::string name() const override { return name_.data(); }

 private:
  std::string name_of_kind() const { return is_gzip_ ? "gzip" : "zlib"; }

  bool is_gzip_;
  z_stream stream_{};
  gz_header header_{};
  std::vector<char> name_;  // ends with a zero
  bool is_usable_ = false;
};

}  // namespace

std::unique_ptr<Codec> make_gzip() { return std::make_unique<DeflateCodec>(gzip_window); }
std::unique_ptr<Codec> make_zlib() { return std::make_unique<DeflateCodec>(zlib_window); }

}  // namespace exhibit::expand
