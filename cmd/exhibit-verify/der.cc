#include "der.h"

#include <algorithm>
#include <cstdio>

#include "base.h"

namespace exhibit_verify {
namespace {

unsigned char byte_of(View bytes, std::size_t i) { return static_cast<unsigned char>(bytes[i]); }

// Days since 1970-01-01 in the Gregorian calendar: years that begin in March have their odd day last.
std::int64_t days_of(std::int64_t year, std::int64_t month, std::int64_t day) {
  if (month < 3) --year, month += 12;
  return 365 * year + year / 4 - year / 100 + year / 400 + (153 * (month - 3) + 2) / 5 + day - 1 - 719468;
}

}  // namespace

const Element& Element::as(unsigned char wanted, const char* what) const {
  if (tag != wanted) throw Refused{std::string("DER: no ") + what + " where it must be"};
  return *this;
}

std::string Element::oid() const {
  as(tag_oid, "object identifier");
  constexpr std::size_t longest = 64;  // bytes
  if (content.empty() || content.size() > longest)
    throw Refused{"DER: an object identifier of no length or a huge one"};
  std::string out;
  std::uint64_t number = 0;
  for (std::size_t i = 0; i < content.size(); ++i) {
    if (number >> 56 != 0) throw Refused{"DER: an object identifier with a huge number"};
    number = number << 7 | (byte_of(content, i) & 0x7F);
    if ((byte_of(content, i) & 0x80) != 0) continue;
    if (out.empty()) {
      const std::uint64_t first = std::min<std::uint64_t>(number / 40, 2);
      out = std::to_string(first) + "." + std::to_string(number - 40 * first);
    } else {
      out += "." + std::to_string(number);
    }
    number = 0;
  }
  if ((content.back() & 0x80) != 0) throw Refused{"DER: an object identifier cut short"};
  return out;
}

View Element::integer() const {
  as(tag_integer, "integer");
  if (content.empty() || byte_of(content, 0) >= 0x80) throw Refused{"DER: an integer that is negative or empty"};
  if (content.size() > 1 && content[0] == '\0') {
    if (byte_of(content, 1) < 0x80) throw Refused{"DER: an integer that isn't minimal"};
    return content.substr(1);
  }
  return content;
}

std::uint64_t Element::small_integer() const {
  const View bytes = integer();
  if (bytes.size() > 7) throw Refused{"DER: a huge integer"};
  std::uint64_t out = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i) out = out << 8 | byte_of(bytes, i);
  return out;
}

View Element::bit_string() const {
  as(tag_bit_string, "bit string");
  if (content.empty() || content[0] != '\0') throw Refused{"DER: a bit string that isn't of whole bytes"};
  return content.substr(1);
}

std::int64_t Element::time() const {
  // X.690 section 11.7 and 11.8; RFC 5280 section 4.1.2.5 for the century of a UTCTime.
  std::string text(content);
  if (tag == tag_utc_time && text.size() >= 2) text.insert(0, text[0] >= '5' ? "19" : "20");
  if (tag != tag_utc_time && tag != tag_generalized_time) throw Refused{"DER: no time where it must be"};
  const std::size_t digits = text.find_first_not_of("0123456789");
  const bool fraction = tag == tag_generalized_time && digits == 14 && text[14] == '.' && text.size() > 16;
  const std::size_t end = fraction ? text.find_first_not_of("0123456789", 15) : digits;
  if (digits != 14 || end != text.size() - 1 || text.back() != 'Z')
    throw Refused{"DER: a time that isn't in UTC with Z"};
  const auto part = [&](std::size_t at, std::size_t size) { return std::stoll(text.substr(at, size)); };
  const std::int64_t month = part(4, 2), day = part(6, 2), hour = part(8, 2), minute = part(10, 2),
                     second = part(12, 2);
  if (month < 1 || month > 12 || day < 1 || day > 31 || hour > 23 || minute > 59 || second > 60)
    throw Refused{"DER: a time out of any calendar"};
  return ((days_of(part(0, 4), month, day) * 24 + hour) * 60 + minute) * 60 + second;
}

Element Elements::next(const char* what) {
  const auto bad = [&](const char* why) { throw Refused{std::string("DER: ") + what + ": " + why}; };
  if (rest_.size() < 2) bad("missing or cut short");
  Element element;
  element.tag = byte_of(rest_, 0);
  if ((element.tag & 0x1F) == 0x1F) bad("a long tag");
  std::size_t length = byte_of(rest_, 1), header = 2;
  if (length >= 0x80) {
    const std::size_t count = length & 0x7F;
    if (count == 0 || count > 4 || rest_.size() < 2 + count) bad("a length that is indefinite, huge or cut short");
    length = 0;
    for (std::size_t i = 0; i < count; ++i) length = length << 8 | byte_of(rest_, 2 + i);
    if (length < 0x80 || length >> (8 * (count - 1)) == 0) bad("a length that isn't minimal");
    header += count;
  }
  if (length > rest_.size() - header) bad("longer than what holds it");
  element.whole = rest_.substr(0, header + length);
  element.content = element.whole.substr(header);
  rest_.remove_prefix(element.whole.size());
  return element;
}

void Elements::end(const char* what) const {
  if (!done()) throw Refused{std::string("bytes after the end of the ") + what};
}

Element only_element(View bytes, unsigned char tag, const char* what) {
  Elements elements(bytes);
  const Element element = elements.next(tag, what);
  elements.end(what);
  return element;
}

std::string time_text(std::int64_t seconds) {
  std::int64_t days = seconds / 86400 - (seconds % 86400 < 0), rest = seconds - days * 86400;
  std::int64_t year = 1970 + days / 366;
  while (days_of(year + 1, 1, 1) <= days) ++year;
  std::int64_t month = 12;
  while (days_of(year, month, 1) > days) --month;
  char out[64];
  std::snprintf(out, sizeof out, "%04lld-%02lld-%02lldT%02lld:%02lld:%02lldZ", static_cast<long long>(year),
                static_cast<long long>(month), static_cast<long long>(days - days_of(year, month, 1) + 1),
                static_cast<long long>(rest / 3600), static_cast<long long>(rest / 60 % 60),
                static_cast<long long>(rest % 60));
  return out;
}

}  // namespace exhibit_verify
