// PNG (ISO/IEC 15948:2004). Each chunk carries a CRC-32 over its type and data; the object ends with IEND (5.3, 11.2).

#include <algorithm>

#include "carve/validator.h"

namespace exhibit::carve {
namespace {

constexpr std::string_view signature = "\x89PNG\r\n\x1a\n";  // 5.2
constexpr std::uint32_t header_length = 13;                  // of IHDR's data (11.2.2)
constexpr std::uint32_t longest_chunk = 0x7fffffff;          // 5.3
constexpr unsigned most_resumed = 1 << 20;                   // chunks
constexpr std::uint64_t around_data = 12;                    // length, type and CRC: bytes

struct State : Memory::State {
  std::uint64_t position = 0;  // of the next chunk
  bool has_data = false;       // an IDAT was seen
};

bool is_letter(std::uint8_t byte) { return (byte | 0x20) >= 'a' && (byte | 0x20) <= 'z'; }

// IHDR's values that the standard allows (11.2.2, table 11.1).
bool is_header(const Content& content, std::uint64_t data) {
  Reader reader(content, data);
  const std::uint32_t width = reader.be32(), height = reader.be32();
  const unsigned depth = reader.u8(), colour = reader.u8();
  const bool rest = reader.u8() == 0 && reader.u8() == 0 && reader.u8() <= 1;
  const bool depth_known = depth == 1 || depth == 2 || depth == 4 || depth == 8 || depth == 16;
  const bool colour_known = colour == 0 || colour == 2 || colour == 3 || colour == 4 || colour == 6;
  return reader.ok() && rest && depth_known && colour_known && width > 0 && height > 0 && width <= longest_chunk &&
         height <= longest_chunk;
}

// Whether a chunk could begin at `position` (5.3).
bool is_chunk_head(const Content& content, std::uint64_t position) {
  Reader reader(content, position);
  const std::uint32_t length = reader.be32();
  const ByteSpan name = reader.bytes(4);
  return reader.ok() && length <= longest_chunk && std::all_of(name.begin(), name.end(), is_letter);
}

// Broken at the chunk that begins at `position`: nothing in it can be vouched for.
Verdict broken(const Content& content, std::uint64_t position, std::uint64_t chunk_end, DoubtCause cause) {
  const std::uint64_t end = std::clamp(chunk_end, position, content.size());
  return Verdict::broken(position, end, end, cause);
}

// Where the chunks that follow at `position` end with IEND, all their sums holding; 0: they don't.
std::uint64_t resumed_end(const Content& content, std::uint64_t position) {
  for (unsigned i = 0; i < most_resumed; ++i) {
    Reader reader(content, position);
    const std::uint64_t length = reader.be32();
    const ByteSpan name = content.at(position + 4, 4);
    if (name.size() < 4 || !std::all_of(name.begin(), name.begin() + 4, is_letter)) return 0;
    const bool is_end = reader.take("IEND");
    const std::uint64_t end = position + around_data + length;
    if (!reader.ok() || length > longest_chunk || end > content.size()) return 0;
    const std::uint32_t sum = crc32(content, position + 4, 4 + length);
    reader.seek(end - 4);
    if (reader.be32() != sum) return 0;
    if (is_end) return end;
    position = end;
  }
  return 0;
}

// The sum of the chunk in [position, end) contradicts: if the chunks go on behind it, only its bytes were changed.
Verdict contradicted(const Content& content, std::uint64_t position, std::uint64_t end) {
  Verdict verdict = broken(content, position, end, DoubtCause::crc_error);
  // Of a trial join one flaw is enough.
  if (content.seam() == 0) verdict.length = std::max(verdict.length, resumed_end(content, end));
  return verdict;
}

Verdict validate(const Content& content, Memory& memory) {
  State state;
  if (const auto* known = static_cast<const State*>(memory.latest())) {
    state = *known;
  } else {
    if (!starts_with(content.at(0, signature.size()), signature)) return {};
    state.position = signature.size();
  }
  for (;;) {
    Reader reader(content, state.position);
    const std::uint32_t length = reader.be32();
    const ByteSpan name = reader.bytes(4);
    const bool is_chunk = is_chunk_head(content, state.position);
    const bool is_first = state.position == signature.size();
    if (is_first && (!is_chunk || !starts_with(name, "IHDR") || length != header_length)) return {};
    if (!is_chunk) return broken(content, state.position, state.position, DoubtCause::missing_segment);
    const bool is_data = starts_with(name, "IDAT"), is_end = starts_with(name, "IEND");
    if (is_first && !is_header(content, reader.position())) return {};
    const std::uint64_t end = state.position + around_data + length;
    // The content ends first, or the length isn't one: the object isn't taken to reach so far.
    if (end > content.size()) {
      return Verdict::broken(state.position, content.size(), state.position, DoubtCause::missing_segment);
    }
    // Of a trial join one flaw is enough, and what follows the chunk is looked at sooner than its sum is made.
    if (content.seam() > state.position && !is_end && !is_chunk_head(content, end)) {
      return broken(content, state.position, end, DoubtCause::crc_error);
    }
    const std::uint32_t sum = crc32(content, state.position + 4, std::uint64_t{4} + length);
    reader.seek(end - 4);
    if (reader.be32() != sum) return is_first ? Verdict{} : contradicted(content, state.position, end);
    if (is_end && !state.has_data) return broken(content, end, end, DoubtCause::missing_segment);
    if (is_end) return Verdict::whole(end);
    state.has_data |= is_data;
    state.position = end;
    memory.keep(end, std::make_shared<State>(state));
  }
}

}  // namespace

extern const Validator png_validator;
const Validator png_validator = {"png", validate};

}  // namespace exhibit::carve
