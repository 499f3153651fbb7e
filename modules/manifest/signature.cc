#include "manifest/signature.h"

#include <openssl/x509v3.h>

#include <algorithm>

#include "manifest/file.h"
#include "manifest/signed_data.h"
#include "manifest/stamp_token.h"
#include "manifest/trust_path.h"

namespace exhibit::manifest {
namespace {

// How far a signer's clock may be ahead of a time-stamp authority's. Beyond it, one of the two times is false.
constexpr std::int64_t clock_tolerance = 300;  // seconds

constexpr const char* no_trust = "no trusted certificate was given";

// The time-stamps of one signature: those inside it, and the answer beside it, which must be one of them.
class Stamps {
 public:
  Stamps(const SignedData& signature, const SignatureRequest& request, CheckList& list)
      : value_(signature.signature()), request_(request), list_(list) {
    signing_time_ = signature.signing_time();
    tokens_ = tokens_in(signature);
  }

  // The earliest time that a sound token vouches for.
  std::optional<std::int64_t> check() {
    if (request_.timestamp_answer) add_answer();
    for (const std::string& token : tokens_) check_one(token);
    if (tokens_.empty() && !request_.timestamp_answer && request_.mention_no_timestamp)
      list_.not_checked("time-stamp", "there is none: the signing time is the signer's own word");
    return time_;
  }

 private:
  void add_answer() {
    const auto token = token_of_answer(*request_.timestamp_answer);
    if (!token.ok()) {
      list_.failed("time-stamp", token.error().message);
      return;
    }
    if (std::find(tokens_.begin(), tokens_.end(), *token) != tokens_.end()) return;
    if (!tokens_.empty())
      list_.failed("time-stamp", "the answer beside the signature holds another token than the signature");
    tokens_.push_back(*token);
  }

  void check_one(const std::string& token) {
    const std::vector<Stamped> stamped = {{"the signature", value_}, {"the signature's file", request_.signature}};
    const StampAnswer stamp = check_token(token, stamped, request_.trust);
    Answer answer = stamp.answer;
    if (stamp.time && signing_time_ && *signing_time_ > *stamp.time + clock_tolerance) {
      answer = {Status::failed, answer.detail + "; the signer says " + time_text(*signing_time_) + ", later than that"};
    }
    switch (answer.status) {
      case Status::ok:
        list_.ok("time-stamp", answer.detail);
        if (!time_ || *stamp.time < *time_) time_ = stamp.time;
        break;
      case Status::failed:
        list_.failed("time-stamp", answer.detail);
        break;
      case Status::not_checked:
        list_.not_checked("time-stamp", answer.detail);
        break;
    }
    if (answer.status == Status::ok && request_.trust == nullptr)
      list_.not_checked("time-stamp certificate path", no_trust);
  }

  std::string value_;
  const SignatureRequest& request_;
  CheckList& list_;
  std::optional<std::int64_t> signing_time_, time_;
  std::vector<std::string> tokens_;
};

void check_certificate(const SignedData& data, std::int64_t seconds, const std::string& whose_time, const Trust* trust,
                       CheckList& list) {
  const std::string at = "at " + time_text(seconds) + " (" + whose_time + ")";
  const auto defect = certificate_defect(data.certificate, seconds, false);
  list.expect(!defect, "signer's certificate", "valid " + at, at + ": " + defect.value_or(""));
  if (trust == nullptr) {
    list.not_checked("certificate path", no_trust);
    return;
  }
  // Any purpose: certificate_defect looked at the key usage, and national profiles have purposes of their own.
  const auto broken = path_defect(*trust, data.certificate, data.others.get(), seconds, X509_PURPOSE_ANY);
  list.expect(!broken, "certificate path", "to a trusted certificate " + at, at + ": " + broken.value_or(""));
  list.not_checked("revocation", "no revocation list is looked at");
}

void skip_rest(CheckList& list, const std::string& why) {
  for (const char* name : {"time-stamp", "signer's certificate", "certificate path"}) list.not_checked(name, why);
}

}  // namespace

Result<std::string> Content::digest(const char* algorithm) const {
  if (path_.empty()) return openssl::digest(algorithm, bytes_);
  const openssl::Digest digest(EVP_MD_fetch(nullptr, algorithm, nullptr));
  const openssl::DigestContext context(EVP_MD_CTX_new());
  bool good = digest && context && EVP_DigestInit_ex(context.get(), digest.get(), nullptr) == 1;
  EXHIBIT_TRY(read_pieces(path_, [&](std::string_view piece) {
    good = good && EVP_DigestUpdate(context.get(), piece.data(), piece.size()) == 1;
  }));
  unsigned char out[EVP_MAX_MD_SIZE];
  unsigned length = 0;
  good = good && EVP_DigestFinal_ex(context.get(), out, &length) == 1;
  if (!good) return file_error(ErrorCode::internal, path_, "OpenSSL refused the digest");
  return std::string(reinterpret_cast<const char*>(out), length);
}

void check_signature(const Content& content, const SignatureRequest& request, Checks& checks) {
  CheckList list(checks, request.subject);
  auto parsed = parse_signed_data(request.signature);
  if (!parsed.ok()) {
    list.failed(request.name, parsed.error().message);
    return skip_rest(list, "the signature can't be read");
  }
  SignedData& data = *parsed;
  Answer answer;
  if (data.content || data.content_type != data_type) {
    answer = {Status::failed, "isn't a detached signature over data"};
  } else if (!data.signing_time()) {
    answer = {Status::failed, "the signed attribute signingTime is missing, twofold or unreadable"};
  } else {
    answer = check_signed_data(
        data, [&](const char* digest) { return content.digest(digest); }, Office::signer);
  }
  if (answer.status == Status::failed) {
    list.failed(request.name, answer.detail);
    return skip_rest(list, "the signature failed");
  }
  if (answer.status == Status::not_checked) {
    list.not_checked(request.name, answer.detail);
    return skip_rest(list, "the signature was not checked");
  }
  list.ok(request.name, answer.detail);
  const auto stamped = Stamps(data, request, list).check();
  check_certificate(data, stamped.value_or(*data.signing_time()),
                    stamped ? "the time-stamp's time" : "the signer's own time", request.trust, list);
}

Result<Checks> check_signature_files(const std::filesystem::path& content, const std::filesystem::path& signature,
                                     const std::optional<std::filesystem::path>& timestamp_answer, const Trust* trust) {
  EXHIBIT_TRY(open_regular(content));
  const std::string bytes = EXHIBIT_TRY(read_whole(signature));
  std::string answer;
  SignatureRequest request;
  request.subject = signature.filename().string();
  request.signature = bytes;
  request.trust = trust;
  if (timestamp_answer) {
    answer = EXHIBIT_TRY(read_whole(*timestamp_answer));
    request.timestamp_answer = answer;
  }
  Checks checks;
  check_signature(Content::file(content), request, checks);
  return checks;
}

}  // namespace exhibit::manifest
