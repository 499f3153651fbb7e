#pragma once
// DER (X.690 section 10), read with bounds; indefinite lengths, long tags and lengths that aren't minimal are refused.

#include "base.h"

namespace exhibit_verify {

// Tags (X.690 section 8.1.2), with the bit for constructed encodings.
inline constexpr unsigned char tag_boolean = 0x01, tag_integer = 0x02, tag_bit_string = 0x03, tag_octet_string = 0x04,
                               tag_oid = 0x06, tag_utc_time = 0x17, tag_generalized_time = 0x18, tag_sequence = 0x30,
                               tag_set = 0x31;
inline constexpr unsigned char implicit_0 = 0x80, inside_0 = 0xA0, inside_1 = 0xA1, inside_3 = 0xA3;

inline unsigned char byte_of(View bytes, std::size_t i) { return static_cast<unsigned char>(bytes[i]); }

// Days since 1970-01-01 in the Gregorian calendar: years that begin in March have their odd day last.
inline std::int64_t days_of(std::int64_t year, std::int64_t month, std::int64_t day) {
  if (month < 3) --year, month += 12;
  return 365 * year + year / 4 - year / 100 + year / 400 + (153 * (month - 3) + 2) / 5 + day - 1 - 719468;
}

// RFC 3339, in UTC.
inline std::string time_text(std::int64_t seconds) {
  const std::int64_t days = seconds / 86400 - (seconds % 86400 < 0), rest = seconds - days * 86400;
  std::int64_t year = 1970 + days / 366, month = 12;
  while (days_of(year + 1, 1, 1) <= days) ++year;
  while (days_of(year, month, 1) > days) --month;
  std::string out = std::to_string(year);
  const auto two = [&](const char* before, std::int64_t n) {
    out += before + std::string(n < 10 ? "0" : "") + std::to_string(n);
  };
  two("-", month), two("-", days - days_of(year, month, 1) + 1);
  two("T", rest / 3600), two(":", rest / 60 % 60), two(":", rest % 60);
  return out + "Z";
}

// One element. It looks into the bytes it was read from, which must outlive it.
struct Element {
  unsigned char tag = 0;
  View whole;    // with tag and length
  View content;  // without

  // This, if its tag is that; Refused with `what` otherwise.
  const Element& as(unsigned char wanted, const char* what) const {
    if (tag != wanted) throw Refused{std::string("DER: no ") + what + " where it must be"};
    return *this;
  }

  // In decimals and dots.
  std::string oid() const {
    constexpr std::size_t longest = 64;  // bytes
    as(tag_oid, "object identifier");
    if (content.empty() || content.size() > longest || byte_of(content, content.size() - 1) >= 0x80)
      throw Refused{"DER: an object identifier of no length, cut short, or huge"};
    std::string out;
    std::uint64_t number = 0;
    for (std::size_t i = 0; i < content.size(); ++i) {
      if (number >> 56 != 0) throw Refused{"DER: an object identifier with a huge number"};
      number = number << 7 | (byte_of(content, i) & 0x7F);
      if (byte_of(content, i) >= 0x80) continue;
      const std::uint64_t first = std::min<std::uint64_t>(number / 40, 2);
      out += out.empty() ? std::to_string(first) + "." + std::to_string(number - 40 * first)
                         : "." + std::to_string(number);
      number = 0;
    }
    return out;
  }

  // The bytes of a number that isn't negative, the most significant first.
  View integer() const {
    as(tag_integer, "integer");
    const bool padded = content.size() > 1 && content[0] == '\0';
    if (content.empty() || byte_of(content, 0) >= 0x80 || (padded && byte_of(content, 1) < 0x80))
      throw Refused{"DER: an integer that is empty, negative or not minimal"};
    return content.substr(padded);
  }
  std::uint64_t small_integer() const {
    std::uint64_t out = 0;
    if (integer().size() > 7) throw Refused{"DER: a huge integer"};
    for (const char c : integer()) out = out << 8 | static_cast<unsigned char>(c);
    return out;
  }

