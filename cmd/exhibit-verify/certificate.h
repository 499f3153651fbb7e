#pragma once
// X.509 certificates (RFC 5280) and the paths from one to another.

#include <map>

#include "key.h"

namespace exhibit_verify {

// It looks into the bytes that it was read from, which must outlive it.
struct Certificate {
  View whole, body, serial, issuer, subject, key_info, signature, key_identifier;
  std::string signature_oid;
  std::int64_t from = 0, to = 0;  // seconds since 1970
  std::optional<PublicKey> key;   // there always
  bool is_authority = false;      // basicConstraints
  std::uint64_t path_length = UINT64_MAX;
  unsigned key_usage = UINT32_MAX;    // the extension's first eight bits, the first the highest; all where it is absent
  std::vector<std::string> purposes;  // extendedKeyUsage
  bool purposes_are_critical = false;
  std::string not_understood;  // an extension that can't be passed over

  explicit Certificate(const Element& element) : whole(element.whole) {
    Elements outer(element, tag_sequence, "certificate");
    const Element inner = outer.next("certificate body"), algorithm = outer.next("signature algorithm");
    body = inner.whole;
    signature_oid = Elements(algorithm, tag_sequence, "signature algorithm").next("signature algorithm").oid();
    signature = outer.next("signature").bit_string();
    outer.end("certificate");
    Elements fields(inner, tag_sequence, "certificate body");
    if (fields.next_is(inside_0)) fields.next("version");
    serial = fields.next(tag_integer, "serial number").whole;
    if (fields.next("signature algorithm").whole != algorithm.whole) throw Refused{"a certificate with two algorithms"};
    issuer = fields.next(tag_sequence, "issuer").whole;
    Elements validity(fields.next("validity"), tag_sequence, "validity");
    from = validity.next("notBefore").time();
    to = validity.next("notAfter").time();
    subject = fields.next(tag_sequence, "subject").whole;
    const Element info = fields.next("public key");
    key_info = info.whole;
    key.emplace(info);
    while (!fields.done()) {
      const Element field = fields.next("certificate field");
      if (field.tag != inside_3) continue;  // issuerUniqueID and subjectUniqueID
      Elements extensions = only_sequence(field.content, "extensions");
      while (!extensions.done()) read_extension({extensions.next("extension"), tag_sequence, "extension"});
    }
  }

  // Of its subject, for people.
  std::string name() const {
    std::string out;
    for (Elements parts = only_sequence(subject, "name"); !parts.done();) {
      Elements set(parts.next("name"), tag_set, "name"), pair(set.next("name"), tag_sequence, "name");
      pair.next("attribute");
      out += (out.empty() ? "" : ", ") + Bytes(pair.next("attribute value").content);
    }
    return out;
  }

  // Its subject by RFC 2253, as OpenSSL writes it; "" where it has what this program can't write.
  std::string subject_text() const {
    static const std::map<std::string, std::string> names = {
        {"2.5.4.3", "CN"},     {"2.5.4.4", "SN"},  {"2.5.4.5", "serialNumber"},
        {"2.5.4.6", "C"},      {"2.5.4.7", "L"},   {"2.5.4.8", "ST"},
        {"2.5.4.9", "street"}, {"2.5.4.10", "O"},  {"2.5.4.11", "OU"},
        {"2.5.4.12", "title"}, {"2.5.4.42", "GN"}, {"1.2.840.113549.1.9.1", "emailAddress"}};
    constexpr unsigned char utf8 = 0x0C, printable_string = 0x13, ia5 = 0x16;
    std::string out;
    for (Elements sets = only_sequence(subject, "name"); !sets.done();) {
      std::string part;  // the last comes first, here and among the parts
      for (Elements set(sets.next("name"), tag_set, "name"); !set.done();) {
        Elements pair(set.next("name"), tag_sequence, "name");
        const auto name = names.find(pair.next("attribute").oid());
        const Element value = pair.next("attribute value");
        if (name == names.end() || (value.tag != utf8 && value.tag != printable_string && value.tag != ia5)) return "";
        std::string text;
        for (std::size_t i = 0; i < value.content.size(); ++i) {
          const char c = value.content[i];
          const bool at_end = (c == ' ' && (i == 0 || i + 1 == value.content.size())) || (c == '#' && i == 0);
          if (at_end || View(",+\"\\<>;").find(c) != View::npos) text += '\\';
          text += c;
        }
        part = name->second + "=" + text + (part.empty() ? "" : "+") + part;
      }
      out = part + (out.empty() ? "" : ",") + out;
    }
    return out;
  }

  bool is_signed_by(const Certificate& authority) const {
    const View digest = signature_digest(signature_oid, authority.key->kind, "");
    return !digest.empty() && authority.key->verify(digest, digest_of(digest, body), signature);
  }

  // Why it can't have made a signature at that time, its path apart; "" where it can.
  std::string defect(std::int64_t seconds, bool for_time_stamps) const {
    constexpr unsigned digital_signature = 0x80, non_repudiation = 0x40;  // section 4.2.1.3
    constexpr const char *time_stamping = "1.3.6.1.5.5.7.3.8", *ocsp_signing = "1.3.6.1.5.5.7.3.9";
    if (seconds < from) return "valid only from " + time_text(from);
    if (seconds > to) return "expired at " + time_text(to);
    if ((key_usage & (digital_signature | non_repudiation)) == 0) return "its key usage isn't signing";
    const auto has = [&](const char* purpose) { return std::count(purposes.begin(), purposes.end(), purpose) != 0; };
    // RFC 3161 section 2.3: critical, and for nothing else.
    if (for_time_stamps)
      return has(time_stamping) && purposes.size() == 1 && purposes_are_critical ? ""
                                                                                 : "it isn't for time-stamping alone";
    return has(time_stamping) || has(ocsp_signing) ? "its extended key usage is another office's" : "";
  }

