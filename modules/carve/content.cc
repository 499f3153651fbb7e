#include "carve/content.h"

#include <libdeflate.h>

#include <cstring>

namespace exhibit::carve {

ByteSpan Reader::bytes(std::size_t length) {
  const ByteSpan found = length <= Content::window ? content_.at(position_, length) : ByteSpan{};
  if (!ok_ || found.size() < length) {
    ok_ = false;
    return {};
  }
  position_ += length;
  return found.first(length);
}

bool Reader::take(std::string_view text) {
  if (!ok_ || !starts_with(content_.at(position_, text.size()), text)) return false;
  position_ += text.size();
  return true;
}

std::uint64_t Reader::little(std::size_t length) {
  std::uint64_t value = 0;
  const ByteSpan from = bytes(length);
  for (std::size_t i = from.size(); i-- > 0;) value = value << 8 | from[i];
  return value;
}

std::uint64_t Reader::big(std::size_t length) {
  std::uint64_t value = 0;
  for (const std::uint8_t byte : bytes(length)) value = value << 8 | byte;
  return value;
}

std::uint64_t find(const Content& content, std::string_view pattern, std::uint64_t from, std::uint64_t to) {
  const std::uint64_t end = std::min(to, content.size());
  while (from < end && pattern.size() <= end - from) {
    ByteSpan bytes = content.at(from, std::min<std::uint64_t>(Content::window, end - from));
    bytes = bytes.first(std::min<std::uint64_t>(bytes.size(), end - from));
    if (bytes.size() < pattern.size()) break;
    const void* hit = memmem(bytes.data(), bytes.size(), pattern.data(), pattern.size());
    if (hit != nullptr) return from + static_cast<std::uint64_t>(static_cast<const std::uint8_t*>(hit) - bytes.data());
    from += bytes.size() - pattern.size() + 1;
  }
  return to;
}

std::uint64_t find_last(const Content& content, std::string_view pattern, std::uint64_t from, std::uint64_t to) {
  // What is looked for mostly lies near: a little at first.
  std::uint64_t step = std::uint64_t{4} << 10;
  std::uint64_t end = std::min(to, content.size());
  while (from < end && pattern.size() <= end - from) {
    const std::uint64_t begin = end - from > step ? end - step : from;
    const ByteSpan bytes = content.at(begin, end - begin);
    if (bytes.size() < end - begin) break;
    for (std::size_t left = end - begin - pattern.size() + 1; left > 0;) {
      const void* const hit = memrchr(bytes.data(), pattern.front(), left);
      if (hit == nullptr) break;
      left = static_cast<std::size_t>(static_cast<const std::uint8_t*>(hit) - bytes.data());
      if (std::memcmp(hit, pattern.data(), pattern.size()) == 0) return begin + left;
    }
    if (begin == from) break;
    end = begin + pattern.size() - 1;
    step = std::min<std::uint64_t>(step * 2, Content::window);
  }
  return to;
}

std::uint32_t crc32(const Content& content, std::uint64_t offset, std::uint64_t length, std::uint32_t before) {
  while (length > 0) {
    ByteSpan bytes = content.at(offset, std::min<std::uint64_t>(Content::window, length));
    if (bytes.empty()) return ~before;  // the caller asked past the end: no sum that could match
    bytes = bytes.first(std::min<std::uint64_t>(bytes.size(), length));
    before = libdeflate_crc32(before, bytes.data(), bytes.size());
    offset += bytes.size();
    length -= bytes.size();
  }
  return before;
}

}  // namespace exhibit::carve
