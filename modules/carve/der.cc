#include "carve/der.h"

#include <algorithm>
#include <string_view>
#include <vector>

namespace exhibit::carve {
namespace {

constexpr std::uint8_t boolean = 0x01, integer = 0x02, bit_string = 0x03, octet_string = 0x04, null = 0x05,
                       object_identifier = 0x06, sequence = 0x30, utc_time = 0x17, generalized_time = 0x18;
constexpr std::uint8_t constructed = 0x20, context_0 = 0xa0;
constexpr std::size_t deepest = 48;
constexpr std::size_t most_children = 64;  // of an element that is looked at

// Contents octets of the identifiers that begin the object identifiers in use here.
constexpr std::string_view oid_pkcs7 = "\x2a\x86\x48\x86\xf7\x0d\x01\x07";  // 1.2.840.113549.1.7 (RFC 5652)
constexpr std::string_view oid_arcs[] = {"\x2a\x86\x48", "\x2b",     "\x55",     "\x60\x86\x48", "\x2a\x81",
                                         "\x2a\x85\x03", "\x2a\x70", "\x28\xcf", "\x09",         "\x2a\x83\x08"};

bool has_tag(const std::vector<DerElement>& children, std::size_t index, std::uint8_t tag) {
  return index < children.size() && children[index].tag == tag;
}

bool value_starts(const Content& content, const DerElement& element, std::string_view text) {
  return element.end - element.data >= text.size() && starts_with(content.at(element.data, text.size()), text);
}

// What the standard says of a primitive value (X.690, 8.2, 8.3, 8.6, 8.8, 8.19, 11.1).
bool is_value(const Content& content, const DerElement& element) {
  const std::uint64_t length = element.end - element.data;
  const ByteSpan head = content.at(element.data, std::min<std::uint64_t>(length, 2));
  switch (element.tag) {
    case boolean:
      return length == 1 && (head[0] == 0 || head[0] == 0xff);
    case integer:
      return length == 1 || (length > 1 && !(head[0] == 0 && head[1] < 0x80) && !(head[0] == 0xff && head[1] >= 0x80));
    case null:
      return length == 0;
    case bit_string:
      // A signature or key that ends in zeros was cut.
      return length >= 1 && head[0] < 8 && (length < 64 || Reader(content, element.end - 8).le64() != 0);
    case object_identifier: {
      if (length == 0 || length > 64) return false;
      const ByteSpan all = content.at(element.data, length);
      return all[length - 1] < 0x80;
    }
    case utc_time:
    case generalized_time: {
      if (length < 11 || length > 32) return false;
      const ByteSpan all = content.at(element.data, length);
      return std::all_of(all.begin(), all.begin() + 10, [](std::uint8_t c) { return c >= '0' && c <= '9'; });
    }
    default:
      return true;
  }
}

// The elements that `parent` is made of; none where they don't fill it.
std::vector<DerElement> children_of(const Content& content, const DerElement& parent) {
  std::vector<DerElement> children;
  for (std::uint64_t at = parent.data; at < parent.end;) {
    const auto child = der_element(content, at, parent.end);
    if (!child || children.size() == most_children) return {};
    children.push_back(*child);
    at = child->end;
  }
  return children;
}

bool is_algorithm(const Content& content, const DerElement& element) {
  if (element.tag != sequence) return false;
  const auto parts = children_of(content, element);
  return !parts.empty() && parts.size() <= 2 && parts[0].tag == object_identifier &&
         std::any_of(std::begin(oid_arcs), std::end(oid_arcs),
                     [&](std::string_view arc) { return value_starts(content, parts[0], arc); });
}

bool is_version(const Content& content, const DerElement& element, std::uint8_t most) {
  return element.tag == integer && element.end - element.data == 1 && content.at(element.data, 1)[0] <= most;
}

// Certificate, CertificateList or CertificationRequest: what is signed, the algorithm, the signature
// (RFC 5280, 4.1, 5.1; RFC 2986, 4).
std::string signed_kind(const Content& content, const std::vector<DerElement>& parts) {
  if (parts.size() != 3 || parts[0].tag != sequence || !is_algorithm(content, parts[1]) || parts[2].tag != bit_string) {
    return {};
  }
  const auto inner = children_of(content, parts[0]);
  const bool has_version = has_tag(inner, 0, context_0);
  const std::size_t first = has_version ? 1 : 0;
  // serialNumber, signature, issuer, validity, subject, subjectPublicKeyInfo
  if (inner.size() >= first + 6 && inner[first].tag == integer && is_algorithm(content, inner[first + 1]) &&
      has_tag(inner, first + 2, sequence) && has_tag(inner, first + 3, sequence) &&
      has_tag(inner, first + 5, sequence)) {
    return "crt";
  }
  // version, subject, subjectPKInfo, attributes
  if (inner.size() == 4 && is_version(content, inner[0], 0) && inner[1].tag == sequence && inner[2].tag == sequence &&
      inner[3].tag == context_0) {
    return "csr";
  }
  // version, signature, issuer, thisUpdate, ...
  const std::size_t from = has_tag(inner, 0, integer) ? 1 : 0;
  if (inner.size() >= from + 3 && is_algorithm(content, inner[from]) && inner[from + 1].tag == sequence &&
      (inner[from + 2].tag == utc_time || inner[from + 2].tag == generalized_time)) {
    return "crl";
  }
  return {};
}

std::uint64_t low_bits(const Content& content, const DerElement& number) {
  const std::uint64_t length = std::min<std::uint64_t>(8, number.end - number.data);
  Reader reader(content, number.end - length);
  std::uint64_t value = 0;
  for (std::uint64_t i = 0; i < length; ++i) value = value << 8 | reader.u8();
  return value;
}

// RSAPrivateKey (RFC 8017, A.1.2): the modulus is the product of its primes, as far as 64 bits tell.
bool is_rsa_key(const Content& content, const std::vector<DerElement>& parts) {
  return parts.size() == 9 &&
         std::all_of(parts.begin(), parts.end(), [](const auto& one) { return one.tag == integer; }) &&
         is_version(content, parts[0], 0) &&
         low_bits(content, parts[1]) == low_bits(content, parts[4]) * low_bits(content, parts[5]);
}

bool is_key(const Content& content, const std::vector<DerElement>& parts) {
  if (is_rsa_key(content, parts)) return true;
  // PrivateKeyInfo (RFC 5958, 2), EncryptedPrivateKeyInfo (3), ECPrivateKey (RFC 5915, 3).
  if (parts.size() >= 3 && is_version(content, parts[0], 1) && is_algorithm(content, parts[1]) &&
      parts[2].tag == octet_string) {
    return true;
  }
  if (parts.size() == 2 && is_algorithm(content, parts[0])) return parts[1].tag == octet_string;
  return parts.size() >= 3 && is_version(content, parts[0], 1) && parts[1].tag == octet_string &&
         parts[2].tag == context_0;
}

std::string kind_of(const Content& content, const DerElement& whole) {
  const auto parts = children_of(content, whole);
  if (parts.size() < 2) return {};
  if (parts[0].tag == object_identifier && value_starts(content, parts[0], oid_pkcs7) && parts.size() == 2 &&
      parts[1].tag == context_0) {
    return "p7";
  }
  if (const std::string kind = signed_kind(content, parts); !kind.empty()) return kind;
  // PFX (RFC 7292, 4): version 3, ContentInfo, MacData
  if (is_version(content, parts[0], 3) && content.at(parts[0].data, 1)[0] == 3 && parts[1].tag == sequence) {
    const auto safe = children_of(content, parts[1]);
    if (safe.size() == 2 && safe[0].tag == object_identifier && value_starts(content, safe[0], oid_pkcs7)) return "p12";
  }
  return is_key(content, parts) ? "key" : std::string{};
}

}  // namespace

std::optional<DerElement> der_element(const Content& content, std::uint64_t begin, std::uint64_t limit) {
  const ByteSpan head = content.at(begin, 6);
  if (head.size() < 2 || begin >= limit || (head[0] & 0x1f) == 0x1f || head[0] == 0) return std::nullopt;
  DerElement element{head[0], begin, begin + 2, 0};
  std::uint64_t length = head[1];
  if (length >= 0x80) {
    const std::size_t bytes = length & 0x7f;
    if (bytes == 0 || bytes > 4 || head.size() < 2 + bytes) return std::nullopt;
    length = 0;
    for (std::size_t i = 0; i < bytes; ++i) length = length << 8 | head[2 + i];
    if (length < 0x80 || (bytes > 1 && length >> (8 * (bytes - 1)) == 0)) return std::nullopt;
    element.data += bytes;
  }
  if (element.data > limit || length > limit - element.data) return std::nullopt;
  element.end = element.data + length;
  return element;
}

bool der_holds(const Content& content, const DerElement& element) {
  if ((element.tag & constructed) == 0) return is_value(content, element);
  std::vector<std::uint64_t> ends{element.end};
  for (std::uint64_t at = element.data;;) {
    while (!ends.empty() && at == ends.back()) ends.pop_back();
    if (ends.empty()) return true;
    const auto inner = der_element(content, at, ends.back());
    if (!inner || !is_value(content, *inner)) return false;
    at = inner->end;
    if ((inner->tag & constructed) == 0) continue;
    if (ends.size() == deepest) return false;
    ends.push_back(inner->end);
    at = inner->data;
  }
}

std::optional<DerObject> der_object(const Content& content) {
  const auto whole = der_element(content, 0, content.size());
  if (!whole || whole->tag != sequence) return std::nullopt;
  std::string kind = kind_of(content, *whole);
  if (kind.empty() || !der_holds(content, *whole)) return std::nullopt;
  return DerObject{whole->end, std::move(kind)};
}

}  // namespace exhibit::carve
