#include "expand/stream.h"

#include <algorithm>
#include <vector>

#include "expand/archive.h"
#include "expand/codec.h"
#include "expand/gzip_whole.h"

namespace exhibit::expand {
namespace {

using base::Container;

constexpr std::size_t input_size = std::size_t{64} << 10;

// A stream, and those of its kind that follow it directly.
class CodecStream final : public Stream {
 public:
  CodecStream(std::unique_ptr<Codec> codec, ByteSource& content, std::uint64_t offset)
      : codec_(std::move(codec)), content_(content), position_(offset), input_(input_size) {}

  // As far as the header; what is wrong is told when the content is read.
  void open() { step({}); }

  std::string name() const override { return codec_->name(); }
  std::optional<Error> trouble() const override { return trouble_; }

  Result<std::size_t> read(std::span<std::byte> buffer) override {
    std::size_t done = 0;
    while (done < buffer.size() && !is_done_ && !failed_) done += step(buffer.subspan(done));
    if (failed_ && done == 0) return *failed_;
    return done;
  }

 private:
  // How many bytes were given.
  std::size_t step(std::span<std::byte> out) {
    if (!fill()) return 0;
    const Codec::Step made = codec_->run(rest_, out, is_read_);
    rest_ = rest_.subspan(made.taken);
    const bool is_stuck = !made.is_end && made.taken == 0 && made.given == 0 && !out.empty();
    if (made.error) {
      failed_ = made.error;
    } else if (is_stuck && (is_read_ || !rest_.empty())) {
      failed_ = Error{ErrorCode::corrupt, "the packed stream ends early", {}, {}};
    } else if (made.is_end) {
      end_stream();
    }
    return made.given;
  }

  // False: the content can't be read.
  bool fill() {
    if (!rest_.empty() || is_read_) return true;
    const auto got = content_.read_at(position_, input_);
    if (!got.ok()) {
      failed_ = got.error();
      return false;
    }
    position_ += *got;
    is_read_ = position_ >= content_.size() || *got == 0;
    rest_ = std::span(input_).first(*got);
    return true;
  }

  void end_stream() {
    if (!fill()) return;
    is_done_ = rest_.empty() || !codec_->can_begin(rest_.front());
    if (!is_done_) codec_->begin_again();
    if (!is_done_) return;
    // Padding, as of tapes, is nothing.
    if (!rest_.empty() && rest_.front() != std::byte{0})
      trouble_ = Error{ErrorCode::unsupported, "what follows the packed stream isn't looked at", {}, {}};
  }

  std::unique_ptr<Codec> codec_;
  ByteSource& content_;
  std::uint64_t position_;
  std::vector<std::byte> input_;
  std::span<const std::byte> rest_;  // read, not taken
  bool is_read_ = false, is_done_ = false;
  std::optional<Error> failed_, trouble_;
};

std::unique_ptr<Codec> codec_of(Container kind) {
  switch (kind) {
    case Container::gzip:
      return make_gzip();
    case Container::bzip2:
      return make_bzip2();
    case Container::zstd:
      return make_zstd();
    case Container::lz4:
      return make_lz4();
    default:
      return make_lzma(kind);
  }
}

// compress(1), which has no checksum and no size, by libarchive's filter.
class CompressStream final : public Stream {
 public:
  CompressStream(ArchiveHandle archive, std::unique_ptr<ArchiveInput> input)
      : input_(std::move(input)), archive_(std::move(archive)) {}

  Result<std::size_t> read(std::span<std::byte> buffer) override {
    la_ssize_t got = ARCHIVE_RETRY;
    while (got == ARCHIVE_RETRY) got = archive_read_data(archive_.get(), buffer.data(), buffer.size());
    if (got < 0) return error_of(archive_.get());
    return static_cast<std::size_t>(got);
  }

 private:
  std::unique_ptr<ArchiveInput> input_;  // outlives the archive
  ArchiveHandle archive_;
};

Result<std::unique_ptr<Stream>> open_compress(ByteSource& content) {
  ArchiveHandle archive(archive_read_new());
  if (!archive) return Error{ErrorCode::memory_limit, "libarchive can't start", {}, {}};
  if (archive_read_support_format_raw(archive.get()) != ARCHIVE_OK ||
      archive_read_support_filter_compress(archive.get()) != ARCHIVE_OK) {
    return error_of(archive.get());
  }
  auto input = std::make_unique<ArchiveInput>(content);
  EXHIBIT_TRY(input->open(archive.get()));
  struct archive_entry* entry = nullptr;
  if (archive_read_next_header(archive.get(), &entry) != ARCHIVE_OK) return error_of(archive.get());
  if (archive_filter_code(archive.get(), 0) != ARCHIVE_FILTER_COMPRESS)
    return Error{ErrorCode::corrupt, "not as compress(1) makes it", {}, {}};
  return std::unique_ptr<Stream>(std::make_unique<CompressStream>(std::move(archive), std::move(input)));
}

}  // namespace

Result<std::unique_ptr<Stream>> open_stream(Container kind, ByteSource& content) {
  if (kind == Container::compress) return open_compress(content);
  if (kind == Container::gzip) {
    if (auto whole = open_gzip_whole(content)) return whole;
  }
  auto stream = std::make_unique<CodecStream>(codec_of(kind), content, 0);
  stream->open();
  return std::unique_ptr<Stream>(std::move(stream));
}

std::unique_ptr<Stream> open_zlib(ByteSource& content, std::uint64_t offset) {
  return std::make_unique<CodecStream>(make_zlib(), content, offset);
}

}  // namespace exhibit::expand
