// 7z (7zFormat.txt of the LZMA SDK). A start header with its CRC-32 says where the header database lies that ends the
// archive, and its CRC-32; that one says what the plain bytes of each file sum up to.

#include <algorithm>

#include "carve/sevenzip_folder.h"
#include "carve/validator.h"

namespace exhibit::carve {
namespace {

using namespace sevenzip;

constexpr std::uint64_t start_length = 32;                      // bytes
constexpr std::uint64_t most_header = std::uint64_t{64} << 20;  // bytes, unpacked
constexpr std::uint64_t most_unproved = 2048;                   // bytes: with which it is still `validated`
constexpr std::uint64_t farthest_gap = std::uint64_t{1} << 20;  // bytes
constexpr std::uint64_t sector = 512;                           // bytes
constexpr unsigned deepest = 4;                                 // headers packed in each other

struct Start {
  std::uint64_t offset = 0, size = 0;  // of the header database, behind the start header
  std::uint32_t crc = 0;
  std::uint64_t begin() const { return start_length + offset; }
  std::uint64_t end() const { return begin() + size; }
};

std::optional<Start> read_start(const Content& content) {
  constexpr std::uint64_t most = std::uint64_t{1} << 50;
  Reader reader(content);
  if (!reader.take("7z\xbc\xaf\x27\x1c") || reader.u8() != 0) return std::nullopt;
  reader.skip(1);
  const std::uint32_t crc = reader.le32();
  Start start;
  start.offset = reader.le64();
  start.size = reader.le64();
  start.crc = reader.le32();
  if (!reader.ok() || crc32(content, 12, 20) != crc || start.offset > most || start.size > most) return std::nullopt;
  return start;
}

// The header database, unpacked as often as it is packed.
std::optional<Streams> read_database(const Content& content, const Start& start) {
  if (start.size > most_header) return std::nullopt;
  std::vector<std::uint8_t> header;
  for (std::uint64_t at = start.begin(); at < start.end();) {
    const ByteSpan bytes = content.at(at, std::min<std::uint64_t>(Content::window, start.end() - at));
    const std::size_t length = static_cast<std::size_t>(std::min<std::uint64_t>(bytes.size(), start.end() - at));
    if (length == 0) return std::nullopt;
    header.insert(header.end(), bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(length));
    at += length;
  }
  for (unsigned i = 0; i < deepest; ++i) {
    bool is_encoded = false;
    const auto streams = read_header(header, &is_encoded);
    if (!streams || !is_encoded) return streams;
    const bool is_simple = streams->folders.size() == 1 && streams->sizes.size() == 1 &&
                           !streams->folders[0].sizes.empty() && streams->folders[0].sizes[0] <= most_header;
    if (!is_simple || streams->position + streams->sizes[0] > start.offset) return std::nullopt;
    std::vector<std::uint8_t> plain;
    const Unpacked unpacked = unpack(content, streams->folders[0], start_length + streams->position, streams->sizes[0],
                                     [&](ByteSpan bytes) { plain.insert(plain.end(), bytes.begin(), bytes.end()); });
    if (unpacked.proof != Unpacked::Proof::proved) return std::nullopt;
    header = std::move(plain);
  }
  return std::nullopt;
}

// The folders' packed bytes lie one behind the other.
Verdict judge_folders(const Content& content, const Start& start, const Streams& streams) {
  std::uint64_t position = start_length + streams.position, unproved = 0;
  std::size_t stream = 0;
  std::optional<Verdict> broken;
  for (const Folder& folder : streams.folders) {
    std::uint64_t packed = 0;
    for (std::uint64_t i = 0; i < folder.packed_streams; ++i, ++stream) {
      if (stream >= streams.sizes.size()) return {};
      packed += streams.sizes[stream];
    }
    if (packed > start.begin() || position > start.begin() - packed) return {};
    const Unpacked unpacked = unpack(content, folder, position, packed);
    if (unpacked.proof == Unpacked::Proof::unproved) unproved += packed;
    if (unpacked.proof == Unpacked::Proof::broken) {
      if (!broken) {
        const std::uint64_t suspect = std::min(position + packed, position + unpacked.reached + 1);
        broken = Verdict::broken(position, suspect, start.end(), DoubtCause::crc_error);
        broken->doubts.clear();
      }
      broken->doubts.push_back({position, packed, DoubtCause::crc_error});
      // A trial that breaks is of no use.
      if (content.seam() > 0) return *broken;
    }
    position += packed;
  }
  if (broken) return *broken;
  Verdict verdict = Verdict::whole(start.end());
  if (unproved > most_unproved) verdict.tier = Tier::plausible;
  return verdict;
}

Verdict validate(const Content& content, Memory&) {
  const auto start = read_start(content);
  if (!start || start->size == 0) return {};
  Verdict cut;
  cut.tier = Tier::header_only;
  cut.length = cut.sound = start_length;
  cut.suspect = std::min(start->end(), content.size());
  cut.doubts = {{start_length, 0, DoubtCause::missing_segment}};
  if (start->end() > content.size() || crc32(content, start->begin(), start->size) != start->crc) return cut;
  if (const auto streams = read_database(content, *start)) return judge_folders(content, *start, *streams);
  // The database is packed or encrypted in a way that isn't known here, or what packs it is damaged.
  Verdict verdict = Verdict::whole(start->end());
  verdict.tier = Tier::plausible;
  return verdict;
}

// The header database is where its sum holds.
std::vector<std::uint64_t> gaps(const Content& content, const Verdict&) {
  const auto start = read_start(content);
  std::vector<std::uint64_t> gaps;
  if (!start || start->size > Content::window) return gaps;
  for (std::uint64_t gap = sector; gap <= farthest_gap && start->end() + gap <= content.size(); gap += sector) {
    if (crc32(content, start->begin() + gap, start->size) == start->crc) gaps.push_back(gap);
  }
  return gaps;
}

}  // namespace

extern const Validator seven_zip_validator;
const Validator seven_zip_validator = {"seven-zip", validate, nullptr, nullptr, gaps};

}  // namespace exhibit::carve
