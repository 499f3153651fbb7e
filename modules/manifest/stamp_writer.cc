#include "manifest/stamp_writer.h"

#include <openssl/err.h>
#include <openssl/rand.h>

#include <algorithm>
#include <array>
#include <ctime>

#include "manifest/der.h"
#include "manifest/signed_data.h"
#include "manifest/signed_data_writer.h"
#include "manifest/trust_path.h"

namespace exhibit::manifest {
namespace {

constexpr std::size_t serial_bytes = 16;  // random, so that no register is needed

Error refused(std::string why) { return {ErrorCode::invalid_argument, "time-stamp: " + std::move(why), {}, {}}; }

// The question's imprint as it stands, if its digest is one of the policy's and it has that digest's length.
Result<std::string> imprint_of(TS_REQ* request, const StampPolicy& policy) {
  TS_MSG_IMPRINT* const imprint = TS_REQ_get_msg_imprint(request);
  const std::string oid = openssl::oid_of(TS_MSG_IMPRINT_get_algo(imprint));
  const char* const digest = digest_named(oid);
  if (digest == nullptr || std::find(policy.digests.begin(), policy.digests.end(), digest) == policy.digests.end())
    return refused("the authority takes no imprint by " + oid);
  if (openssl::bytes_of(TS_MSG_IMPRINT_get_msg(imprint)).size() != digest_of(digest, {}).size())
    return refused("the imprint hasn't the length of its digest");
  return openssl::der_of(imprint, i2d_TS_MSG_IMPRINT);
}

Result<std::string> policy_of(TS_REQ* request, const StampPolicy& policy) {
  const ASN1_OBJECT* const asked = TS_REQ_get_policy_id(request);
  if (asked == nullptr) return policy.default_policy;
  std::string oid = openssl::oid_of(asked);
  if (oid != policy.default_policy &&
      std::find(policy.policies.begin(), policy.policies.end(), oid) == policy.policies.end())
    return refused("the authority has no policy " + oid);
  return oid;
}

}  // namespace

Result<std::string> make_stamp(const SigningKey& key, const std::vector<openssl::Certificate>& certificates,
                               const StampPolicy& policy, std::string_view question) {
  const auto request = openssl::from_der<openssl::StampRequest>(d2i_TS_REQ, question);
  ERR_clear_error();
  if (!request || TS_REQ_get_version(request.get()) != 1 || TS_REQ_get_ext_count(request.get()) > 0)
    return refused("the question can't be read");
  const std::string imprint = EXHIBIT_TRY(imprint_of(request.get(), policy));
  const std::string policy_oid = EXHIBIT_TRY(policy_of(request.get(), policy));
  std::string serial(serial_bytes, '\0');
  if (RAND_bytes(reinterpret_cast<unsigned char*>(serial.data()), static_cast<int>(serial.size())) != 1)
    return refused("no random numbers");
  serial.front() = static_cast<char>((serial.front() & 0x3F) | 0x40);  // positive, and of one length
  const std::time_t now = std::time(nullptr);
  if (const auto defect = certificate_defect(certificates.front().get(), now, true))
    return refused("the authority's certificate: " + *defect);
  const openssl::Time time(ASN1_GENERALIZEDTIME_set(nullptr, now));
  if (!time) return refused("the time can't be written");
  const ASN1_INTEGER* const nonce = TS_REQ_get_nonce(request.get());
  const openssl::Integer accuracy(ASN1_INTEGER_new());
  ASN1_INTEGER_set_int64(accuracy.get(), policy.accuracy_seconds);
  const std::string information = der::sequence(
      {der::small_integer(1), der::oid(policy_oid.c_str()), imprint, der::element(der::integer_tag, serial),
       openssl::der_of(time.get(), i2d_ASN1_GENERALIZEDTIME),
       policy.accuracy_seconds > 0 ? der::sequence({openssl::der_of(accuracy.get(), i2d_ASN1_INTEGER)}) : "",
       nonce != nullptr ? openssl::der_of(nonce, i2d_ASN1_INTEGER) : ""});
  const std::string token = EXHIBIT_TRY(make_signed_data(
      key, certificates, {.bytes = information, .type = stamp_info_type, .encapsulated = true, .time = now}));
  return der::sequence({der::sequence({der::small_integer(0)}), token});  // PKIStatus granted
}

}  // namespace exhibit::manifest
