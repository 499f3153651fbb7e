#pragma once
// DER (ITU-T X.690) by hand, for what OpenSSL has no types or no open ones for; for this module's own files.

#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace exhibit::manifest::der {

// Identifier octets.
inline constexpr unsigned char integer_tag = 0x02, bit_string_tag = 0x03, octet_string_tag = 0x04, null_tag = 0x05,
                               oid_tag = 0x06, sequence_tag = 0x30, set_tag = 0x31;
// [number], constructed.
constexpr unsigned char context_tag(unsigned char number) { return static_cast<unsigned char>(0xA0 | number); }

// ---- writing

std::string element(unsigned char tag, std::string_view content);
std::string sequence(std::initializer_list<std::string_view> parts);
// SET OF: its elements sorted as section 11.6 demands.
std::string set_of(std::vector<std::string> elements);
// The content of a SET OF, for an implicit tag.
std::string sorted(std::vector<std::string> elements);
std::string oid(const char* dotted);
// An AlgorithmIdentifier; with NULL parameters, or with none.
std::string algorithm(const char* dotted, bool null_parameters);
std::string small_integer(unsigned char number);  // below 128
std::string octet_string(std::string_view bytes);

// ---- reading; what is left over is the caller's to refuse

struct Element {
  unsigned char tag = 0;
  std::string_view whole, content;
};

// The first element, which must be whole, with a short tag and a definite length in its shortest form.
std::optional<Element> first(std::string_view bytes);
// All elements, of which `bytes` must consist.
std::optional<std::vector<Element>> elements(std::string_view bytes);
// The only element of `bytes`, with this tag.
std::optional<Element> only(std::string_view bytes, unsigned char tag);
// Dotted, of an element of oid_tag; empty for any other.
std::string oid_of(const Element& element);

}  // namespace exhibit::manifest::der
