// Ogg (RFC 3533): pages with a CRC-32 over each; a stream ends with a page flagged so, and others may follow or lie
// between its pages.

#include <array>
#include <map>
#include <set>

#include "carve/validator.h"

namespace exhibit::carve {
namespace {

constexpr std::string_view capture = "OggS";  // RFC 3533, 6
constexpr std::uint64_t header_length = 27;   // bytes, before the segment table
constexpr std::uint64_t checksum_at = 22;     // in the header
constexpr unsigned first_of_stream = 2, last_of_stream = 4;
constexpr std::size_t most_streams = 256;  // at a time; real files have a handful
constexpr std::uint64_t bytes_between_states = std::uint64_t{32} << 10;

// CRC-32 with the polynomial 04C11DB7, not reflected, without inversion (RFC 3533, 6, field 6), eight bytes at a time.
class PageChecksum {
 public:
  PageChecksum() {
    constexpr std::uint32_t polynomial = 0x04c11db7;
    for (std::uint32_t i = 0; i < 256; ++i) {
      std::uint32_t value = i << 24;
      for (int bit = 0; bit < 8; ++bit) value = value << 1 ^ ((value >> 31) != 0 ? polynomial : 0);
      tables_[0][i] = value;
    }
    for (std::size_t table = 1; table < tables_.size(); ++table) {
      for (std::size_t i = 0; i < 256; ++i) {
        const std::uint32_t before = tables_[table - 1][i];
        tables_[table][i] = before << 8 ^ tables_[0][before >> 24];
      }
    }
  }
  std::uint32_t of(ByteSpan bytes) const {
    std::uint32_t sum = 0;
    std::size_t at = 0;
    for (; at + 8 <= bytes.size(); at += 8) {
      const std::uint8_t* b = bytes.data() + at;
      const std::uint32_t first =
          sum ^ (std::uint32_t{b[0]} << 24 | std::uint32_t{b[1]} << 16 | std::uint32_t{b[2]} << 8 | b[3]);
      sum = tables_[7][first >> 24] ^ tables_[6][first >> 16 & 0xff] ^ tables_[5][first >> 8 & 0xff] ^
            tables_[4][first & 0xff] ^ tables_[3][b[4]] ^ tables_[2][b[5]] ^ tables_[1][b[6]] ^ tables_[0][b[7]];
    }
    for (; at < bytes.size(); ++at) sum = sum << 8 ^ tables_[0][sum >> 24 ^ bytes[at]];
    return sum;
  }

