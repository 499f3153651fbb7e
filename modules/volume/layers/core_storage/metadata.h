#pragma once
// What a physical volume of Core Storage says (libfvde's documentation, "FileVault Drive Encryption (FVDE)", and what
// cryptsetup's fvault2.c reads of it): where its encrypted logical volume lies, and the keys that are wrapped in
// others.

#include <exhibit/byte_source.h>

#include <string>
#include <vector>

namespace exhibit::volume::core_storage {

// A key under a password: salt, rounds of PBKDF2, and the key wrapped (RFC 3394).
struct WrappedKey {
  std::string salt, wrapped;
  std::uint64_t iterations = 0;
};

struct Metadata {
  std::string id;                         // of the physical volume
  std::string family;                     // of the logical volume, 16 bytes; empty: not told
  std::vector<WrappedKey> by_password;    // each gives the key that the volume's is wrapped in
  std::vector<std::string> wrapped_keys;  // the volume's
  std::uint64_t offset = 0, size = 0;     // bytes of the physical volume
};

bool has_mark(ByteSource& volume);
// `metadata.id` is filled before an Error (corrupt).
Result<void> read_metadata(ByteSource& volume, Metadata& metadata);

// A GUID's text for 16 bytes in the order in which they are stored.
std::string uuid_text(std::string_view bytes);

}  // namespace exhibit::volume::core_storage
