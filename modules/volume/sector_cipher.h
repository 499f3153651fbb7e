#pragma once
// Decryption sector by sector, as dm-crypt does it (Linux, Documentation/admin-guide/device-mapper/dm-crypt.rst).

#include <exhibit/result.h>

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace exhibit::volume {

class SectorCipher {
 public:
  virtual ~SectorCipher() = default;

  // `specification` as dm-crypt spells it: aes-xts-plain64, aes-cbc-essiv:sha256, …. Error (unsupported) names one that
  // isn't known; corrupt where the key's length doesn't fit it.
  static Result<std::unique_ptr<SectorCipher>> create(const std::string& specification, std::string_view key);

  // Whole sectors, in place. `number`: of the first, in units of 512 bytes, whatever a sector's size is.
  virtual void decrypt(std::uint64_t number, std::size_t sector_bytes, std::span<std::byte> bytes) = 0;
};

// The key that is wrapped in another one (AES, RFC 3394); nothing where this isn't the one.
std::optional<std::string> unwrapped_key(std::string_view around, std::string_view wrapped);

std::string sha256(std::string_view bytes);

}  // namespace exhibit::volume
