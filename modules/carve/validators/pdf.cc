// PDF (ISO 32000-1:2008). Objects follow each other without gaps; cross-reference sections say where each one lies,
// and the last lines where the last section does (7.5.5). Streams that FlateDecode packs carry an Adler-32.

#include <algorithm>

#include "carve/foreign_sector.h"
#include "carve/inflate.h"
#include "carve/pdf_syntax.h"
#include "carve/pdf_xref.h"
#include "carve/validator.h"

namespace exhibit::carve {
namespace {

using namespace pdf;

constexpr std::string_view header = "%PDF-", end_mark = "%%EOF", start_mark = "startxref", table_mark = "xref",
                           stream_end = "endstream", object_end = "endobj";
// Bytes of streams that nothing vouches for with which a file is still `validated`.
constexpr std::uint64_t most_unproved = 2048;
constexpr std::uint64_t longest_comment = 512;                     // bytes
constexpr std::uint64_t cluster = 4096;                            // bytes: where cuts are
constexpr std::uint64_t most_plain = std::uint64_t{8} << 30;       // bytes: a bomb isn't inflated to its end
constexpr std::uint64_t farthest_end = std::uint64_t{16} << 20;    // bytes from a break to the file's end
constexpr std::uint64_t longest_search = std::uint64_t{64} << 20;  // bytes: of a stream without a length
constexpr std::uint64_t state_spacing = std::uint64_t{16} << 10;   // bytes
constexpr unsigned most_gaps = 8, most_repairs = 256;

struct State : Memory::State {
  std::uint64_t position = 0;
  std::uint64_t objects = 0;
  std::uint64_t unproved = 0;                                     // bytes of streams
  std::uint64_t inflated = 0;                                     // streams whose checksum held
  bool is_headless = false;                                       // begins with an object
  bool is_encrypted = false;                                      // the first stream isn't what its filter says
  std::uint64_t start = 0;                                        // what the last `startxref` says
  std::uint64_t section = 0;                                      // where the last cross-reference section lies
  std::uint64_t end = 0;                                          // behind the last `%%EOF`
  std::uint64_t whole = 0;                                        // the length that a linearized file states (annex F)
  std::uint64_t length_object = 0, length = 0, length_begin = 0;  // of a stream whose length is the next object
  std::optional<Object> stream;                                   // in whose data `position` is
  Checkpoint checkpoint;
};

bool starts_with_at(const Content& content, std::uint64_t position, std::string_view text) {
  return starts_with(content.at(position, text.size()), text);
}

bool is_header(ByteSpan head) {
  return starts_with(head, header) && head.size() > 8 && (head[5] == '1' || head[5] == '2') && head[6] == '.' &&
         head[7] >= '0' && head[7] <= '9';
}

// Where `pattern` lies in [from, to), else `to`; not beyond another file's header, so that many of them cost no more
// than one.
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

class Walk {
 public:
  Walk(const Content& content, Memory& memory) : content_(content), memory_(memory) {
    const auto* known = static_cast<const State*>(memory.latest());
    is_new_ = known == nullptr;
    if (!is_new_) state_ = *known;
  }

  enum class Step { on, broken, finished };

  // Up to the file's end, or to where it breaks: then sound() and suspect() tell where.
  Step run() {
    for (;;) {
      if (state_.position > kept_ + state_spacing && !state_.stream) keep();
      const Step step = this->step();
      if (step != Step::on) return step;
    }
  }

  State& state() { return state_; }
  bool is_new() const { return is_new_; }
  void keep() {
    kept_ = state_.position;
    if (is_new_) memory_.keep(state_.position, std::make_shared<State>(state_));
  }
  void resume(std::uint64_t position) {
    state_.position = position;
    state_.stream.reset();
    state_.length_object = 0;
  }
  std::uint64_t sound() const { return sound_; }
  std::uint64_t suspect() const { return suspect_; }
  bool in_packed_data() const { return in_packed_data_; }

