#include "carve/picture_frame.h"

#include <algorithm>

#include "carve/video_units.h"

namespace exhibit::carve {
namespace {

constexpr std::uint64_t shortest = 8;  // bytes: shorter ones stand for a picture that is left out

// T.81, table B.1.
enum Marker : unsigned {
  dht = 0xc4,
  first_restart = 0xd0,
  last_restart = 0xd7,
  soi = 0xd8,
  eoi = 0xd9,
  sos = 0xda,
  dqt = 0xdb,
  dnl = 0xdc,
  dri = 0xdd,
  first_app = 0xe0,
  last_app = 0xef,
  com = 0xfe
};

bool is_frame_header(unsigned marker) { return marker >= 0xc0 && marker <= 0xcf && marker != dht && marker != 0xcc; }

bool may_lead_to_scan(unsigned marker) {
  return marker == dht || marker == dqt || marker == dri || marker == com || is_frame_header(marker) ||
         (marker >= first_app && marker <= last_app);
}

// Where the marker lies that ends the entropy-coded data at `at`: after 0xff, in them, come a 0 or restarts alone.
std::uint64_t end_of_scan(const Content& content, std::uint64_t at, std::uint64_t end) {
  constexpr std::uint64_t piece = 4096;  // bytes
  for (bool is_behind_ff = false; at < end;) {
    ByteSpan bytes = content.at(at, std::min(piece, end - at));
    bytes = bytes.first(std::min<std::uint64_t>({bytes.size(), piece, end - at}));
    if (bytes.empty()) return end;
    for (const std::uint8_t byte : bytes) {
      const bool goes_on = byte == 0 || byte == 0xff || (byte >= first_restart && byte <= last_restart);
      if (is_behind_ff && !goes_on) return at - 1;
      is_behind_ff = byte == 0xff;
      ++at;
    }
  }
  return end;
}

// Whether a segment of tables has one for AC coefficients whose first code, zeros, says more than that a block ends
// (F.1.2.2.1): a long run of zeros is no flat surface then.
bool has_meaning_of_zeros(const Content& content, std::uint64_t segment, std::uint64_t end) {
  for (std::uint64_t at = segment; at + 17 < end;) {
    Reader reader(content, at);
    const bool is_ac = reader.u8() >> 4 == 1;
    unsigned codes = 0;
    for (unsigned i = 0; i < 16; ++i) codes += reader.u8();
    if (is_ac && reader.u8() != 0) return true;
    at += 17 + codes;
  }
  return false;
}

// Where the picture ends whose SOI lies at `at`; 0: it isn't one.
std::uint64_t end_of_jpeg(const Content& content, std::uint64_t at, std::uint64_t end) {
  bool has_frame = false, has_scan = false;
  bool may_be_zero = false, means_more = false;  // zeros in a scan; without tables they are those of annex K
  at += 2;
  while (at < end) {
    Reader reader(content, at);
    if (reader.u8() != 0xff) return 0;
    const unsigned marker = reader.u8();
    if (marker == 0xff) {
      ++at;
      continue;
    }
    if (marker == eoi) return has_scan ? at + 2 : 0;
    const bool is_expected = marker == dht || marker == sos || (has_scan ? marker == dnl : may_lead_to_scan(marker));
    const unsigned length = reader.be16();
    const std::uint64_t behind = at + 2 + length;
    if (!is_expected || !reader.ok() || length < 2 || behind > end) return 0;
    // What follows a scan may be foreign bytes that look like a marker.
    if (marker == sos && length != 6 + 2 * unsigned{reader.u8()}) return 0;  // B.2.3
    if (marker == dht && (reader.u8() & 0xec) != 0) return 0;                // B.2.4.2: class and place of the table
    has_frame |= is_frame_header(marker);
    if (marker == dht) {
      means_more |= has_meaning_of_zeros(content, at + 4, behind);
      may_be_zero = !means_more;
    }
    at = behind;
    if (marker != sos) continue;
    at = end_of_scan(content, behind, end);
    if (!has_frame || has_foreign_sector(content, behind, at, !may_be_zero)) return 0;
    has_scan = true;
  }
  return 0;
}

// Where what fills a frame up ends: zeros, ones or blanks.
std::uint64_t end_of_filling(const Content& content, std::uint64_t at, std::uint64_t end) {
  while (at < end) {
    ByteSpan bytes = content.at(at, 1);
    bytes = bytes.first(std::min<std::uint64_t>(bytes.size(), end - at));
    const auto other = std::find_if(bytes.begin(), bytes.end(),
                                    [](std::uint8_t byte) { return byte != 0 && byte != 0xff && byte != ' '; });
    at += static_cast<std::uint64_t>(other - bytes.begin());
    if (other != bytes.end() || bytes.empty()) return at;
  }
  return end;
}

// One picture or the two fields of one.
bool is_jpeg(const Content& content, std::uint64_t at, std::uint64_t end) {
  for (unsigned pictures = 0; pictures < 2; ++pictures) {
    if (Reader(content, at).be16() != (0xff00 | soi)) return false;
    at = end_of_jpeg(content, at, end);
    if (at == 0) return false;
    const std::uint64_t behind = end_of_filling(content, at, end);
    if (behind == end) return true;
    at = behind - 1;  // the filling's last byte is the marker's first
  }
  return false;
}

// Blocks of a sequence (SMPTE 314M, 2.3.2): a header, two of subcode, three of VAUX, then one of sound before each
// fifteen of the picture.
bool is_dv(const Content& content, std::uint64_t begin, std::uint64_t end) {
  constexpr std::uint64_t block = 80, blocks = 150, sequence = block * blocks;
  constexpr std::uint64_t head = 6, group = 16;
  enum Section : unsigned { header, subcode, vaux, sound, picture };
  if ((end - begin) % sequence != 0) return false;
  for (std::uint64_t at = begin; at < end; at += block) {
    const std::uint64_t number = (at - begin) / block % blocks, in_group = (number - head) % group;
    const std::uint64_t groups = (number - head) / group;
    Reader reader(content, at);
    const unsigned section = reader.u8() >> 5;
    reader.u8();
    const unsigned place = reader.u8();
    const auto is = [&](unsigned wanted, std::uint64_t place_wanted) {
      return section == wanted && place == place_wanted;
    };
    const bool holds = number == 0     ? section == header
                       : number < 3    ? is(subcode, number - 1)
                       : number < head ? is(vaux, number - 3)
                       : in_group == 0 ? is(sound, groups)
                                       : is(picture, groups * (group - 1) + in_group - 1);
    if (!holds) return false;
  }
  return true;
}

}  // namespace

bool is_picture(const Content& content, std::uint64_t begin, std::uint64_t end, PictureKind kind) {
  if (end - begin < shortest) return true;
  switch (kind) {
    case PictureKind::jpeg:
      return is_jpeg(content, begin, end);
    case PictureKind::dv:
      return is_dv(content, begin, end);
    case PictureKind::start_coded: {
      const std::uint32_t code = Reader(content, begin).be32();
      return (code >> 8 == 1 || code == 1) && !has_foreign_sector(content, begin, end);
    }
    case PictureKind::packed:
      return !has_foreign_sector(content, begin, end);
    case PictureKind::unknown:
      break;
  }
  return true;
}

}  // namespace exhibit::carve
