#pragma once
// DER (ITU-T X.690, 10 and 11): tag, length, value, in each other to the exact byte; and the objects of public-key
// cryptography that are written so.

#include <optional>
#include <string>

#include "carve/content.h"

namespace exhibit::carve {

struct DerElement {
  std::uint8_t tag = 0;
  std::uint64_t begin = 0, data = 0, end = 0;  // bytes: of its tag, of its value, and behind it
};

// The element that begins at `begin` and must end by `limit`; nothing where there is none: a tag of several bytes, a
// length that isn't the shortest (10.1), an end behind `limit`.
std::optional<DerElement> der_element(const Content& content, std::uint64_t begin, std::uint64_t limit);

// Whether all of `element` is elements in each other to its end, no deeper than any real object.
bool der_holds(const Content& content, const DerElement& element);

// What a whole object at the content's first byte is.
struct DerObject {
  std::uint64_t length = 0;
  std::string extension;  // crt, crl, csr, p7, key, p12
};
std::optional<DerObject> der_object(const Content& content);

}  // namespace exhibit::carve
