#include "hash/openssl.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include <array>

#include "hash/openssl_handles.h"

namespace exhibit::hash {
namespace {

// A library context of our own holds OpenSSL's built-in provider and nothing else: the machine's openssl.cnf can't put
// another provider, or none, behind a name. (OpenSSL still reads that file, for its default context, when the first
// digest starts: hence prepare().)
OSSL_LIB_CTX* library() {
  static OSSL_LIB_CTX* const context = OSSL_LIB_CTX_new();
  return context;
}

EVP_MAC* hmac() {
  static EVP_MAC* const mac = EVP_MAC_fetch(library(), "HMAC", nullptr);
  return mac;
}

class OpensslHasher final : public Hasher {
 public:
  explicit OpensslHasher(const EVP_MD* digest) : digest_(digest), context_(EVP_MD_CTX_new()) {
    EXHIBIT_CHECK(context_ != nullptr);
    start();
  }

  void update(std::span<const std::byte> bytes) override {
    EXHIBIT_CHECK(EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size()) == 1);
  }

  std::string finish() override {
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest;
    unsigned size = 0;
    EXHIBIT_CHECK(EVP_DigestFinal_ex(context_.get(), digest.data(), &size) == 1);
    start();
    return {reinterpret_cast<const char*>(digest.data()), size};
  }

 private:
  void start() { EXHIBIT_CHECK(EVP_DigestInit_ex2(context_.get(), digest_, nullptr) == 1); }

  const EVP_MD* digest_;
  OwnedDigestContext context_;
};

}  // namespace

const evp_md_st* OpensslDigest::fetched() {
  if (const EVP_MD* digest = digest_.load()) return digest;
  OwnedDigest mine(EVP_MD_fetch(library(), name_, nullptr));
  const EVP_MD* first = nullptr;
  if (digest_.compare_exchange_strong(first, mine.get())) return mine.release();
  return first;  // another thread was quicker
}

Result<std::unique_ptr<Hasher>> OpensslDigest::create() {
  const EVP_MD* digest = fetched();
  if (digest == nullptr) {
    return Error{ErrorCode::unsupported, std::string("this machine's OpenSSL doesn't give ") + name_, name_, {}};
  }
  return std::unique_ptr<Hasher>(std::make_unique<OpensslHasher>(digest));
}

void HmacSha256::Free::operator()(evp_mac_ctx_st* context) const { EVP_MAC_CTX_free(context); }

Result<HmacSha256> HmacSha256::create(std::string_view key) {
  HmacSha256 result;
  if (hmac() != nullptr) result.context_.reset(EVP_MAC_CTX_new(hmac()));
  std::string digest = "SHA256";
  const std::array<OSSL_PARAM, 2> parameters = {
      OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest.data(), 0), OSSL_PARAM_construct_end()};
  if (!result.context_ || EVP_MAC_init(result.context_.get(), reinterpret_cast<const unsigned char*>(key.data()),
                                       key.size(), parameters.data()) != 1) {
    return Error{ErrorCode::unsupported, "this machine's OpenSSL doesn't give HMAC-SHA-256", "HMAC", {}};
  }
  return result;
}

std::string HmacSha256::of(std::string_view message) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> code;
  std::size_t size = 0;
  EVP_MAC_CTX* context = context_.get();
  // Without a key the context starts anew under the one that it has.
  EXHIBIT_CHECK(EVP_MAC_init(context, nullptr, 0, nullptr) == 1);
  EXHIBIT_CHECK(EVP_MAC_update(context, reinterpret_cast<const unsigned char*>(message.data()), message.size()) == 1);
  EXHIBIT_CHECK(EVP_MAC_final(context, code.data(), &size, code.size()) == 1);
  return {reinterpret_cast<const char*>(code.data()), size};
}

}  // namespace exhibit::hash
