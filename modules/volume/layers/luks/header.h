#pragma once
// The headers of LUKS1 (LUKS On-Disk Format Specification 1.2.3) and LUKS2 (LUKS2 On-Disk Format Specification 1.1.3)
// as one thing: key slots that open the volume key, and the segment that it decrypts.

#include <exhibit/byte_source.h>

#include <optional>
#include <string>
#include <vector>

namespace exhibit::volume::luks {

struct KeySlot {
  std::string name;                         // its number
  std::string kdf;                          // pbkdf2, argon2i, argon2id
  std::string hash;                         // of pbkdf2
  std::uint64_t iterations = 0;             // or passes
  std::uint64_t memory_kib = 0, lanes = 0;  // of argon2
  std::string salt;
  std::uint64_t area_offset = 0;  // bytes of the volume; the split key lies there, encrypted with `encryption`
  std::string encryption;
  std::uint64_t area_key_bytes = 0, key_bytes = 0;
  std::uint64_t stripes = 0;
  std::string split_hash;
};

// What a volume key must come to.
struct KeyDigest {
  std::string hash, salt, digest;
  std::uint64_t iterations = 0;
};

struct Header {
  int version = 1;
  std::string uuid, label;
  std::vector<KeySlot> slots;
  KeyDigest digest;
  std::uint64_t offset = 0;           // of the encrypted bytes in the volume
  std::optional<std::uint64_t> size;  // of them; nothing: to the volume's end
  std::string encryption;
  std::uint64_t iv_tweak = 0;  // added to a sector's number
  std::uint64_t sector_bytes = 512;
  std::optional<std::string> remark;  // damage that was got around
  bool is_second_copy_alone = false;  // nothing at the volume's beginning says LUKS
  // Why nothing of it can be decrypted though the header is sound.
  std::optional<std::string> unsupported;
};

bool has_mark(ByteSource& volume);
// Error: corrupt.
Result<Header> read_header(ByteSource& volume);

}  // namespace exhibit::volume::luks
