#include "expand/rar_headers.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <string_view>

#include "base/checked.h"

namespace exhibit::expand {
namespace {

constexpr std::string_view old_mark("Rar!\x1a\x07\x00", 7), new_mark("Rar!\x1a\x07\x01\x00", 8);
constexpr std::size_t longest_header = std::size_t{64} << 10;  // bytes of one that are looked at

// A header's bytes, read from the front; what lies behind its end is 0, and told.
class Fields {
 public:
  Fields() = default;
  explicit Fields(std::span<const std::byte> bytes) : bytes_(bytes) {}

  std::uint64_t number(std::size_t bytes) {
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < bytes; ++i) value |= std::uint64_t{next()} << (8 * i);
    return value;
  }
  // RAR 5's: seven bits a byte, the lowest first.
  std::uint64_t vint() {
    constexpr int longest = 10;  // bytes of 64 bits
    std::uint64_t value = 0;
    for (int i = 0; i < longest; ++i) {
      const std::uint8_t byte = next();
      value |= std::uint64_t{byte & 0x7fU} << (7 * i);
      if ((byte & 0x80U) == 0) return value;
    }
    is_short_ = true;
    return 0;
  }
  Fields part(std::uint64_t length) {
    const std::size_t taken = std::min<std::uint64_t>(length, bytes_.size());
    Fields fields(bytes_.first(taken));
    is_short_ = is_short_ || taken < length;
    bytes_ = bytes_.subspan(taken);
    return fields;
  }
  bool is_short() const { return is_short_; }
  bool is_empty() const { return bytes_.empty(); }
  std::size_t left() const { return bytes_.size(); }

 private:
  std::uint8_t next() {
    if (bytes_.empty()) {
      is_short_ = true;
      return 0;
    }
    const auto byte = std::to_integer<std::uint8_t>(bytes_.front());
    bytes_ = bytes_.subspan(1);
    return byte;
  }
  std::span<const std::byte> bytes_;
  bool is_short_ = false;
};

// Follows headers one after the other.
class Walk {
 public:
  explicit Walk(ByteSource& content) : content_(content), buffer_(longest_header) {}

  bool begins_with(std::string_view mark) {
    const Fields fields = at(0);
    return fields.left() >= mark.size() && std::memcmp(buffer_.data(), mark.data(), mark.size()) == 0;
  }
  Fields at(std::uint64_t offset) {
    const auto got = content_.read_at(offset, buffer_);
    return Fields(std::span(buffer_).first(got.ok() ? *got : 0));
  }

 private:
  ByteSource& content_;
  std::vector<std::byte> buffer_;
};

// One header: where the next begins; 0 behind the last, and where it can't be followed.
std::uint64_t old_header(Walk& walk, std::uint64_t offset, std::vector<RarFile>& files) {
  constexpr std::uint64_t file = 0x74, service = 0x7a, end = 0x7b;  // HEAD_TYPE
  constexpr std::uint64_t has_data = 0x8000, is_large = 0x100, split = 0x1 | 0x2, encrypted = 0x4;
  Fields fields = walk.at(offset);
  fields.number(2);  // its own checksum, which libarchive checks
  const std::uint64_t kind = fields.number(1), flags = fields.number(2), size = fields.number(2);
  std::uint64_t data = (flags & has_data) != 0 ? fields.number(4) : 0;
  if (kind == file || kind == service) {
    fields.number(4 + 1);  // size unpacked, operating system
    RarFile found;
    found.crc = static_cast<std::uint32_t>(fields.number(4));
    fields.number(4 + 1 + 1 + 2 + 4);  // time, version, method, length of the name, attributes
    if ((flags & is_large) != 0) data |= fields.number(4) << 32;
    found.is_split = (flags & split) != 0;
    found.is_encrypted = (flags & encrypted) != 0;
    if (kind == file) files.push_back(found);
  }
  if (kind == end || size == 0 || fields.is_short()) return 0;
  return base::checked_add(offset + size, data).value_or(0);
}

bool is_encryption(Fields extra) {
  constexpr std::uint64_t encryption = 1;  // the extra record's type
  while (!extra.is_empty() && !extra.is_short()) {
    Fields record = extra.part(extra.vint());
    if (record.vint() == encryption) return true;
  }
  return false;
}

std::uint64_t new_header(Walk& walk, std::uint64_t offset, std::vector<RarFile>& files) {
  constexpr std::uint64_t file = 2, end = 5;  // header type
  constexpr std::uint64_t has_extra = 1, has_data = 2, split = 0x8 | 0x10;
  constexpr std::uint64_t has_time = 2, has_crc = 4;  // file flags
  Fields fields = walk.at(offset);
  const std::size_t all = fields.left();
  fields.number(4);  // its own checksum
  const std::uint64_t size = fields.vint();
  const std::uint64_t begin = all - fields.left();  // of what `size` counts
  const std::uint64_t kind = fields.vint(), flags = fields.vint();
  const std::uint64_t extra = (flags & has_extra) != 0 ? fields.vint() : 0;
  const std::uint64_t data = (flags & has_data) != 0 ? fields.vint() : 0;
  if (kind == file) {
    RarFile found;
    const std::uint64_t file_flags = fields.vint();
    fields.vint();  // size unpacked
    fields.vint();  // attributes
    if ((file_flags & has_time) != 0) fields.number(4);
    if ((file_flags & has_crc) != 0) found.crc = static_cast<std::uint32_t>(fields.number(4));
    fields.vint();  // compression
    fields.vint();  // operating system
    fields.part(fields.vint());
    found.is_split = (flags & split) != 0;
    found.is_encrypted = is_encryption(fields.part(extra));
    files.push_back(found);
  }
  if (kind == end || size == 0 || fields.is_short()) return 0;
  const auto next = base::checked_add(offset + begin, size);
  return next ? base::checked_add(*next, data).value_or(0) : 0;
}

}  // namespace

std::vector<RarFile> rar_files(ByteSource& content, std::size_t most) {
  std::vector<RarFile> files;
  Walk walk(content);
  const bool is_new = walk.begins_with(new_mark);
  if (!is_new && !walk.begins_with(old_mark)) return files;
  std::uint64_t offset = is_new ? new_mark.size() : old_mark.size();
  while (offset > 0 && offset < content.size() && files.size() < most) {
    const std::uint64_t next = is_new ? new_header(walk, offset, files) : old_header(walk, offset, files);
    if (next <= offset) break;
    offset = next;
  }
  return files;
}

}  // namespace exhibit::expand
