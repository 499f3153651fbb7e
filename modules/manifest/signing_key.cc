#include "manifest/signing_key.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>

#include <algorithm>
#include <array>

#include "base/json.h"
#include "manifest/bign.h"
#include "manifest/crypto_process.h"
#include "manifest/der.h"
#include "manifest/file.h"

namespace exhibit::manifest {
namespace fs = std::filesystem;
namespace {

constexpr const char* kinds = "give ECDSA P-256, RSA-3072, GOST R 34.10-2012 or bign-curve256v1";

const unsigned char* unsigned_of(std::string_view text) { return reinterpret_cast<const unsigned char*>(text.data()); }

// ECDSA and RSA, by OpenSSL.
class OpensslKey : public SigningKey {
 public:
  OpensslKey(openssl::Key key, const Suite& suite) : SigningKey(suite), key_(std::move(key)) {}

  Result<std::string> sign(std::string_view digest) const override {
    const openssl::KeyContext context(EVP_PKEY_CTX_new(key_.get(), nullptr));
    const openssl::Digest algorithm(EVP_MD_fetch(nullptr, pairing().digest, nullptr));
    bool good = context && algorithm && EVP_PKEY_sign_init(context.get()) == 1 &&
                EVP_PKEY_CTX_set_signature_md(context.get(), algorithm.get()) == 1;
    if (good && EVP_PKEY_get_base_id(key_.get()) == EVP_PKEY_RSA)
      good = EVP_PKEY_CTX_set_rsa_padding(context.get(), RSA_PKCS1_PADDING) == 1;
    std::string signature(static_cast<std::size_t>(EVP_PKEY_get_size(key_.get())), '\0');
    std::size_t size = signature.size();
    good = good && EVP_PKEY_sign(context.get(), reinterpret_cast<unsigned char*>(signature.data()), &size,
                                 unsigned_of(digest), digest.size()) == 1;
    if (!good) return Error{ErrorCode::internal, "OpenSSL refused to sign: " + openssl::last_error(), {}, {}};
    signature.resize(size);
    return signature;
  }

  bool is_key_of(X509* certificate) const override {
    const bool pair = X509_check_private_key(certificate, key_.get()) == 1;
    ERR_clear_error();
    return pair;
  }

 private:
  openssl::Key key_;
};

// A secret that is wiped.
class Secret {
 public:
  explicit Secret(std::string bytes) : bytes_(std::move(bytes)) {}
  Secret(Secret&& other) noexcept : bytes_(other.bytes_) { other.wipe(); }
  Secret(const Secret&) = delete;
  Secret& operator=(const Secret&) = delete;
  ~Secret() { wipe(); }
  const std::string& bytes() const { return bytes_; }

 private:
  void wipe() { OPENSSL_cleanse(bytes_.data(), bytes_.size()); }
  std::string bytes_;
};

class BignKey : public SigningKey {
 public:
  BignKey(Secret secret, std::string public_key)
      : SigningKey(bign_suite), secret_(std::move(secret)), public_key_(std::move(public_key)) {}

  // The one-time secret is a function of key and digest, so that no bad random number can betray the key; fresh
  // random bytes go in beside them (the standard's t), so that no fault in the arithmetic can.
  Result<std::string> sign(std::string_view digest) const override {
    std::array<unsigned char, bign::secret_bytes> t;
    if (RAND_bytes(t.data(), static_cast<int>(t.size())) != 1)
      return Error{ErrorCode::internal, "no random numbers", {}, {}};
    return bign::sign(secret_.bytes(), digest, std::string_view(reinterpret_cast<const char*>(t.data()), t.size()));
  }

  bool is_key_of(X509* certificate) const override {
    X509_PUBKEY* const key = X509_get_X509_PUBKEY(certificate);
    return suite_of(key) == &bign_suite && key_bytes(key) == public_key_;
  }

 private:
  Secret secret_;
  std::string public_key_;
};

// A key that the other process uses for each signature anew: GOST.
class EngineKey : public SigningKey {
 public:
  EngineKey(const Suite& suite, Secret pkcs8, std::string public_key)
      : SigningKey(suite), pkcs8_(std::move(pkcs8)), public_key_(std::move(public_key)) {}

  Result<std::string> sign(std::string_view digest) const override {
    const auto answer = EXHIBIT_TRY(
        ask_crypto_process({{"do", "sign"}, {"key", base::to_hex(pkcs8_.bytes())}, {"digest", base::to_hex(digest)}}));
    return base::from_hex(answer.value("signature", ""));
  }

  bool is_key_of(X509* certificate) const override {
    return openssl::der_of(X509_get_X509_PUBKEY(certificate), i2d_X509_PUBKEY) == public_key_;
  }

