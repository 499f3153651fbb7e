// Standard MIDI files (MIDI Manufacturers Association, RP-001 1.0): a header that counts tracks; each track's events
// are gone through, and the last one must end it just where its length says.

#include <algorithm>

#include "carve/riff.h"
#include "carve/validator.h"

namespace exhibit::carve {
namespace {

constexpr std::uint32_t header_length = 6;  // bytes of MThd
constexpr unsigned most_tracks = 4096;      // of real files: a few dozen

// A variable-length quantity (RP-001, 1.1): seven bits a byte, four bytes at most.
bool read_quantity(Reader& reader, std::uint32_t& value) {
  value = 0;
  for (int i = 0; i < 4; ++i) {
    const unsigned byte = reader.u8();
    value = value << 7 | (byte & 0x7f);
    if ((byte & 0x80) == 0) return reader.ok();
  }
  return false;
}

enum class Event { next, end_of_track, impossible };

// A meta event or a system exclusive one (RP-001, 3).
Event skip_long_event(Reader& reader, unsigned status) {
  constexpr unsigned meta = 0xff, end_of_track = 0x2f, least_reserved = 0x80;
  const unsigned type = status == meta ? reader.u8() : 0;
  std::uint32_t length = 0;
  if (type >= least_reserved || !read_quantity(reader, length) || !reader.skip(length)) return Event::impossible;
  if (status != meta || type != end_of_track) return Event::next;
  return length == 0 ? Event::end_of_track : Event::impossible;
}

Event skip_event(Reader& reader, unsigned& running) {
  std::uint32_t delta = 0;
  if (!read_quantity(reader, delta)) return Event::impossible;
  unsigned first = reader.u8();
  if (first >= 0xf0) {
    if (first != 0xff && first != 0xf0 && first != 0xf7) return Event::impossible;
    running = 0;
    return skip_long_event(reader, first);
  }
  if (first >= 0x80) {
    running = first;
    first = reader.u8();
  }
  if (running == 0 || first >= 0x80) return Event::impossible;
  const bool has_two = (running & 0xe0) != 0xc0;  // programme and channel pressure have one
  if (has_two && reader.u8() >= 0x80) return Event::impossible;
  return reader.ok() ? Event::next : Event::impossible;
}

// Where the track's events stop: at its end if they hold.
std::uint64_t follow_track(const Content& content, const RiffChunk& track) {
  const PartContent part(content, 0, track.end());
  Reader reader(part, track.data);
  unsigned running = 0;
  for (;;) {
    const std::uint64_t before = reader.position();
    const Event event = skip_event(reader, running);
    if (event == Event::impossible) return before;
    if (event == Event::end_of_track) return reader.position();
  }
}

Verdict validate(const Content& content, Memory&) {
  const auto header = read_chunk(content, 0, true);
  if (!header || header->name != four_letters("MThd") || header->length != header_length) return {};
  Reader reader(content, header->data);
  const unsigned format = reader.be16(), tracks = reader.be16(), division = reader.be16();
  if (!reader.ok() || format > 2 || tracks == 0 || tracks > most_tracks || division == 0) return {};
  if (format == 0 && tracks != 1) return {};
  std::uint64_t position = header->next();
  for (unsigned i = 0; i < tracks; ++i) {
    const auto track = read_chunk(content, position, true);
    if (!track || track->name != four_letters("MTrk")) {
      if (i == 0) return {};
      const std::uint64_t end = std::min(position + riff_chunk_header, content.size());
      return Verdict::broken(position, end, position, DoubtCause::missing_segment);
    }
    const std::uint64_t stop = follow_track(content, *track);
    if (stop != track->end()) {
      if (i == 0 && stop < track->data + 16) return {};
      const bool is_there = letters_at(content, track->end()) == four_letters("MTrk");
      return Verdict::broken(track->data, std::min(stop + 8, content.size()), is_there ? track->end() : stop,
                             DoubtCause::missing_segment);
    }
    position = track->end();  // no padding here
  }
  return Verdict::whole(position);
}

}  // namespace

extern const Validator midi_validator;
const Validator midi_validator = {"midi", validate};

}  // namespace exhibit::carve
