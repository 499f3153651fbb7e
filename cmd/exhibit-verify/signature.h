#pragma once
// Detached CMS signatures (RFC 5652, CAdES-BES and -T of ETSI EN 319 122-1) and time-stamps (RFC 3161).

#include <functional>

#include "certificate.h"

namespace exhibit_verify {

inline constexpr const char *id_data = "1.2.840.113549.1.7.1", *id_signed_data = "1.2.840.113549.1.7.2",
                            *id_content_type = "1.2.840.113549.1.9.3", *id_message_digest = "1.2.840.113549.1.9.4",
                            *id_signing_time = "1.2.840.113549.1.9.5",                      // so far RFC 5652
                                *id_signing_certificate_v2 = "1.2.840.113549.1.9.16.2.47",  // RFC 5035
                                    *id_time_stamp_token = "1.2.840.113549.1.9.16.2.14",
                            *id_tst_info = "1.2.840.113549.1.9.16.1.4";  // RFC 3161

// Seconds that one clock may be ahead of another.
inline constexpr std::int64_t clock_tolerance = 300;
// Bits of an RSA modulus: manifest.md, "Signatures"; and what public time-stamp authorities still use.
inline constexpr std::size_t least_rsa_signer = 3072, least_rsa_stamper = 2048;

// This program doesn't know the algorithm: neither good nor bad.
struct Unknown {
  std::string why;
};

struct Attribute {
  std::string oid;
  std::vector<Element> values;
};

inline std::string algorithm_of(const Element& element) {
  return Elements(element, tag_sequence, "algorithm").next("algorithm").oid();
}

// SignedData with its only signer (RFC 5652 section 5). It looks into the bytes that it was read from.
struct SignedData {
  std::string content_type, digest_oid, signature_oid;
  std::optional<View> content;
  std::vector<Certificate> certificates;
  Element signer_name, signed_set;
  std::vector<Attribute> signed_attributes, unsigned_attributes;
  View signature;

  explicit SignedData(View der) {
    constexpr std::size_t most_certificates = 32;
    Elements info = only_sequence(der, "CMS");
    if (info.next("CMS type").oid() != id_signed_data) throw Refused{"isn't a CMS SignedData"};
    Elements parts = only_sequence(info.next(inside_0, "SignedData").content, "SignedData");
    info.end("CMS");
    parts.next("version").small_integer();
    parts.next(tag_set, "digest algorithms");
    Elements holder(parts.next("content"), tag_sequence, "content");
    content_type = holder.next("content type").oid();
    if (!holder.done())
      content = only_element(holder.next(inside_0, "content").content, tag_octet_string, "content").content;
    if (parts.next_is(inside_0)) {
      Elements all(parts.next("certificates").content);
      while (!all.done() && certificates.size() < most_certificates) certificates.emplace_back(all.next("certificate"));
    }
    if (parts.next_is(inside_1)) parts.next("revocation lists");
    Elements signers(parts.next("signers"), tag_set, "signers");
    parts.end("SignedData");
    read_signer({signers.next("signer"), tag_sequence, "signer"});
    if (!signers.done()) throw Refused{"has several signers; one file for each is asked for"};
  }

  std::int64_t signing_time() const { return attribute(id_signing_time, "signingTime").time(); }

  const Certificate& certificate() const {
    const Certificate* found = nullptr;
    for (const Certificate& one : certificates) {
      const bool by_number =
          signer_name.tag == tag_sequence && signer_name.content == Bytes(one.issuer) + Bytes(one.serial);
      const bool by_key = signer_name.tag == implicit_0 && signer_name.content == one.key_identifier;
      if ((by_number || by_key) && (found == nullptr || !names(*found))) found = &one;
    }
    if (found == nullptr) throw Refused{"doesn't carry its signer's certificate"};
    return *found;
  }

