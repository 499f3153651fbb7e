#include "certificate.h"

#include <algorithm>
#include <array>

#include "digest.h"

namespace exhibit_verify {
namespace {

// RFC 5280 section 4.2.1.3.
constexpr unsigned digital_signature = 0x80, non_repudiation = 0x40, certificate_signing = 0x04;
constexpr const char* time_stamping = "1.3.6.1.5.5.7.3.8";

void read_extension(Certificate& certificate, Elements parts) {
  const std::string oid = parts.next("extension").oid();
  const bool critical = parts.next_is(tag_boolean) && parts.next("critical").content == "\xFF";
  const View value = parts.next(tag_octet_string, "extension value").content;
  parts.end("extension");
  if (oid == "2.5.29.19") {  // basicConstraints, section 4.2.1.9
    Elements fields(only_element(value, tag_sequence, "basicConstraints"), tag_sequence, "basicConstraints");
    certificate.is_authority = fields.next_is(tag_boolean) && fields.next("cA").content == "\xFF";
    if (!fields.done()) certificate.path_length = fields.next("pathLenConstraint").small_integer();
  } else if (oid == "2.5.29.15") {  // keyUsage
    const View bits = only_element(value, tag_bit_string, "keyUsage").content;
    certificate.key_usage = bits.size() > 1 ? static_cast<unsigned char>(bits[1]) : 0;
  } else if (oid == "2.5.29.37") {  // extKeyUsage, section 4.2.1.12
    Elements purposes(only_element(value, tag_sequence, "extKeyUsage"), tag_sequence, "extKeyUsage");
    while (!purposes.done()) certificate.purposes.push_back(purposes.next("purpose").oid());
    certificate.purposes_are_critical = critical;
  } else if (oid == "2.5.29.14") {  // subjectKeyIdentifier
    certificate.key_identifier = only_element(value, tag_octet_string, "subjectKeyIdentifier").content;
  } else if (critical ||
             oid == "2.5.29.30") {  // nameConstraints may not be passed over even where they aren't critical
    certificate.not_understood = oid;
  }
}

// Searches for a way up; at most so many signatures are tried and so many certificates stand in a path.
struct Search {
  const std::vector<Certificate>& trusted;
  const std::vector<Certificate>& others;
  std::int64_t seconds;
  int tries = 100;
  std::string why = "no trusted certificate has issued it";

  bool refuse(const Certificate& certificate, std::string reason) {
    why = std::move(reason) + " (" + certificate.name() + ")";
    return false;
  }

  bool valid(const Certificate& certificate) {
    constexpr std::size_t least_rsa = 2048;  // 112 bits of strength, NIST SP 800-57 part 1
    if (seconds < certificate.from) return refuse(certificate, "not valid yet then");
    if (seconds > certificate.to) return refuse(certificate, "had expired then");
    if (!certificate.not_understood.empty())
      return refuse(certificate, "the extension " + certificate.not_understood + " isn't understood");
    if (certificate.key.kind == KeyKind::unknown)
      return refuse(certificate, "its key is of an unknown kind, " + certificate.key.name);
    if (certificate.key.kind == KeyKind::rsa && certificate.key.bits < least_rsa)
      return refuse(certificate, "too short an RSA key");
    return true;
  }

