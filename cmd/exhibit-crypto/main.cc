// exhibit-crypto: OpenSSL's engines, in a process of their own, so that `exhibit` loads none.
//   exhibit-crypto gost    the gost engine, loaded first; then the process seals itself like a worker
//   exhibit-crypto token   PKCS#11 modules, under a seal that leaves them what they need to reach a card
// A line of JSON is a question, a line of JSON the answer (modules/manifest/crypto_process.h). It ends when its input
// does.

#include <openssl/engine.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <sys/prctl.h>

#include <csignal>
#include <iostream>
#include <string>

#include "base/json.h"
#include "manifest/openssl.h"
#include "sandbox/seal.h"

namespace {

using exhibit::base::Json;

namespace openssl = exhibit::manifest::openssl;
namespace sandbox = exhibit::sandbox;

// What this process is for, and the seal that it then got.
sandbox::Work work = sandbox::Work::parse;
sandbox::Seal seal_got;

// A question that can't be answered; the text is for a person.
struct Cannot {
  std::string why;
};

const unsigned char* bytes(const std::string& text) { return reinterpret_cast<const unsigned char*>(text.data()); }

// Loaded once, never unloaded; nullptr where the machine hasn't it.
ENGINE* load_engine(const char* id, bool for_everything) {
  ENGINE* engine = ENGINE_by_id(id);
  if (engine == nullptr || ENGINE_init(engine) != 1) return nullptr;
  if (for_everything && ENGINE_set_default(engine, ENGINE_METHOD_ALL) != 1) return nullptr;
  return engine;
}

// Nothing can be loaded under the seal: the first call is before it.
bool has_gost() {
  static ENGINE* const engine = work == sandbox::Work::parse ? load_engine("gost", true) : nullptr;
  return engine != nullptr;
}
void need_gost() {
  if (!has_gost()) throw Cannot{"the GOST engine is missing: install libengine-gost-openssl"};
}

std::string text_of(const Json& question, const char* name) {
  const auto found = question.find(name);
  if (found == question.end() || !found->is_string()) throw Cannot{std::string("the question lacks ") + name};
  return found->get<std::string>();
}

std::string bytes_of(const Json& question, const char* name) {
  auto decoded = exhibit::base::from_hex(text_of(question, name));
  if (!decoded.ok()) throw Cannot{std::string(name) + " isn't hex"};
  return decoded.take();
}

openssl::Key private_key(const Json& question) {
  std::string der = bytes_of(question, "key");
  const auto info = openssl::from_der<openssl::PrivateKeyInfo>(d2i_PKCS8_PRIV_KEY_INFO, der);
  OPENSSL_cleanse(der.data(), der.size());
  openssl::Key key(info ? EVP_PKCS82PKEY(info.get()) : nullptr);
  if (!key) throw Cannot{"the private key can't be read (" + openssl::last_error() + ")"};
  return key;
}

Json verify(const Json& question) {
  need_gost();
  const auto key = openssl::from_der<openssl::Key>(d2i_PUBKEY, bytes_of(question, "key"));
  const std::string digest = bytes_of(question, "digest");
  const std::string signature = bytes_of(question, "signature");
  const openssl::KeyContext context(key ? EVP_PKEY_CTX_new(key.get(), nullptr) : nullptr);
  const bool valid =
      context && EVP_PKEY_verify_init(context.get()) == 1 &&
      EVP_PKEY_verify(context.get(), bytes(signature), signature.size(), bytes(digest), digest.size()) == 1;
  return {{"valid", valid}};
}

// A key in a token. The module and the PIN are the first question's: one process talks to one token.
openssl::Key token_key(const Json& question) {
  if (work != sandbox::Work::token) throw Cannot{"this process is for GOST"};
  static ENGINE* const engine = [&]() -> ENGINE* {
    ENGINE* loaded = ENGINE_by_id("pkcs11");
    const std::string pin = question.contains("pin") ? text_of(question, "pin") : "";
    const bool ready = loaded != nullptr &&
                       ENGINE_ctrl_cmd_string(loaded, "MODULE_PATH", text_of(question, "module").c_str(), 0) == 1 &&
                       (pin.empty() || ENGINE_ctrl_cmd_string(loaded, "PIN", pin.c_str(), 0) == 1) &&
                       ENGINE_init(loaded) == 1;
    return ready ? loaded : nullptr;
  }();
  if (engine == nullptr)
    throw Cannot{"the PKCS#11 engine or the token's module can't be loaded: install libengine-pkcs11-openssl"};
  openssl::Key key(ENGINE_load_private_key(engine, text_of(question, "uri").c_str(), nullptr, nullptr));
  if (!key) throw Cannot{"the token gives no such private key (" + openssl::last_error() + ")"};
  return key;
}

openssl::Key key_of(const Json& question) {
  if (question.contains("uri")) return token_key(question);
  need_gost();
  return private_key(question);
}

// GOST keys have their digest in themselves; a token's are told it.
bool tell_digest(const Json& question, EVP_PKEY_CTX* context) {
  if (!question.contains("uri")) return true;
  const bool is_rsa = EVP_PKEY_get_base_id(EVP_PKEY_CTX_get0_pkey(context)) == EVP_PKEY_RSA;
  return EVP_PKEY_CTX_set_signature_md(context, EVP_sha256()) == 1 &&
         (!is_rsa || EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PADDING) == 1);
}

