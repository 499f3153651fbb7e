// JPEG 2000 (ITU-T T.800): a codestream of tile-parts that tell their lengths (Annex A), in which no byte behind an ff
// is greater than 8f; alone, or in the boxes of JP2 (Annex I).

#include <algorithm>
#include <cstring>

#include "carve/foreign_sector.h"
#include "carve/validator.h"

namespace exhibit::carve {
namespace {

constexpr unsigned SOC = 0xff4f, SIZ = 0xff51, SOT = 0xff90, SOP = 0xff91, EPH = 0xff92, SOD = 0xff93,
                   EOC = 0xffd9;  // Table A.2
constexpr unsigned most_markers = 10'000, most_parts = 1 << 20, most_boxes = 1000;
constexpr std::uint64_t chunk = 4096;                        // bytes looked at in one go
constexpr std::uint64_t humility = std::uint64_t{16} << 10;  // bytes of foreign data that could hold

struct Stream {
  std::uint64_t end = 0;     // behind EOC; 0: it doesn't hold
  std::uint64_t failed = 0;  // where it doesn't
  std::uint64_t data = 0;    // bytes of packets that hold
};

// Where in [at, end) something lies that packets never have (A.1.4, B.10.1); `end`: nowhere.
std::uint64_t foreign_in(const Content& content, Memory& memory, std::uint64_t at, std::uint64_t end) {
  if (memory.latest() != nullptr) at = std::clamp(memory.offset() - sector_bytes, at, std::max(at, end));
  while (at < end) {
    const std::uint64_t wanted = std::min(chunk, end - at);
    const ByteSpan all = content.at(at, wanted);
    if (all.size() < wanted) return at + all.size();
    const ByteSpan bytes = all.first(wanted);
    for (std::size_t i = 0; i + 1 < bytes.size(); ++i) {
      const void* hit = std::memchr(bytes.data() + i, 0xff, bytes.size() - 1 - i);
      if (hit == nullptr) break;
      i = static_cast<std::size_t>(static_cast<const std::uint8_t*>(hit) - bytes.data());
      const unsigned code = bytes[i + 1];
      if (code > 0x8f && code != (SOP & 0xff) && code != (EPH & 0xff)) return at + i;
    }
    const std::uint64_t first = (at + sector_bytes - 1) / sector_bytes * sector_bytes;
    for (std::uint64_t sector = first; sector + sector_bytes <= at + wanted; sector += sector_bytes) {
      const ByteSpan one = bytes.subspan(sector - at, sector_bytes);
      if (!is_varied_sector(one) || is_text_sector(one)) return sector;
    }
    if (at + wanted == end) break;
    if (at + wanted > memory.offset()) memory.keep(at + wanted, std::make_shared<Memory::State>());
    at += wanted - sector_bytes;  // an ff at the border needs the byte behind it
  }
  return end;
}

// The marker segments from `reader` on up to one of `last`; 0 where they don't hold.
unsigned skip_segments(Reader& reader, unsigned last) {
  for (unsigned i = 0; i < most_markers; ++i) {
    const unsigned marker = reader.be16();
    if (!reader.ok() || marker == last) return reader.ok() ? marker : 0;
    if (marker < 0xff30 || marker == EOC || marker == SOC) return 0;
    if (marker <= 0xff3f) continue;  // A.1.3: no length
    const unsigned length = reader.be16();
    if (length < 2 || !reader.skip(length - 2)) return 0;
  }
  return 0;
}

bool is_size(Reader& reader) {
  const unsigned length = reader.be16();
  const std::uint64_t next = reader.position() + length - 2;
  reader.be16();
  const std::uint32_t width = reader.be32(), height = reader.be32();
  reader.skip(24);
  const unsigned components = reader.be16();
  const bool holds = length == 38 + 3 * components && components >= 1 && width > 0 && height > 0;  // A.5.1
  reader.seek(next);
  return holds && reader.ok();
}

Stream walk_stream(const Content& content, Memory& memory, std::uint64_t begin) {
  Reader reader(content, begin);
  Stream stream;
  stream.failed = begin;
  if (reader.be16() != SOC || reader.be16() != SIZ || !is_size(reader) || skip_segments(reader, SOT) != SOT)
    return stream;
  for (unsigned i = 0; i < most_parts; ++i) {
    const std::uint64_t part = reader.position() - 2;  // A.4.2: the length counts from SOT
    stream.failed = part;
    const unsigned length = reader.be16();
    reader.be16();
    const std::uint64_t bytes = reader.be32();
    reader.be16();
    if (!reader.ok() || length != 10 || skip_segments(reader, SOD) != SOD) return stream;
    const std::uint64_t data = reader.position();
    // A length of 0: the last part, up to EOC.
    const std::uint64_t end = bytes == 0 ? foreign_in(content, memory, data, content.size()) : part + bytes;
    if (end < data || end > content.size()) {
      stream.failed = foreign_in(content, memory, data, content.size());
      stream.data += stream.failed - data;
      return stream;
    }
    stream.failed = foreign_in(content, memory, data, end);
    stream.data += stream.failed - data;
    if (stream.failed < end) return stream;
    reader.seek(end);
    const unsigned next = reader.be16();
    if (next == EOC) {
      stream.end = reader.position();
      return stream;
    }
    if (next != SOT) return stream;
  }
  return stream;
}

Verdict broken_at(const Content& content, std::uint64_t begin, const Stream& stream, std::uint64_t told) {
  constexpr std::uint64_t least_data = 1024;
  const std::uint64_t reach = std::min(stream.failed, content.size());
  const std::uint64_t sound = std::max(begin, reach > humility ? reach - humility : 0);
  const std::uint64_t length = told != 0 ? std::min(told, content.size()) : reach;
  Verdict verdict = Verdict::broken(std::min(sound, length), reach, length, DoubtCause::missing_segment);
  if (stream.data < least_data && told == 0) verdict.tier = Tier::header_only;
  return verdict;
}

bool is_box_behind(ByteSpan name) {
  for (const char* known : {"xml ", "uuid", "uinf", "jp2i", "free", "asoc", "lbl ", "jp2c", "jp2h", "res ", "rreq"}) {
    if (starts_with(name, known)) return true;
  }
  return false;
}

Verdict validate_boxes(const Content& content, Memory& memory) {
  std::uint64_t at = 12, end = 0, first = 0;
  for (unsigned i = 0; i < most_boxes; ++i) {
    Reader reader(content, at);
    std::uint64_t length = reader.be32();
    const ByteSpan name = reader.bytes(4);
    if (!reader.ok() || (i == 0 ? !starts_with(name, "ftyp") : !is_box_behind(name))) break;
    const bool is_stream = starts_with(name, "jp2c");
    if (length == 1) length = reader.be64();
    const std::uint64_t data = reader.position();
    if (is_stream) {
      const Stream stream = walk_stream(content, memory, data);
      const std::uint64_t told = length == 0 ? 0 : at + length;
      if (first == 0) first = data;
      if (stream.end == 0 || (told != 0 && told != stream.end)) return broken_at(content, first, stream, told);
      at = end = stream.end;
      continue;
    }
    if (length < 8 || length > content.size() - at) break;
    at += length;
    if (end != 0) end = at;
  }
  return end == 0 ? Verdict{} : Verdict::whole(end, "jp2");
}

Verdict validate(const Content& content, Memory& memory) {
  if (starts_with(content.at(4, 8), "jP  \r\n\x87\n")) return validate_boxes(content, memory);
  const Stream stream = walk_stream(content, memory, 0);
  if (stream.failed == 0 && stream.end == 0) return {};
  return stream.end != 0 ? Verdict::whole(stream.end, "j2k") : broken_at(content, 2, stream, 0);
}

}  // namespace

extern const Validator jpeg2000_validator;
const Validator jpeg2000_validator = {"jpeg2000", validate};

}  // namespace exhibit::carve
