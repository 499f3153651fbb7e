// AVI (Microsoft, "AVI RIFF File Reference"; OpenDML AVI File Format Extensions 1.02): RIFF chunks to the end, those of
// the film each with its stream's number, and an index that says where each lies.

#include <algorithm>
#include <array>

#include "carve/foreign_sector.h"
#include "carve/picture_frame.h"
#include "carve/riff.h"
#include "carve/validator.h"

namespace exhibit::carve {
namespace {

constexpr std::uint64_t list_header = 12;                         // bytes: name, length, kind
constexpr std::uint64_t main_header = 56;                         // bytes of avih
constexpr std::uint64_t index_entry = 16;                         // bytes of an entry of idx1
constexpr unsigned most_streams = 100;                            // two digits
constexpr std::uint64_t farthest_index = std::uint64_t{2} << 20;  // how far from its place it is looked for: bytes
constexpr unsigned indexes_tried = 64;

struct State : Memory::State {
  std::uint64_t position = 0;   // of the next chunk
  std::uint64_t before = 0;     // the chunk before it
  std::uint64_t movi = 0;       // where the kind of the list of the film lies; 0: none yet
  std::uint64_t movi_end = 0;   // 0: not in it
  std::uint64_t riff_end = 0;   // of the RIFF chunk that position is in
  std::uint64_t first_end = 0;  // of the first
  std::uint64_t frames = 0;     // chunks of the film
  unsigned streams = 0;
  std::array<PictureKind, most_streams> kinds{};  // of each stream's chunks
  std::array<bool, most_streams> is_kept{};       // its first chunk is what its kind says
  bool has_index = false, index_agrees = true;
};

bool is_digit(std::uint32_t c) { return c >= '0' && c <= '9'; }
bool is_letter(std::uint32_t c) { return (c | 0x20) >= 'a' && (c | 0x20) <= 'z'; }

// A chunk of the film: "01wb", or "ix01", an index of OpenDML.
bool is_film_chunk(std::uint32_t name, unsigned streams) {
  const auto letter = [&](int i) { return name >> (24 - 8 * i) & 0xff; };
  const int digits = (name >> 16) == ('i' << 8 | 'x') ? 2 : 0, letters = 2 - digits;
  if (!is_digit(letter(digits)) || !is_digit(letter(digits + 1))) return false;
  const bool is_named = is_letter(letter(letters)) && is_letter(letter(letters + 1));
  return is_named && (letter(digits) - '0') * 10 + (letter(digits + 1) - '0') < std::max(streams, 1U);
}

// The stream that a chunk of the film belongs to.
unsigned stream_of(std::uint32_t name) { return ((name >> 24) - '0') * 10 + ((name >> 16 & 0xff) - '0'); }

// By biCompression of the stream's format (Microsoft, BITMAPINFOHEADER), whatever its letters' case.
PictureKind kind_of(std::uint32_t compression) {
  switch (compression | 0x20202020) {
    case four_letters("mjpg"):
      return PictureKind::jpeg;
    case four_letters("dvsd"):
    case four_letters("dv25"):
      return PictureKind::dv;
    case four_letters("xvid"):
    case four_letters("divx"):
    case four_letters("dx50"):
    case four_letters("fmp4"):
    case four_letters("mp4v"):
    case four_letters("h264"):
    case four_letters("x264"):
      return PictureKind::start_coded;
    case four_letters("mp42"):
    case four_letters("mp43"):
    case four_letters("div3"):
    case four_letters("wmv1"):
    case four_letters("wmv2"):
    case four_letters("wmv3"):
      return PictureKind::packed;
    default:
      return PictureKind::unknown;
  }
}

// Of a list strl, whose strh was read.
PictureKind read_kind(const Content& content, const RiffChunk& header) {
  constexpr std::uint64_t compression = 16;  // in BITMAPINFOHEADER
  if (letters_at(content, header.data) != four_letters("vids")) return PictureKind::unknown;
  const auto format = read_chunk(content, header.next());
  const bool is_format = format && format->name == four_letters("strf") && format->length >= compression + 4;
  return is_format ? kind_of(letters_at(content, format->data + compression)) : PictureKind::unknown;
}

bool is_padding(std::uint32_t name) {
  return name == four_letters("JUNK") || name == four_letters("junk") || name == four_letters("PAD ");
}

// What may lie beside the film.
bool is_known(std::uint32_t name) {
  return is_padding(name) || name == four_letters("LIST") || name == four_letters("idx1") ||
         name == four_letters("_PMX") || name == four_letters("IDIT") || name == four_letters("ISMP") ||
         name == four_letters("strd") || name == four_letters("vprp") || name == four_letters("SEGM");
}

// LIST hdrl: avih, then a list strl for each stream. The number of streams; 0 where it can't be.
unsigned read_streams(const Content& content, const RiffChunk& list, std::array<PictureKind, most_streams>& kinds) {
  const auto main = read_chunk(content, list.begin + list_header);
  if (!main || main->name != four_letters("avih") || main->length != main_header) return 0;
  Reader reader(content, main->data + 24);
  const std::uint32_t streams = reader.le32();
  if (!reader.ok() || streams == 0 || streams >= most_streams) return 0;
  std::uint64_t position = main->next();
  std::uint32_t found = 0;
  while (position < list.end() && found < streams) {
    const auto chunk = read_chunk(content, position);
    if (!chunk || chunk->end() > list.end()) return 0;
    if (chunk->name == four_letters("LIST") && letters_at(content, chunk->data) == four_letters("strl")) {
      const auto header = read_chunk(content, chunk->data + 4);
      if (!header || header->name != four_letters("strh") || header->length < 48) return 0;
      kinds[found++] = read_kind(content, *header);
    }
    position = chunk->next();
  }
  return found == streams ? streams : 0;
}

// Whether an entry of idx1 names the chunk that lies where it says; offsets count from the film's list's kind, or, in
// files of some programs, from the file's beginning.
bool names_chunk(const Content& content, std::uint64_t entry, std::uint64_t base, std::uint64_t& place) {
  Reader reader(content, entry);
  const std::uint32_t name = reader.be32();
  reader.le32();
  place = base + reader.le32();
  const std::uint32_t length = reader.le32();
  if (!reader.ok()) return false;
  const auto chunk = read_chunk(content, place);
  if (!chunk) return false;
  return chunk->name == name && (chunk->name == four_letters("LIST") || chunk->length == length);
}

bool index_agrees(const Content& content, const RiffChunk& index, std::uint64_t movi) {
  std::uint64_t place = 0;
  const std::uint64_t base = names_chunk(content, index.data, movi, place) ? movi : 0;
  for (std::uint64_t entry = index.data; entry + index_entry <= index.end(); entry += index_entry) {
    if (!names_chunk(content, entry, base, place)) return false;
  }
  return true;
}

// The first chunk from `from` on that the index (where it is said to lie) finds in its place; 0: none.
std::uint64_t resync(const Content& content, const State& state, std::uint64_t from) {
  const auto index = read_chunk(content, state.movi_end);
  const bool is_index = index && index->name == four_letters("idx1") && index->end() <= state.riff_end;
  if (!is_index || state.riff_end > content.size()) return 0;
  std::uint64_t place = 0;
  const std::uint64_t base = names_chunk(content, index->data, state.movi, place) ? state.movi : 0;
  for (std::uint64_t entry = index->data; entry + index_entry <= index->end(); entry += index_entry) {
    if (names_chunk(content, entry, base, place) && place >= from) return place;
  }
  return 0;
}

// No chunk begins at state.position, where the one before ends.
Verdict broken(const Content& content, const State& state) {
  const std::uint64_t sound = std::max(state.before, std::min<std::uint64_t>(state.position, list_header));
  const std::uint64_t suspect = std::min(state.position + riff_chunk_header, content.size());
  if (state.movi_end != 0) {
    if (const std::uint64_t found = resync(content, state, state.position)) {
      Verdict verdict = Verdict::broken(sound, suspect, state.riff_end, DoubtCause::missing_segment);
      verdict.doubts = {{sound, found - sound, DoubtCause::missing_segment}};
      return verdict;
    }
  }
  const std::uint64_t end = std::min(state.position, content.size());
  return Verdict::broken(std::min(sound, end), suspect, end, DoubtCause::missing_segment);
}

// A picture isn't one: overwritten, if the index finds those behind it, else the film goes on elsewhere.
Verdict broken_picture(const Content& content, const State& state, const RiffChunk& chunk) {
  const std::uint64_t found = resync(content, state, chunk.end());
  const std::uint64_t length = found != 0 ? state.riff_end : packed_end(content, chunk.data, chunk.end());
  Verdict verdict = Verdict::broken(chunk.data, chunk.end(), length, DoubtCause::missing_segment);
  if (found != 0) verdict.doubts = {{chunk.data, chunk.length, DoubtCause::missing_segment}};
  return verdict;
}

// Whether a chunk of the film is what its stream's kind says, if the stream's first one was.
bool keeps_kind(const Content& content, const RiffChunk& chunk, State& state) {
  constexpr std::uint64_t shortest = 8;  // bytes
  const bool is_index = chunk.name >> 16 == ('i' << 8 | 'x');
  if (is_index || !is_film_chunk(chunk.name, state.streams) || chunk.length < shortest) return true;
  const unsigned stream = stream_of(chunk.name);
  PictureKind& kind = state.kinds[stream];
  if (kind == PictureKind::unknown || chunk.end() > content.size()) return true;
  const bool holds = is_picture(content, chunk.data, chunk.end(), kind);
  if (!holds && !state.is_kept[stream]) kind = PictureKind::unknown;
  state.is_kept[stream] |= holds;
  return holds || kind == PictureKind::unknown;
}

// A chunk within the film's list; false where it can't be one.
bool take_film(const Content& content, const RiffChunk& chunk, State& state) {
  const bool is_record = chunk.name == four_letters("LIST") && letters_at(content, chunk.data) == four_letters("rec ");
  if (!is_record && !is_film_chunk(chunk.name, state.streams) && !is_known(chunk.name)) return false;
  if (chunk.end() > state.movi_end) return false;
  state.frames += is_film_chunk(chunk.name, state.streams) ? 1 : 0;
  state.position = is_record ? chunk.data + 4 : chunk.next();
  if (chunk.end() == state.movi_end) state.position = state.movi_end;
  return true;
}

bool take_beside(const Content& content, const RiffChunk& chunk, State& state) {
  if (!is_known(chunk.name) || chunk.end() > state.riff_end) return false;
  state.position = chunk.end() == state.riff_end ? chunk.end() : chunk.next();
  if (chunk.name == four_letters("LIST") && letters_at(content, chunk.data) == four_letters("movi")) {
    if (chunk.length < 4) return false;
    if (state.movi == 0) state.movi = chunk.data;
    state.movi_end = chunk.end();
    state.position = chunk.data + 4;
  }
  if (chunk.name == four_letters("idx1") && state.movi != 0 && chunk.end() <= content.size()) {
    state.has_index = true;
    state.index_agrees = index_agrees(content, chunk, state.movi);
  }
  return true;
}

// RIFF, AVI and LIST hdrl.
bool begin(const Content& content, State& state) {
  const auto riff = read_chunk(content, 0);
  if (!riff || riff->name != four_letters("RIFF") || letters_at(content, 8) != four_letters("AVI ")) return false;
  const auto list = read_chunk(content, list_header);
  if (!list || list->name != four_letters("LIST") || letters_at(content, list->data) != four_letters("hdrl")) {
    return false;
  }
  if (list->end() > content.size()) return false;
  state.streams = read_streams(content, *list, state.kinds);
  state.riff_end = state.first_end = riff->end();
  state.before = list->begin;
  state.position = list->next();
  return state.streams > 0;
}

Verdict end(const State& state) {
  Verdict verdict = Verdict::whole(state.position);
  if (state.frames == 0 || !state.index_agrees) verdict.tier = Tier::plausible;
  return verdict;
}

Verdict validate(const Content& content, Memory& memory) {
  State state;
  if (const auto* known = static_cast<const State*>(memory.latest())) {
    state = *known;
  } else if (!begin(content, state)) {
    return {};
  }
  for (std::uint64_t kept = memory.offset();;) {
    if (state.movi_end != 0 && state.position == state.movi_end) {
      state.position += state.movi_end == state.riff_end ? 0 : state.movi_end & 1;
      state.movi_end = 0;
    }
    if (state.position == state.riff_end) {
      const auto more = read_chunk(content, state.position);
      const bool goes_on =
          more && more->name == four_letters("RIFF") && letters_at(content, more->data) == four_letters("AVIX");
      if (!goes_on || more->end() > content.size()) return end(state);
      state.before = more->begin;
      state.riff_end = more->end();
      state.position = more->data + 4;
    }
    const auto chunk = read_chunk(content, state.position);
    State next = state;
    next.before = state.position;
    const bool holds =
        chunk && (state.movi_end != 0 ? take_film(content, *chunk, next) : take_beside(content, *chunk, next));
    if (!holds || next.position > content.size()) return broken(content, state);
    if (state.movi_end != 0 && !keeps_kind(content, *chunk, next)) return broken_picture(content, state, *chunk);
    state = next;
    if (state.position >= kept + (std::uint64_t{64} << 10) && !state.has_index) {
      kept = state.position;
      memory.keep(std::min(state.position, content.size()), std::make_shared<State>(state));
    }
  }
}

// The index is said to lie behind the film: how much later does it?
std::vector<std::uint64_t> gaps(const Content& content, const Verdict& verdict) {
  State state;
  if (!begin(content, state)) return {};
  while (state.position < verdict.length && state.movi_end == 0) {
    const auto chunk = read_chunk(content, state.position);
    if (!chunk || !take_beside(content, *chunk, state)) return {};
  }
  std::vector<std::uint64_t> found;
  if (state.movi_end == 0) return found;
  const std::uint64_t last = state.movi_end + farthest_index;
  for (std::uint64_t place = state.movi_end; found.size() < indexes_tried;) {
    place = find(content, "idx1", place, last);
    if (place == last) break;
    const auto index = read_chunk(content, place);
    if (index && index->length % index_entry == 0) found.push_back(place - state.movi_end);
    ++place;
  }
  return found;
}

}  // namespace

extern const Validator avi_validator;
const Validator avi_validator = {"avi", validate, nullptr, nullptr, gaps};

}  // namespace exhibit::carve
