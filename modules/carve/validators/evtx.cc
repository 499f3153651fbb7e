// Windows XML event logs ([MS-EVEN6] and the published descriptions of EVTX): a header of 4096 bytes and chunks of 64
// KiB, each with checksums over its header and its records. The header's count of chunks is exact only where the log
// was closed; a log that was copied while in use is as long as its chunks go on.

#include <algorithm>

#include "carve/validator.h"

namespace exhibit::carve {
namespace {

constexpr std::uint64_t header_block = 4096, chunk_size = 65536;  // bytes
constexpr std::size_t header_checked = 120;                       // bytes: of the file's and of a chunk's header
constexpr std::uint64_t first_record = 512;                       // in a chunk
constexpr std::uint32_t record_magic = 0x00002a2a;
constexpr std::uint32_t least_record = 28;  // bytes
constexpr std::uint64_t most_empty = 16;    // chunks that were never used between others

struct Chunk {
  enum State { sound, empty, damaged, foreign } state = foreign;
  std::uint64_t first_record = 0, last_record = 0;  // numbers
  std::uint64_t sound_end = 0;                      // in the chunk: up to where its records hold
  std::uint64_t used_end = 0;                       // in the chunk: where its records end by its header
  DoubtCause cause = DoubtCause::crc_error;
};

// Up to where records lie one behind the other.
std::uint64_t walk_records(const Content& content, std::uint64_t at, std::uint64_t free) {
  std::uint64_t place = first_record;
  while (place < free) {
    Reader reader(content, at + place);
    const std::uint32_t magic = reader.le32(), length = reader.le32();
    if (!reader.ok() || magic != record_magic || length < least_record || length > free - place) break;
    reader.seek(at + place + length - 4);
    if (reader.le32() != length || !reader.ok()) break;
    place += length;
  }
  return place;
}

bool is_zero(ByteSpan bytes) {
  return std::all_of(bytes.begin(), bytes.end(), [](std::uint8_t byte) { return byte == 0; });
}

Chunk read_chunk(const Content& content, std::uint64_t at) {
  Chunk chunk;
  const ByteSpan head = content.at(at, first_record);
  if (head.size() < first_record) return chunk;
  if (is_zero(head.first(first_record))) {
    const ByteSpan all = content.at(at, chunk_size);
    if (all.size() >= chunk_size && is_zero(all.first(chunk_size))) chunk.state = Chunk::empty;
    return chunk;
  }
  if (!starts_with(head, {"ElfChnk\0", 8})) return chunk;
  Reader reader(content, at + 8);
  reader.skip(16);
  chunk.first_record = reader.le64();
  chunk.last_record = reader.le64();
  const std::uint32_t size = reader.le32();
  reader.skip(4);
  const std::uint32_t free = reader.le32(), records_sum = reader.le32();
  reader.seek(at + 124);
  const std::uint32_t header_sum = reader.le32();
  const std::uint32_t sum = crc32(content, at + 128, first_record - 128, crc32(content, at, header_checked));
  if (sum != header_sum || size != 128 || free < first_record || free > chunk_size) {
    chunk.state = Chunk::damaged;
    chunk.used_end = chunk_size;
    return chunk;
  }
  const bool is_whole = content.size() - at >= chunk_size;
  const bool is_sound = is_whole && crc32(content, at + first_record, free - first_record) == records_sum;
  chunk.used_end = free;
  chunk.sound_end = is_sound ? free : walk_records(content, at, free);
  chunk.state = is_sound ? Chunk::sound : Chunk::damaged;
  return chunk;
}

struct Header {
  std::uint16_t chunks = 0;
  bool is_clean = false;
};

bool read_header(const Content& content, Header& header) {
  const ByteSpan bytes = content.at(0, header_block);
  if (bytes.size() < header_block || !starts_with(bytes, {"ElfFile\0", 8})) return false;
  Reader reader(content, 32);
  const std::uint32_t size = reader.le32();
  reader.skip(4);
  const std::uint32_t block = reader.le16();
  header.chunks = reader.le16();
  reader.seek(120);
  header.is_clean = (reader.le32() & 1) == 0;
  return size == 128 && block == header_block && crc32(content, 0, header_checked) == reader.le32() && reader.ok();
}

struct State : Memory::State {
  std::uint64_t position = header_block;
  std::uint64_t chunks = 0;  // that hold
};

// The first chunk that doesn't hold, as one that others follow: overwritten.
Verdict patched(const Content& content, State state, const Header& header) {
  std::uint64_t bad = 0, last = state.position;
  const std::uint64_t first_bad = state.position;
  std::vector<Doubt> doubts;
  for (std::uint64_t at = state.position; at + chunk_size <= content.size() && bad <= state.chunks; at += chunk_size) {
    const Chunk chunk = read_chunk(content, at);
    if (chunk.state == Chunk::sound) {
      last = at + chunk_size;
      ++state.chunks;
      continue;
    }
    if (chunk.state == Chunk::empty) continue;
    ++bad;
    if (chunk.state == Chunk::damaged && chunk.sound_end > first_record) last = std::max(last, at + chunk.used_end);
    doubts.push_back({at + chunk.sound_end, chunk_size - chunk.sound_end, DoubtCause::crc_error});
    // What is as good as nothing can't have more behind it, once the header's count is reached.
    if (chunk.state == Chunk::foreign && (at - header_block) / chunk_size >= header.chunks) break;
  }
  std::erase_if(doubts, [&](const Doubt& doubt) { return doubt.offset >= last; });
  for (Doubt& doubt : doubts) doubt.length = std::min(doubt.length, last - doubt.offset);
  const Chunk broken = read_chunk(content, first_bad);
  Verdict verdict = Verdict::broken(first_bad + broken.sound_end, std::min(first_bad + chunk_size, content.size()),
                                    last, DoubtCause::crc_error);
  if (!doubts.empty()) verdict.doubts = std::move(doubts);
  if (verdict.doubts.size() == 1 && verdict.doubts[0].length == 0)
    verdict.doubts[0].cause = DoubtCause::missing_segment;
  return verdict;
}

Verdict validate(const Content& content, Memory& memory) {
  Header header;
  if (!read_header(content, header)) return {};
  State state;
  if (const auto* known = static_cast<const State*>(memory.latest())) state = *known;
  std::uint64_t empty = 0, end = state.position;  // behind the last chunk that is no empty one
  for (std::uint64_t at = state.position; empty <= most_empty; at += chunk_size) {
    const Chunk chunk = read_chunk(content, at);
    // Chunks that were laid out and never used belong to a file whose header counts them.
    if (chunk.state == Chunk::empty && (at - header_block) / chunk_size < header.chunks) {
      ++empty;
      continue;
    }
    if (chunk.state == Chunk::sound) {
      empty = 0;
      ++state.chunks;
      state.position = end = at + chunk_size;
      memory.keep(end, std::make_shared<State>(state));
      continue;
    }
    const std::uint64_t counted = header_block + std::uint64_t{header.chunks} * chunk_size;
    const bool is_complete = end >= counted || (empty > 0 && at >= counted);
    if (chunk.state == Chunk::damaged || !is_complete) break;
    return Verdict::whole(std::max(end, counted));
  }
  state.position = end;
  if (state.chunks == 0) {
    const Chunk first = read_chunk(content, header_block);
    if (first.state != Chunk::damaged && first.state != Chunk::empty) {  // a header alone: perhaps a decoy's
      Verdict verdict = Verdict::broken(header_block, std::min(header_block + chunk_size, content.size()), header_block,
                                        DoubtCause::missing_segment);
      verdict.tier = Tier::header_only;
      return verdict;
    }
  }
  return patched(content, state, header);
}

}  // namespace

extern const Validator evtx_validator;
const Validator evtx_validator = {"evtx", validate};

}  // namespace exhibit::carve
