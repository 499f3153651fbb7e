#include "carve/jpeg_ends.h"

#include <algorithm>
#include <cstring>

#include "carve/jpeg_picture.h"

namespace exhibit::carve::jpeg {
namespace {

constexpr std::uint64_t sector = 512, allocation_unit = 4096;  // bytes
// Foreign bytes are noticed within this, most of the time: one in 256 is an ff, and few of those can be.
constexpr std::uint64_t usual_delay = 2048;  // bytes
// So long a stretch without a marker that can't be is entropy-coded data.
constexpr std::uint64_t clean_stretch = 2048;  // bytes
constexpr std::uint64_t slack = 8192;          // bytes, for what is estimated
constexpr std::uint16_t most_pictures = 64;    // of an MPF index

// Goes from ff to ff.
class MarkerSearch {
 public:
  MarkerSearch(const Content& content, std::uint64_t from, std::uint64_t to)
      : content_(content), next_(from), to_(std::min(to, content.size())) {}

  // The next ff and the byte behind it; false: none.
  bool next() {
    while (next_ + 1 < to_) {
      if (next_ < begin_ || next_ + 1 >= begin_ + bytes_.size()) {
        begin_ = next_;
        bytes_ = content_.at(next_, 4096);
        if (bytes_.size() < 2) return false;
      }
      const std::uint8_t* from = bytes_.data() + (next_ - begin_);
      const std::size_t length = bytes_.size() - (next_ - begin_) - 1;
      const void* hit = std::memchr(from, 0xff, length);
      if (hit == nullptr) {
        next_ += length;
        continue;
      }
      const auto* place = static_cast<const std::uint8_t*>(hit);
      at_ = begin_ + static_cast<std::uint64_t>(place - bytes_.data());
      code_ = place[1];
      next_ = at_ + (code_ == 0xff ? 1 : 2);
      return at_ + 1 < to_;
    }
    return false;
  }
  void forget() { bytes_ = {}; }  // the content was asked for other bytes
  std::uint64_t at() const { return at_; }
  std::uint8_t code() const { return code_; }

 private:
  const Content& content_;
  std::uint64_t next_, to_, begin_ = 0, at_ = 0;
  ByteSpan bytes_;
  std::uint8_t code_ = 0;
};

bool is_in_data(std::uint8_t code) { return code == 0 || code == 0xff || (code >= RST0 && code <= RST7); }

// The best guess where foreign bytes began: at an allocation unit's border, else at a sector's.
std::uint64_t begin_of_foreign(const Breaking& breaking) {
  if (breaking.is_exact) return breaking.at;
  const std::uint64_t unit = breaking.at / allocation_unit * allocation_unit;
  const bool is_unit = breaking.at - unit <= usual_delay && unit > breaking.data;
  const std::uint64_t guess = is_unit ? unit : breaking.at / sector * sector;
  return std::max(guess, std::min(breaking.data, breaking.at));
}

// Between which distances from the break the picture's end is expected.
std::pair<std::uint64_t, std::uint64_t> expected(const Breaking& breaking) {
  const std::uint64_t length = breaking.at - std::min(breaking.data, breaking.at);
  if (breaking.is_progressive) return {0, 2 * breaking.at + slack};
  if (breaking.decoded == 0 || breaking.units < breaking.decoded) return {0, slack};
  const std::uint64_t left = length * (breaking.units - breaking.decoded) / breaking.decoded;
  return {left / 2 > slack ? left / 2 - slack : 0, 2 * left + slack};
}

std::uint64_t end_of_picture_at(const Content& content, std::uint64_t begin, std::uint64_t length) {
  const ByteSpan head = content.at(begin, 3);
  const ByteSpan tail =
      length >= 4 && length <= content.size() - begin ? content.at(begin + length - 2, 2) : ByteSpan{};
  return starts_with(head, "\xff\xd8\xff") && starts_with(tail, "\xff\xd9") ? begin + length : 0;
}

class Index {
 public:
  Index(const Content& content, std::uint64_t tiff) : reader_(content), tiff_(tiff) {
    reader_.seek(tiff);
    is_little_ = reader_.u8() == 'I';
    reader_.seek(tiff + 4);
  }
  std::uint16_t u16() { return is_little_ ? reader_.le16() : reader_.be16(); }
  std::uint32_t u32() { return is_little_ ? reader_.le32() : reader_.be32(); }
  void seek(std::uint64_t offset) { reader_.seek(tiff_ + offset); }
  bool ok() const { return reader_.ok(); }

