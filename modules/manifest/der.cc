#include "manifest/der.h"

#include <algorithm>

#include "manifest/openssl.h"

namespace exhibit::manifest::der {
namespace {

constexpr std::size_t longest_length = 4;  // octets of a length: what is read here has less than 4 GiB

}  // namespace

std::string element(unsigned char tag, std::string_view content) {
  std::string out(1, static_cast<char>(tag));
  if (content.size() < 0x80) {
    out += static_cast<char>(content.size());
  } else {
    std::string length;
    for (std::size_t rest = content.size(); rest > 0; rest >>= 8)
      length.insert(length.begin(), static_cast<char>(rest & 0xFF));
    out += static_cast<char>(0x80 | length.size());
    out += length;
  }
  return out.append(content);
}

std::string sequence(std::initializer_list<std::string_view> parts) {
  std::string content;
  for (const std::string_view part : parts) content += part;
  return element(sequence_tag, content);
}

std::string sorted(std::vector<std::string> elements) {
  std::sort(elements.begin(), elements.end(), [](const std::string& a, const std::string& b) {
    return std::lexicographical_compare(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) {
      return static_cast<unsigned char>(x) < static_cast<unsigned char>(y);
    });
  });
  std::string content;
  for (const std::string& one : elements) content += one;
  return content;
}

std::string set_of(std::vector<std::string> elements) { return element(set_tag, sorted(std::move(elements))); }

std::string oid(const char* dotted) {
  const openssl::Object object(OBJ_txt2obj(dotted, 1));
  return object ? openssl::der_of(object.get(), i2d_ASN1_OBJECT) : std::string();
}

std::string algorithm(const char* dotted, bool null_parameters) {
  return sequence({oid(dotted), null_parameters ? element(null_tag, {}) : std::string()});
}

std::string small_integer(unsigned char number) {
  return element(integer_tag, std::string(1, static_cast<char>(number)));
}

std::string octet_string(std::string_view bytes) { return element(octet_string_tag, bytes); }

std::optional<Element> first(std::string_view bytes) {
  const auto octet = [&](std::size_t at) { return static_cast<unsigned char>(bytes[at]); };
  if (bytes.size() < 2 || (octet(0) & 0x1F) == 0x1F) return {};
  std::size_t header = 2;
  std::size_t length = octet(1);
  if (length >= 0x80) {
    const std::size_t octets = length & 0x7F;
    if (octets == 0 || octets > longest_length || bytes.size() < 2 + octets || octet(2) == 0) return {};
    length = 0;
    for (std::size_t i = 0; i < octets; ++i) length = length << 8 | octet(2 + i);
    if (length < 0x80) return {};
    header += octets;
  }
  if (length > bytes.size() - header) return {};
  return Element{octet(0), bytes.substr(0, header + length), bytes.substr(header, length)};
}

std::optional<std::vector<Element>> elements(std::string_view bytes) {
  std::vector<Element> found;
  while (!bytes.empty()) {
    const auto next = first(bytes);
    if (!next) return {};
    found.push_back(*next);
    bytes.remove_prefix(next->whole.size());
  }
  return found;
}

std::optional<Element> only(std::string_view bytes, unsigned char tag) {
  const auto found = first(bytes);
  return found && found->tag == tag && found->whole.size() == bytes.size() ? found : std::nullopt;
}

std::string oid_of(const Element& element) {
  if (element.tag != oid_tag) return {};
  const auto object = openssl::from_der<openssl::Object>(d2i_ASN1_OBJECT, element.whole);
  return object ? openssl::oid_of(object.get()) : std::string();
}

}  // namespace exhibit::manifest::der
