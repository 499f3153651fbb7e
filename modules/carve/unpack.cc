#include "carve/unpack.h"

#include <bzlib.h>
#include <lz4frame.h>
#include <lzma.h>
#include <zstd.h>

#include <memory>
#include <vector>

namespace exhibit::carve {
namespace {

constexpr std::size_t piece = std::size_t{64} << 10;           // bytes given to a library at a time
constexpr std::uint64_t xz_memory = std::uint64_t{100} << 20;  // bytes: enough for a dictionary of 64 MiB (xz -9)
constexpr int zstd_window = 27;                                // log2: 128 MiB, the most that zstd itself takes unasked

enum class Step { more, end, broken };

// One library's stream; step() takes some of `in` and throws away what comes out.
class Stream {
 public:
  virtual ~Stream() = default;
  virtual Step step(ByteSpan in, std::size_t& taken, std::size_t& made) = 0;
};

class Bzip2 : public Stream {
 public:
  Bzip2() : ok_(BZ2_bzDecompressInit(&stream_, 0, 0) == BZ_OK), out_(piece) {}
  ~Bzip2() override {
    if (ok_) BZ2_bzDecompressEnd(&stream_);
  }
  Step step(ByteSpan in, std::size_t& taken, std::size_t& made) override {
    if (!ok_) return Step::broken;
    stream_.next_in = const_cast<char*>(reinterpret_cast<const char*>(in.data()));
    stream_.avail_in = static_cast<unsigned>(in.size());
    stream_.next_out = out_.data();
    stream_.avail_out = static_cast<unsigned>(out_.size());
    const int result = BZ2_bzDecompress(&stream_);
    taken = in.size() - stream_.avail_in;
    made = out_.size() - stream_.avail_out;
    if (result == BZ_STREAM_END) return Step::end;
    return result == BZ_OK ? Step::more : Step::broken;
  }

 private:
  bz_stream stream_{};
  bool ok_;
  std::vector<char> out_;
};

class Xz : public Stream {
 public:
  Xz() : ok_(lzma_stream_decoder(&stream_, xz_memory, 0) == LZMA_OK), out_(piece) {}
  ~Xz() override { lzma_end(&stream_); }
  Step step(ByteSpan in, std::size_t& taken, std::size_t& made) override {
    if (!ok_) return Step::broken;
    stream_.next_in = in.data();
    stream_.avail_in = in.size();
    stream_.next_out = out_.data();
    stream_.avail_out = out_.size();
    const lzma_ret result = lzma_code(&stream_, LZMA_RUN);
    taken = in.size() - stream_.avail_in;
    made = out_.size() - stream_.avail_out;
    if (result == LZMA_STREAM_END) return Step::end;
    return result == LZMA_OK ? Step::more : Step::broken;
  }

 private:
  lzma_stream stream_ = LZMA_STREAM_INIT;
  bool ok_;
  std::vector<std::uint8_t> out_;
};

class Zstd : public Stream {
 public:
  Zstd() : context_(ZSTD_createDCtx(), ZSTD_freeDCtx), out_(piece) {
    if (context_) ZSTD_DCtx_setParameter(context_.get(), ZSTD_d_windowLogMax, zstd_window);
  }
  Step step(ByteSpan in, std::size_t& taken, std::size_t& made) override {
    if (!context_) return Step::broken;
    ZSTD_inBuffer input{in.data(), in.size(), 0};
    ZSTD_outBuffer output{out_.data(), out_.size(), 0};
    const std::size_t result = ZSTD_decompressStream(context_.get(), &output, &input);
    taken = input.pos;
    made = output.pos;
    if (ZSTD_isError(result) != 0) return Step::broken;
    return result == 0 ? Step::end : Step::more;
  }

 private:
  std::unique_ptr<ZSTD_DCtx, std::size_t (*)(ZSTD_DCtx*)> context_;
  std::vector<std::uint8_t> out_;
};

class Lz4 : public Stream {
 public:
  Lz4() : ok_(LZ4F_isError(LZ4F_createDecompressionContext(&context_, LZ4F_VERSION)) == 0), out_(piece) {}
  Lz4(const Lz4&) = delete;
  Lz4& operator=(const Lz4&) = delete;
  ~Lz4() override { LZ4F_freeDecompressionContext(context_); }
  Step step(ByteSpan in, std::size_t& taken, std::size_t& made) override {
    if (!ok_) return Step::broken;
    taken = in.size();
    made = out_.size();
    const std::size_t result = LZ4F_decompress(context_, out_.data(), &made, in.data(), &taken, nullptr);
    if (LZ4F_isError(result) != 0) return Step::broken;
    return result == 0 ? Step::end : Step::more;
  }

 private:
  LZ4F_dctx* context_ = nullptr;
  bool ok_;
  std::vector<std::uint8_t> out_;
};

std::unique_ptr<Stream> open(Packing packing) {
  switch (packing) {
    case Packing::bzip2:
      return std::make_unique<Bzip2>();
    case Packing::xz:
      return std::make_unique<Xz>();
    case Packing::zstd:
      return std::make_unique<Zstd>();
    case Packing::lz4:
      return std::make_unique<Lz4>();
  }
  return nullptr;
}

// Whether another stream of the kind begins at `offset`.
bool begins(const Content& content, Packing packing, std::uint64_t offset) {
  const ByteSpan head = content.at(offset, 10);
  switch (packing) {
    case Packing::bzip2:
      return head.size() >= 10 && starts_with(head, "BZh") && starts_with(head.subspan(4), "1AY&SY");
    case Packing::xz:
      return starts_with(head, std::string_view("\xfd"
                                                "7zXZ\0",
                                                6));
    case Packing::zstd:
      return starts_with(head, "\x28\xb5\x2f\xfd");
    case Packing::lz4:
      return starts_with(head, "\x04\x22\x4d\x18");
  }
  return false;
}

// One stream from `offset` on; its end, or where it broke.
Step run(Stream& stream, const Content& content, std::uint64_t& offset, std::uint64_t& made_in_all, bool& ends_early) {
  for (;;) {
    ByteSpan in = content.at(offset, std::min<std::uint64_t>(piece, content.size() - offset));
    in = in.first(std::min(in.size(), piece));
    std::size_t taken = 0, made = 0;
    const Step step = stream.step(in, taken, made);
    offset += taken;
    made_in_all += made;
    if (step != Step::more) return step;
    ends_early = offset >= content.size() && made == 0;
    if (ends_early || taken + made == 0 || made_in_all > largest_unpacked) return Step::broken;
  }
}

}  // namespace

Unpacked unpack(const Content& content, Packing packing) {
  Unpacked unpacked;
  std::uint64_t made = 0;
  while (unpacked.streams == 0 || begins(content, packing, unpacked.end)) {
    const auto stream = open(packing);
    std::uint64_t offset = unpacked.end;
    if (run(*stream, content, offset, made, unpacked.ends_early) == Step::end) {
      unpacked.end = offset;
      unpacked.holds = true;
      ++unpacked.streams;
      continue;
    }
    // What follows a whole stream and only begins like another isn't a part of it.
    if (unpacked.streams == 0) unpacked.end = offset;
    break;
  }
  return unpacked;
}

}  // namespace exhibit::carve
