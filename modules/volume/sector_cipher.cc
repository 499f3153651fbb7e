#include "volume/sector_cipher.h"

#include <openssl/evp.h>

#include <array>

namespace exhibit::volume {
namespace {

constexpr std::size_t block_bytes = 16;  // AES
constexpr std::uint64_t number_unit = 512;
using Block = std::array<unsigned char, block_bytes>;

struct FreeCipher {
  void operator()(EVP_CIPHER_CTX* context) const { EVP_CIPHER_CTX_free(context); }
};
using CipherContext = std::unique_ptr<EVP_CIPHER_CTX, FreeCipher>;

const unsigned char* bytes_of(std::string_view text) { return reinterpret_cast<const unsigned char*>(text.data()); }

CipherContext context_of(const EVP_CIPHER* cipher, std::string_view key, bool encrypts) {
  CipherContext context(EVP_CIPHER_CTX_new());
  EXHIBIT_CHECK(context && EVP_CipherInit_ex(context.get(), cipher, nullptr, bytes_of(key), nullptr, encrypts) == 1);
  EVP_CIPHER_CTX_set_padding(context.get(), 0);
  return context;
}

// How a sector's number becomes its initialisation vector.
enum class Vector { plain, plain64, plain64be, essiv };

class AesSectors final : public SectorCipher {
 public:
  AesSectors(CipherContext cipher, Vector vector, CipherContext essiv)
      : cipher_(std::move(cipher)), vector_(vector), essiv_(std::move(essiv)) {}

  void decrypt(std::uint64_t number, std::size_t sector_bytes, std::span<std::byte> bytes) override {
    auto* at = reinterpret_cast<unsigned char*>(bytes.data());
    for (std::size_t left = bytes.size(); left >= sector_bytes; left -= sector_bytes, at += sector_bytes) {
      const Block vector = vector_of(number);
      int got = 0;
      EXHIBIT_CHECK(EVP_CipherInit_ex(cipher_.get(), nullptr, nullptr, nullptr, vector.data(), -1) == 1);
      EXHIBIT_CHECK(EVP_CipherUpdate(cipher_.get(), at, &got, at, static_cast<int>(sector_bytes)) == 1);
      number += sector_bytes / number_unit;
    }
  }

 private:
  Block vector_of(std::uint64_t number) {
    Block vector{};
    if (vector_ == Vector::plain) number = static_cast<std::uint32_t>(number);
    for (std::size_t i = 0; i < sizeof number; ++i) {
      const auto byte = static_cast<unsigned char>(number >> (8 * i));
      vector[vector_ == Vector::plain64be ? block_bytes - 1 - i : i] = byte;
    }
    if (vector_ != Vector::essiv) return vector;
    int got = 0;
    Block encrypted{};
    EXHIBIT_CHECK(EVP_CipherUpdate(essiv_.get(), encrypted.data(), &got, vector.data(), block_bytes) == 1);
    return encrypted;
  }

  CipherContext cipher_;
  Vector vector_;
  CipherContext essiv_;  // nullptr but for essiv
};

const EVP_CIPHER* xts(std::size_t key_bytes) {
  return key_bytes == 32 ? EVP_aes_128_xts() : key_bytes == 64 ? EVP_aes_256_xts() : nullptr;
}
const EVP_CIPHER* cbc(std::size_t key_bytes) {
  return key_bytes == 16   ? EVP_aes_128_cbc()
         : key_bytes == 24 ? EVP_aes_192_cbc()
         : key_bytes == 32 ? EVP_aes_256_cbc()
                           : nullptr;
}

struct Specification {
  const char* name;
  const EVP_CIPHER* (*cipher)(std::size_t key_bytes);
  Vector vector;
};
constexpr Specification specifications[] = {
    {"aes-xts-plain64", xts, Vector::plain64},     {"aes-xts-plain", xts, Vector::plain},
    {"aes-cbc-plain64", cbc, Vector::plain64},     {"aes-cbc-plain", cbc, Vector::plain},
    {"aes-cbc-plain64be", cbc, Vector::plain64be}, {"aes-cbc-essiv:sha256", cbc, Vector::essiv},
};

}  // namespace

std::string sha256(std::string_view bytes) {
  std::string digest(32, '\0');
  unsigned size = 0;
  EXHIBIT_CHECK(EVP_Digest(bytes.data(), bytes.size(), reinterpret_cast<unsigned char*>(digest.data()), &size,
                           EVP_sha256(), nullptr) == 1);
  return digest;
}

std::optional<std::string> unwrapped_key(std::string_view around, std::string_view wrapped) {
  constexpr std::size_t added = 8;
  if (around.size() != block_bytes || wrapped.size() <= added || wrapped.size() % added != 0) return std::nullopt;
  CipherContext context(EVP_CIPHER_CTX_new());
  EXHIBIT_CHECK(context != nullptr);
  EVP_CIPHER_CTX_set_flags(context.get(), EVP_CIPHER_CTX_FLAG_WRAP_ALLOW);
  std::string key(wrapped.size() + block_bytes, '\0');
  int length = 0;
  if (EVP_CipherInit_ex(context.get(), EVP_aes_128_wrap(), nullptr, bytes_of(around), nullptr, 0) != 1 ||
      EVP_CipherUpdate(context.get(), reinterpret_cast<unsigned char*>(key.data()), &length, bytes_of(wrapped),
                       static_cast<int>(wrapped.size())) != 1)
    return std::nullopt;
  key.resize(wrapped.size() - added);
  return static_cast<std::size_t>(length) == key.size() ? std::optional(std::move(key)) : std::nullopt;
}

Result<std::unique_ptr<SectorCipher>> SectorCipher::create(const std::string& specification, std::string_view key) {
  for (const Specification& each : specifications) {
    if (specification != each.name) continue;
    const EVP_CIPHER* cipher = each.cipher(key.size());
    if (cipher == nullptr)
      return Error{
          ErrorCode::corrupt, "a key of " + std::to_string(key.size()) + " bytes is none for " + specification, {}, {}};
    CipherContext essiv;
    if (each.vector == Vector::essiv) essiv = context_of(EVP_aes_256_ecb(), sha256(key), true);
    return std::unique_ptr<SectorCipher>(
        std::make_unique<AesSectors>(context_of(cipher, key, false), each.vector, std::move(essiv)));
  }
  return Error{
      ErrorCode::unsupported, "it is encrypted with " + specification + ", which Exhibit doesn't decrypt", {}, {}};
}

}  // namespace exhibit::volume
