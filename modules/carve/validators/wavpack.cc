// WavPack (David Bryant, "WavPack 4 & 5 Binary File / Block Format"): blocks, each filled exactly by its sub-blocks,
// and in version 5 with a checksum; the first one counts the samples of all.

#include <algorithm>
#include <string_view>

#include "carve/audio_tags.h"
#include "carve/validator.h"

namespace exhibit::carve {
namespace {

constexpr std::uint64_t header_length = 32;
constexpr std::uint32_t longest_block = 1U << 20;  // bytes; what the library itself takes
constexpr unsigned least_version = 0x402, most_version = 0x410;
constexpr unsigned wide = 0x80, odd = 0x40, id_bits = 0x3f, id_checksum = 0x2f;  // of a sub-block's first byte
constexpr unsigned final_block = 0x1000;                                         // flag: the last one of these samples
constexpr std::uint64_t farthest_resync = std::uint64_t{2} << 20;                // bytes
constexpr std::uint64_t unknown = 0xffffffff;  // samples of what was written to a pipe

struct Block {
  std::uint64_t length = 0;
  std::uint64_t total = 0, index = 0, samples = 0;
  bool is_final = false;
  bool has_sum = false, sum_holds = false;
};

struct State : Memory::State {
  std::uint64_t position = 0;
  std::uint64_t total = 0, samples = 0;
  bool all_have_sums = true;
};

// Over the bytes before the checksum, as 16-bit words.
std::uint32_t checksum(const Content& content, std::uint64_t offset, std::uint64_t length) {
  std::uint32_t sum = 0xffffffff;
  while (length > 1) {
    ByteSpan bytes = content.at(offset, std::min<std::uint64_t>(length, Content::window));
    bytes = bytes.first(std::min<std::uint64_t>(bytes.size(), length) / 2 * 2);
    if (bytes.empty()) return 0;
    for (std::size_t i = 0; i < bytes.size(); i += 2) sum = sum * 3 + (bytes[i] | std::uint32_t{bytes[i + 1]} << 8);
    offset += bytes.size();
    length -= bytes.size();
  }
  return sum;
}

// Whether sub-blocks fill the block at `offset`; reads its checksum if it has one.
bool read_parts(const Content& content, std::uint64_t offset, Block& block) {
  const std::uint64_t end = offset + block.length;
  Reader reader(content, offset + header_length);
  while (reader.position() < end) {
    const std::uint64_t begin = reader.position();
    const unsigned id = reader.u8();
    std::uint64_t length = std::uint64_t{2} * reader.u8();
    if ((id & wide) != 0) length += std::uint64_t{512} * reader.le16();
    const std::uint64_t data = reader.position();
    if (!reader.ok() || data > end || length > end - data || ((id & odd) != 0 && length == 0)) return false;
    if ((id & id_bits) == id_checksum && (length == 2 || length == 4)) {
      const std::uint32_t sum = checksum(content, offset, begin - offset);
      block.has_sum = true;
      block.sum_holds = length == 4 ? reader.le32() == sum : reader.le16() == ((sum ^ sum >> 16) & 0xffff);
    }
    reader.seek(data + length);
  }
  return true;
}

// The block at `offset`; its length is 0 where none can be.
Block read_block(const Content& content, std::uint64_t offset) {
  Reader reader(content, offset);
  Block block;
  if (!reader.take("wvpk")) return block;
  const std::uint32_t size = reader.le32();  // of what follows this field
  const unsigned version = reader.le16(), index_high = reader.u8(), total_high = reader.u8();
  block.total = reader.le32();
  if (block.total != unknown) block.total |= std::uint64_t{total_high} << 32;
  block.index = reader.le32() | std::uint64_t{index_high} << 32;
  block.samples = reader.le32();
  block.is_final = (reader.le32() & final_block) != 0;
  const bool is_block = reader.ok() && size % 2 == 0 && size >= header_length - 8 && size <= longest_block - 8 &&
                        version >= least_version && version <= most_version;
  if (is_block) block.length = std::uint64_t{size} + 8;
  return block;
}

enum class Step { next, none, broken };

Step take_block(const Content& content, State& state, Block& block) {
  block = read_block(content, state.position);
  if (block.length == 0) return Step::none;
  if (block.length > content.size() - state.position) return Step::broken;
  if (!read_parts(content, state.position, block)) return Step::broken;
  if (block.has_sum && !block.sum_holds) return Step::broken;
  if (state.position == 0) state.total = block.total;
  if (block.samples > 0 && block.index != state.samples) return Step::broken;
  if (block.is_final) state.samples += block.samples;
  state.all_have_sums &= block.has_sum;
  state.position += block.length;
  return Step::next;
}

// Where, within reach, a later block of the same sound lies; 0: nowhere.
std::uint64_t resync(const Content& content, const State& state) {
  const std::uint64_t end = std::min(content.size(), state.position + farthest_resync);
  for (std::uint64_t at = state.position + 1; at < end; ++at) {
    at = find(content, "wvpk", at, end);
    const Block block = at < end ? read_block(content, at) : Block{};
    if (block.length > 0 && block.total == state.total && block.index > state.samples) return at;
  }
  return 0;
}

Verdict whole(const Content& content, const State& state) {
  Verdict verdict = Verdict::whole(state.position + audio_tags_length(content, state.position));
  // The other checksum is of the samples, which aren't unpacked here.
  if (!state.all_have_sums || state.total == unknown) verdict.tier = Tier::plausible;
  return verdict;
}

Verdict validate(const Content& content, Memory& memory) {
  State state;
  if (const auto* known = static_cast<const State*>(memory.latest())) state = *known;
  Block block;
  Step step = Step::next;
  for (;;) {
    const bool is_complete = state.total != unknown && state.position > 0 && state.samples >= state.total;
    State next = state;
    step = take_block(content, next, block);
    // Blocks without samples, such as that with the sound's MD5, may follow the last one with some.
    if (step != Step::next || (is_complete && block.samples > 0)) {
      if (is_complete) return whole(content, state);
      break;
    }
    state = next;
    memory.keep(state.position, std::make_shared<State>(state));
  }
  if (state.position == 0) {
    // A first block that doesn't hold is nothing, unless its other part lies elsewhere.
    if (step != Step::broken) return {};
    return {Tier::header_only, header_length, header_length, std::min(block.length, content.size()), {}, 0, {}};
  }
  if (state.total == unknown && step == Step::none) return whole(content, state);
  const std::uint64_t reach = step == Step::broken ? block.length : header_length;
  const std::uint64_t suspect = std::min(state.position + reach, content.size());
  const std::uint64_t again = content.seam() == 0 ? resync(content, state) : 0;
  if (again == 0) return Verdict::broken(state.position, suspect, state.position, DoubtCause::missing_segment);
  std::uint64_t behind = again;  // overwritten in its midst: the blocks go on
  while (const std::uint64_t length = read_block(content, behind).length) {
    if (length > content.size() - behind) break;
    behind += length;
  }
  behind += audio_tags_length(content, behind);
  Verdict verdict = Verdict::broken(state.position, suspect, behind, DoubtCause::crc_error);
  verdict.doubts = {{state.position, again - state.position, DoubtCause::crc_error}};
  return verdict;
}

}  // namespace

extern const Validator wavpack_validator;
const Validator wavpack_validator = {"wavpack", validate};

}  // namespace exhibit::carve
