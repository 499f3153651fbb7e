#pragma once
// What a validator reads: the bytes of one object, from its first on, whichever pieces they lie in.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace exhibit::carve {

using ByteSpan = std::span<const std::uint8_t>;

class Content {
 public:
  // The most that may be asked of at() in one call.
  static constexpr std::size_t window = std::size_t{256} << 10;

  virtual ~Content() = default;

  // Bytes: as far as the object could reach, not how long it is.
  virtual std::uint64_t size() const = 0;

  // At least `wanted` bytes (no more than `window`) from `offset`, and as many more as lie at hand; fewer only where
  // the content ends. Valid until the next call.
  virtual ByteSpan at(std::uint64_t offset, std::size_t wanted) const = 0;

  // Where bytes that were put together by trial meet: the first byte of the second piece. 0: nowhere. A format that
  // can't prove its bytes may look whether they fit there (Verdict::misfit).
  virtual std::uint64_t seam() const { return 0; }
  // What such a trial leaves out: up to `wanted` bytes that lie behind the first piece where it was found, and those
  // that lie before the second. Where the pieces truly end and begin, these look foreign. Valid until the next call.
  virtual ByteSpan behind_first_piece(std::size_t) const { return {}; }
  virtual ByteSpan before_second_piece(std::size_t) const { return {}; }
};

// Bytes in memory as content.
class MemoryContent : public Content {
 public:
  explicit MemoryContent(ByteSpan bytes) : bytes_(bytes) {}
  std::uint64_t size() const override { return bytes_.size(); }
  ByteSpan at(std::uint64_t offset, std::size_t) const override {
    return offset < bytes_.size() ? bytes_.subspan(offset) : ByteSpan{};
  }

 private:
  ByteSpan bytes_;
};

// A part of another content, which must outlive it.
class PartContent : public Content {
 public:
  PartContent(const Content& whole, std::uint64_t begin, std::uint64_t length)
      : whole_(whole), begin_(std::min(begin, whole.size())), size_(std::min(length, whole.size() - begin_)) {}
  std::uint64_t size() const override { return size_; }
  ByteSpan at(std::uint64_t offset, std::size_t wanted) const override {
    if (offset >= size_) return {};
    const ByteSpan bytes = whole_.at(begin_ + offset, wanted);
    return bytes.first(std::min<std::uint64_t>(bytes.size(), size_ - offset));
  }

 private:
  const Content& whole_;
  std::uint64_t begin_, size_;
};

// Goes through content field by field. Past its end everything reads as zero and ok() is false from then on: a
// validator reads a whole structure and asks once.
class Reader {
 public:
  explicit Reader(const Content& content, std::uint64_t position = 0) : content_(content), position_(position) {}

  bool ok() const { return ok_; }
  std::uint64_t position() const { return position_; }
  std::uint64_t left() const { return position_ < content_.size() ? content_.size() - position_ : 0; }
  void seek(std::uint64_t position) { position_ = position; }
  // False, and the position stays, where the content ends before.
  bool skip(std::uint64_t bytes) {
    if (bytes > left()) return ok_ = false;
    position_ += bytes;
    return true;
  }

  std::uint8_t u8() { return static_cast<std::uint8_t>(little(1)); }
  std::uint16_t le16() { return static_cast<std::uint16_t>(little(2)); }
  std::uint32_t le24() { return static_cast<std::uint32_t>(little(3)); }
  std::uint32_t le32() { return static_cast<std::uint32_t>(little(4)); }
  std::uint64_t le64() { return little(8); }
  std::uint16_t be16() { return static_cast<std::uint16_t>(big(2)); }
  std::uint32_t be24() { return static_cast<std::uint32_t>(big(3)); }
  std::uint32_t be32() { return static_cast<std::uint32_t>(big(4)); }
  std::uint64_t be64() { return big(8); }

  // Exactly `length` bytes (no more than Content::window), or none and ok() is false. Valid until the next reading.
  ByteSpan bytes(std::size_t length);
  // Whether the content goes on with `text`; moves behind it if so. The content's end is no error here.
  bool take(std::string_view text);

 private:
  std::uint64_t little(std::size_t length);
  std::uint64_t big(std::size_t length);

  const Content& content_;
  std::uint64_t position_;
  bool ok_ = true;
};

// Where `pattern` first lies whole in [from, to), else `to`.
std::uint64_t find(const Content& content, std::string_view pattern, std::uint64_t from, std::uint64_t to);
// The same, for the last time.
std::uint64_t find_last(const Content& content, std::string_view pattern, std::uint64_t from, std::uint64_t to);

// CRC-32 (ISO 3309, as zlib has it) of [offset, offset + length), which must lie within the content.
std::uint32_t crc32(const Content& content, std::uint64_t offset, std::uint64_t length, std::uint32_t before = 0);

inline bool starts_with(ByteSpan bytes, std::string_view text) {
  return bytes.size() >= text.size() &&
         std::string_view(reinterpret_cast<const char*>(bytes.data()), text.size()) == text;
}

}  // namespace exhibit::carve