 private:
  Reader reader_;
  std::uint64_t tiff_;
  bool is_little_ = false;
};

}  // namespace

std::uint64_t end_of_data(const Content& content, std::uint64_t from) {
  MarkerSearch search(content, from, content.size());
  while (search.next()) {
    if (!is_in_data(search.code())) return search.at();
  }
  return content.size();
}

std::uint64_t end_of_pictures(const Content& content, std::uint64_t tiff, std::uint64_t end) {
  constexpr std::uint16_t entries_tag = 0xb002;  // MP Entry (5.2.3.3)
  constexpr std::uint32_t entry_length = 16;
  Index index(content, tiff);
  index.seek(index.u32());
  const std::uint16_t fields = index.u16();
  std::uint64_t entries = 0;
  std::uint32_t count = 0;
  for (std::uint16_t i = 0; i < std::min(fields, most_pictures) && index.ok() && entries == 0; ++i) {
    const std::uint16_t tag = index.u16();
    index.u16();
    count = index.u32() / entry_length;
    const std::uint32_t offset = index.u32();
    if (tag == entries_tag) entries = offset;
  }
  if (entries == 0) return end;
  std::uint64_t last = end;
  for (std::uint32_t i = 0; i < std::min<std::uint32_t>(count, most_pictures) && index.ok(); ++i) {
    index.seek(entries + std::uint64_t{i} * entry_length + 4);
    const std::uint32_t length = index.u32(), offset = index.u32();
    if (offset == 0 || tiff + offset < end || tiff + offset >= content.size()) continue;
    last = std::max(last, end_of_picture_at(content, tiff + offset, length));
  }
  return last;
}

std::uint64_t end_of_segment(const Content& content, std::uint64_t begin, std::uint64_t end) {
  const auto is_of = [&](std::uint64_t offset, auto belongs) {
    const ByteSpan bytes = content.at(offset, sector);
    return bytes.size() >= sector && std::all_of(bytes.begin(), bytes.begin() + sector, belongs);
  };
  const auto is_text = [](std::uint8_t byte) { return byte >= 0x20 || (byte >= 0x09 && byte <= 0x0d); };
  const auto is_zero = [](std::uint8_t byte) { return byte == 0; };
  for (std::uint64_t at = begin / allocation_unit * allocation_unit + allocation_unit; at < end;
       at += allocation_unit) {
    if (is_of(at, is_zero) || (at - begin > sector && is_of(at - sector, is_text) && !is_of(at, is_text))) return at;
  }
  return end;
}

Ending end_of_broken(const Content& content, const Breaking& breaking) {
  const std::uint64_t foreign = begin_of_foreign(breaking);
  const auto [nearest, farthest] = expected(breaking);
  std::uint64_t clean = breaking.at;
  MarkerSearch search(content, breaking.at, breaking.at + farthest);
  while (search.next()) {
    if (is_in_data(search.code())) continue;
    const bool is_end = search.code() == EOI && search.at() - clean >= clean_stretch;
    if (is_end && search.at() >= breaking.at + nearest) {
      return {search.at() + 2, foreign, std::max(clean, foreign) - foreign};
    }
    if (search.code() == SOI) {  // another picture begins
      const ByteSpan bytes = content.at(search.at(), 4);
      if (bytes.size() >= 4 && bytes[2] == 0xff && bytes[3] >= SOF0 && bytes[3] != 0xff) break;
      search.forget();
    }
    const bool is_table = breaking.is_progressive && (search.code() == DHT || search.code() == SOS);
    if (!is_table) clean = search.at() + 2;
  }
  return {foreign, foreign, 0};
}

}  // namespace exhibit::carve::jpeg