  // Who signed, and with what. Refused where the signature isn't good.
  std::string verify(const std::function<Bytes(View)>& digest_of_content, std::size_t least_rsa) const {
    if (is_broken_digest(digest_oid)) throw Refused{"its digest is MD5 or SHA-1, which prove nothing"};
    const Certificate& by = certificate();
    const View digest = digest_of_oid(digest_oid);
    if (digest.empty() || signature_digest(signature_oid, by.key->kind, digest).empty())
      throw Unknown{"no suite for the key " + by.key->name + ", the digest " + digest_oid + ", the algorithm " +
                    signature_oid};
    if (by.key->kind == KeyKind::rsa && by.key->bits < least_rsa) throw Refused{"it is by " + by.key->name + " only"};
    if (attribute(id_content_type, "contentType").oid() != content_type) throw Refused{"contentType is another"};
    if (!names(by)) throw Refused{"signingCertificateV2 names another certificate"};
    if (attribute(id_message_digest, "messageDigest").as(tag_octet_string, "messageDigest").content !=
        digest_of_content(digest))
      throw Refused{"it is over other bytes (messageDigest differs)"};
    // Section 5.4: the digest is over the attributes with the tag of a SET.
    const Bytes set(1, static_cast<char>(tag_set));
    if (!by.key->verify(digest, digest_of(digest, {set, signed_set.whole.substr(1)}), signature))
      throw Refused{"it isn't of that certificate's key (" + by.name() + ")"};
    return "by " + by.name() + " (certificate " + to_hex(sha256(by.whole)) + "), " + by.key->name + " with " +
           Bytes(digest);
  }

 private:
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

  static std::vector<Attribute> attributes_of(const Element& set) {
    std::vector<Attribute> out;
    for (Elements all(set.content); !all.done();) {
      Elements parts(all.next("attribute"), tag_sequence, "attribute");
      Attribute& attribute = out.emplace_back();
      attribute.oid = parts.next("attribute").oid();
      for (Elements values(parts.next("values"), tag_set, "values"); !values.done();)
        attribute.values.push_back(values.next("value"));
      parts.end("attribute");
    }
    return out;
  }

  // The one value of a signed attribute that stands exactly once.
  const Element& attribute(View oid, const char* name) const {
    const auto is = [&](const Attribute& one) { return one.oid == oid; };
    const auto at = std::find_if(signed_attributes.begin(), signed_attributes.end(), is);
    if (std::count_if(signed_attributes.begin(), signed_attributes.end(), is) != 1 || at->values.size() != 1)
      throw Refused{std::string("the signed attribute ") + name + " is missing or twofold"};
    return at->values[0];
  }

