#include "manifest/local_authority.h"

#include <openssl/err.h>
#include <openssl/rand.h>

#include <cstdlib>
#include <optional>
#include <utility>
#include <vector>

#include "manifest/file.h"
#include "manifest/openssl.h"
#include "manifest/signing_key.h"
#include "manifest/stamp_writer.h"

namespace exhibit::manifest {
namespace {

constexpr int serial_size = 16;  // bytes: unique without a register

ASN1_INTEGER* random_serial(TS_RESP_CTX*, void*) {
  unsigned char bytes[serial_size];
  if (RAND_bytes(bytes, sizeof bytes) != 1) return nullptr;
  bytes[0] &= 0x7F;
  BIGNUM* number = BN_bin2bn(bytes, sizeof bytes, nullptr);
  ASN1_INTEGER* serial = number == nullptr ? nullptr : BN_to_ASN1_INTEGER(number, nullptr);
  BN_free(number);
  return serial;
}

// `oid_section`, as the openssl command reads it: names for policies.
void add_oids(const CONF* configuration) {
  const char* section = NCONF_get_string(configuration, nullptr, "oid_section");
  const STACK_OF(CONF_VALUE)* values = section == nullptr ? nullptr : NCONF_get_section(configuration, section);
  for (int i = 0; i < sk_CONF_VALUE_num(values); ++i) {
    const CONF_VALUE* value = sk_CONF_VALUE_value(values, i);
    if (OBJ_txt2nid(value->name) == NID_undef) OBJ_create(value->value, value->name, value->name);
  }
  ERR_clear_error();
}

// TS_CONF_set_… read the signer's files and the authority's policy; "" stands for a passphrase so that none is asked
// for on a terminal.
bool configure(CONF* configuration, TS_RESP_CTX* authority) {
  const char* section = TS_CONF_get_tsa_section(configuration, nullptr);
  if (section == nullptr) return false;
  TS_RESP_CTX_set_serial_cb(authority, random_serial, nullptr);
  return TS_CONF_set_signer_cert(configuration, section, nullptr, authority) == 1 &&
         TS_CONF_set_certs(configuration, section, nullptr, authority) == 1 &&
         TS_CONF_set_signer_key(configuration, section, nullptr, "", authority) == 1 &&
         TS_CONF_set_signer_digest(configuration, section, nullptr, authority) == 1 &&
         TS_CONF_set_ess_cert_id_digest(configuration, section, authority) == 1 &&
         TS_CONF_set_def_policy(configuration, section, nullptr, authority) == 1 &&
         TS_CONF_set_policies(configuration, section, authority) == 1 &&
         TS_CONF_set_digests(configuration, section, authority) == 1 &&
         TS_CONF_set_accuracy(configuration, section, authority) == 1 &&
         TS_CONF_set_clock_precision_digits(configuration, section, authority) == 1 &&
         TS_CONF_set_ordering(configuration, section, authority) == 1 &&
         TS_CONF_set_tsa_name(configuration, section, authority) == 1 &&
         TS_CONF_set_ess_cert_id_chain(configuration, section, authority) == 1;
}

std::string text_of(const CONF* configuration, const char* section, const char* name) {
  const char* const text = NCONF_get_string(configuration, section, name);
  ERR_clear_error();
  return text == nullptr ? std::string() : text;
}

// Dotted, of a name or an OID.
std::string oid_named(const std::string& name) {
  const openssl::Object object(OBJ_txt2obj(name.c_str(), 0));
  ERR_clear_error();
  return object ? openssl::oid_of(object.get()) : std::string();
}

std::vector<std::string> words_of(const std::string& list) {
  std::vector<std::string> words;
  std::string word;
  for (const char c : list + ",") {
    if (c != ',' && c != ' ') {
      word += c;
    } else if (!word.empty()) {
      words.push_back(std::exchange(word, {}));
    }
  }
  return words;
}

// `digests` of the configuration by the names of suite.h; beside OpenSSL's names ours (belt256, …).
std::vector<std::string> digests_of(const CONF* configuration, const char* section) {
  std::vector<std::string> digests;
  for (const std::string& word : words_of(text_of(configuration, section, "digests"))) {
    const char* digest = digest_named(oid_named(word));
    if (const char* its = imprint_digest(word)) digest = its;
    if (digest != nullptr) digests.emplace_back(digest);
  }
  return digests;
}

StampPolicy policy_of(const CONF* configuration, const char* section) {
  StampPolicy policy;
  policy.default_policy = oid_named(text_of(configuration, section, "default_policy"));
  for (const std::string& word : words_of(text_of(configuration, section, "other_policies")))
    policy.policies.push_back(oid_named(word));
  policy.digests = digests_of(configuration, section);
  for (const std::string& word : words_of(text_of(configuration, section, "accuracy"))) {
    if (word.starts_with("secs:")) policy.accuracy_seconds = std::strtoll(word.c_str() + 5, nullptr, 10);
  }
  return policy;
}

// The same authority for a key that OpenSSL has no algorithms for; nothing where it has. Of the configuration:
// signer_key, signer_cert, certs, default_policy, other_policies, digests, and the seconds of accuracy.
Result<std::optional<std::string>> answer_with_own_suite(const CONF* configuration, std::string_view question) {
  const char* const section = TS_CONF_get_tsa_section(const_cast<CONF*>(configuration), nullptr);
  if (section == nullptr) return std::optional<std::string>();
  const std::string key_file = text_of(configuration, section, "signer_key");
  const auto key = open_signing_key(key_file);
  if (!key.ok() && key.error().code != ErrorCode::unsupported) return std::optional<std::string>();
  if (!key.ok()) return key.error();
  if ((*key)->suite().known_to_openssl) return std::optional<std::string>();
  std::vector<openssl::Certificate> certificates;
  for (const char* name : {"signer_cert", "certs"}) {
    const std::filesystem::path file = text_of(configuration, section, name);
    if (file.empty()) continue;
    auto found = EXHIBIT_TRY(openssl::certificates_of_pem(EXHIBIT_TRY(read_whole(file)), file));
    for (auto& one : found) certificates.push_back(std::move(one));
  }
  if (certificates.empty() || !(*key)->is_key_of(certificates.front().get()))
    return file_error(ErrorCode::invalid_argument, key_file, "isn't the key of signer_cert");
  return std::optional(EXHIBIT_TRY(make_stamp(**key, certificates, policy_of(configuration, section), question)));
}

}  // namespace

Result<std::string> answer_locally(const std::filesystem::path& path, std::string_view question) {
  EXHIBIT_TRY(open_regular(path));
  const openssl::Configuration configuration(NCONF_new(nullptr));
  long line = 0;
  if (!configuration || NCONF_load(configuration.get(), path.c_str(), &line) != 1) {
    ERR_clear_error();
    return file_error(ErrorCode::invalid_argument, path,
                      "isn't a configuration of openssl ts (line " + std::to_string(line) + ")");
  }
  add_oids(configuration.get());
  if (auto answer = EXHIBIT_TRY(answer_with_own_suite(configuration.get(), question))) return *std::move(answer);
  const openssl::StampAuthority authority(TS_RESP_CTX_new());
  if (!authority || !configure(configuration.get(), authority.get())) {
    return file_error(ErrorCode::invalid_argument, path,
                      "doesn't make a time-stamp authority (" + openssl::last_error() + "); see `man openssl-ts`");
  }
  const openssl::Bio in = openssl::memory(question);
  const openssl::StampResponse response(TS_RESP_create_response(authority.get(), in.get()));
  if (!response) return file_error(ErrorCode::internal, path, "gave no time-stamp: " + openssl::last_error());
  ERR_clear_error();
  return openssl::der_of(response.get(), i2d_TS_RESP);
}

}  // namespace exhibit::manifest
