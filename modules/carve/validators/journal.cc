// systemd's journals (systemd, Journal File Format): the header tells the length and the last object; objects lie one
// behind the other.

#include <algorithm>

#include "carve/validator.h"

namespace exhibit::carve {
namespace {

constexpr std::uint64_t least_header = 208;                     // bytes
constexpr std::uint64_t most_length = std::uint64_t{16} << 30;  // bytes
constexpr unsigned last_type = 7;                               // of an object
constexpr std::uint64_t object_header = 16;                     // bytes

struct Header {
  std::uint64_t length = 0, arena = 0, tail = 0, objects = 0;
};

bool read_header(const Content& content, Header& header) {
  Reader reader(content);
  if (!reader.take("LPKSHHRH")) return false;
  reader.skip(8);
  const unsigned state = reader.u8();
  reader.seek(88);
  header.length = reader.le64();
  header.arena = reader.le64();
  reader.seek(136);
  header.tail = reader.le64();
  header.objects = reader.le64();
  return reader.ok() && state <= 2 && header.length >= least_header && header.length <= 4096 &&
         header.length % 8 == 0 && header.arena <= most_length && header.tail < header.length + header.arena &&
         header.tail >= header.length;
}

Verdict validate(const Content& content, Memory&) {
  Header header;
  if (!read_header(content, header)) return {};
  std::uint64_t at = header.length, objects = 0, last = 0;
  while (at <= header.tail) {
    Reader reader(content, at);
    const unsigned type = reader.u8();
    reader.skip(7);
    const std::uint64_t size = reader.le64();
    if (!reader.ok() || type == 0 || type > last_type || size < object_header || size > most_length) break;
    ++objects;
    last = at;
    at += (size + 7) / 8 * 8;
  }
  const std::uint64_t end = header.length + header.arena;
  // A journal that is being written counts before it links.
  const bool holds = last == header.tail && at <= end && objects + 1 >= header.objects && objects <= header.objects + 1;
  if (holds && end <= content.size()) return Verdict::whole(end);
  if (objects == 0) return {};
  const std::uint64_t reached = std::min(at, content.size());
  return Verdict::broken(std::min(last, reached), reached, reached, DoubtCause::missing_segment);
}

}  // namespace

extern const Validator journal_validator;
const Validator journal_validator = {"journal", validate};

}  // namespace exhibit::carve
