#include "volume/layers/luks/key_slots.h"

#include <argon2.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <limits>

#include "base/checked.h"
#include "volume/sector_cipher.h"
#include "volume/table.h"

namespace exhibit::volume::luks {
namespace {

constexpr std::uint64_t most_key = 512, most_stripes = 65536;  // what cryptsetup itself bounds
constexpr std::uint64_t most_memory_kib = std::uint64_t{4} << 20, most_lanes = 64;

Error corrupt(const std::string& why) { return {ErrorCode::corrupt, why, {}, {}}; }

unsigned char* bytes_of(std::string& text) { return reinterpret_cast<unsigned char*>(text.data()); }
const unsigned char* bytes_of(const std::string& text) { return reinterpret_cast<const unsigned char*>(text.data()); }

Result<const EVP_MD*> digest_named(const std::string& name) {
  const EVP_MD* digest = EVP_get_digestbyname(name.c_str());
  if (digest == nullptr)
    return Error{ErrorCode::unsupported, "its hash is " + name + ", which this machine's OpenSSL doesn't give", {}, {}};
  return digest;
}

Result<std::string> pbkdf2(const std::string& secret, const std::string& salt, std::uint64_t iterations,
                           const std::string& hash, std::size_t length) {
  const EVP_MD* digest = EXHIBIT_TRY(digest_named(hash));
  if (iterations == 0 || iterations > std::numeric_limits<int>::max()) return corrupt("its iterations make no sense");
  std::string key(length, '\0');
  if (PKCS5_PBKDF2_HMAC(secret.data(), static_cast<int>(secret.size()), bytes_of(salt), static_cast<int>(salt.size()),
                        static_cast<int>(iterations), digest, static_cast<int>(length), bytes_of(key)) != 1)
    return Error{ErrorCode::unsupported, "this machine's OpenSSL doesn't give PBKDF2 with " + hash, {}, {}};
  return key;
}

// One lane after the other: a sealed worker makes no threads. What comes of it is the same.
Result<std::string> argon2(const std::string& secret, const KeySlot& slot) {
  if (slot.memory_kib > most_memory_kib || slot.lanes > most_lanes || slot.iterations > UINT32_MAX)
    return corrupt("its key derivation asks for more than cryptsetup allows");
  std::string key(static_cast<std::size_t>(slot.area_key_bytes), '\0'), salt = slot.salt, password = secret;
  argon2_context context{};
  context.out = bytes_of(key);
  context.outlen = static_cast<std::uint32_t>(key.size());
  context.pwd = bytes_of(password);
  context.pwdlen = static_cast<std::uint32_t>(password.size());
  context.salt = bytes_of(salt);
  context.saltlen = static_cast<std::uint32_t>(salt.size());
  context.t_cost = static_cast<std::uint32_t>(slot.iterations);
  context.m_cost = static_cast<std::uint32_t>(slot.memory_kib);
  context.lanes = static_cast<std::uint32_t>(slot.lanes);
  context.threads = 1;
  context.version = ARGON2_VERSION_13;
  const int done = argon2_ctx(&context, slot.kdf == "argon2i" ? Argon2_i : Argon2_id);
  OPENSSL_cleanse(password.data(), password.size());
  if (done == ARGON2_OK) return key;
  if (done == ARGON2_MEMORY_ALLOCATION_ERROR)
    return Error{ErrorCode::memory_limit,
                 "its key derivation takes " + std::to_string(slot.memory_kib / 1024) +
                     " MiB of memory, more than a worker has; give more with --memory, or fewer --jobs",
                 {},
                 {}};
  return corrupt(std::string("its key derivation makes no sense: ") + argon2_error_message(done));
}

Result<std::string> area_key(const std::string& secret, const KeySlot& slot) {
  if (slot.kdf == "pbkdf2")
    return pbkdf2(secret, slot.salt, slot.iterations, slot.hash, static_cast<std::size_t>(slot.area_key_bytes));
  if (slot.kdf == "argon2i" || slot.kdf == "argon2id") return argon2(secret, slot);
  return Error{ErrorCode::unsupported, "its key derivation is " + slot.kdf + ", which Exhibit doesn't know", {}, {}};
}

// The anti-forensic splitter (LUKS1, section 2.4): every digest-sized piece is hashed with its number before it.
void diffuse(const EVP_MD* digest, std::string& block) {
  const auto size = static_cast<std::size_t>(EVP_MD_get_size(digest));
  for (std::size_t at = 0, number = 0; at < block.size(); at += size, ++number) {
    std::string piece;
    for (int shift = 24; shift >= 0; shift -= 8) piece += static_cast<char>(number >> shift);
    piece += block.substr(at, size);
    std::string sum(EVP_MAX_MD_SIZE, '\0');
    unsigned length = 0;
    EXHIBIT_CHECK(EVP_Digest(piece.data(), piece.size(), bytes_of(sum), &length, digest, nullptr) == 1);
    block.replace(at, std::min(size, block.size() - at), sum, 0, std::min(size, block.size() - at));
  }
}

void combine(std::string& into, std::string_view with) {
  for (std::size_t i = 0; i < into.size(); ++i) into[i] = static_cast<char>(into[i] ^ with[i]);
}

Result<std::string> merge(std::string_view split, std::size_t key_bytes, const std::string& hash) {
  const EVP_MD* digest = EXHIBIT_TRY(digest_named(hash));
  std::string block(key_bytes, '\0');
  for (std::size_t at = 0; at + key_bytes < split.size(); at += key_bytes) {
    combine(block, split.substr(at, key_bytes));
    diffuse(digest, block);
  }
  combine(block, split.substr(split.size() - key_bytes));
  return block;
}

Result<std::string> read_split_key(ByteSource& volume, const KeySlot& slot, const std::string& key) {
  constexpr std::size_t sector = 512;
  const std::size_t wanted = static_cast<std::size_t>(slot.key_bytes * slot.stripes);
  const std::size_t sectors = (wanted + sector - 1) / sector;
  const std::uint64_t damaged_before = volume.damaged_reads();
  std::string split = bytes_at(volume, slot.area_offset, sectors * sector);
  if (split.size() < sectors * sector || volume.damaged_reads() != damaged_before)
    return corrupt("key slot " + slot.name + " can't be read");
  const auto cipher = EXHIBIT_TRY(SectorCipher::create(slot.encryption, key));
  cipher->decrypt(0, sector, std::as_writable_bytes(std::span(split)));
  split.resize(wanted);
  return split;
}

}  // namespace

Result<std::optional<std::string>> open_slot(ByteSource& volume, const Header& header, const KeySlot& slot,
                                             const std::string& secret) {
  const bool makes_sense = slot.key_bytes > 0 && slot.key_bytes <= most_key && slot.area_key_bytes > 0 &&
                           slot.area_key_bytes <= most_key && slot.stripes > 0 && slot.stripes <= most_stripes;
  if (!makes_sense) return corrupt("key slot " + slot.name + " makes no sense");
  const std::string opens_area = EXHIBIT_TRY(area_key(secret, slot));
  const std::string split = EXHIBIT_TRY(read_split_key(volume, slot, opens_area));
  std::string key = EXHIBIT_TRY(merge(split, static_cast<std::size_t>(slot.key_bytes), slot.split_hash));
  const KeyDigest& digest = header.digest;
  const std::string sum = EXHIBIT_TRY(pbkdf2(key, digest.salt, digest.iterations, digest.hash, digest.digest.size()));
  if (sum != digest.digest) return std::optional<std::string>();
  return std::optional<std::string>(std::move(key));
}

}  // namespace exhibit::volume::luks