 private:
  Secret pkcs8_;
  std::string public_key_;  // SubjectPublicKeyInfo
};

// A key in a token, with which its own process talks as long as this lives.
class TokenKey : public SigningKey {
 public:
  TokenKey(const Suite& suite, std::unique_ptr<CryptoProcess> process, base::Json question, std::string public_key)
      : SigningKey(suite),
        process_(std::move(process)),
        question_(std::move(question)),
        public_key_(std::move(public_key)) {}

  Result<std::string> sign(std::string_view digest) const override {
    base::Json question = question_;
    question["do"] = "sign";
    question["digest"] = base::to_hex(digest);
    const auto answer = EXHIBIT_TRY(process_->ask(question));
    return base::from_hex(answer.value("signature", ""));
  }

  bool is_key_of(X509* certificate) const override {
    return openssl::der_of(X509_get_X509_PUBKEY(certificate), i2d_X509_PUBKEY) == public_key_;
  }

 private:
  std::unique_ptr<CryptoProcess> process_;
  base::Json question_;     // uri, module and PIN
  std::string public_key_;  // SubjectPublicKeyInfo
};

// Called by OpenSSL for a key behind a passphrase: notes that one was asked for, and gives none.
int no_passphrase(char*, int, int, void* asked) {
  *static_cast<bool*>(asked) = true;
  return -1;
}

// The PKCS#8 in PEM, if that is what it is.
openssl::PrivateKeyInfo private_key_info(std::string_view pem) {
  const openssl::Bio in = openssl::memory(pem);
  openssl::PrivateKeyInfo info(PEM_read_bio_PKCS8_PRIV_KEY_INFO(in.get(), nullptr, no_passphrase, nullptr));
  ERR_clear_error();
  return info;
}

struct KeyParts {
  std::string algorithm;   // dotted
  std::string parameters;  // DER
  std::string_view bytes;  // of the PrivateKeyInfo
};

KeyParts parts_of(const PKCS8_PRIV_KEY_INFO* info) {
  const ASN1_OBJECT* object = nullptr;
  const X509_ALGOR* algorithm = nullptr;
  const unsigned char* bytes = nullptr;
  int length = 0;
  if (PKCS8_pkey_get0(&object, &bytes, &length, &algorithm, info) != 1 || length < 0) return {};
  const std::string der = openssl::der_of(algorithm, i2d_X509_ALGOR);
  const auto fields = der::only(der, der::sequence_tag);
  const std::string_view rest = fields ? fields->content.substr(der::first(fields->content)->whole.size()) : "";
  return {openssl::oid_of(object), std::string(rest),
          std::string_view(reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(length))};
}

Result<std::unique_ptr<SigningKey>> bign_key(const KeyParts& parts, const fs::path& path) {
  if (parts.parameters != der::oid(bign::curve_oid) && parts.parameters != bign::curve_parameters())
    return file_error(ErrorCode::invalid_argument, path, "the key isn't on bign-curve256v1");
  auto public_key = bign::public_key_of(parts.bytes);
  if (!public_key.ok()) return file_error(ErrorCode::invalid_argument, path, public_key.error().message);
  return std::unique_ptr<SigningKey>(std::make_unique<BignKey>(Secret(std::string(parts.bytes)), public_key.take()));
}

Result<std::unique_ptr<SigningKey>> gost_key(const Suite& suite, const PKCS8_PRIV_KEY_INFO* info,
                                             const fs::path& path) {
  Secret pkcs8(openssl::der_of(info, i2d_PKCS8_PRIV_KEY_INFO));
  const auto answer = ask_crypto_process({{"do", "public"}, {"key", base::to_hex(pkcs8.bytes())}});
  if (!answer.ok()) return file_error(ErrorCode::unsupported, path, answer.error().message);
  std::string der = EXHIBIT_TRY(base::from_hex(answer->value("key", "")));
  const auto key = openssl::from_der<openssl::PublicKey>(d2i_X509_PUBKEY, der);
  if (!key) return file_error(ErrorCode::invalid_argument, path, "its public half can't be read");
  if (const auto weak = suite.weakness(key.get(), Office::signer))
    return file_error(ErrorCode::invalid_argument, path, *weak);
  return std::unique_ptr<SigningKey>(std::make_unique<EngineKey>(suite, std::move(pkcs8), std::move(der)));
}

// Why a public key can't make our signatures; the suite where it can.
Result<const Suite*> fit_suite(X509_PUBKEY* key, const fs::path& where) {
  const Suite* const suite = suite_of(key);
  if (suite == nullptr || !suite->known_to_openssl)
    return file_error(ErrorCode::unsupported, where, std::string("a key of this kind can't sign; ") + kinds);
  for (const auto& why_not : {suite->weakness(key, Office::signer), suite->unfit_for_signing(key)}) {
    if (why_not) return file_error(ErrorCode::invalid_argument, where, *why_not);
  }
  return suite;
}

Result<std::unique_ptr<SigningKey>> openssl_key(std::string_view pem, const fs::path& path) {
  const openssl::Bio in = openssl::memory(pem);
  bool asked = false;
  openssl::Key key(PEM_read_bio_PrivateKey(in.get(), nullptr, no_passphrase, &asked));
  const std::string why = openssl::last_error();
  if (asked)
    return file_error(ErrorCode::encrypted, path,
                      "the key is behind a passphrase; give it decrypted, in a file of 0600");
  if (!key) return file_error(ErrorCode::invalid_argument, path, "holds no private key in PEM (" + why + ")");
  X509_PUBKEY* made = nullptr;
  X509_PUBKEY_set(&made, key.get());
  const openssl::PublicKey public_key(made);
  ERR_clear_error();
  const Suite* const suite = EXHIBIT_TRY(fit_suite(public_key.get(), path));
  return std::unique_ptr<SigningKey>(std::make_unique<OpensslKey>(std::move(key), *suite));
}

// %XX of RFC 3986.
std::string decoded(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    std::string digits(text[i] == '%' ? text.substr(i + 1, 2) : "-");
    for (char& digit : digits) digit = digit >= 'A' && digit <= 'F' ? static_cast<char>(digit - 'A' + 'a') : digit;
    const auto byte = base::from_hex(digits);
    const bool escaped = text[i] == '%' && byte.ok() && byte->size() == 1;
    out += escaped ? byte->front() : text[i];
    if (escaped) i += 2;
  }
  return out;
}

Result<std::unique_ptr<SigningKey>> token_key(const std::string& uri, const std::vector<std::string>& environment) {
  const auto bad = [](const std::string& what) {
    return Error{ErrorCode::invalid_argument, "the key's pkcs11: URI " + what, {}, {}};
  };
  const std::size_t query = uri.find('?');
  base::Json question = {{"uri", uri.substr(0, query)}};
  std::string_view rest = query == std::string::npos ? std::string_view() : std::string_view(uri).substr(query + 1);
  while (!rest.empty()) {
    const std::string_view word = rest.substr(0, rest.find('&'));
    rest.remove_prefix(std::min(rest.size(), word.size() + 1));
    const std::string value = decoded(word.substr(std::min(word.size(), word.find('=') + 1)));
    if (word.starts_with("module-path=")) {
      question["module"] = value;
    } else if (word.starts_with("pin-source=file:")) {
      std::string pin = EXHIBIT_TRY(read_whole(value.substr(5)));
      while (!pin.empty() && (pin.back() == '\n' || pin.back() == '\r')) pin.pop_back();
      question["pin"] = pin;
    } else {
      return bad("has the attribute " + std::string(word.substr(0, word.find('='))) +
                 "; give module-path and pin-source=file:… (a PIN on the command line is read by everybody)");
    }
  }
  if (!question.contains("module")) return bad("lacks module-path, the token's PKCS#11 library");
  auto process = std::make_unique<CryptoProcess>(CryptoProcess::Engine::token, environment);
  question["do"] = "public";
  const auto answer = EXHIBIT_TRY(process->ask(question));
  std::string der = EXHIBIT_TRY(base::from_hex(answer.value("key", "")));
  const auto key = openssl::from_der<openssl::PublicKey>(d2i_X509_PUBKEY, der);
  if (!key) return bad("names a key whose public half can't be read");
  const Suite* const suite = EXHIBIT_TRY(fit_suite(key.get(), "pkcs11"));
  return std::unique_ptr<SigningKey>(
      std::make_unique<TokenKey>(*suite, std::move(process), std::move(question), std::move(der)));
}

}  // namespace

Result<std::unique_ptr<SigningKey>> open_signing_key(const std::string& name,
                                                     const std::vector<std::string>& environment) {
  if (name.starts_with("pkcs11:")) return token_key(name, environment);
  const fs::path path = name;
  const Secret pem(EXHIBIT_TRY(read_whole(path)));
  const openssl::PrivateKeyInfo info = private_key_info(pem.bytes());
  if (!info) return openssl_key(pem.bytes(), path);
  const KeyParts parts = parts_of(info.get());
  if (parts.algorithm == bign_suite.key_oid) return bign_key(parts, path);
  for (const Suite* suite : {&gost256_suite, &gost512_suite}) {
    if (parts.algorithm == suite->key_oid) return gost_key(*suite, info.get(), path);
  }
  return openssl_key(pem.bytes(), path);
}

}  // namespace exhibit::manifest
