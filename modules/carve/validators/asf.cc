// ASF: WMV, WMA (Microsoft, "Advanced Systems Format Specification" 01.20.06): objects, each with a GUID and its
// length; the header tells the file's length and the packets' count and size, and each packet is looked at.

#include <algorithm>
#include <array>

#include "carve/validator.h"

namespace exhibit::carve {
namespace {

constexpr std::uint64_t object_header = 24, top_header = 30, data_header = 50;  // bytes (3, 5)
constexpr std::uint32_t most_objects = 4096;
constexpr unsigned broadcast = 1;  // of the file properties' flags: lengths and counts aren't true

using Guid = std::string_view;  // 16 bytes as they are stored (10)
using namespace std::string_view_literals;
constexpr Guid header_id = "\x30\x26\xb2\x75\x8e\x66\xcf\x11\xa6\xd9\x00\xaa\x00\x62\xce\x6c"sv;
constexpr Guid data_id = "\x36\x26\xb2\x75\x8e\x66\xcf\x11\xa6\xd9\x00\xaa\x00\x62\xce\x6c"sv;
constexpr Guid properties_id = "\xa1\xdc\xab\x8c\x47\xa9\xcf\x11\x8e\xe4\x00\xc0\x0c\x20\x53\x65"sv;
constexpr Guid stream_id = "\x91\x07\xdc\xb7\xb7\xa9\xcf\x11\x8e\xe6\x00\xc0\x0c\x20\x53\x65"sv;
constexpr Guid video_id = "\xc0\xef\x19\xbc\x4d\x5b\xcf\x11\xa8\xfd\x00\x80\x5f\x5c\x44\x2b"sv;
constexpr std::array<Guid, 4> index_ids = {"\x90\x08\x00\x33\xb1\xe5\xcf\x11\x89\xf4\x00\xa0\xc9\x03\x49\xcb"sv,
                                           "\xd3\x29\xe2\xd6\xda\x35\xd1\x11\x90\x34\x00\xa0\xc9\x03\x49\xbe"sv,
                                           "\xf8\x03\xb1\xfe\xad\x12\x64\x4c\x84\x0f\x2a\x1d\x2f\x7a\xd4\x8c"sv,
                                           "\xd0\x3f\xb7\x3c\x4a\x0c\x03\x48\x95\x3d\xed\xf7\xb6\x22\x8f\x0c"sv};

struct State : Memory::State {
  std::uint64_t header_end = 0;
  std::uint64_t file_length = 0, packets = 0, packet_length = 0;
  bool has_properties = false, is_broadcast = false, has_video = false;
  std::uint64_t data_end = 0, packet = 0, position = 0;  // position: of the next packet
};

bool is(const Content& content, std::uint64_t offset, Guid id) { return starts_with(content.at(offset, 16), id); }

std::uint64_t length_of(const Content& content, std::uint64_t object) { return Reader(content, object + 16).le64(); }

void read_properties(const Content& content, std::uint64_t object, State& state) {
  Reader reader(content, object + object_header + 16);  // behind the file's GUID
  state.file_length = reader.le64();
  reader.le64();
  state.packets = reader.le64();
  reader.skip(24);  // play, send, preroll
  state.is_broadcast = (reader.le32() & broadcast) != 0;
  const std::uint32_t least = reader.le32(), most = reader.le32();
  state.has_properties = reader.ok() && least == most && least > 0;
  state.packet_length = least;
}

// The header object (3.1): its parts must fill it.
bool read_header(const Content& content, State& state) {
  Reader reader(content);
  if (!is(content, 0, header_id)) return false;
  reader.skip(16);
  const std::uint64_t length = reader.le64();
  const std::uint32_t count = reader.le32();
  if (!reader.ok() || reader.le16() != 0x0201 || count > most_objects || length < top_header || length > content.size())
    return false;
  std::uint64_t position = top_header;
  for (std::uint32_t i = 0; i < count; ++i) {
    const std::uint64_t part = length_of(content, position);
    if (part < object_header || position > length || part > length - position) return false;
    if (is(content, position, properties_id)) read_properties(content, position, state);
    if (is(content, position, stream_id)) state.has_video |= is(content, position + object_header, video_id);
    position += part;
  }
  state.header_end = length;
  return position == length && state.has_properties;
}

// 5.2: error correction data of two bytes, then flags and fields of which no two kinds are out of use.
bool is_packet(const Content& content, const State& state) {
  Reader reader(content, state.position);
  const unsigned first = reader.u8();
  if ((first & 0x80) != 0) {
    if ((first & 0x70) != 0 || (first & 15) != 2) return false;
    reader.le16();
  }
  const unsigned flags = (first & 0x80) != 0 ? reader.u8() : first, properties = reader.u8();
  if (!reader.ok() || (flags & 0x80) != 0 || (properties & 0xc0) != 0x40) return false;
  const auto field = [&](unsigned code) -> std::uint64_t {
    return code == 0 ? 0 : code == 1 ? reader.u8() : code == 2 ? reader.le16() : reader.le32();
  };
  const std::uint64_t told = field(flags >> 5 & 3);
  field(flags >> 1 & 3);
  const std::uint64_t padding = field(flags >> 3 & 3);
  return reader.ok() && told <= state.packet_length && padding < state.packet_length;
}

std::string extension_of(const State& state) { return state.has_video ? "wmv" : "wma"; }

Verdict named(Verdict verdict, const State& state) {
  verdict.extension = extension_of(state);
  return verdict;
}

// The header, and the data object's own (5.1).
bool begin_data(const Content& content, State& state) {
  const std::uint64_t begin = state.header_end, length = length_of(content, begin);
  if (!is(content, begin, data_id)) return false;
  if (state.is_broadcast || length < data_header) return false;
  state.packets = Reader(content, begin + object_header + 16).le64();
  state.data_end = begin + length;
  state.position = begin + data_header;
  return state.packets <= length / state.packet_length && state.packets * state.packet_length == length - data_header;
}

Verdict follow_indexes(const Content& content, const State& state) {
  std::uint64_t position = state.data_end;
  for (;;) {
    const bool is_index =
        std::any_of(index_ids.begin(), index_ids.end(), [&](Guid id) { return is(content, position, id); });
    const std::uint64_t length = length_of(content, position);
    if (!is_index || length < object_header || length > content.size() - position) break;
    position += length;
  }
  Verdict verdict = Verdict::whole(position);
  if (position != state.file_length || state.packets == 0) verdict.tier = Tier::plausible;
  return named(verdict, state);
}

// A packet can't be: overwritten in the midst if the file ends as it should, else cut.
Verdict broken(const Content& content, const State& state) {
  const std::uint64_t before = state.position - (state.packet > 0 ? state.packet_length : 0);
  const std::uint64_t suspect = std::min(content.size(), state.position + 16);
  State behind = state;
  while (behind.packet < behind.packets && behind.position < content.size() && !is_packet(content, behind)) {
    behind.position += state.packet_length;
    ++behind.packet;
  }
  const bool is_whole = state.file_length <= content.size() && state.file_length >= state.data_end &&
                        (state.file_length == state.data_end || is(content, state.data_end, index_ids[0]) ||
                         is(content, state.data_end, index_ids[1]));
  const bool goes_on = content.seam() == 0 && behind.packet + 1 < behind.packets && is_whole;
  Verdict verdict =
      Verdict::broken(before, suspect, goes_on ? state.file_length : std::min(content.size(), state.position),
                      DoubtCause::missing_segment);
  if (goes_on) verdict.doubts = {{before, behind.position - before, DoubtCause::missing_segment}};
  return named(verdict, state);
}

Verdict validate(const Content& content, Memory& memory) {
  State state;
  if (const auto* known = static_cast<const State*>(memory.latest())) {
    state = *known;
  } else {
    if (!read_header(content, state)) return {};
    if (!begin_data(content, state)) {
      // Nothing but a header: as far as it goes.
      return named(Verdict::broken(state.header_end, std::min(content.size(), state.header_end + data_header),
                                   state.header_end, DoubtCause::missing_segment),
                   state);
    }
  }
  for (std::uint64_t kept = memory.offset(); state.packet < state.packets; ++state.packet) {
    if (state.position + state.packet_length > content.size() || !is_packet(content, state))
      return broken(content, state);
    state.position += state.packet_length;
    if (state.position >= kept + (std::uint64_t{64} << 10)) {
      State next = state;
      ++next.packet;
      kept = state.position;
      memory.keep(kept, std::make_shared<State>(next));
    }
  }
  return follow_indexes(content, state);
}

}  // namespace

extern const Validator asf_validator;
const Validator asf_validator = {"asf", validate};

}  // namespace exhibit::carve
