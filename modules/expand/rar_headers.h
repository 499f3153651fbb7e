#pragma once
// What the headers of a RAR file say of its members' contents: of the older format (technote.txt of RAR 3), and of RAR
// 5 (https://www.rarlab.com/technote.htm).

#include <exhibit/byte_source.h>

#include <cstdint>
#include <optional>
#include <vector>

namespace exhibit::expand {

struct RarFile {
  std::optional<std::uint32_t> crc;  // CRC-32 of the content
  bool is_encrypted = false;
  bool is_split = false;  // goes on in another volume, or comes from one
};

// The members in their order, as far as the headers can be followed, and no more than `most`.
std::vector<RarFile> rar_files(ByteSource& content, std::size_t most);

}  // namespace exhibit::expand
