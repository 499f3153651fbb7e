#include "manifest/signature.h"

#include <openssl/x509v3.h>

#include <algorithm>

#include "manifest/file.h"
#include "manifest/signed_data.h"
#include "manifest/stamp_token.h"
#include "manifest/suite.h"
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
    list_.add("time-stamp", answer);
    if (answer.status != Status::ok) return;
    if (!time_ || *stamp.time < *time_) time_ = stamp.time;
    if (request_.trust == nullptr) {
      list_.not_checked("time-stamp certificate path", no_trust);
    } else {
      list_.add("time-stamp revocation", stamp.revocation);
    }
  }

  std::string value_;
  const SignatureRequest& request_;
  CheckList& list_;
  std::optional<std::int64_t> signing_time_, time_;
  std::vector<std::string> tokens_;
};

void check_certificate(const SignedData& data, std::int64_t seconds, bool vouched, const Trust* trust,
                       CheckList& list) {
  const std::string whose_time = vouched ? "the time-stamp's time" : "the signer's own time";
  const std::string at = "at " + time_text(seconds) + " (" + whose_time + ")";
  const auto defect = certificate_defect(data.certificate, seconds, false);
  list.expect(!defect, "signer's certificate", "valid " + at, at + ": " + defect.value_or(""));
  if (trust == nullptr) {
    list.not_checked("certificate path", no_trust);
    return;
  }
  // Any purpose: certificate_defect looked at the key usage, and national profiles have purposes of their own.
  const Path path = find_path(*trust, data.certificate, data.others.get(), seconds, X509_PURPOSE_ANY);
  // Needed: with an issuer whose signature this machine can't check, anybody can make a certificate.
  list.add_needed("certificate path", path.answer.status == Status::ok
                                          ? Answer{Status::ok, "to a trusted certificate " + at}
                                          : Answer{path.answer.status, at + ": " + path.answer.detail});
  if (path.answer.status == Status::ok) list.add("revocation", check_revocation(*trust, path.chain, seconds, vouched));
}

void skip_rest(CheckList& list, const std::string& why) {
  for (const char* name : {"time-stamp", "signer's certificate", "certificate path"}) list.not_checked(name, why);
}

}  // namespace

Result<std::string> Content::digest(const char* algorithm) const {
  const auto hasher = EXHIBIT_TRY(create_digest(algorithm));
  const auto take = [&](std::string_view piece) { hasher->update(std::as_bytes(std::span(piece))); };
  if (path_.empty()) {
    take(bytes_);
  } else {
    EXHIBIT_TRY(read_pieces(path_, take));
  }
  return hasher->finish();
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
  list.add(request.name, answer);
  if (answer.status != Status::ok)
    return skip_rest(list, answer.status == Status::failed ? "the signature failed" : "the signature was not checked");
  const auto stamped = Stamps(data, request, list).check();
  check_certificate(data, stamped.value_or(*data.signing_time()), stamped.has_value(), request.trust, list);
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
