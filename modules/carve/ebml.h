#pragma once
// Elements of EBML (RFC 8794): an identifier, a length, and data.

#include <optional>

#include "carve/content.h"

namespace exhibit::carve {

struct EbmlElement {
  std::uint32_t id = 0;  // with its marker bits, as it is written
  std::uint64_t begin = 0, data = 0;
  std::uint64_t length = 0;
  bool is_open = false;  // its length wasn't known: it ends where an element lies that can't be in it (6.2)
  std::uint64_t end() const { return data + length; }
};

// The element at `offset`; nothing where none can be. Its end may lie beyond the content.
std::optional<EbmlElement> read_ebml(const Content& content, std::uint64_t offset);

// An unsigned integer of `length` bytes, at most 8 (7.2).
std::uint64_t ebml_number(const Content& content, const EbmlElement& element);

}  // namespace exhibit::carve