Json sign(const Json& question) {
  const openssl::Key key = key_of(question);
  const std::string digest = bytes_of(question, "digest");
  const openssl::KeyContext context(EVP_PKEY_CTX_new(key.get(), nullptr));
  std::string signature(static_cast<std::size_t>(EVP_PKEY_get_size(key.get())), '\0');
  std::size_t size = signature.size();
  if (!context || EVP_PKEY_sign_init(context.get()) != 1 || !tell_digest(question, context.get()) ||
      EVP_PKEY_sign(context.get(), reinterpret_cast<unsigned char*>(signature.data()), &size, bytes(digest),
                    digest.size()) != 1)
    throw Cannot{"the key refused to sign (" + openssl::last_error() + ")"};
  signature.resize(size);
  return {{"signature", exhibit::base::to_hex(signature)}};
}

Json public_of(const Json& question) {
  const openssl::Key key = key_of(question);
  const std::string der = openssl::der_of(key.get(), i2d_PUBKEY);
  if (der.empty()) throw Cannot{"the key has no public half (" + openssl::last_error() + ")"};
  return {{"key", exhibit::base::to_hex(der)}};
}

// For `exhibit doctor`.
Json state() {
  ENGINE* const pkcs11 = work == sandbox::Work::token ? ENGINE_by_id("pkcs11") : nullptr;
  const bool there = work == sandbox::Work::token ? pkcs11 != nullptr : has_gost();
  ENGINE_free(pkcs11);
  return {{"seal", sandbox::to_json(seal_got)}, {"engine", there}};
}

Json attempt(const Json& question) {
  const sandbox::Attempt tried = sandbox::attempt(text_of(question, "act"));
  return {{"refused", tried.refused}, {"detail", tried.detail}};
}

Json answer(const std::string& line) {
  const auto question = exhibit::base::parse_json(line);
  if (!question.ok() || !question->is_object()) throw Cannot{"the question isn't JSON"};
  const std::string what = text_of(*question, "do");
  if (what == "verify") return verify(*question);
  if (what == "sign") return sign(*question);
  if (what == "public") return public_of(*question);
  if (what == "state") return state();
  if (what == "attempt") return attempt(*question);
  throw Cannot{"no such question: " + what};
}

}  // namespace

int main(int argc, char** argv) {
  constexpr std::uint64_t memory_for_gost = std::uint64_t{1} << 30;
  const std::string role = argc == 2 ? argv[1] : "";
  if (role != "gost" && role != "token") {
    std::cerr << "exhibit-crypto: is started by exhibit\n";
    return 2;
  }
  work = role == "token" ? sandbox::Work::token : sandbox::Work::parse;
  prctl(PR_SET_DUMPABLE, 0);  // private keys pass through: no core, no debugger of the same user
  // The machine's openssl.cnf has no say in what is loaded here.
  OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG | OPENSSL_INIT_ENGINE_DYNAMIC, nullptr);
  has_gost();
  // What a machine can't give, `exhibit doctor` says; a signature is judged all the same.
  const std::uint64_t memory = work == sandbox::Work::token ? 0 : memory_for_gost;
  const auto sealed = sandbox::seal({.memory_bytes = memory, .required = false, .work = work});
  if (!sealed.ok()) return 3;
  seal_got = *sealed;
  std::string line;
  while (std::getline(std::cin, line)) {
    Json reply;
    try {
      reply = answer(line);
    } catch (const Cannot& cannot) {
      reply = {{"error", cannot.why}};
    }
    ERR_clear_error();
    OPENSSL_cleanse(line.data(), line.size());
    std::cout << exhibit::base::canonical(reply) << std::endl;
  }
  return 0;
}
