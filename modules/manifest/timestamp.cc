#include "manifest/timestamp.h"

#include <openssl/err.h>
#include <openssl/http.h>
#include <openssl/rand.h>

#include <ctime>
#include <utility>

#include "manifest/der.h"
#include "manifest/local_authority.h"
#include "manifest/signed_data.h"
#include "manifest/stamp_token.h"
#include "manifest/suite.h"

namespace exhibit::manifest {
namespace {

constexpr int http_timeout = 30;                              // seconds
constexpr std::size_t largest_answer = std::size_t{1} << 20;  // bytes; real ones have a few thousand
constexpr std::size_t nonce_size = 8;                         // bytes, as openssl ts

Error cannot(std::string what) { return {ErrorCode::io_error, "time-stamp: " + std::move(what), {}, {}}; }

// By our name for a digest, the one that suite.h has.
Result<const char*> imprint_digest_named(const std::string& name) {
  if (const char* its = imprint_digest(name)) return its;
  return Error{ErrorCode::invalid_argument,
               "time-stamp: no imprint by " + name +
                   "; give sha256, streebog256, streebog512, belt256, bash256, bash384 or bash512",
               {},
               {}};
}

// RFC 3161 section 2.4.1: the imprint of the signature value, the authority's certificate wanted.
Result<openssl::StampRequest> make_request(std::string_view stamped, const std::string& digest_name) {
  const char* const digest = EXHIBIT_TRY(imprint_digest_named(digest_name));
  std::string imprint_bytes = digest_of(digest, stamped);
  openssl::StampRequest request(TS_REQ_new());
  const openssl::StampImprint imprint(TS_MSG_IMPRINT_new());
  const auto algorithm =
      openssl::from_der<openssl::AlgorithmIdentifier>(d2i_X509_ALGOR, der::algorithm(oid_of_digest(digest), true));
  const bool made = request && imprint && algorithm && TS_MSG_IMPRINT_set_algo(imprint.get(), algorithm.get()) == 1 &&
                    TS_MSG_IMPRINT_set_msg(imprint.get(), reinterpret_cast<unsigned char*>(imprint_bytes.data()),
                                           static_cast<int>(imprint_bytes.size())) == 1 &&
                    TS_REQ_set_version(request.get(), 1) == 1 &&
                    TS_REQ_set_msg_imprint(request.get(), imprint.get()) == 1 &&
                    TS_REQ_set_cert_req(request.get(), 1) == 1;
  if (!made) return cannot("the question can't be put: " + openssl::last_error());
  return request;
}

Result<void> add_nonce(TS_REQ* request) {
  const openssl::Integer nonce(ASN1_INTEGER_new());
  unsigned char random[nonce_size];
  if (!nonce || RAND_bytes(random, sizeof random) != 1) return cannot("no random number for the question");
  random[0] = (random[0] & 0x7F) | 0x40;  // positive, and of one length
  std::uint64_t number = 0;
  for (const unsigned char byte : random) number = number << 8 | byte;
  if (ASN1_INTEGER_set_uint64(nonce.get(), number) != 1 || TS_REQ_set_nonce(request, nonce.get()) != 1)
    return cannot("the question can't be put: " + openssl::last_error());
  return {};
}

struct Address {
  openssl::Text host, port, path, query;

