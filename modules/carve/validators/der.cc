// Certificates, revocation lists, requests, CMS, PKCS #8 and #12, private keys in DER: the outer SEQUENCE's length is
// the object's, and all in it are elements to the last byte. Signatures aren't checked: their keys lie elsewhere.

#include "carve/der.h"

#include "carve/validator.h"

namespace exhibit::carve {
namespace {

// What follows the outer SEQUENCE in the objects that der_object knows: SEQUENCE, INTEGER of one byte, or the
// identifier of PKCS #7.
bool glance(ByteSpan head) {
  if (head.size() < 16) return false;
  const ByteSpan first = head.subspan(head[1] < 0x80 ? 2 : 2 + std::min<std::size_t>(head[1] & 0x7f, 4));
  const bool is_signed = first[0] == 0x30 && (first[1] == 0x82 || first[1] == 0x81);
  const bool is_encrypted_key = first[0] == 0x30 && first[1] < 0x80 && first[2] == 0x06;
  const bool has_version = first[0] == 0x02 && first[1] == 0x01 && first[2] <= 3 &&
                           (first[3] == 0x30 || first[3] == 0x02 || first[3] == 0x04);
  const bool is_pkcs7 = first[0] == 0x06 && first[1] == 0x09 && first[2] == 0x2a && first[3] == 0x86;
  return is_signed || is_encrypted_key || has_version || is_pkcs7;
}

Verdict validate(const Content& content, Memory&) {
  if (!glance(content.at(0, 64))) return {};
  const auto object = der_object(content);
  if (!object) return {};
  return Verdict::whole(object->length, object->extension == "key" ? "der" : object->extension);
}

}  // namespace

extern const Validator der_validator;
const Validator der_validator = {"der", validate, glance};

}  // namespace exhibit::carve
