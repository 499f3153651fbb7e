// WebP (RFC 9649): RIFF chunks that fill exactly what the header tells, and the frame headers in them. The pictures'
// codes have nothing that could contradict, so that it stays plausible.

#include <algorithm>

#include "carve/validator.h"

namespace exhibit::carve {
namespace {

constexpr std::uint64_t header_length = 12, chunk_header = 8;
constexpr unsigned most_chunks = 100'000;

// RFC 6386, 9.1: a key frame's tag, start code and sides. The first partition lies within.
bool is_lossy(const Content& content, std::uint64_t at, std::uint64_t length) {
  Reader reader(content, at);
  const std::uint32_t tag = reader.le24();
  const bool is_key = (tag & 1) == 0 && (tag >> 1 & 7) <= 3;
  const bool has_code = reader.take("\x9d\x01\x2a");
  const unsigned width = reader.le16() & 0x3fff, height = reader.le16() & 0x3fff;
  return reader.ok() && is_key && has_code && width > 0 && height > 0 && tag >> 5 <= length;
}

// RFC 9649, 3.4
bool is_lossless(const Content& content, std::uint64_t at) {
  Reader reader(content, at);
  return reader.u8() == 0x2f && reader.le32() >> 29 == 0 && reader.ok();
}

bool is_known(ByteSpan name) {
  for (const char* known : {"VP8 ", "VP8L", "VP8X", "ALPH", "ANIM", "ANMF", "ICCP", "EXIF", "XMP "}) {
    if (starts_with(name, known)) return true;
  }
  return false;
}

struct Chunks {
  std::uint64_t end = 0;  // where they stop holding
  bool has_picture = false;
};

// The chunks in [at, end).
Chunks walk(const Content& content, std::uint64_t at, std::uint64_t end) {
  Chunks chunks;
  for (unsigned i = 0; at + chunk_header <= end && i < most_chunks; ++i) {
    Reader reader(content, at);
    const ByteSpan name = reader.bytes(4);
    if (!reader.ok() || !is_known(name)) break;
    const bool lossy = starts_with(name, "VP8 "), lossless = starts_with(name, "VP8L"),
               frame = starts_with(name, "ANMF");
    const std::uint64_t length = reader.le32(), data = reader.position();
    if (length + length % 2 > end - data && length > end - data) break;
    if (lossy && !is_lossy(content, data, length)) break;
    if (lossless && !is_lossless(content, data)) break;
    chunks.has_picture |= lossy || lossless || frame;
    at = std::min(data + length + length % 2, end);
  }
  chunks.end = at;
  return chunks;
}

Verdict validate(const Content& content, Memory&) {
  Reader reader(content);
  if (!reader.take("RIFF")) return {};
  const std::uint64_t length = reader.le32() + chunk_header;
  if (!reader.take("WEBP") || length < header_length + chunk_header) return {};
  const std::uint64_t told = length;
  const Chunks chunks = walk(content, header_length, std::min(told, content.size()));
  if (chunks.end == header_length) {
    // The picture itself is cut.
    const Chunks cut = walk(content, header_length, told);
    if (told <= content.size() || !cut.has_picture) return {};
    return Verdict::broken(header_length, content.size(), content.size(), DoubtCause::missing_segment);
  }
  if (!chunks.has_picture || chunks.end < told) {
    const std::uint64_t end = std::min(chunks.end, content.size());
    return Verdict::broken(header_length, end, end, DoubtCause::missing_segment);
  }
  Verdict verdict = Verdict::whole(told);
  verdict.tier = Tier::plausible;
  return verdict;
}

}  // namespace

extern const Validator webp_validator;
const Validator webp_validator = {"webp", validate};

}  // namespace exhibit::carve
