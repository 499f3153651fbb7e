#pragma once
// DER (X.690 section 10), read with bounds; indefinite lengths, long tags and lengths that aren't minimal are refused.

#include "base.h"

namespace exhibit_verify {

// Tags (X.690 section 8.1.2), with the bit for constructed encodings.
inline constexpr unsigned char tag_boolean = 0x01, tag_integer = 0x02, tag_bit_string = 0x03, tag_octet_string = 0x04,
                               tag_oid = 0x06, tag_utc_time = 0x17, tag_generalized_time = 0x18, tag_sequence = 0x30,
                               tag_set = 0x31;
inline constexpr unsigned char implicit_0 = 0x80, inside_0 = 0xA0, inside_1 = 0xA1, inside_2 = 0xA2, inside_3 = 0xA3;

// One element. It looks into the bytes it was read from, which must outlive it.
struct Element {
  unsigned char tag = 0;
  View whole;    // with tag and length
  View content;  // without

  // This, if its tag is that; Refused with `what` otherwise.
  const Element& as(unsigned char wanted, const char* what) const;
  std::string oid() const;  // in decimals and dots
  View integer() const;     // the bytes of a number that isn't negative, the most significant first
  std::uint64_t small_integer() const;
  View bit_string() const;    // of whole bytes
  std::int64_t time() const;  // seconds since 1970 of a UTCTime or GeneralizedTime with Z
};

// Reads elements one after another.
class Elements {
 public:
  explicit Elements(View bytes) : rest_(bytes) {}
  // Those inside a constructed element.
  Elements(const Element& of, unsigned char tag, const char* what) : rest_(of.as(tag, what).content) {}

  bool done() const { return rest_.empty(); }
  // Whether an element with this tag comes next.
  bool next_is(unsigned char tag) const { return !done() && static_cast<unsigned char>(rest_.front()) == tag; }
  Element next(const char* what);
  Element next(unsigned char tag, const char* what) { return next(what).as(tag, what); }
  void end(const char* what) const;  // Refused if something is left

 private:
  View rest_;
};

// The only element in `bytes`.
Element only_element(View bytes, unsigned char tag, const char* what);

// RFC 3339, in UTC.
std::string time_text(std::int64_t seconds);

}  // namespace exhibit_verify
