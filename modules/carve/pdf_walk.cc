#include "carve/pdf_walk.h"

#include <algorithm>

#include "carve/pdf_xref.h"

namespace exhibit::carve::pdf {
namespace {

constexpr std::string_view header = "%PDF-", end_mark = "%%EOF", table_mark = "xref", stream_end = "endstream",
                           object_end = "endobj";
// What no offset tells of must be close together, or foreign bytes could lie within: a trailer's keys (identifiers lie
// between), and the last lines.
constexpr std::uint64_t most_between_keys = 400;                   // bytes: less than a sector
constexpr std::uint64_t most_between_lines = 256;                  // bytes
constexpr std::uint64_t longest_checked_string = 400;              // bytes: longer ones may hold a seam
constexpr std::uint64_t longest_comment = 512;                     // bytes
constexpr std::uint64_t most_plain = std::uint64_t{8} << 30;       // bytes: a bomb isn't inflated to its end
constexpr std::uint64_t longest_search = std::uint64_t{64} << 20;  // bytes: of a stream without a length
constexpr std::uint64_t state_spacing = std::uint64_t{16} << 10;   // bytes

// A stream ends where its dictionary says, but for an end of line that some programs count (7.3.8.1). It has to say it.
bool is_length_wrong(const Dictionary& dictionary, std::uint64_t length) {
  if (!dictionary.length) return !dictionary.length_object;
  return length > *dictionary.length || *dictionary.length - length > 2;
}

bool starts_with_at(const Content& content, std::uint64_t position, std::string_view text) {
  return starts_with(content.at(position, text.size()), text);
}

}  // namespace

bool is_header(ByteSpan head) {
  return starts_with(head, header) && head.size() > 8 && (head[5] == '1' || head[5] == '2') && head[6] == '.' &&
         head[7] >= '0' && head[7] <= '9';
}

std::uint64_t find_in_file(const Content& content, std::string_view pattern, std::uint64_t from, std::uint64_t to) {
  constexpr std::uint64_t step = std::uint64_t{16} << 10;  // bytes
  for (std::uint64_t at = from; at < to; at += step) {
    const std::uint64_t end = std::min(to, at + step + pattern.size() - 1);
    const std::uint64_t hit = find(content, pattern, at, end);
    if (hit < end) return hit;
    const std::uint64_t other = find(content, header, at, end);
    if (other < end && is_header(content.at(other, 16))) break;
  }
  return to;
}

Walk::Walk(const Content& content, Memory& memory) : content_(content), memory_(memory) {
  const auto* known = static_cast<const State*>(memory.latest());
  is_new_ = known == nullptr;
  if (!is_new_) state_ = *known;
}

Walk::Step Walk::run() {
  for (;;) {
    if (state_.position > kept_ + state_spacing && !state_.stream) keep();
    const Step step = this->step();
    if (step != Step::on) return step;
  }
}

void Walk::keep() {
  kept_ = state_.position;
  if (is_new_) memory_.keep(state_.position, std::make_shared<State>(state_));
}

void Walk::resume(std::uint64_t position) {
  state_.position = position;
  state_.stream.reset();
  state_.length_object = 0;
}

Walk::Step Walk::broken(std::uint64_t sound, std::uint64_t suspect, bool in_packed_data) {
  sound_ = sound;
  suspect_ = std::min(suspect, content_.size());
  in_packed_data_ = in_packed_data;
  return Step::broken;
}

Walk::Step Walk::step() {
  if (state_.stream) return stream();
  const std::uint64_t at = skip_space(content_, state_.position);
  const ByteSpan head = content_.at(at, 16);
  if (head.empty()) return broken(state_.position, at + 1);
  if (starts_with(head, end_mark)) return end(at + end_mark.size());
  if (at > 0 && is_header(head)) return broken(state_.position, at);  // another file
  if (head[0] == '%') return comment(at);
  if (head[0] >= '0' && head[0] <= '9') return object(at);
  if (starts_with(head, table_mark)) return table(at);
  if (starts_with(head, start_mark)) return start(at + start_mark.size());
  return broken(state_.position, at + 1);
}

Walk::Step Walk::comment(std::uint64_t at) {
  const ByteSpan line = content_.at(at, longest_comment);
  for (std::size_t i = 1; i < std::min<std::size_t>(line.size(), longest_comment); ++i) {
    if (line[i] == '\n' || line[i] == '\r') {
      state_.position = at + i;
      return Step::on;
    }
  }
  return broken(state_.position, at + 1);
}

Walk::Step Walk::table(std::uint64_t at) {
  std::uint64_t reached = at;
  const auto section = read_section(content_, at, &reached);
  // Its lines aren't proved until the objects are looked up.
  if (!section) return broken(at, reached + cluster);
  if (section->dictionary.longest_between_keys > most_between_keys) return broken(at, section->end);
  note_section(at, section->dictionary);
  state_.position = state_.tail = section->end;
  return Step::on;
}

void Walk::note_section(std::uint64_t at, const Dictionary& dictionary) {
  state_.section = at;
  // The first section of a linearized file tells before there are streams.
  if (dictionary.is_encrypted && state_.inflated == 0) state_.is_encrypted = true;
}

bool Walk::is_right_behind_section(std::uint64_t at) const {
  return state_.tail == 0 || at <= state_.tail + most_between_lines;
}

Walk::Step Walk::start(std::uint64_t at) {
  std::uint64_t end = 0;
  const auto value = read_integer(content_, skip_space(content_, at), &end);
  if (!value || !is_right_behind_section(end)) return broken(std::max(state_.tail, state_.section), end + 1);
  state_.start = *value;
  state_.position = end;
  if (state_.tail > 0) state_.tail = end;
  return Step::on;
}

Walk::Step Walk::end(std::uint64_t at) {
  if (!is_right_behind_section(at)) return broken(state_.tail, at);
  state_.tail = 0;
  const ByteSpan line = content_.at(at, 2);
  if (!line.empty() && line[0] == '\r') ++at;
  if (!line.empty() && line[line[0] == '\r' && line.size() > 1 ? 1 : 0] == '\n') ++at;
  state_.end = state_.position = at;
  if (state_.whole > 0 && at == state_.whole) return Step::finished;
  const std::uint64_t next = skip_space(content_, at);
  std::uint64_t end = 0;
  const auto number = read_integer(content_, next, &end);
  const auto generation = number ? read_integer(content_, skip_space(content_, end), &end) : std::nullopt;
  const bool goes_on =
      (generation && is_object_at(content_, next, *number, *generation)) || starts_with_at(content_, next, table_mark);
  return goes_on || state_.whole > at ? Step::on : Step::finished;
}

Walk::Step Walk::object(std::uint64_t at) {
  std::uint64_t reached = 0;
  const auto object = read_object(content_, at, &reached);
  if (!object) return broken(at, reached);
  if (state_.length_object == object->number && object->integer) {
    // A line's end before `endstream` isn't counted.
    const bool agrees = *object->integer <= state_.length && state_.length - *object->integer <= 2;
    if (!agrees) return broken(state_.length_begin, at);
  }
  state_.length_object = 0;
  if (object->dictionary.linearized_length && state_.objects == 0) state_.whole = *object->dictionary.linearized_length;
  const bool is_table = object->dictionary.type == "XRef";
  if (is_table && object->dictionary.longest_between_keys > most_between_keys) return broken(at, object->end);
  if (is_table) note_section(at, object->dictionary);
  const bool has_seam = at < content_.seam() && content_.seam() < object->end;
  if (has_seam && object->dictionary.longest_string > longest_checked_string) state_.is_seam_unproved = true;
  ++state_.objects;
  state_.position = object->end;
  if (object->is_stream) state_.stream = *object;
  return Step::on;
}

std::uint64_t Walk::behind_stream(std::uint64_t position) const {
  const std::uint64_t mark = skip_space(content_, position);
  if (!starts_with_at(content_, mark, stream_end)) return 0;
  const std::uint64_t end = skip_space(content_, mark + stream_end.size());
  return starts_with_at(content_, end, object_end) ? end + object_end.size() : 0;
}

Walk::Step Walk::stream() {
  const Object object = *state_.stream;
  const Dictionary& dictionary = object.dictionary;
  std::uint64_t data_end = 0, end = 0;
  if (dictionary.length) {
    data_end = object.end + std::min(*dictionary.length, content_.size());
    end = behind_stream(data_end);
    // A trial that doesn't lead to the stream's end isn't worth a look at its data.
    if (end == 0 && !is_new_) return broken(object.begin, object.end);
  }
  const bool is_packed = dictionary.filter == Filter::flate && (!state_.is_encrypted || dictionary.type == "XRef");
  if (is_packed) {
    const Step step = packed(object, end);
    if (step != Step::on || !state_.stream) return step;
  }
  return plain(object, data_end, end);
}

// The data of a stream, which hold.
void Walk::close_packed(const Object& object, std::uint64_t data_end, std::uint64_t end) {
  if (object.dictionary.type != "XRef") ++state_.inflated;
  if (is_length_wrong(object.dictionary, data_end - object.end)) state_.has_wrong_length = true;
  close(object, data_end, end);
}

Walk::Step Walk::packed(const Object& object, std::uint64_t known_end) {
  const bool goes_on = state_.checkpoint.inflate != nullptr;
  if (!goes_on && content_.seam() == 0) {
    const auto all = inflate_at_once(content_, object.end, known_end > 0 ? *object.dictionary.length : packed_tried,
                                     Inflate::Wrapping::zlib);
    const std::uint64_t data_end = object.end + (all ? all->consumed : 0);
    const std::uint64_t end = known_end > 0 || !all ? known_end : behind_stream(data_end);
    if (all && end > 0 && data_end <= end) {
      close_packed(object, data_end, end);
      return Step::on;
    }
  }
  Inflate inflate = goes_on ? Inflate(*state_.checkpoint.inflate) : Inflate(Inflate::Wrapping::zlib);
  std::deque<Checkpoint> recent;
  const auto status = inflate_remembering(inflate, content_, goes_on ? state_.checkpoint.position : object.end,
                                          content_.size(), most_plain, recent);
  const std::uint64_t data_end = object.end + inflate.consumed();
  const std::uint64_t end = known_end > 0 ? known_end : behind_stream(data_end);
  state_.checkpoint = {};
  if (status == Inflate::Status::ended && end > 0 && data_end <= end) {
    close_packed(object, data_end, end);
    return Step::on;
  }
  // Encrypted streams don't even begin like ones that are packed.
  constexpr std::uint64_t zlib_header = 2;
  looks_encrypted_ = state_.inflated == 0 && inflate.consumed() <= zlib_header;
  // Of a trial, the sections are asked in the end.
  if (looks_encrypted_ && (!is_new_ || is_encryption_told(object.end))) {
    state_.is_encrypted = true;
    return Step::on;
  }
  keep_within(object, recent);
  return broken(object.begin, data_end, true);
}

bool Walk::is_encryption_told(std::uint64_t from) const {
  const std::uint64_t to = from + std::min(content_.size() - from, farthest_end);
  return find_in_file(content_, "/Encrypt", from, to) < to;
}

Walk::Step Walk::plain(const Object& object, std::uint64_t data_end, std::uint64_t end) {
  if (end == 0) {
    const std::uint64_t to = object.end + std::min(content_.size() - object.end, longest_search);
    data_end = find_in_file(content_, stream_end, object.end, to);
    end = data_end < to ? behind_stream(data_end) : 0;
    // A length that leads elsewhere: something was put in between, or is gone.
    if (end == 0 || object.dictionary.length) {
      keep_within(object, {});
      return broken(object.begin, data_end);
    }
  }
  const bool has_seam = object.end < content_.seam() && content_.seam() < data_end;
  if (!is_proved(object, data_end) || (has_seam && object.dictionary.filter == Filter::none)) {
    state_.unproved += data_end - object.end;
    state_.is_seam_unproved |= has_seam;
  }
  if (is_length_wrong(object.dictionary, data_end - object.end)) state_.has_wrong_length = true;
  close(object, data_end, end);
  return Step::on;
}

bool Walk::is_proved(const Object& object, std::uint64_t data_end) const {
  const std::uint64_t length = data_end - object.end;
  if (state_.is_encrypted || length == 0) return length == 0;
  if (object.dictionary.filter == Filter::none) return is_text(object.end, data_end);
  const Validator* picture = object.dictionary.filter == Filter::dct   ? find_validator("jpeg")
                             : object.dictionary.filter == Filter::jpx ? find_validator("jpeg2000")
                                                                       : nullptr;
  if (picture == nullptr) return false;
  Memory memory;
  const PartContent part(content_, object.end, length);
  const Verdict verdict = picture->validate(part, memory);
  constexpr std::uint64_t slack = 16;  // bytes: line ends before `endstream`, and padding
  return verdict.tier == Tier::validated && length - verdict.length <= slack;
}

bool Walk::is_text(std::uint64_t from, std::uint64_t to) const {
  while (from < to) {
    ByteSpan bytes = content_.at(from, std::min<std::uint64_t>(cluster, to - from));
    bytes = bytes.first(std::min<std::uint64_t>(bytes.size(), to - from));
    if (bytes.empty()) return false;
    for (const std::uint8_t byte : bytes) {
      if (byte < 0x09 || (byte > 0x0d && byte < 0x20)) return false;
    }
    from += bytes.size();
  }
  return true;
}

void Walk::close(const Object& object, std::uint64_t data_end, std::uint64_t end) {
  state_.stream.reset();
  state_.position = end;
  if (object.dictionary.type == "XRef") state_.tail = data_end;
  if (!object.dictionary.length_object) return;
  state_.length_object = *object.dictionary.length_object;
  state_.length = data_end - object.end;
  state_.length_begin = object.begin;
}

void Walk::keep_within(const Object& object, const std::deque<Checkpoint>& recent) {
  if (!is_new_) return;
  State within = state_;
  within.stream.reset();
  within.position = object.begin;
  --within.objects;
  memory_.keep(object.begin, std::make_shared<State>(within));
  within = state_;
  for (const Checkpoint& checkpoint : recent) {
    within.position = checkpoint.position;
    within.checkpoint = checkpoint;
    memory_.keep(checkpoint.position, std::make_shared<State>(within));
  }
}

}  // namespace exhibit::carve::pdf
