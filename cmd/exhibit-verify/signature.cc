#include "signature.h"

#include "digest.h"

namespace exhibit_verify {
namespace {

constexpr const char *id_data = "1.2.840.113549.1.7.1", *id_signed_data = "1.2.840.113549.1.7.2",  // RFC 5652
                                                            *id_content_type = "1.2.840.113549.1.9.3",
                     *id_message_digest = "1.2.840.113549.1.9.4", *id_signing_time = "1.2.840.113549.1.9.5",
                     *id_signing_certificate_v2 = "1.2.840.113549.1.9.16.2.47",  // RFC 5035
                         *id_time_stamp_token = "1.2.840.113549.1.9.16.2.14",
                     *id_tst_info = "1.2.840.113549.1.9.16.1.4";  // RFC 3161

// Whoever made it, this program doesn't know the algorithm: neither good nor bad.
struct Unknown {
  std::string why;
};

struct Attribute {
  std::string oid;
  std::vector<Element> values;
};

std::vector<Attribute> attributes_of(const Element& set) {
  std::vector<Attribute> out;
  Elements all(set.content);
  while (!all.done()) {
    Elements parts(all.next("attribute"), tag_sequence, "attribute");
    Attribute& attribute = out.emplace_back();
    attribute.oid = parts.next("attribute").oid();
    Elements values(parts.next("attribute values"), tag_set, "attribute values");
    parts.end("attribute");
    while (!values.done()) attribute.values.push_back(values.next("attribute value"));
  }
  return out;
}

std::string algorithm_of(const Element& element) {
  return Elements(element, tag_sequence, "algorithm").next("algorithm").oid();
}

// SignedData with its only signer (RFC 5652 section 5).
struct SignedData {
  std::string content_type;
  std::optional<View> content;
  std::vector<Certificate> certificates;
  Element signer_name, signed_set;
  std::string digest_oid, signature_oid;
  std::vector<Attribute> signed_attributes, unsigned_attributes;
  View signature;

  explicit SignedData(View der) {
    Elements info(only_element(der, tag_sequence, "CMS"), tag_sequence, "CMS");
    if (info.next("CMS type").oid() != id_signed_data) throw Refused{"isn't a CMS SignedData"};
    const Element inside = info.next(inside_0, "SignedData");
    info.end("CMS");
    Elements parts(only_element(inside.content, tag_sequence, "SignedData"), tag_sequence, "SignedData");
    parts.next("version").small_integer();
    parts.next(tag_set, "digest algorithms");
    Elements holder(parts.next("content"), tag_sequence, "content");
    content_type = holder.next("content type").oid();
    if (!holder.done())
      content = only_element(holder.next(inside_0, "content").content, tag_octet_string, "content").content;
    if (parts.next_is(inside_0)) {
      constexpr std::size_t most = 32;
      Elements all(parts.next("certificates").content);
      while (!all.done() && certificates.size() < most)
        certificates.push_back(Certificate::read(all.next("certificate")));
    }
    if (parts.next_is(inside_1)) parts.next("revocation lists");
    Elements signers(parts.next("signers"), tag_set, "signers");
    parts.end("SignedData");
    if (signers.done()) throw Refused{"has no signer"};
    read_signer({signers.next("signer"), tag_sequence, "signer"});
    if (!signers.done()) throw Refused{"has several signers; one file for each is asked for"};
  }

  void read_signer(Elements parts) {
    parts.next("version").small_integer();
    signer_name = parts.next("signer's name");
    digest_oid = algorithm_of(parts.next("digest algorithm"));
    if (parts.next_is(inside_0)) signed_set = parts.next("signed attributes");
    signed_attributes = attributes_of(signed_set);
    signature_oid = algorithm_of(parts.next("signature algorithm"));
    signature = parts.next(tag_octet_string, "signature value").content;
    if (!parts.done()) unsigned_attributes = attributes_of(parts.next(inside_1, "unsigned attributes"));
    parts.end("signer");
  }

  // The one value of a signed attribute that stands exactly once.
  const Element& attribute(View oid, const char* name) const {
    const Element* found = nullptr;
    for (const Attribute& one : signed_attributes) {
      if (one.oid != oid) continue;
      if (found != nullptr || one.values.size() != 1)
        throw Refused{std::string("the signed attribute ") + name + " is twofold"};
      found = &one.values[0];
    }
    if (found == nullptr) throw Refused{std::string("the signed attribute ") + name + " is missing"};
    return *found;
  }
  std::int64_t signing_time() const { return attribute(id_signing_time, "signingTime").time(); }