  // RFC 5035 section 3: whether signingCertificateV2 names this certificate first.
  bool names(const Certificate& one) const {
    Elements mark(attribute(id_signing_certificate_v2, "signingCertificateV2"), tag_sequence, "signingCertificateV2");
    Elements all(mark.next("certificates"), tag_sequence, "certificates"),
        first(all.next("ESSCertIDv2"), tag_sequence, "ESSCertIDv2");
    const View digest = first.next_is(tag_sequence) ? digest_of_oid(algorithm_of(first.next("algorithm"))) : "sha256";
    const View value = first.next(tag_octet_string, "certificate digest").content;
    if (digest.empty() || value != digest_of(digest, one.whole)) return false;
    if (first.done()) return true;
    Elements issuer_serial(first.next("issuerSerial"), tag_sequence, "issuerSerial");
    return issuer_serial.next("issuer").content.find(one.issuer) != View::npos &&
           issuer_serial.next("serial").whole == one.serial;
  }
};

struct SignatureRequest {
  std::string name;    // of the check; others' names begin with `prefix`
  std::string prefix;  // "" or "ledger: "
  std::string subject;
  Bytes cms;                    // DER
  std::optional<Bytes> answer;  // the time-stamp authority's, as it lies beside the signature
  std::function<Bytes(View algorithm)> digest_of_content;
  const Trust* trust = nullptr;
};

// The token in a TimeStampResp (RFC 3161 section 2.4.2).
inline View token_of_answer(View answer) {
  Elements parts = only_sequence(answer, "time-stamp answer");
  if (Elements(parts.next("status"), tag_sequence, "status").next("status").small_integer() > 1)
    throw Refused{"the authority refused"};
  const View token = parts.next(tag_sequence, "time-stamp token").whole;
  parts.end("time-stamp answer");
  return token;
}

// The time of a token over this signature, and in `by`, whose it is.
inline std::int64_t check_token(View token, const SignedData& signature, const SignatureRequest& request,
                                std::string& by) {
  const SignedData data(token);
  if (data.content_type != id_tst_info || !data.content) throw Refused{"the token holds no time-stamp"};
  Elements info = only_sequence(*data.content, "TSTInfo");
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
  if (stated != digest_of(digest, signature.signature) && stated != digest_of(digest, request.cms))
    throw Refused{"it is over something else than this signature"};
  by = data.verify([&](View algorithm) { return digest_of(algorithm, *data.content); }, least_rsa_stamper);
  std::string defect = data.certificate().defect(time, true);
  if (defect.empty() && request.trust != nullptr)
    defect = request.trust->path_defect(data.certificate(), data.certificates, time);
  if (defect.empty() && signature.signing_time() > time + clock_tolerance) defect = "the signer's own time is later";
  if (!defect.empty()) throw Refused{time_text(time) + " " + by + ": " + defect};
  return time;
}

// The earliest time that a good stamp vouches for.
inline std::optional<std::int64_t> check_stamps(const SignedData& signature, const SignatureRequest& request,
                                                Report& report) {
  const std::string name = request.prefix + "time-stamp";
  std::vector<View> tokens;
  for (const Attribute& attribute : signature.unsigned_attributes) {
    for (const Element& value : attribute.values) {
      if (attribute.oid == id_time_stamp_token) tokens.push_back(value.whole);
    }
  }
  if (tokens.empty() && !request.answer && request.prefix.empty())
    report.not_checked(name, request.subject, "there is none: the signing time is the signer's own word");
  report.guard(name, request.subject, [&] {
    const View beside = request.answer ? token_of_answer(*request.answer) : View();
    if (!request.answer || std::find(tokens.begin(), tokens.end(), beside) != tokens.end()) return;
    if (!tokens.empty()) throw Refused{"the answer beside the signature holds another token than the signature"};
    tokens.push_back(beside);
  });
  std::optional<std::int64_t> earliest;
  for (const View token : tokens) {
    report.guard(name, request.subject, [&] {
      try {
        std::string by;
        const std::int64_t time = check_token(token, signature, request, by);
        report.ok(name, request.subject, time_text(time) + " " + by);
        earliest = std::min(earliest.value_or(time), time);
        if (request.trust == nullptr)
          report.not_checked(name + " certificate path", request.subject, "no --trust was given");
      } catch (const Unknown& unknown) {
        report.not_checked(name, request.subject, unknown.why);
      }
    });
  }
  return earliest;
}

// Tells everything about one signature: its bytes, its time-stamps, its certificate, the path. False where its suite
// isn't known.
inline bool check_signature(const SignatureRequest& request, Report& report) {
  bool known = true;
  report.guard(request.name, request.subject, [&] {
    const SignedData data(request.cms);
    if (data.content || data.content_type != id_data) throw Refused{"isn't a detached signature over data"};
    const std::int64_t own_time = data.signing_time();
    try {
      report.ok(request.name, request.subject, data.verify(request.digest_of_content, least_rsa_signer));
    } catch (const Unknown& unknown) {
      known = false;
      return report.not_checked(request.name, request.subject, unknown.why);
    }
    const auto stamped = check_stamps(data, request, report);
    const std::int64_t time = stamped.value_or(own_time);
    const std::string at =
        "at " + time_text(time) + (stamped ? " (the time-stamp's time)" : " (the signer's own time)");
    const std::string defect = data.certificate().defect(time, false), path = request.prefix + "certificate path";
    report.expect(defect.empty(), request.prefix + "signer's certificate", request.subject, "valid " + at,
                  at + ": " + defect);
    if (request.trust == nullptr) return report.not_checked(path, request.subject, "no --trust was given");
    const std::string broken = request.trust->path_defect(data.certificate(), data.certificates, time);
    report.expect(broken.empty(), path, request.subject, "to a trusted certificate " + at, at + ": " + broken);
  });
  return known;
}

}  // namespace exhibit_verify
