// Captures of libpcap (IETF draft-ietf-opsawg-pcap): a header, then records with their own lengths. No checksum and no
// count: the object goes on as long as records follow whose times and lengths fit.

#include <algorithm>
#include <cstdlib>

#include "carve/validator.h"

namespace exhibit::carve {
namespace {

constexpr std::uint64_t header_length = 24, record_header = 16;  // bytes
constexpr std::uint32_t most_captured = 0x40000;                 // bytes of a record: tcpdump's MAXIMUM_SNAPLEN
constexpr std::int64_t most_apart = 366 * 86400;                 // seconds between two records
constexpr std::uint64_t kept_every = 64 << 10;                   // bytes
constexpr std::uint64_t few_records = 3;                         // less isn't a proof

struct State : Memory::State {
  bool is_big = false;
  std::uint32_t fractions = 1000000, snap_length = 0;
  std::uint64_t position = header_length, records = 0;
  std::int64_t last_time = -1;
};

std::uint32_t word(Reader& reader, bool is_big) { return is_big ? reader.be32() : reader.le32(); }

bool read_header(const Content& content, State& state) {
  Reader reader(content);
  const std::uint32_t magic = reader.be32();
  state.is_big = magic == 0xa1b2c3d4 || magic == 0xa1b23c4d;
  if (!state.is_big && magic != 0xd4c3b2a1 && magic != 0x4d3cb2a1) return false;
  if (magic == 0xa1b23c4d || magic == 0x4d3cb2a1) state.fractions = 1000000000;
  const std::uint32_t version = word(reader, state.is_big);
  const bool is_version = version == (state.is_big ? 0x00020004u : 0x00040002u);
  word(reader, state.is_big), word(reader, state.is_big);
  state.snap_length = word(reader, state.is_big);
  const std::uint32_t link = word(reader, state.is_big);
  return reader.ok() && is_version && (link & 0xffff) < 400;
}

// The record at the state's position, moving behind it.
bool next(const Content& content, State& state) {
  Reader reader(content, state.position);
  const auto time = static_cast<std::int64_t>(word(reader, state.is_big));
  const std::uint32_t fraction = word(reader, state.is_big), captured = word(reader, state.is_big),
                      length = word(reader, state.is_big);
  const std::uint32_t most = state.snap_length == 0 ? most_captured : std::min(state.snap_length, most_captured);
  if (!reader.ok() || fraction >= state.fractions || captured > most || captured > length || length == 0) return false;
  if (captured == 0 || (state.last_time >= 0 && std::abs(time - state.last_time) > most_apart)) return false;
  if (!reader.skip(captured)) return false;
  state.last_time = time;
  state.position = reader.position();
  ++state.records;
  return true;
}

Verdict validate(const Content& content, Memory& memory) {
  State state;
  if (const auto* known = static_cast<const State*>(memory.latest())) {
    state = *known;
  } else if (!read_header(content, state)) {
    return {};
  }
  std::uint64_t kept = state.position;
  while (next(content, state)) {
    if (state.position - kept >= kept_every) memory.keep(kept = state.position, std::make_shared<State>(state));
  }
  if (state.records == 0)
    return Verdict::broken(header_length, header_length, header_length, DoubtCause::missing_segment);
  // Nothing ends a capture: where something else follows, it may have been cut within its last record.
  const ByteSpan behind = content.at(state.position, record_header);
  const bool is_followed = std::any_of(
      behind.begin(), behind.begin() + static_cast<std::ptrdiff_t>(std::min<std::size_t>(behind.size(), record_header)),
      [](std::uint8_t byte) { return byte != 0; });
  Verdict verdict = Verdict::whole(state.position);
  if (state.records < few_records || is_followed) verdict.tier = Tier::plausible;
  return verdict;
}

}  // namespace

extern const Validator pcap_validator;
const Validator pcap_validator = {"pcap", validate};

}  // namespace exhibit::carve