  // RFC 5035 section 3: whether signingCertificateV2 names this certificate first.
  bool names(const Certificate& certificate) const {
    Elements mark(attribute(id_signing_certificate_v2, "signingCertificateV2"), tag_sequence, "signingCertificateV2");
    Elements all(mark.next("certificates"), tag_sequence, "certificates");
    Elements first(all.next("ESSCertIDv2"), tag_sequence, "ESSCertIDv2");
    const std::string oid = first.next_is(tag_sequence) ? algorithm_of(first.next("digest algorithm")) : "";
    const View digest = oid.empty() ? View("sha256") : digest_of_oid(oid);
    const View value = first.next(tag_octet_string, "certificate digest").content;
    if (digest.empty() || value != digest_of(digest, certificate.whole)) return false;
    if (first.done()) return true;
    Elements issuer_and_serial(first.next("issuerSerial"), tag_sequence, "issuerSerial");
    const Element names = issuer_and_serial.next("issuer");
    return names.content.find(certificate.issuer) != View::npos &&
           issuer_and_serial.next("serial").whole == certificate.serial;
  }

  const Certificate& certificate() const {
    const Certificate* found = nullptr;
    for (const Certificate& one : certificates) {
      const bool named = signer_name.tag == tag_sequence
                             ? signer_name.content == Bytes(one.issuer) + Bytes(one.serial)
                             : signer_name.tag == implicit_0 && !one.key_identifier.empty() &&
                                   signer_name.content == one.key_identifier;
      if (named && (found == nullptr || !names(*found))) found = &one;
    }
    if (found == nullptr) throw Refused{"doesn't carry its signer's certificate"};
    return *found;
  }
};

// Who signed, and with what. Refused where the signature isn't good.
std::string verify(const SignedData& data, const std::function<Bytes(View)>& digest_of_content, std::size_t least_rsa) {
  if (is_broken_digest(data.digest_oid)) throw Refused{"its digest is MD5 or SHA-1, which prove nothing"};
  const Certificate& certificate = data.certificate();
  const PublicKey& key = certificate.key;
  const View digest = digest_of_oid(data.digest_oid);
  if (key.kind == KeyKind::unknown || digest.empty() || signature_digest(data.signature_oid, key.kind, digest).empty())
    throw Unknown{"no suite for the key " + key.name + " with the digest " + data.digest_oid +
                  " and the signature algorithm " + data.signature_oid};
  if (key.kind == KeyKind::rsa && key.bits < least_rsa)
    throw Refused{"its RSA key has " + std::to_string(key.bits) + " bits only"};
  if (data.attribute(id_content_type, "contentType").oid() != data.content_type)
    throw Refused{"the signed attribute contentType is another"};
  if (!data.names(certificate)) throw Refused{"the signed attribute signingCertificateV2 names another certificate"};
  const Element& stated = data.attribute(id_message_digest, "messageDigest").as(tag_octet_string, "messageDigest");
  if (stated.content != digest_of_content(digest)) throw Refused{"it is over other bytes (messageDigest differs)"};
  // RFC 5652 section 5.4: the digest is over the attributes with the tag of a SET.
  const Bytes attributes = Bytes(1, static_cast<char>(tag_set)) + Bytes(data.signed_set.whole.substr(1));
  if (!key.verify(digest, digest_of(digest, attributes), data.signature))
    throw Refused{"the signature isn't of that certificate's key (" + certificate.name() + ")"};
  return "by " + certificate.name() + " (certificate " + to_hex(sha256(certificate.whole)) + "), " + key.name +
         " with " + std::string(digest);
}

// The token in a TimeStampResp (RFC 3161 section 2.4.2).
View token_of_answer(View answer) {
  Elements parts(only_element(answer, tag_sequence, "time-stamp answer"), tag_sequence, "time-stamp answer");
  const std::uint64_t status = Elements(parts.next("status"), tag_sequence, "status").next("status").small_integer();
  if (status > 1) throw Refused{"the authority refused (status " + std::to_string(status) + ")"};
  const View token = parts.next(tag_sequence, "time-stamp token").whole;
  parts.end("time-stamp answer");
  return token;
}

class Stamps {
 public:
  Stamps(const SignedData& signature, const SignatureRequest& request, Report& report)
      : signature_(signature), request_(request), report_(report), name_(request.prefix + "time-stamp") {}

