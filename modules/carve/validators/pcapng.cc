// Captures of the newer kind (IETF draft-ietf-opsawg-pcapng): blocks whose length stands at their beginning and at
// their end. The object goes on as long as blocks do.

#include <algorithm>

#include "carve/validator.h"

namespace exhibit::carve {
namespace {

constexpr std::uint32_t section = 0x0a0d0d0a;      // reads the same in both byte orders
constexpr std::uint32_t longest_block = 16 << 20;  // bytes
constexpr std::uint64_t kept_every = 64 << 10;     // bytes

struct State : Memory::State {
  bool is_big = false;
  std::uint64_t position = 0, blocks = 0;
};

bool is_block_type(std::uint32_t type) {
  return (type >= 1 && type <= 0x0c) || type == 0x0bad || type == 0x40000bad || (type >= 0x200 && type <= 0x220) ||
         (type & 0x80000000) != 0;
}

bool next(const Content& content, State& state) {
  Reader reader(content, state.position);
  if (reader.be32() == section) {
    reader.skip(4);
    const std::uint32_t order = reader.be32();
    if (order != 0x1a2b3c4d && order != 0x4d3c2b1a) return false;
    state.is_big = order == 0x1a2b3c4d;
  } else if (state.position == 0) {
    return false;
  }
  const auto word = [&] { return state.is_big ? reader.be32() : reader.le32(); };
  reader.seek(state.position);
  const std::uint32_t type = word(), length = word();
  if (!reader.ok() || (type != section && !is_block_type(type))) return false;
  if (length < 12 || length % 4 != 0 || length > longest_block || (type == section && length < 28)) return false;
  reader.seek(state.position + length - 4);
  if (word() != length || !reader.ok()) return false;
  state.position += length;
  ++state.blocks;
  return true;
}

Verdict validate(const Content& content, Memory& memory) {
  State state;
  if (const auto* known = static_cast<const State*>(memory.latest())) state = *known;
  std::uint64_t kept = state.position;
  while (next(content, state)) {
    if (state.position - kept >= kept_every) memory.keep(kept = state.position, std::make_shared<State>(state));
  }
  if (state.blocks == 0) return {};
  // A block of packets that doesn't end as it begins: cut.
  Reader reader(content, state.position);
  const auto word = [&] { return state.is_big ? reader.be32() : reader.le32(); };
  const std::uint32_t type = word(), length = word();
  if (reader.ok() && type >= 1 && type <= 6 && length >= 12 && length % 4 == 0 && length <= longest_block) {
    return Verdict::broken(state.position, std::min(state.position + length, content.size()), state.position,
                           DoubtCause::missing_segment);
  }
  Verdict verdict = Verdict::whole(state.position);
  if (state.blocks == 1) verdict.tier = Tier::plausible;
  return verdict;
}

}  // namespace

extern const Validator pcapng_validator;
const Validator pcapng_validator = {"pcapng", validate};

}  // namespace exhibit::carve
