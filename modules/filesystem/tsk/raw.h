#pragma once
// Fields of on-disk structures, read with bounds: outside of what was read there are zeros.

#include <exhibit/byte_source.h>

#include <cstring>
#include <string>
#include <string_view>
#include <vector>

namespace exhibit::filesystem::tsk {

class Raw {
 public:
  Raw() = default;
  explicit Raw(std::string bytes) : bytes_(std::move(bytes)) {}

  // What `source` gives of [offset, offset + length): less where it ends or can't be read.
  static Raw read(ByteSource& source, std::uint64_t offset, std::size_t length) {
    std::string bytes(length, '\0');
    const auto got = source.read_at(offset, {reinterpret_cast<std::byte*>(bytes.data()), length});
    bytes.resize(got.ok() ? *got : 0);
    return Raw(std::move(bytes));
  }

  std::size_t size() const { return bytes_.size(); }
  std::string_view view(std::size_t offset, std::size_t length) const {
    if (offset >= bytes_.size()) return {};
    return std::string_view(bytes_).substr(offset, length);
  }
  bool has(std::size_t offset, std::string_view what) const { return view(offset, what.size()) == what; }

  std::uint8_t u8(std::size_t offset) const {
    return offset < bytes_.size() ? static_cast<std::uint8_t>(bytes_[offset]) : 0;
  }
  std::uint16_t le16(std::size_t offset) const { return static_cast<std::uint16_t>(u8(offset) | u8(offset + 1) << 8); }
  std::uint32_t le32(std::size_t offset) const {
    return le16(offset) | static_cast<std::uint32_t>(le16(offset + 2)) << 16;
  }
  std::uint64_t le64(std::size_t offset) const {
    return le32(offset) | static_cast<std::uint64_t>(le32(offset + 4)) << 32;
  }
  std::uint16_t be16(std::size_t offset) const { return static_cast<std::uint16_t>(u8(offset) << 8 | u8(offset + 1)); }
  std::uint32_t be32(std::size_t offset) const {
    return static_cast<std::uint32_t>(be16(offset)) << 16 | be16(offset + 2);
  }

 private:
  std::string bytes_;
};

}  // namespace exhibit::filesystem::tsk