  // The earliest time that a good stamp vouches for.
  std::optional<std::int64_t> check() {
    std::vector<View> tokens;
    for (const Attribute& attribute : signature_.unsigned_attributes) {
      if (attribute.oid != id_time_stamp_token) continue;
      for (const Element& value : attribute.values) tokens.push_back(value.whole);
    }
    if (tokens.empty() && !request_.answer && request_.mention_no_stamp)
      report_.not_checked(name_, request_.subject, "there is none: the signing time is the signer's own word");
    if (request_.answer) {
      report_.guard(name_, request_.subject, [&] {
        const View beside = token_of_answer(*request_.answer);
        if (std::find(tokens.begin(), tokens.end(), beside) != tokens.end()) return;
        tokens.push_back(beside);
        if (tokens.size() > 1) throw Refused{"the answer beside the signature holds another token than the signature"};
      });
    }
    for (const View token : tokens) {
      report_.guard(name_, request_.subject, [&] {
        try {
          check_token(token);
        } catch (const Unknown& unknown) {
          report_.not_checked(name_, request_.subject, unknown.why);
        }
      });
    }
    return time_;
  }

 private:
  void check_token(View token) {
    constexpr std::size_t least_rsa = 2048;        // what public authorities still use
    constexpr std::int64_t clock_tolerance = 300;  // seconds that the signer's clock may be ahead
    const SignedData data(token);
    if (data.content_type != id_tst_info || !data.content) throw Refused{"the token holds no time-stamp"};
    Elements info(only_element(*data.content, tag_sequence, "TSTInfo"), tag_sequence, "TSTInfo");
    if (info.next("version").small_integer() != 1) throw Refused{"the time-stamp isn't of version 1"};
    info.next("policy").oid();
    Elements imprint(info.next("imprint"), tag_sequence, "imprint");
    const std::string oid = algorithm_of(imprint.next("imprint algorithm"));
    const View digest = digest_of_oid(oid), stated = imprint.next(tag_octet_string, "imprint").content;
    info.next("serial number").integer();
    const std::int64_t time = info.next(tag_generalized_time, "time").time();
    if (is_broken_digest(oid)) throw Refused{"its imprint is by MD5 or SHA-1, which prove nothing"};
    if (digest.empty()) throw Unknown{"no digest for its imprint's algorithm " + oid};
    // CAdES-T stamps the signature's value; an answer that lies beside it may be over the whole file.
    if (stated != digest_of(digest, signature_.signature) && stated != digest_of(digest, request_.cms))
      throw Refused{"it is over something else than this signature"};
    const std::string by = verify(
        data, [&](View algorithm) { return digest_of(algorithm, *data.content); }, least_rsa);
    std::string defect = certificate_defect(data.certificate(), time, true);
    if (defect.empty() && request_.trust != nullptr)
      defect = request_.trust->path_defect(data.certificate(), data.certificates, time);
    if (defect.empty() && signature_.signing_time() > time + clock_tolerance)
      defect = "the signer says " + time_text(signature_.signing_time()) + ", later than that";
    if (!defect.empty()) throw Refused{time_text(time) + " " + by + ": " + defect};
    report_.ok(name_, request_.subject, time_text(time) + " " + by);
    if (request_.trust == nullptr)
      report_.not_checked(name_ + " certificate path", request_.subject, "no trusted certificate was given (--trust)");
    if (!time_ || time < *time_) time_ = time;
  }

  const SignedData& signature_;
  const SignatureRequest& request_;
  Report& report_;
  std::string name_;
  std::optional<std::int64_t> time_;
};

void check_signer(const SignedData& data, const SignatureRequest& request, Report& report) {
  const auto stamped = Stamps(data, request, report).check();
  const std::int64_t time = stamped.value_or(data.signing_time());
  const std::string at = "at " + time_text(time) + (stamped ? " (the time-stamp's time)" : " (the signer's own time)");
  const std::string defect = certificate_defect(data.certificate(), time, false);
  report.expect(defect.empty(), request.prefix + "signer's certificate", request.subject, "valid " + at,
                at + ": " + defect);
  const std::string name = request.prefix + "certificate path";
  if (request.trust == nullptr)
    return report.not_checked(name, request.subject, "no trusted certificate was given (--trust)");
  const std::string broken = request.trust->path_defect(data.certificate(), data.certificates, time);
  report.expect(broken.empty(), name, request.subject, "to a trusted certificate " + at, at + ": " + broken);
}

}  // namespace

void check_signature(const SignatureRequest& request, Report& report) {
  constexpr std::size_t least_rsa = 3072;  // manifest.md, "Signatures"
  report.guard(request.name, request.subject, [&] {
    const SignedData data(request.cms);
    if (data.content || data.content_type != id_data) throw Refused{"isn't a detached signature over data"};
    data.signing_time();
    try {
      report.ok(request.name, request.subject, verify(data, request.digest_of_content, least_rsa));
    } catch (const Unknown& unknown) {
      return report.not_checked(request.name, request.subject, unknown.why);
    }
    check_signer(data, request, report);
  });
}

}  // namespace exhibit_verify
