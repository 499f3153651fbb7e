// Event logs of Windows before Vista ([MS-EVEN] 2.2; libevt, Windows Event Log (EVT) format). Records have their length
// at both ends; the oldest may lie behind the newest, where the log went round.

#include <algorithm>

#include "carve/validator.h"

namespace exhibit::carve {
namespace {

constexpr std::uint32_t header_length = 0x30, end_length = 0x28;        // bytes
constexpr std::uint32_t least_record = 0x38, longest_record = 1 << 18;  // bytes
constexpr std::uint64_t most_length = std::uint64_t{4} << 30;           // bytes

struct Header {
  std::uint64_t first = 0, end = 0, most = 0;
};

bool read_header(const Content& content, Header& header) {
  Reader reader(content);
  if (reader.le32() != header_length || !reader.take("LfLe")) return false;
  const std::uint32_t major = reader.le32(), minor = reader.le32();
  header.first = reader.le32();
  header.end = reader.le32();
  reader.skip(8);
  header.most = reader.le32();
  reader.skip(8);
  return reader.le32() == header_length && reader.ok() && major == 1 && minor == 1 && header.first >= header_length &&
         header.end >= header_length && header.most <= most_length;
}

// Records one behind the other from `at`; where they end.
std::uint64_t walk(const Content& content, std::uint64_t at, std::uint64_t limit, std::uint64_t& count) {
  while (at < limit) {
    Reader reader(content, at);
    const std::uint32_t length = reader.le32();
    if (length < least_record || length > longest_record || length % 4 != 0 || !reader.take("LfLe")) break;
    reader.seek(at + length - 4);
    if (reader.le32() != length || !reader.ok()) break;
    at += length;
    ++count;
  }
  return at;
}

bool is_end(const Content& content, std::uint64_t at) {
  Reader reader(content, at);
  return reader.le32() == end_length && reader.le32() == 0x11111111 && reader.le32() == 0x22222222 &&
         reader.le32() == 0x33333333 && reader.le32() == 0x44444444 && reader.skip(end_length - 20);
}

Verdict validate(const Content& content, Memory&) {
  Header header;
  if (!read_header(content, header)) return {};
  std::uint64_t count = 0;
  const bool went_round = header.end < header.first && header.most > header.first;
  if (!went_round) {
    // Of a log that is open the header lags behind: the record that ends all tells.
    const std::uint64_t end = walk(content, header.first, content.size(), count);
    if (is_end(content, end)) return Verdict::whole(end + end_length);
    if (count == 0) return {};
    return Verdict::broken(end, std::min(end + least_record, content.size()), end, DoubtCause::missing_segment);
  }
  const std::uint64_t oldest = walk(content, header.first, header.most, count);
  if (count == 0) return {};
  const bool holds =
      is_end(content, header.end) && header.most - oldest < longest_record && header.most <= content.size();
  // The newest begin in the midst of one that was cut by the log's end: they are found from the front by their marks.
  Verdict verdict = Verdict::whole(std::min(header.most, content.size()));
  if (!holds) {
    verdict =
        Verdict::broken(oldest, std::min(oldest + least_record, content.size()), oldest, DoubtCause::missing_segment);
  } else if (header.most != oldest) {
    verdict.tier = Tier::plausible;
  }
  return verdict;
}

}  // namespace

extern const Validator evt_validator;
const Validator evt_validator = {"evt", validate};

}  // namespace exhibit::carve
