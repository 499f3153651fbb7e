// Windows registry hives (M. Suhanov, Windows registry file format specification; libregf). The base block has a
// checksum and the length of what follows: bins that say where they lie, filled by cells one behind the other.

#include <algorithm>

#include "carve/validator.h"

namespace exhibit::carve {
namespace {

constexpr std::uint64_t base_block = 4096, bin_unit = 4096, bin_header = 32;  // bytes
constexpr std::uint64_t most_bins = std::uint64_t{4} << 30;                   // bytes
constexpr std::uint64_t kept_every = 64 << 10;                                // bytes

struct Base {
  std::uint64_t bins = 0;  // bytes
  std::uint32_t root = 0;
};

bool read_base(const Content& content, Base& base) {
  Reader reader(content);
  if (!reader.take("regf")) return false;
  reader.seek(20);
  const std::uint32_t major = reader.le32(), minor = reader.le32(), type = reader.le32(), format = reader.le32();
  base.root = reader.le32();
  base.bins = reader.le32();
  if (!reader.ok() || major != 1 || minor > 6 || type > 1 || format != 1) return false;
  if (base.bins == 0 || base.bins % bin_unit != 0 || base.bins > most_bins || base.root >= base.bins) return false;
  Reader words(content);
  std::uint32_t sum = 0;
  for (int i = 0; i < 127; ++i) sum ^= words.le32();
  if (sum == 0) sum = 1;
  if (sum == 0xffffffff) sum = 0xfffffffe;
  return words.le32() == sum && words.ok();
}

// The length of the bin at `at`, which says that it lies there; 0: it isn't one.
std::uint64_t bin_at(const Content& content, std::uint64_t at, std::uint64_t left) {
  Reader reader(content, at);
  if (!reader.take("hbin")) return 0;
  const std::uint64_t place = reader.le32(), length = reader.le32();
  const bool holds = reader.ok() && place == at - base_block && length >= bin_unit && length % bin_unit == 0;
  return holds && length <= left ? length : 0;
}

// Where the chain of a bin's cells breaks; its end if it doesn't.
std::uint64_t walk_cells(const Content& content, std::uint64_t at, std::uint64_t length) {
  std::uint64_t place = at + bin_header;
  while (place < at + length) {
    Reader reader(content, place);
    const auto size = static_cast<std::int32_t>(reader.le32());
    const std::uint64_t bytes = static_cast<std::uint64_t>(std::abs(static_cast<std::int64_t>(size)));
    if (!reader.ok() || bytes < 8 || bytes % 8 != 0 || bytes > at + length - place) return place;
    place += bytes;
  }
  return place;
}

struct State : Memory::State {
  std::uint64_t position = base_block;
};

// What is behind the first bin that doesn't hold: bins tell where they lie.
Verdict broken(const Content& content, std::uint64_t position, std::uint64_t sound, std::uint64_t end) {
  std::uint64_t good = 0, first_good = 0;
  const std::uint64_t limit = std::min(end, content.size());
  for (std::uint64_t at = position + bin_unit; at < limit;) {
    const std::uint64_t length = bin_at(content, at, end - at);
    if (length > 0 && first_good == 0) first_good = at;
    good += length;
    at += length > 0 ? length : bin_unit;
  }
  const bool is_patched = first_good > 0 && good >= (limit - position) / 2;
  const std::uint64_t suspect = std::min(is_patched ? first_good : position + bin_unit, content.size());
  return Verdict::broken(sound, suspect, is_patched ? limit : sound, DoubtCause::missing_segment);
}

// The base block without the first bin: it may be a decoy, and the search for the rest goes on from it.
Verdict header_alone(const Content& content) {
  const std::uint64_t end = std::min(base_block, content.size());
  Verdict verdict = Verdict::broken(std::min<std::uint64_t>(512, end), std::min(base_block + bin_unit, content.size()),
                                    end, DoubtCause::missing_segment);
  verdict.tier = Tier::header_only;
  return verdict;
}

Verdict validate(const Content& content, Memory& memory) {
  Base base;
  if (!read_base(content, base)) return {};
  State state;
  if (const auto* known = static_cast<const State*>(memory.latest())) state = *known;
  const std::uint64_t end = base_block + base.bins;
  std::uint64_t kept = state.position;
  while (state.position < end) {
    const std::uint64_t at = state.position;
    const std::uint64_t length = bin_at(content, at, end - at);
    const std::uint64_t reached = length > 0 ? walk_cells(content, at, length) : at;
    if (length == 0 || reached < at + length || at + length > content.size()) {
      if (at <= content.size()) memory.keep(at, std::make_shared<State>(state));
      if (at == base_block) return header_alone(content);
      return broken(content, at, at, end);
    }
    state.position += length;
    if (state.position - kept >= kept_every) memory.keep(kept = state.position, std::make_shared<State>(state));
  }
  return Verdict::whole(end);
}

}  // namespace

extern const Validator regf_validator;
const Validator regf_validator = {"regf", validate};

}  // namespace exhibit::carve
