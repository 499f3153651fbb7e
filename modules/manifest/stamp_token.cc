#include "manifest/stamp_token.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "manifest/trust_path.h"

namespace exhibit::manifest {
namespace {

Error bad_answer(std::string what) { return {ErrorCode::corrupt, "the time-stamp answer " + std::move(what), {}, {}}; }

struct Element {
  std::string_view whole, content;
};

// The first DER element of `der`, which must be a SEQUENCE.
std::optional<Element> first_sequence(std::string_view der) {
  const auto* const start = reinterpret_cast<const unsigned char*>(der.data());
  const unsigned char* at = start;
  long length = 0;
  int tag = 0;
  int tag_class = 0;
  const int form = ASN1_get_object(&at, &length, &tag, &tag_class, static_cast<long>(der.size()));
  ERR_clear_error();
  if (form != V_ASN1_CONSTRUCTED || tag != V_ASN1_SEQUENCE || tag_class != V_ASN1_UNIVERSAL) return {};
  const auto header = static_cast<std::size_t>(at - start);
  const auto size = static_cast<std::size_t>(length);
  if (header + size > der.size()) return {};
  return Element{der.substr(0, header + size), der.substr(header, size)};
}

Answer failed(std::string why) { return {Status::failed, std::move(why)}; }

// Whose bytes the imprint is the digest of; an Answer that isn't ok where it is nobody's.
Answer match_imprint(const TS_TST_INFO* info, const std::vector<Stamped>& stamped) {
  TS_MSG_IMPRINT* imprint = TS_TST_INFO_get_msg_imprint(const_cast<TS_TST_INFO*>(info));
  const std::string algorithm = openssl::oid_of(TS_MSG_IMPRINT_get_algo(imprint));
  if (is_broken_digest(algorithm)) return failed("its imprint is by MD5 or SHA-1, which prove nothing");
  const char* digest = digest_named(algorithm);
  if (digest == nullptr) return {Status::not_checked, "no digest for its imprint's algorithm " + algorithm};
  const std::string stated = openssl::bytes_of(TS_MSG_IMPRINT_get_msg(imprint));
  for (const Stamped& one : stamped) {
    const std::string actual = digest_of(digest, one.bytes);
    if (!actual.empty() && actual == stated) return {Status::ok, std::string("over ") + one.what};
  }
  return failed("it is over something else than this signature");
}

}  // namespace

Result<std::string> token_of_answer(std::string_view answer) {
  const auto response = openssl::from_der<openssl::StampResponse>(d2i_TS_RESP, answer);
  ERR_clear_error();
  if (!response) return bad_answer("isn't one TimeStampResp in DER and nothing else");
  const long status = ASN1_INTEGER_get(TS_STATUS_INFO_get0_status(TS_RESP_get_status_info(response.get())));
  // RFC 3161 section 2.4.2: granted (0), grantedWithMods (1).
  if (status != 0 && status != 1) return bad_answer("is a refusal (status " + std::to_string(status) + ")");
  const auto whole = first_sequence(answer);
  const auto status_info = whole ? first_sequence(whole->content) : std::nullopt;
  if (!status_info) return bad_answer("has no status");
  const std::string_view token = whole->content.substr(status_info->whole.size());
  if (token.empty()) return bad_answer("grants, but holds no token");
  return std::string(token);
}

std::vector<std::string> tokens_in(const SignedData& signature) {
  std::vector<std::string> tokens;
  for (int at = -1;;) {
    at = CMS_unsigned_get_attr_by_NID(signature.signer, NID_id_smime_aa_timeStampToken, at);
    if (at < 0) return tokens;
    X509_ATTRIBUTE* attribute = CMS_unsigned_get_attr(signature.signer, at);
    for (int i = 0; i < X509_ATTRIBUTE_count(attribute); ++i)
      tokens.push_back(openssl::der_of(X509_ATTRIBUTE_get0_type(attribute, i), i2d_ASN1_TYPE));
  }
}

openssl::StampInfo stamp_info(const SignedData& token) {
  if (token.content_type != stamp_info_type || !token.content) return nullptr;
  auto info = openssl::from_der<openssl::StampInfo>(d2i_TS_TST_INFO, *token.content);
  ERR_clear_error();
  return info;
}

StampAnswer check_token(std::string_view token, const std::vector<Stamped>& stamped, const Trust* trust) {
  auto parsed = parse_signed_data(token);
  if (!parsed.ok()) return {failed("the token " + parsed.error().message), {}, {}};
  SignedData& data = *parsed;
  const openssl::StampInfo info = stamp_info(data);
  if (!info || TS_TST_INFO_get_version(info.get()) != 1)
    return {failed("the token holds no time-stamp of version 1"), {}, {}};
  const auto time = openssl::seconds_of(TS_TST_INFO_get_time(info.get()));
  if (!time) return {failed("the token's time can't be read"), {}, {}};

  const Answer imprint = match_imprint(info.get(), stamped);
  if (imprint.status == Status::failed) return {imprint, {}, {}};
  const ContentDigest content = [&](const char* digest) { return Result(digest_of(digest, *data.content)); };
  Answer answer = check_signed_data(data, content, Office::time_stamper);
  if (answer.status != Status::ok) return {answer, {}, {}};
  if (imprint.status != Status::ok) return {imprint, {}, {}};
  if (const auto defect = certificate_defect(data.certificate, *time, true))
    return {failed(answer.detail + ": the certificate at " + time_text(*time) + ": " + *defect), {}, {}};
  answer.detail = time_text(*time) + " " + imprint.detail + ", " + answer.detail;
  if (trust == nullptr) {
    answer.detail += "; its certificate path was not checked";
    return {answer, time, {}};
  }
  const Path path = find_path(*trust, data.certificate, data.others.get(), *time, X509_PURPOSE_TIMESTAMP_SIGN);
  if (path.answer.status != Status::ok)
    return {{path.answer.status, answer.detail + "; certificate path: " + path.answer.detail}, {}, {}};
  const Answer revocation = check_revocation(*trust, path.chain, *time, true);
  if (revocation.status == Status::failed)
    return {failed(answer.detail + "; its certificate path: " + revocation.detail), {}, {}};
  return {answer, time, revocation};
}

}  // namespace exhibit::manifest