 private:
  std::array<std::array<std::uint32_t, 256>, 8> tables_{};
};

struct Page {
  std::uint64_t length = 0;  // with its header
  unsigned flags = 0;
  std::uint32_t stream = 0, number = 0;
  bool holds = false;      // its checksum
  std::uint64_t body = 0;  // where its data begin, in the content
};

// The page at `offset`; nothing where none can be. A page that the content ends within has no checksum that holds.
std::optional<Page> read_page(const Content& content, std::uint64_t offset) {
  static const PageChecksum checksum;
  Reader reader(content, offset);
  if (!reader.take(capture) || reader.u8() != 0) return std::nullopt;
  Page page;
  page.flags = reader.u8();
  reader.skip(8);  // granule position
  page.stream = reader.le32();
  page.number = reader.le32();
  const std::uint32_t stored = reader.le32();
  const unsigned segments = reader.u8();
  page.length = header_length + segments;
  for (const std::uint8_t length : reader.bytes(segments)) page.length += length;
  if (!reader.ok() || page.flags > 7) return std::nullopt;
  page.body = reader.position();
  const ByteSpan bytes = content.at(offset, page.length);
  if (bytes.size() < page.length) return page;
  std::array<std::uint8_t, header_length + 255 * 256> copy;
  std::copy_n(bytes.begin(), page.length, copy.begin());
  std::fill_n(copy.begin() + checksum_at, 4, std::uint8_t{0});
  page.holds = checksum.of(ByteSpan(copy).first(page.length)) == stored;
  return page;
}

// By the codec's own mark in a stream's first packet.
std::string extension_of(const Content& content, std::uint64_t body) {
  const ByteSpan packet = content.at(body, 16);
  if (starts_with(packet, "OpusHead")) return "opus";
  if (starts_with(packet, "Speex   ")) return "spx";
  if (starts_with(packet, "\x80theora") || starts_with(packet, "fishead")) return "ogv";
  if (starts_with(packet,
                  "\x7f"
                  "FLAC"))
    return "oga";
  return {};
}

struct State : Memory::State {
  std::uint64_t position = 0;                      // of the next page
  std::map<std::uint32_t, std::uint32_t> streams;  // those under way, and the number that each one's next page has
  std::set<std::uint32_t> ended;                   // a later stream has another number (RFC 3533, 4)
  std::string extension;
  bool is_cut = false;  // a stream has begun without the end of an earlier one
};

// Takes in a page whose checksum holds; false where it can't follow.
bool take(const Content& content, const Page& page, State& state) {
  if ((page.flags & first_of_stream) != 0) {
    const bool is_known = state.streams.contains(page.stream) || state.ended.contains(page.stream);
    if (is_known || state.streams.size() == most_streams) return false;
    const std::string extension = extension_of(content, page.body);
    if (state.extension.empty() || extension == "ogv") state.extension = extension;
    state.streams[page.stream] = page.number + 1;
  } else {
    const auto stream = state.streams.find(page.stream);
    if (stream == state.streams.end()) return false;
    stream->second = page.number + 1;  // a lost page leaves a hole in the numbers: the file may be so
  }
  if ((page.flags & last_of_stream) != 0) {
    state.streams.erase(page.stream);
    if (state.ended.size() < most_streams) state.ended.insert(page.stream);
  }
  return true;
}

// Whether a page of a stream under way lies at `offset`, and its checksum holds.
bool goes_on_at(const Content& content, std::uint64_t offset, const State& state) {
  const auto page = offset < content.size() ? read_page(content, offset) : std::nullopt;
  return page && page->holds && (page->flags & first_of_stream) == 0 && state.streams.contains(page->stream);
}

// Where, within reach, the streams under way go on; 0: nowhere.
std::uint64_t resync(const Content& content, const Page& page, const State& state) {
  constexpr std::uint64_t farthest = std::uint64_t{256} << 10;  // bytes
  constexpr unsigned most_tries = 64;                           // of pages there
  if (goes_on_at(content, state.position + page.length, state)) return state.position + page.length;
  const std::uint64_t end = std::min(content.size(), state.position + farthest);
  std::uint64_t at = state.position + 1;
  for (unsigned i = 0; i < most_tries; ++i, ++at) {
    at = find(content, capture, at, end);
    if (at >= end) break;
    if (goes_on_at(content, at, state)) return at;
  }
  return 0;
}

// A page whose checksum contradicts: the object goes on if its pages do.
std::optional<Verdict> overwritten(const Content& content, const Page& page, const State& state) {
  State behind = state;
  const std::uint64_t again = behind.position = resync(content, page, state);
  if (again == 0) return std::nullopt;
  while (!behind.streams.empty()) {
    const auto more = read_page(content, behind.position);
    if (!more || !more->holds || !take(content, *more, behind)) break;
    behind.position += more->length;
  }
  Verdict verdict = Verdict::broken(state.position, std::min(content.size(), state.position + page.length),
                                    behind.position, DoubtCause::crc_error);
  verdict.doubts = {{state.position, again - state.position, DoubtCause::crc_error}};
  verdict.extension = state.extension;
  return verdict;
}

Verdict validate(const Content& content, Memory& memory) {
  State state;
  if (const auto* known = static_cast<const State*>(memory.latest())) state = *known;
  for (;;) {
    const auto page = read_page(content, state.position);
    const bool is_first = state.position == 0;
    if (is_first && (!page || !page->holds || (page->flags & first_of_stream) == 0)) return {};
    // Between two chained streams anything but another beginning is the end.
    const bool is_over = !is_first && state.streams.empty();
    const bool is_another = page && (page->flags & first_of_stream) != 0 && !state.ended.contains(page->stream);
    const bool goes_on = page && page->holds && (!is_over || is_another);
    if (is_over && !goes_on) return Verdict::whole(state.position, state.extension);
    if (!goes_on || !take(content, *page, state)) {
      if (page && !page->holds && content.seam() == 0) {
        if (auto verdict = overwritten(content, *page, state)) return *verdict;
      }
      const std::uint64_t reach = page && !page->holds ? page->length : header_length;
      const std::uint64_t suspect = std::min(content.size(), state.position + reach);
      Verdict verdict = Verdict::broken(state.position, suspect, state.position,
                                        page && !page->holds ? DoubtCause::crc_error : DoubtCause::missing_segment);
      verdict.extension = state.extension;
      return verdict;
    }
    state.position += page->length;
    if (state.position >= memory.offset() + bytes_between_states)
      memory.keep(state.position, std::make_shared<State>(state));
  }
}

// A page that begins a stream: any other one is met on the way.
bool glance(ByteSpan head) {
  return head.size() < 6 || (head[4] == 0 && (head[5] & first_of_stream) != 0 && head[5] < 8);
}

}  // namespace

extern const Validator ogg_validator;
const Validator ogg_validator = {"ogg", validate, glance};

}  // namespace exhibit::carve
