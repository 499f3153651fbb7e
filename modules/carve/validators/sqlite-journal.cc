// SQLite's rollback journals (sqlite.org/fileformat2.html, 3). A segment's header says how many pages follow; each has
// a checksum over every 200th byte.

#include <algorithm>

#include "carve/validator.h"

namespace exhibit::carve {
namespace {

constexpr std::string_view magic = "\xd9\xd5\x05\xf9\x20\xa1\x63\xd7";
constexpr std::uint32_t uncounted = 0xffffffff;  // pages: up to the file's end
constexpr std::uint32_t sum_step = 200;          // bytes

struct Segment {
  std::uint32_t pages = 0, nonce = 0, database_pages = 0, sector = 0, page_size = 0;
};

bool is_power_within(std::uint32_t value, std::uint32_t least, std::uint32_t most) {
  return value >= least && value <= most && (value & (value - 1)) == 0;
}

bool read_segment(const Content& content, std::uint64_t at, Segment& segment) {
  Reader reader(content, at);
  if (!reader.take(magic)) return false;
  segment.pages = reader.be32();
  segment.nonce = reader.be32();
  segment.database_pages = reader.be32();
  segment.sector = reader.be32();
  segment.page_size = reader.be32();
  return reader.ok() && is_power_within(segment.sector, 32, 65536) && is_power_within(segment.page_size, 512, 65536);
}

// Whether a page with its number and checksum lies at `at`.
bool is_page(const Content& content, std::uint64_t at, const Segment& segment) {
  Reader reader(content, at);
  const std::uint32_t number = reader.be32();
  const ByteSpan page = reader.bytes(segment.page_size);
  if (!reader.ok() || number == 0) return false;
  std::uint32_t sum = segment.nonce;
  for (std::uint32_t i = segment.page_size - sum_step; i > 0; i = i > sum_step ? i - sum_step : 0) sum += page[i];
  return reader.be32() == sum && reader.ok();
}

Verdict validate(const Content& content, Memory&) {
  Segment segment;
  if (!read_segment(content, 0, segment)) return {};
  std::uint64_t at = 0, pages = 0;
  do {
    at += segment.sector;
    const std::uint64_t record = std::uint64_t{segment.page_size} + 8;
    const bool is_counted = segment.pages != uncounted && segment.pages != 0;
    std::uint64_t count = 0;
    while ((!is_counted || count < segment.pages) && is_page(content, at + count * record, segment)) ++count;
    if (count == 0) {
      if (pages == 0) return {};
      const std::uint64_t end = std::min(at, content.size());
      return Verdict::broken(end, end, end, DoubtCause::missing_segment);
    }
    pages += count;
    const std::uint64_t end = at + count * record;
    if (is_counted && count < segment.pages) {
      return Verdict::broken(end, std::min(end + record, content.size()), end, DoubtCause::crc_error);
    }
    at = end;
    // The next segment begins at a sector. A journal that was never made durable has no count.
    const std::uint64_t aligned = (end + segment.sector - 1) / segment.sector * segment.sector;
    if (!read_segment(content, aligned, segment)) break;
    at = aligned;
  } while (true);
  return Verdict::whole(at);
}

}  // namespace

extern const Validator sqlite_journal_validator;
const Validator sqlite_journal_validator = {"sqlite-journal", validate};

}  // namespace exhibit::carve