  // Of whole bytes.
  View bit_string() const {
    if (as(tag_bit_string, "bit string").content.substr(0, 1) != View("\0", 1))
      throw Refused{"DER: a bit string of part bytes"};
    return content.substr(1);
  }

  // Seconds since 1970 of a UTCTime or GeneralizedTime with Z (X.690 sections 11.7 and 11.8; RFC 5280 section 4.1.2.5
  // for the century).
  std::int64_t time() const {
    if (tag != tag_utc_time && tag != tag_generalized_time) throw Refused{"DER: no time where it must be"};
    const std::string century = tag == tag_generalized_time ? ""
                                : content >= "5"            ? "19"
                                                            : "20",
                      text = century + Bytes(content);
    std::size_t end = text.find_first_not_of("0123456789");
    const bool fraction = tag == tag_generalized_time && end == 14 && text[14] == '.' && text.size() > 16;
    if (fraction) end = text.find_first_not_of("0123456789", 15);
    if (end != text.size() - 1 || text.back() != 'Z' || (!fraction && end != 14))
      throw Refused{"DER: a time that isn't in UTC"};
    const auto part = [&](std::size_t at, std::size_t size) { return std::int64_t{std::stoi(text.substr(at, size))}; };
    const auto month = part(4, 2), day = part(6, 2), hour = part(8, 2), minute = part(10, 2), second = part(12, 2);
    if (month < 1 || month > 12 || day < 1 || day > 31 || hour > 23 || minute > 59 || second > 60)
      throw Refused{"DER: a time out of any calendar"};
    return ((days_of(part(0, 4), month, day) * 24 + hour) * 60 + minute) * 60 + second;
  }
};

// Reads elements one after another.
class Elements {
 public:
  explicit Elements(View bytes) : rest_(bytes) {}
  // Those inside a constructed element.
  Elements(const Element& of, unsigned char tag, const char* what) : rest_(of.as(tag, what).content) {}

  bool done() const { return rest_.empty(); }
  bool next_is(unsigned char tag) const { return !done() && byte_of(rest_, 0) == tag; }
  Element next(const char* what) {
    const auto need = [&](bool good, const char* why) {
      good ? void() : throw Refused{std::string("DER: ") + what + ": " + why};
    };
    need(rest_.size() >= 2, "missing or cut short");
    need((rest_[0] & 0x1F) != 0x1F, "a long tag");
    std::size_t length = byte_of(rest_, 1), header = 2;
    if (length >= 0x80) {
      const std::size_t count = length & 0x7F;
      need(count > 0 && count <= 4 && rest_.size() >= 2 + count, "a length that is indefinite, huge or cut short");
      length = 0;
      while (header < 2 + count) length = length << 8 | byte_of(rest_, header++);
      need(length >= 0x80 && length >> (8 * (count - 1)) != 0, "a length that isn't minimal");
    }
    need(length <= rest_.size() - header, "longer than what holds it");
    const View whole = rest_.substr(0, header + length);
    rest_.remove_prefix(whole.size());
    return {byte_of(whole, 0), whole, whole.substr(header)};
  }
  Element next(unsigned char tag, const char* what) { return next(what).as(tag, what); }
  // Refused if something is left.
  void end(const char* what) const {
    if (!done()) throw Refused{std::string("bytes after the end of the ") + what};
  }

 private:
  View rest_;
};

// The only element in `bytes`, and what is inside of it.
inline Element only_element(View bytes, unsigned char tag, const char* what) {
  Elements elements(bytes);
  const Element element = elements.next(tag, what);
  elements.end(what);
  return element;
}
inline Elements only_sequence(View bytes, const char* what) {
  return {only_element(bytes, tag_sequence, what), tag_sequence, what};
}

}  // namespace exhibit_verify