  std::string resource() const {
    return path.get() + (query && *query.get() != '\0' ? std::string("?") + query.get() : std::string());
  }
};

Result<Address> parse_address(const std::string& url) {
  char *host = nullptr, *port = nullptr, *path = nullptr, *query = nullptr;
  int tls = 0;
  const bool parsed =
      OSSL_HTTP_parse_url(url.c_str(), &tls, nullptr, &host, &port, nullptr, &path, &query, nullptr) == 1;
  Address address = {openssl::Text(host), openssl::Text(port), openssl::Text(path), openssl::Text(query)};
  ERR_clear_error();
  if (!parsed || tls != 0) return cannot(url + " isn't an http:// address");
  return address;
}

// OpenSSL's own connecting tries a refused connection again and again until the time is over.
openssl::Bio connect(const Address& address) {
  openssl::Bio connection(BIO_new_connect(address.host.get()));
  if (!connection || BIO_set_conn_port(connection.get(), address.port.get()) != 1) return nullptr;
  BIO_set_nbio(connection.get(), 1);
  const time_t deadline = time(nullptr) + http_timeout;
  while (BIO_do_connect(connection.get()) != 1) {
    if (!BIO_should_retry(connection.get()) || BIO_wait(connection.get(), deadline, 100) != 1) return nullptr;
  }
  return connection;
}

Result<std::string> ask_by_http(const std::string& url, std::string_view question) {
  const Address address = EXHIBIT_TRY(parse_address(url));
  const openssl::Bio connection = connect(address);
  if (!connection) return cannot(url + " can't be reached: " + openssl::last_error());
  const openssl::Bio body = openssl::memory(question);
  const openssl::Bio answer(OSSL_HTTP_transfer(
      nullptr, address.host.get(), address.port.get(), address.resource().c_str(), 0, nullptr, nullptr,
      connection.get(), nullptr, nullptr, nullptr, 0, nullptr, "application/timestamp-query", body.get(),
      "application/timestamp-reply", 1, largest_answer, http_timeout, 0));
  if (!answer) return cannot(url + " gave no answer: " + openssl::last_error());
  std::string bytes;
  char buffer[4096];
  for (int got = 0; (got = BIO_read(answer.get(), buffer, sizeof buffer)) > 0;)
    bytes.append(buffer, static_cast<std::size_t>(got));
  ERR_clear_error();
  return bytes;
}

// Whether the answer is to this question.
Result<void> check_nonce(std::string_view answer, const TS_REQ* request) {
  const std::string token = EXHIBIT_TRY(token_of_answer(answer));
  const SignedData data = EXHIBIT_TRY(parse_signed_data(token));
  const openssl::StampInfo info = stamp_info(data);
  const ASN1_INTEGER* nonce = TS_TST_INFO_get_nonce(info.get());
  if (nonce == nullptr || ASN1_INTEGER_cmp(nonce, TS_REQ_get_nonce(request)) != 0)
    return cannot("the answer is to another question (nonce differs)");
  return {};
}

}  // namespace

Result<std::string> ask_timestamp(const std::string& authority, std::string_view signature,
                                  const std::string& imprint_digest) {
  const SignedData data = EXHIBIT_TRY(parse_signed_data(signature));
  const openssl::StampRequest request = EXHIBIT_TRY(make_request(data.signature(), imprint_digest));
  EXHIBIT_TRY(add_nonce(request.get()));
  const std::string question = openssl::der_of(request.get(), i2d_TS_REQ);
  const bool is_address = authority.find("://") != std::string::npos;
  auto answer = is_address ? ask_by_http(authority, question) : answer_locally(authority, question);
  if (!answer.ok()) return answer.take_error();
  auto checked = check_timestamp_answer(*answer, signature);
  if (checked.ok()) checked = check_nonce(*answer, request.get());
  if (!checked.ok()) return Error{ErrorCode::io_error, authority + ": " + checked.error().message, {}, {}};
  return answer;
}

Result<std::string> timestamp_question(std::string_view signature, const std::string& imprint_digest) {
  const SignedData data = EXHIBIT_TRY(parse_signed_data(signature));
  const openssl::StampRequest request = EXHIBIT_TRY(make_request(data.signature(), imprint_digest));
  return openssl::der_of(request.get(), i2d_TS_REQ);
}

Result<void> check_timestamp_answer(std::string_view answer, std::string_view signature) {
  const SignedData data = EXHIBIT_TRY(parse_signed_data(signature));
  const std::string value = data.signature();
  const std::string token = EXHIBIT_TRY(token_of_answer(answer));
  const StampAnswer stamp = check_token(token, {{"the signature", value}}, nullptr);
  if (stamp.answer.status != Status::ok) return cannot(stamp.answer.detail);
  return {};
}

Result<std::string> with_timestamp(std::string_view signature, std::string_view answer) {
  const SignedData data = EXHIBIT_TRY(parse_signed_data(signature));
  const std::string token = EXHIBIT_TRY(token_of_answer(answer));
  const std::string value = data.signature();
  if (CMS_unsigned_add1_attr_by_NID(data.signer, NID_id_smime_aa_timeStampToken, V_ASN1_SEQUENCE, token.data(),
                                    static_cast<int>(token.size())) != 1)
    return cannot("OpenSSL refused to add the token: " + openssl::last_error());
  std::string out = openssl::der_of(data.cms.get(), i2d_CMS_ContentInfo);
  const SignedData again = EXHIBIT_TRY(parse_signed_data(out));
  if (again.signature() != value) return cannot("the signature changed while the token was added");
  return out;
}

}  // namespace exhibit::manifest