 private:
  Step broken(std::uint64_t sound, std::uint64_t suspect, bool in_packed_data = false) {
    sound_ = sound;
    suspect_ = std::min(suspect, content_.size());
    in_packed_data_ = in_packed_data;
    return Step::broken;
  }

  Step step() {
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

  Step comment(std::uint64_t at) {
    const ByteSpan line = content_.at(at, longest_comment);
    for (std::size_t i = 1; i < std::min<std::size_t>(line.size(), longest_comment); ++i) {
      if (line[i] == '\n' || line[i] == '\r') {
        state_.position = at + i;
        return Step::on;
      }
    }
    return broken(state_.position, at + 1);
  }

  Step table(std::uint64_t at) {
    const auto section = read_section(content_, at);
    // Its lines aren't proved until the objects are looked up.
    if (!section) return broken(at, at + cluster * 2);
    state_.section = at;
    state_.position = section->end;
    return Step::on;
  }

  Step start(std::uint64_t at) {
    std::uint64_t end = 0;
    const auto value = read_integer(content_, skip_space(content_, at), &end);
    if (!value) return broken(state_.position, end + 1);
    state_.start = *value;
    state_.position = end;
    return Step::on;
  }

  // `%%EOF` with the line's end as programs write it. A later revision may follow, or the rest of a linearized file.
  Step end(std::uint64_t at) {
    const ByteSpan line = content_.at(at, 2);
    if (!line.empty() && line[0] == '\r') ++at;
    if (!line.empty() && line[line[0] == '\r' && line.size() > 1 ? 1 : 0] == '\n') ++at;
    state_.end = state_.position = at;
    if (state_.whole > 0 && at == state_.whole) return Step::finished;
    const std::uint64_t next = skip_space(content_, at);
    std::uint64_t end = 0;
    const auto number = read_integer(content_, next, &end);
    const auto generation = number ? read_integer(content_, skip_space(content_, end), &end) : std::nullopt;
    const bool goes_on = (generation && is_object_at(content_, next, *number, *generation)) ||
                         starts_with_at(content_, next, table_mark);
    return goes_on || state_.whole > at ? Step::on : Step::finished;
  }

  Step object(std::uint64_t at) {
    std::uint64_t reached = 0;
    const auto object = read_object(content_, at, &reached);
    if (!object) return broken(at, reached);
    if (state_.length_object == object->number && object->integer) {
      // A line's end before `endstream` isn't counted.
      const bool agrees = *object->integer <= state_.length && state_.length - *object->integer <= 2;
      if (!agrees) return broken(state_.length_begin, at);
    }
    state_.length_object = 0;
    if (object->dictionary.linearized_length && state_.objects == 0)
      state_.whole = *object->dictionary.linearized_length;
    if (object->dictionary.type == "XRef") state_.section = at;
    ++state_.objects;
    state_.position = object->end;
    if (object->is_stream) state_.stream = *object;
    return Step::on;
  }

  // Where `endstream` follows at `position`, behind it and `endobj`; 0: it doesn't.
  std::uint64_t behind_stream(std::uint64_t position) const {
    const std::uint64_t mark = skip_space(content_, position);
    if (!starts_with_at(content_, mark, stream_end)) return 0;
    const std::uint64_t end = skip_space(content_, mark + stream_end.size());
    return starts_with_at(content_, end, object_end) ? end + object_end.size() : 0;
  }

  Step stream() {
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

  // FlateDecode: the stream's own checksum. `state_.stream` stays: it may be encrypted.
  Step packed(const Object& object, std::uint64_t known_end) {
    const bool goes_on = state_.checkpoint.inflate != nullptr;
    Inflate inflate = goes_on ? Inflate(*state_.checkpoint.inflate) : Inflate(Inflate::Wrapping::zlib);
    std::deque<Checkpoint> recent;
    const auto status = inflate_remembering(inflate, content_, goes_on ? state_.checkpoint.position : object.end,
                                            content_.size(), most_plain, recent);
    const std::uint64_t data_end = object.end + inflate.consumed();
    const std::uint64_t end = known_end > 0 ? known_end : behind_stream(data_end);
    state_.checkpoint = {};
    if (status == Inflate::Status::ended && end > 0 && data_end <= end) {
      ++state_.inflated;
      close(object, data_end, end);
      return Step::on;
    }
    // Encrypted streams don't even begin like ones that are packed.
    constexpr std::uint64_t zlib_header = 2;
    if (state_.inflated == 0 && inflate.consumed() <= zlib_header && is_encryption_told(object.end)) {
      state_.is_encrypted = true;
      return Step::on;
    }
    keep_within(object, recent);
    return broken(object.begin, data_end, true);
  }

  bool is_encryption_told(std::uint64_t from) const {
    const std::uint64_t to = from + std::min(content_.size() - from, is_new_ ? farthest_end : farthest_end / 4);
    return find_in_file(content_, "/Encrypt", from, to) < to;
  }

  // What can't be unpacked, or isn't packed: it ends where its length or `endstream` says.
  Step plain(const Object& object, std::uint64_t data_end, std::uint64_t end) {
    if (end == 0) {
      const std::uint64_t to = object.end + std::min(content_.size() - object.end, longest_search);
      data_end = find_in_file(content_, stream_end, object.end, to);
      end = data_end < to ? behind_stream(data_end) : 0;
      // A length that leads elsewhere: something was put in between, or is gone.
      if (end == 0 || object.dictionary.length) return broken(object.begin, data_end);
    }
    if (!is_proved(object, data_end)) state_.unproved += data_end - object.end;
    close(object, data_end, end);
    return Step::on;
  }

  // Pictures are judged by their own format.
  bool is_proved(const Object& object, std::uint64_t data_end) const {
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

  bool is_text(std::uint64_t from, std::uint64_t to) const {
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

  void close(const Object& object, std::uint64_t data_end, std::uint64_t end) {
    state_.stream.reset();
    state_.position = end;
    if (!object.dictionary.length_object) return;
    state_.length_object = *object.dictionary.length_object;
    state_.length = data_end - object.end;
    state_.length_begin = object.begin;
  }

  // So that a search for fragments goes on from where the stream was still in order.
  void keep_within(const Object& object, const std::deque<Checkpoint>& recent) {
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

  const Content& content_;
  Memory& memory_;
  State state_;
  bool is_new_ = false, in_packed_data_ = false;
  std::uint64_t kept_ = 0, sound_ = 0, suspect_ = 0;
};

// Where nothing proves the bytes at a seam: those around it should look packed, and what was left out shouldn't. Of
// equals, the shortest first piece is taken, for want of a better reason.
std::uint32_t misfit_of(const Content& content) {
  constexpr std::uint32_t foreign = 1u << 16;
  const std::uint64_t seam = content.seam();
  std::uint32_t misfit = 1 + static_cast<std::uint32_t>(std::min<std::uint64_t>(seam / cluster, foreign / 2));
  const auto looks_foreign = [](ByteSpan bytes) {
    return bytes.size() >= sector_bytes && !is_varied_sector(bytes.first(sector_bytes));
  };
  for (std::uint64_t at = seam >= cluster ? seam - cluster : 0; at < seam + cluster; at += sector_bytes) {
    if (looks_foreign(content.at(at, sector_bytes))) misfit += foreign;
  }
  if (!looks_foreign(content.behind_first_piece(sector_bytes))) misfit += foreign / 2;
  return misfit;
}

// The objects hold to the file's end: do its sections say that they lie there?
Verdict judge_end(const Content& content, const State& state) {
  Account account = check_sections(content, state.start, 0);
  const bool is_good = account.is_there && account.bad == 0 && account.good > 0 && state.objects > 0 &&
                       (!state.is_encrypted || account.is_encrypted) && (state.whole == 0 || state.whole == state.end);
  if (is_good) {
    Verdict verdict = Verdict::whole(state.end);
    const bool is_unproved = state.unproved > most_unproved;
    if (is_unproved) verdict.tier = Tier::plausible;
    if (is_unproved && content.seam() > 0) verdict.misfit = misfit_of(content);
    return verdict;
  }
  if (!account.is_there && state.section > 0) account = check_sections(content, state.section, 0);
  const std::uint64_t suspect = std::min(account.first_bad, state.end);
  return Verdict::broken(std::min(account.last_good, suspect), suspect, state.end, DoubtCause::missing_segment);
}

// A file that lacks its beginning: what is left holds, and its section says how much is gone.
Verdict judge_rest(const Content& content, const State& state) {
  if (state.section >= state.start || state.objects == 0) return {};
  const std::uint64_t gone = state.start - state.section;
  const Account account = check_sections(content, state.start, gone);
  if (account.good == 0 || account.bad > 0) return {};
  Verdict verdict = Verdict::whole(state.end);
  verdict.tier = Tier::plausible;
  verdict.doubts = {{0, 0, DoubtCause::missing_segment}};
  return verdict;
}

// What the section tells of that a `startxref` behind `from` speaks of, if it lies where that says.
std::vector<Entry> find_entries(const Content& content, std::uint64_t from, std::uint64_t* section) {
  const std::uint64_t to = from + std::min(content.size() - from, farthest_end + from);
  for (std::uint64_t at = find_in_file(content, start_mark, from, to); at < to;
       at = find_in_file(content, start_mark, at + 1, to)) {
    std::uint64_t end = 0;
    const auto offset = read_integer(content, skip_space(content, at + start_mark.size()), &end);
    if (!offset || *offset == 0 || *offset > at) continue;
    *section = *offset;
    if (auto entries = entries_from(content, *offset); !entries.empty()) return entries;
  }
  return {};
}

// Something in the midst was overwritten: the last section still lies where it should and tells of what follows.
std::optional<Verdict> go_on_behind(const Content& content, Walk& walk) {
  std::uint64_t section = 0;
  std::vector<Entry> entries = find_entries(content, walk.sound(), &section);
  if (entries.empty()) return std::nullopt;
  std::sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) { return a.offset < b.offset; });
  const std::uint64_t first_sound = walk.sound(), first_suspect = walk.suspect();
  std::vector<Doubt> doubts;
  for (unsigned i = 0; i < most_repairs; ++i) {
    const std::uint64_t sound = walk.sound();
    auto next = std::find_if(entries.begin(), entries.end(), [&](const Entry& entry) {
      return entry.offset > sound && is_object_at(content, entry.offset, entry.number, entry.generation);
    });
    // Behind the last object there is still the section.
    const std::uint64_t again = next != entries.end() ? next->offset : section;
    if (again <= sound) return std::nullopt;
    doubts.push_back({sound, again - sound, DoubtCause::crc_error});
    walk.resume(again);
    if (walk.run() != Walk::Step::finished) continue;
    Verdict verdict = Verdict::broken(first_sound, first_suspect, walk.state().end, DoubtCause::crc_error);
    verdict.doubts = std::move(doubts);
    return verdict;
  }
  return std::nullopt;
}

Verdict judge_broken(const Content& content, Walk& walk) {
  const std::uint64_t sound = walk.sound(), suspect = walk.suspect();
  const bool is_packed = walk.in_packed_data();
  if (walk.is_new() && walk.state().objects > 0) {
    if (const auto repaired = go_on_behind(content, walk)) return *repaired;
  }
  const std::uint64_t length = is_packed ? packed_end(content, sound, suspect) : std::min(sound, content.size());
  Verdict verdict = Verdict::broken(sound, suspect, length, DoubtCause::missing_segment);
  if (walk.state().objects == 0) verdict.tier = Tier::header_only;
  return verdict;
}

Verdict validate(const Content& content, Memory& memory) {
  Walk walk(content, memory);
  if (walk.is_new()) {
    std::uint64_t end = 0;
    const bool is_whole = is_header(content.at(0, 16));
    if (!is_whole && !read_integer(content, 0, &end)) return {};
    walk.state().is_headless = !is_whole;
    walk.keep();
  }
  const Walk::Step step = walk.run();
  if (walk.state().is_headless) return step == Walk::Step::finished ? judge_rest(content, walk.state()) : Verdict{};
  return step == Walk::Step::finished ? judge_end(content, walk.state()) : judge_broken(content, walk);
}

// Where the section really lies that the `startxref` at `at` speaks of: the last one before.
std::optional<std::uint64_t> section_before(const Content& content, std::uint64_t floor, std::uint64_t at) {
  const std::uint64_t table = find_last(content, "\nxref", floor, at);
  const std::uint64_t carriage = find_last(content, "\rxref", floor, at);
  const std::uint64_t word = table < at ? table : carriage;
  if (word < at && (carriage == at || word >= carriage)) return word + 1;
  if (carriage < at) return carriage + 1;
  std::uint64_t object = find_last(content, " obj", floor, at);
  if (object == at) return std::nullopt;
  // Back over the generation and the number.
  const auto back_over = [&](bool digits) {
    while (object > floor) {
      const ByteSpan byte = content.at(object - 1, 1);
      const bool is_digit = !byte.empty() && byte[0] >= '0' && byte[0] <= '9';
      if (byte.empty() || (digits ? !is_digit : byte[0] != ' ')) break;
      --object;
    }
  };
  back_over(false);
  back_over(true);
  back_over(false);
  back_over(true);
  return object;
}

// Of the file whose last lines are at `anchor`, where its header isn't there: the first object that still lies where
// the section says.
std::optional<std::uint64_t> begin_of(const Content& before, std::uint64_t anchor) {
  std::uint64_t floor = anchor - std::min(anchor, farthest_end);
  // Between two of them there is a section: many of them are no more to look at than one.
  const std::uint64_t previous = find_last(before, start_mark, floor, anchor);
  if (previous < anchor) floor = previous + start_mark.size();
  std::uint64_t end = 0;
  const auto stated = read_integer(before, skip_space(before, anchor + start_mark.size()), &end);
  const auto section = section_before(before, floor, anchor);
  if (!stated || !section || *stated == 0) return std::nullopt;
  if (*section >= *stated && is_header(before.at(*section - *stated, 16))) return std::nullopt;
  const auto table = read_section(before, *section);
  if (!table) return std::nullopt;
  std::optional<std::uint64_t> first;
  for (const Entry& entry : table->entries) {
    if (entry.offset + *section < *stated) continue;
    const std::uint64_t offset = entry.offset + *section - *stated;
    if (first && *first <= offset) continue;
    if (is_object_at(before, offset, entry.number, entry.generation)) first = offset;
  }
  return first;
}

std::vector<std::uint64_t> gaps(const Content& content, const Verdict& verdict) {
  std::vector<std::uint64_t> gaps;
  const std::uint64_t from = std::min(verdict.sound, content.size());
  const std::uint64_t to = from + std::min(content.size() - from, farthest_end);
  for (std::uint64_t at = find(content, start_mark, from, to); at < to && gaps.size() < most_gaps;
       at = find(content, start_mark, at + 1, to)) {
    std::uint64_t end = 0;
    const auto offset = read_integer(content, skip_space(content, at + start_mark.size()), &end);
    const auto section = section_before(content, from, at);
    if (!offset || !section || *offset == 0 || *offset >= *section) continue;
    const std::uint64_t gap = *section - *offset;
    if (std::find(gaps.begin(), gaps.end(), gap) == gaps.end()) gaps.push_back(gap);
  }
  return gaps;
}

}  // namespace

extern const Validator pdf_validator;
const Validator pdf_validator = {"pdf", validate, nullptr, begin_of, gaps};

}  // namespace exhibit::carve
