// Core Storage with one encrypted logical volume: FileVault 2. Read by ourselves: libfvde (Debian 20190104) refuses
// what later systems made (docs/decisions/0041).

#include <openssl/evp.h>

#include <limits>

#include "base/checked.h"
#include "volume/layers/core_storage/metadata.h"
#include "volume/sector_cipher.h"
#include "volume/sector_source.h"

namespace exhibit::volume {
namespace core_storage {
namespace {

constexpr std::size_t key_bytes = 16;

// PBKDF2 with SHA-256 gives what the key encryption key is wrapped in; that one the volume's first half is wrapped in;
// the second is a digest of the first and of the family's identifier.
std::optional<std::string> volume_key(const Metadata& metadata, const std::string& password) {
  for (const WrappedKey& each : metadata.by_password) {
    std::string key(key_bytes, '\0');
    if (each.iterations == 0 || each.iterations > std::numeric_limits<int>::max()) continue;
    if (PKCS5_PBKDF2_HMAC(password.data(), static_cast<int>(password.size()),
                          reinterpret_cast<const unsigned char*>(each.salt.data()), static_cast<int>(each.salt.size()),
                          static_cast<int>(each.iterations), EVP_sha256(), static_cast<int>(key.size()),
                          reinterpret_cast<unsigned char*>(key.data())) != 1)
      continue;
    const auto around = unwrapped_key(key, each.wrapped);
    if (!around) continue;
    for (const std::string& wrapped : metadata.wrapped_keys) {
      const auto first = unwrapped_key(*around, wrapped);
      if (first) return *first + sha256(*first + metadata.family).substr(0, key_bytes);
    }
  }
  return std::nullopt;
}

bool recognise(ByteSource& volume) { return has_mark(volume); }

Result<void> open(ByteSource& volume, const std::vector<Key>& keys, Holding& holding) {
  holding.layer = {{"type", "core-storage"}};
  Metadata metadata;
  const auto read = read_metadata(volume, metadata);
  holding.layer["id"] = metadata.id;
  if (!metadata.family.empty()) holding.layer["family"] = uuid_text(metadata.family);
  if (!read.ok()) return read.error();
  const std::string name = "FileVault 2, physical volume " + metadata.id;
  if (metadata.by_password.empty() || metadata.wrapped_keys.empty() || metadata.family.empty())
    return Error{ErrorCode::unsupported,
                 "the volume holds Core Storage (a Fusion Drive, or one without a password; physical volume " +
                     metadata.id + "), which Exhibit doesn't read",
                 {},
                 {}};
  if (keys.empty())
    return Error{ErrorCode::encrypted, "the volume is encrypted (" + name + "); give its key with --unlock", {}, {}};
  for (const Key& key : keys) {
    const auto opened = volume_key(metadata, key.secret);
    if (!opened) continue;
    if (metadata.size == 0 || !base::within(metadata.offset, metadata.size, volume.size()))
      return Error{ErrorCode::corrupt, name + ": its logical volume would lie outside of it", {}, {}};
    auto cipher = EXHIBIT_TRY(SectorCipher::create("aes-xts-plain64", *opened));
    holding.held = {{metadata.offset, metadata.size}};
    Inner inner;
    inner.volume.id = "filevault";
    inner.volume.kind = "encrypted";
    inner.volume.offset = metadata.offset;
    inner.volume.size = metadata.size;
    inner.volume.transform = "filevault2";
    inner.volume.facts = {{"unlocked_by", key.kind}};
    inner.bytes = decrypted_sectors(volume, {metadata.offset, metadata.size, 512, 0}, std::move(cipher));
    holding.inner.push_back(std::move(inner));
    return {};
  }
  return Error{ErrorCode::encrypted,
               "the volume is encrypted (" + name + "), and what was given doesn't open it: it is not the key",
               {},
               {}};
}

}  // namespace
}  // namespace core_storage

extern const Layer core_storage_layer;
const Layer core_storage_layer = {"core_storage", 20, false, core_storage::recognise, core_storage::open};

}  // namespace exhibit::volume