  // `below`: how many certificates of authorities stand between this one and the signer's.
  bool ends_in_trust(const Certificate& certificate, std::uint64_t below) {
    constexpr std::uint64_t longest = 8;
    if (!valid(certificate) || below > longest) return false;
    for (const Certificate& root : trusted) {
      if (root.whole == certificate.whole && root.is_signed_by(root)) return true;
    }
    for (const auto* group : {&trusted, &others}) {
      for (const Certificate& authority : *group) {
        if (authority.subject != certificate.issuer || authority.whole == certificate.whole || --tries < 0) continue;
        if (!authority.is_authority || (authority.key_usage & certificate_signing) == 0) {
          refuse(authority, "isn't an authority for certificates");
        } else if (below > authority.path_length) {
          refuse(authority, "its path is longer than it allows");
        } else if (!certificate.is_signed_by(authority)) {
          refuse(certificate, "its signature isn't its issuer's");
        } else if (ends_in_trust(authority, below + 1)) {
          return true;
        }
      }
    }
    return false;
  }
};

}  // namespace

Certificate Certificate::read(const Element& element) {
  Certificate out;
  out.whole = element.whole;
  Elements outer(element, tag_sequence, "certificate");
  const Element body = outer.next("certificate body");
  out.body = body.whole;
  const Element algorithm = outer.next("signature algorithm");
  out.signature_oid = Elements(algorithm, tag_sequence, "signature algorithm").next("signature algorithm").oid();
  out.signature = outer.next("signature").bit_string();
  outer.end("certificate");
  Elements fields(body, tag_sequence, "certificate body");
  if (fields.next_is(inside_0)) fields.next("version");
  out.serial = fields.next(tag_integer, "serial number").whole;
  if (fields.next("signature algorithm").whole != algorithm.whole)
    throw Refused{"a certificate with two signature algorithms"};
  out.issuer = fields.next(tag_sequence, "issuer").whole;
  Elements validity(fields.next("validity"), tag_sequence, "validity");
  out.from = validity.next("notBefore").time();
  out.to = validity.next("notAfter").time();
  out.subject = fields.next(tag_sequence, "subject").whole;
  out.key = PublicKey::read(fields.next("public key"));
  while (!fields.done()) {
    const Element field = fields.next("certificate field");
    if (field.tag != inside_3) continue;  // issuerUniqueID and subjectUniqueID
    Elements extensions(only_element(field.content, tag_sequence, "extensions"), tag_sequence, "extensions");
    while (!extensions.done()) read_extension(out, {extensions.next("extension"), tag_sequence, "extension"});
  }
  return out;
}

std::string Certificate::name() const {
  std::string out;
  Elements parts(only_element(subject, tag_sequence, "name"), tag_sequence, "name");
  while (!parts.done()) {
    Elements set(parts.next("name"), tag_set, "name");
    Elements pair(set.next("name"), tag_sequence, "name");
    pair.next("attribute");
    out += (out.empty() ? "" : ", ") + std::string(pair.next("attribute value").content);
  }
  return out;
}

bool Certificate::is_signed_by(const Certificate& authority) const {
  const View digest = signature_digest(signature_oid, authority.key.kind, "");
  return !digest.empty() && authority.key.verify(digest, digest_of(digest, body), signature);
}

std::string certificate_defect(const Certificate& certificate, std::int64_t seconds, bool for_time_stamps) {
  if (seconds < certificate.from) return "valid only from " + time_text(certificate.from);
  if (seconds > certificate.to) return "expired at " + time_text(certificate.to);
  if ((certificate.key_usage & (digital_signature | non_repudiation)) == 0) return "its key usage isn't signing";
  // RFC 3161 section 2.3: critical, and for nothing else. Whoever may stamp or answer for revocations may nothing else.
  const bool stamps =
      certificate.purposes == std::vector<std::string>{time_stamping} && certificate.purposes_are_critical;
  if (for_time_stamps) return stamps ? "" : "its extended key usage isn't time-stamping alone";
  for (const std::string& purpose : certificate.purposes) {
    if (purpose == time_stamping || purpose == "1.3.6.1.5.5.7.3.9") return "its extended key usage is another office's";
  }
  return "";
}

Trust::Trust(View pem) : bytes_(certificates_from_pem(pem)) {
  for (const Bytes& der : bytes_)
    certificates_.push_back(Certificate::read(only_element(der, tag_sequence, "certificate")));
}

std::string Trust::path_defect(const Certificate& certificate, const std::vector<Certificate>& others,
                               std::int64_t seconds) const {
  Search search{certificates_, others, seconds};
  return search.ends_in_trust(certificate, 0) ? "" : search.why;
}

}  // namespace exhibit_verify
