// gzip (RFC 1952) by zlib.

#include <zlib.h>

#include <algorithm>
#include <vector>

#include "expand/codec.h"

namespace exhibit::expand {
namespace {

constexpr std::size_t longest_name = 4096;
constexpr int gzip_window = 15 + 16;  // zlib's windowBits: the largest window, with gzip's header and trailer

class GzipCodec final : public Codec {
 public:
  GzipCodec() : name_(longest_name) {
    is_usable_ = inflateInit2(&stream_, gzip_window) == Z_OK;
    header_.name = reinterpret_cast<Bytef*>(name_.data());
    header_.name_max = static_cast<uInt>(name_.size() - 1);
    if (is_usable_) inflateGetHeader(&stream_, &header_);
  }
  ~GzipCodec() override {
    if (is_usable_) inflateEnd(&stream_);
  }
  GzipCodec(const GzipCodec&) = delete;
  GzipCodec& operator=(const GzipCodec&) = delete;

  Step run(std::span<const std::byte> in, std::span<std::byte> out, bool) override {
    if (!is_usable_) return {0, 0, false, Error{ErrorCode::memory_limit, "gzip: no memory", {}, {}}};
    Bytef nowhere = 0;  // zlib wants a place even for no byte
    stream_.next_in = const_cast<Bytef*>(reinterpret_cast<const Bytef*>(in.data()));
    stream_.avail_in = static_cast<uInt>(in.size());
    stream_.next_out = out.empty() ? &nowhere : reinterpret_cast<Bytef*>(out.data());
    stream_.avail_out = static_cast<uInt>(out.size());
    const int status = inflate(&stream_, Z_NO_FLUSH);
    Step made{in.size() - stream_.avail_in, out.size() - stream_.avail_out, status == Z_STREAM_END};
    if (status == Z_MEM_ERROR) made.error = Error{ErrorCode::memory_limit, "gzip: no memory", {}, {}};
    if (status == Z_DATA_ERROR || status == Z_NEED_DICT || status == Z_STREAM_ERROR) {
      const char* why = stream_.msg != nullptr ? stream_.msg : "not as gzip is";
      made.error = Error{ErrorCode::corrupt, std::string("gzip: ") + why, {}, {}};
    }
    return made;
  }

  void begin_again() override { inflateReset(&stream_); }
  bool can_begin(std::byte first) const override { return first == std::byte{0x1f}; }
  std::string name() const override { return name_.data(); }

 private:
  z_stream stream_{};
  gz_header header_{};
  std::vector<char> name_;  // ends with a zero
  bool is_usable_ = false;
};

}  // namespace

std::unique_ptr<Codec> make_gzip() { return std::make_unique<GzipCodec>(); }

}  // namespace exhibit::expand