 private:
  void read_extension(Elements parts) {
    const std::string oid = parts.next("extension").oid();
    const bool critical = parts.next_is(tag_boolean) && parts.next("critical").content == "\xFF";
    const View value = parts.next(tag_octet_string, "extension value").content;
    parts.end("extension");
    if (oid == "2.5.29.19") {  // basicConstraints, section 4.2.1.9
      Elements fields = only_sequence(value, "basicConstraints");
      is_authority = fields.next_is(tag_boolean) && fields.next("cA").content == "\xFF";
      if (!fields.done()) path_length = fields.next("pathLenConstraint").small_integer();
    } else if (oid == "2.5.29.15") {  // keyUsage
      const View bits = only_element(value, tag_bit_string, "keyUsage").content;
      key_usage = bits.size() > 1 ? byte_of(bits, 1) : 0;
    } else if (oid == "2.5.29.37") {  // extKeyUsage, section 4.2.1.12
      for (Elements all = only_sequence(value, "extKeyUsage"); !all.done();)
        purposes.push_back(all.next("purpose").oid());
      purposes_are_critical = critical;
    } else if (oid == "2.5.29.14") {  // subjectKeyIdentifier
      key_identifier = only_element(value, tag_octet_string, "subjectKeyIdentifier").content;
    } else if (critical || oid == "2.5.29.30") {  // nameConstraints, even where they aren't critical
      not_understood = oid;
    }
  }
};

// What --trust gave: the certificates at which paths may end.
class Trust {
 public:
  // PEM (RFC 7468). Refused where there is no certificate, or one that can't be read.
  explicit Trust(View pem) {
    constexpr View begin = "-----BEGIN CERTIFICATE-----", end = "-----END CERTIFICATE-----";
    for (std::size_t at = pem.find(begin); at != View::npos; at = pem.find(begin, at)) {
      at += begin.size();
      std::string text(pem.substr(at, std::min(pem.find(end, at), pem.size()) - at));
      std::erase_if(text, [](char c) { return View(" \t\r\n").find(c) != View::npos; });
      bytes_.push_back(from_base64(text, "a certificate in PEM"));
    }
    if (bytes_.empty()) throw Refused{"no certificate in PEM"};
    for (const Bytes& der : bytes_) certificates_.emplace_back(only_element(der, tag_sequence, "certificate"));
  }

  // Why no path leads from a certificate over `others` to one of these that has signed itself, all valid at that time;
  // "" where one does.
  std::string path_defect(const Certificate& certificate, const std::vector<Certificate>& others,
                          std::int64_t seconds) const {
    Search search{certificates_, others, seconds};
    return search.ends_in_trust(certificate, 0) ? "" : search.why;
  }

 private:
  // A way up, of so many certificates at most; and so many signatures are tried in all.
  struct Search {
    const std::vector<Certificate>&trusted, &others;
    std::int64_t seconds;
    int tries = 100;
    std::string why = "no trusted certificate has issued it";

    // True where `good`, else the reason is kept.
    bool need(bool good, const Certificate& certificate, const std::string& reason) {
      if (!good) why = reason + " (" + certificate.name() + ")";
      return good;
    }

    // `below`: how many certificates of authorities stand between this one and the signer's.
    bool ends_in_trust(const Certificate& one, std::uint64_t below) {
      constexpr std::uint64_t longest = 8;
      constexpr std::size_t least_rsa = 2048;         // bits: 112 bits of strength, NIST SP 800-57 part 1
      constexpr unsigned certificate_signing = 0x04;  // keyUsage, section 4.2.1.3
      const bool valid =
          need(below <= longest, one, "too long a path") && need(seconds >= one.from, one, "not valid yet then") &&
          need(seconds <= one.to, one, "had expired then") &&
          need(one.not_understood.empty(), one,
               "has the extension " + one.not_understood + ", which isn't understood") &&
          need(one.key->kind != KeyKind::unknown, one, "its key is of an unknown kind, " + one.key->name) &&
          need(one.key->kind != KeyKind::rsa || one.key->bits >= least_rsa, one, "too short an RSA key");
      if (!valid) return false;
      for (const Certificate& root : trusted) {
        if (root.whole == one.whole && root.is_signed_by(root)) return true;
      }
      for (const auto* group : {&trusted, &others}) {
        for (const Certificate& authority : *group) {
          if (authority.subject != one.issuer || authority.whole == one.whole || --tries < 0) continue;
          const bool may = authority.is_authority && (authority.key_usage & certificate_signing) != 0;
          if (need(may, authority, "isn't an authority for certificates") &&
              need(below <= authority.path_length, authority, "its path is longer than it allows") &&
              need(one.is_signed_by(authority), one, "its signature isn't its issuer's") &&
              ends_in_trust(authority, below + 1))
            return true;
        }
      }
      return false;
    }
  };

  std::vector<Bytes> bytes_;
  std::vector<Certificate> certificates_;
};

}  // namespace exhibit_verify
