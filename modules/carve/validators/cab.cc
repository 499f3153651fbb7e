// Microsoft Cabinet ([MS-CAB]). The header states the length; each block of data carries a sum of its packed bytes.

#include "carve/archive_walk.h"

namespace exhibit::carve {
namespace {

constexpr std::uint64_t block_header = 8;  // 2.4: bytes
constexpr std::uint32_t longest_block = 32768 + 6144;

struct Header {
  std::uint64_t length = 0, end = 0;
  std::uint32_t files_at = 0;
  unsigned folders = 0, files = 0, data_reserve = 0;
};

bool skip_text(Reader& reader) {
  for (unsigned i = 0; i < 256 && reader.ok(); ++i) {
    if (reader.u8() == 0) return reader.ok();
  }
  return false;
}

// 2.1; `*folders_at`: behind it, where the folders' entries are.
std::optional<Header> read_header(const Content& content, Reader& reader, unsigned* folder_reserve) {
  Header header;
  if (!reader.take("MSCF") || reader.le32() != 0) return std::nullopt;
  header.length = header.end = reader.le32();
  const std::uint32_t reserved = reader.le32();
  header.files_at = reader.le32();
  const bool rest = reader.le32() == 0 && reserved == 0 && reader.u8() <= 3 && reader.u8() == 1;
  header.folders = reader.le16();
  header.files = reader.le16();
  const unsigned flags = reader.le16();
  reader.skip(4);  // set, number in the set
  if (!reader.ok() || !rest || flags > 7 || header.folders == 0 || header.files == 0) return std::nullopt;
  *folder_reserve = 0;
  if ((flags & 4) != 0) {
    const unsigned reserve = reader.le16();
    *folder_reserve = reader.u8();
    header.data_reserve = reader.u8();
    const std::uint64_t at = reader.position();
    // A signature lies behind the cabinet: its place and its length.
    Reader signature(content, at + 4);
    const std::uint64_t offset = signature.le32(), length = signature.le32();
    if (reserve >= 20 && offset == header.length) header.end = offset + length;
    reader.skip(reserve);
  }
  for (unsigned flag = 1; flag <= 2; flag <<= 1) {
    if ((flags & flag) != 0 && (!skip_text(reader) || !skip_text(reader))) return std::nullopt;
  }
  return reader.ok() ? std::optional(header) : std::nullopt;
}

// 3.1: the exclusive or of little-endian words; what is left over counts from its other end.
std::uint32_t checksum(ByteSpan bytes, std::uint32_t sum) {
  std::size_t i = 0;
  for (; i + 4 <= bytes.size(); i += 4) {
    sum ^= std::uint32_t{bytes[i]} | std::uint32_t{bytes[i + 1]} << 8 | std::uint32_t{bytes[i + 2]} << 16 |
           std::uint32_t{bytes[i + 3]} << 24;
  }
  std::uint32_t rest = 0;
  for (; i < bytes.size(); ++i) rest = rest << 8 | bytes[i];
  return sum ^ rest;
}

struct Walked {
  bool holds = false;
  std::uint64_t begin = 0, end = 0;  // of the last block
};

// One folder's blocks from `position` on (2.4).
Walked walk_blocks(const Content& content, const Header& header, std::uint64_t position, unsigned blocks,
                   std::uint64_t* unproved) {
  Walked walked{true, position, position};
  for (unsigned i = 0; i < blocks; ++i) {
    Reader reader(content, walked.end);
    walked.begin = walked.end;
    const std::uint32_t stated = reader.le32();
    const std::uint16_t packed = reader.le16(), plain = reader.le16();
    walked.end = walked.begin + block_header + header.data_reserve + packed;
    const std::size_t summed = 4u + header.data_reserve + packed;
    reader.seek(walked.begin + 4);
    const ByteSpan bytes = reader.bytes(summed);
    walked.holds = reader.ok() && packed > 0 && packed <= longest_block && plain <= 32768;
    // 3.1: of the data, then of the lengths. 0: there is none.
    if (walked.holds && stated == 0) *unproved += packed;
    if (walked.holds && stated != 0) {
      walked.holds = checksum(bytes.first(4), checksum(bytes.subspan(4 + header.data_reserve), 0)) == stated ||
                     checksum(bytes.first(4u + header.data_reserve),
                              checksum(bytes.subspan(4 + header.data_reserve), 0)) == stated;
    }
    if (!walked.holds) break;
  }
  return walked;
}

Verdict validate(const Content& content, Memory&) {
  Reader reader(content);
  unsigned folder_reserve = 0;
  const auto header = read_header(content, reader, &folder_reserve);
  if (!header || header->length < reader.position()) return {};
  std::uint64_t unproved = 0, reached = reader.position();
  for (unsigned i = 0; i < header->folders; ++i) {
    const std::uint64_t data = reader.le32();
    const unsigned blocks = reader.le16();
    const unsigned kind = reader.le16() & 0x0f;
    reader.skip(folder_reserve);
    if (!reader.ok() || kind > 3 || data < reader.position() || data > header->length) return {};
    const Walked walked = walk_blocks(content, *header, data, blocks, &unproved);
    if (!walked.holds || walked.end > header->length) {
      const std::uint64_t begin = std::min(walked.begin, content.size());
      const std::uint64_t suspect = std::min(walked.end, content.size());
      Verdict verdict = Verdict::broken(begin, suspect, begin, DoubtCause::crc_error);
      verdict.suspect = suspect;
      if (walked.begin == data) verdict.tier = Tier::header_only;
      return verdict;
    }
    reached = std::max(reached, walked.end);
  }
  if (header->end > content.size() || reached != header->length) {
    const std::uint64_t sound = std::min(reached, content.size());
    return Verdict::broken(sound, sound, sound, DoubtCause::missing_segment);
  }
  return judge_whole(header->end, unproved);
}

}  // namespace

extern const Validator cab_validator;
const Validator cab_validator = {"cab", validate};

}  // namespace exhibit::carve
