#include "manifest/local_authority.h"

#include <openssl/err.h>
#include <openssl/rand.h>

#include "manifest/file.h"
#include "manifest/openssl.h"

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
