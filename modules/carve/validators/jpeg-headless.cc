// The rest of a JPEG whose beginning is lost (ITU-T T.81, B.1.1.5): in entropy-coded data each ff is followed by 00 or
// is a restart marker, which a long stretch of other data never has. It is found from its EOI backwards.

#include <algorithm>
#include <array>
#include <cstring>

#include "carve/foreign_sector.h"
#include "carve/jpeg_picture.h"
#include "carve/validator.h"

namespace exhibit::carve {
namespace {

using namespace jpeg;

constexpr std::uint64_t sector = 512;                    // bytes
constexpr std::uint64_t least = 4096;                    // bytes of data
constexpr std::uint64_t most = std::uint64_t{64} << 20;  // bytes that are walked back
constexpr std::uint64_t step = std::uint64_t{16} << 10;  // bytes that are walked back at once
constexpr std::uint64_t usual_stuffing = 1024;           // bytes that have a stuffed ff once at least; it is one in 256

enum class Kind { data, table, head, foreign };

// What an ff at `at` of `bytes` begins.
Kind kind_at(ByteSpan bytes, std::size_t at) {
  const std::uint8_t code = at + 1 < bytes.size() ? bytes[at + 1] : 0;
  if (code == 0 || (code >= RST0 && code <= RST7)) return Kind::data;
  if (at + 5 > bytes.size() || bytes[at + 2] != 0) return Kind::foreign;
  const unsigned length = bytes[at + 3];
  if (code == SOS) return length >= 8 && length <= 14 ? Kind::table : Kind::foreign;
  if (code == DHT) return length >= 20 ? Kind::table : Kind::foreign;
  const bool is_frame = code >= SOF0 && code <= SOF1 + 1 && (length == 11 || length == 17) && bytes[at + 4] == 8;
  return is_frame ? Kind::head : Kind::foreign;
}

// Looks at the bytes [begin, end) from behind, a sector at a time.
struct Look {
  std::uint64_t begin = 0;  // the first byte that belongs to the data
  bool goes_on = true;      // all of it does
  bool has_head = false;
};

Look look_back(const Content& content, std::uint64_t begin, std::uint64_t end) {
  const ByteSpan bytes = content.at(begin, end - begin + 5);
  Look look{end, false, false};
  if (bytes.size() < end - begin) return look;
  bool has_table = false;
  for (std::uint64_t at = end - begin; at > 0;) {
    const std::uint64_t from =
        (begin + at - 1) / sector * sector > begin ? (begin + at - 1) / sector * sector - begin : 0;
    const ByteSpan part = bytes.subspan(from, at - from);
    for (std::size_t i = part.size(); i > 0;) {
      const void* hit = memrchr(part.data(), 0xff, i);
      if (hit == nullptr) break;
      i = static_cast<std::size_t>(static_cast<const std::uint8_t*>(hit) - part.data());
      const Kind kind = kind_at(bytes, from + i);
      look.has_head = kind == Kind::head;
      if (kind == Kind::head || kind == Kind::foreign) return look;
      has_table |= kind == Kind::table;
    }
    if (part.size() == sector && !has_table && !is_varied_sector(part)) return look;
    has_table = false;
    at = from;
    look.begin = begin + from;
  }
  look.goes_on = true;
  return look;
}

// Bytes that the first sector has before the data: entropy-coded data has no long run of zeros.
std::size_t leading_zeros(ByteSpan bytes) {
  constexpr std::size_t long_run = 16;
  const auto first =
      std::find_if(bytes.begin(), bytes.begin() + std::min(bytes.size(), sector), [](auto byte) { return byte != 0; });
  const auto zeros = static_cast<std::size_t>(first - bytes.begin());
  return zeros >= long_run ? zeros : 0;
}

std::optional<std::uint64_t> begin_of(const Content& before, std::uint64_t anchor) {
  std::uint64_t begin = anchor;
  while (begin > 0 && anchor - begin < most) {
    // The first look is a short one: most places with the bytes of EOI aren't one.
    const std::uint64_t length = begin == anchor ? sector + anchor % sector : step;
    const Look look = look_back(before, begin > length ? begin - length : 0, begin);
    if (look.has_head) return std::nullopt;  // found by its beginning
    begin = look.begin;
    if (!look.goes_on) break;
  }
  begin += leading_zeros(before.at(begin, sector));
  if (anchor < begin + least) return std::nullopt;
  return begin;
}

Verdict validate(const Content& content, Memory&) {
  if (starts_with(content.at(0, 2), "\xff\xd8")) return {};
  std::uint64_t stuffed = 0, at = 0;
  for (;;) {
    const ByteSpan bytes = content.at(at, step);
    if (bytes.size() < 2) return {};
    const void* hit = std::memchr(bytes.data(), 0xff, bytes.size() - 1);
    if (hit == nullptr) {
      at += bytes.size() - 1;
      continue;
    }
    const auto within = static_cast<std::size_t>(static_cast<const std::uint8_t*>(hit) - bytes.data());
    at += within;
    if (bytes[within + 1] == EOI) break;
    const ByteSpan marker = content.at(at, 5);
    const Kind kind = kind_at(marker, 0);
    if (kind == Kind::foreign || kind == Kind::head) return {};
    stuffed += marker[1] == 0 ? 1 : 0;
    at += 2;
  }
  if (at < least || stuffed < at / usual_stuffing) return {};
  Verdict verdict = Verdict::broken(0, 0, at + 2, DoubtCause::missing_segment);
  verdict.sound = verdict.length;
  return verdict;
}

}  // namespace

extern const Validator jpeg_headless_validator;
const Validator jpeg_headless_validator = {"jpeg-headless", validate, nullptr, begin_of};

}  // namespace exhibit::carve
