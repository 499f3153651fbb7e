// ZIP (PKWARE APPNOTE 6.3.10) and what is built on it. Members lie one behind the other, each with the CRC-32 of its
// data; the central directory repeats what they say and where they lie, and its end record where it lies itself.

#include <algorithm>

#include "carve/foreign_sector.h"
#include "carve/validator.h"
#include "carve/zip_data.h"
#include "carve/zip_directory.h"
#include "carve/zip_kind.h"

namespace exhibit::carve {
namespace {

using namespace zip;

// Bytes of data that nothing vouches for (encrypted, or of a rare method) with which an archive is still `validated`.
constexpr std::uint64_t most_unproved = 4096;
// How far behind a break the directory is looked for: bytes, in proportion to what holds before, since hostile bytes
// may break at every turn.
constexpr std::uint64_t farthest_directory = std::uint64_t{16} << 20, nearest_directory = std::uint64_t{256} << 10,
                        directory_proportion = 256;
// The same where not even the first member holds, and headers that are tried on the way.
constexpr std::uint64_t near_first = std::uint64_t{64} << 10;
constexpr unsigned most_next = 4, most_hops = 128;
constexpr std::uint64_t state_spacing = std::uint64_t{16} << 10;  // bytes
// Of a member that breaks: as much of its data decodes by chance only rarely.
constexpr std::uint64_t least_sound_data = 1024;  // bytes
constexpr std::uint64_t longest_record = 4096;    // bytes: a gap may begin in the name of one that is no more
constexpr std::size_t most_gaps = 8;

struct State : Memory::State {
  std::uint64_t position = 0;
  Tally tally;                      // of the members before `position`
  std::uint64_t unproved = 0;       // bytes of their data
  bool has_contradictions = false;  // of what isn't needed to unpack them
  Kind kind;
  std::optional<Member> member;  // whose data `position` is in
  Checkpoint checkpoint;
};

class Archive {
 public:
  Archive(const Content& content, Memory& memory) : content_(content), memory_(memory) {
    const auto* known = static_cast<const State*>(memory.latest());
    is_new_ = known == nullptr;
    if (!is_new_) state_ = *known;
  }

  Verdict judge() {
    if (is_new_) {
      const ByteSpan head = content_.at(0, local_length);
      if (!read_local(content_, 0) && !starts_with(head, central_mark)) return {};
      memory_.keep(0, std::make_shared<State>(state_));
    }
    for (;;) {
      if (state_.position > kept_ + state_spacing) keep();
      const ByteSpan mark = content_.at(state_.position, 4);
      if (!state_.member && starts_with(mark, central_mark)) return judge_directory();
      if (!state_.member && starts_with(mark, extra_mark)) {  // 4.3.11: right before the directory
        Reader reader(content_, state_.position + 4);
        const std::uint64_t next = state_.position + 8 + reader.le32();
        if (!reader.ok() || !starts_with(content_.at(next, 4), central_mark)) {
          return broken(state_.position, std::min(content_.size(), state_.position + longest_record), nullptr);
        }
        state_.position = next;
        continue;
      }
      if (const std::uint64_t block = state_.member ? 0 : signing_block(content_, state_.position); block > 0) {
        state_.position += block;
        continue;
      }
      if (const auto verdict = member()) return *verdict;
    }
  }

 private:
  void keep() {
    memory_.keep(state_.position, std::make_shared<State>(state_));
    kept_ = state_.position;
  }

  // The member at the position, or the rest of the one that was left in its midst. A verdict: it breaks.
  std::optional<Verdict> member() {
    const bool goes_on = state_.member.has_value();
    const auto member = goes_on ? state_.member : read_local(content_, state_.position);
    if (!member) return broken(state_.position, std::min(content_.size(), state_.position + longest_record), nullptr);
    std::deque<Checkpoint> recent;
    const Data data = check_data(content_, *member, goes_on ? &state_.checkpoint : nullptr, !is_new_, recent);
    if (data.proof == Data::Proof::broken) {
      keep_within(*member, recent);
      return broken(member->offset, data.broken_at, &*member);
    }
    Member seen = *member;
    seen.crc = data.crc;
    seen.compressed = data.compressed;
    if (data.proof == Data::Proof::proved) seen.plain = data.plain;
    state_.has_contradictions |= !agree(member->crc, seen.crc, *member) || !agree(member->plain, seen.plain, *member);
    if (data.proof == Data::Proof::unproved) state_.unproved += data.compressed;
    state_.tally.note(seen, seen.offset);
    state_.kind.note(content_, seen);
    state_.member.reset();
    state_.checkpoint = {};
    state_.position = data.end;
    return std::nullopt;
  }

  // A header whose values follow behind the data has none (4.4.4), or the same.
  static bool agree(std::uint64_t stated, std::uint64_t found, const Member& member) {
    return stated == found || stated == 0 || !member.has_descriptor() || !member.is_provable();
  }

  // So that a search for fragments goes on from where the member's data still were in order.
  void keep_within(const Member& member, const std::deque<Checkpoint>& recent) {
    if (!is_new_) return;
    State within = state_;
    within.position = member.offset;
    memory_.keep(member.offset, std::make_shared<State>(within));
    within.member = member;
    for (const Checkpoint& checkpoint : recent) {
      within.position = checkpoint.position;
      within.checkpoint = checkpoint;
      memory_.keep(checkpoint.position, std::make_shared<State>(within));
    }
  }

  Verdict judge_directory() {
    const std::uint64_t begin = state_.position;
    Tally tally;
    std::uint64_t missing = 0;
    Reached reached{begin, begin};
    // The stated offset is only known behind the records: they are gone over twice where it isn't what it should be.
    const auto directory = read_directory(
        content_, begin, [&](const Member& member) { tally.note(member, member.offset); }, &reached);
    if (!directory) return broken(reached.last, std::min(content_.size(), reached.next + longest_record), nullptr);
    if (directory->stated() < begin) return broken(begin, directory->end.end, nullptr);
    const std::uint64_t shift = directory->stated() - begin;
    if (shift > 0) {
      tally = {};
      read_directory(content_, begin, [&](const Member& member) {
        state_.kind.note_name(member.name);
        if (member.offset < shift) return void(++missing);
        tally.note(member, member.offset - shift);
      });
    }
    const bool is_same = tally.agrees_with(state_.tally);
    if (is_same) state_.has_contradictions |= tally.details != state_.tally.details;
    const bool agrees = is_same || lists_what_is_there(*directory);
    if (shift > 0) return missing > 0 && agrees ? headless(directory->end.end) : broken(begin, begin + 4, nullptr);
    if (!agrees) return broken(begin, directory->end.end, nullptr);
    return whole(directory->end.end);
  }

  // The directory may leave members out that a later version of them replaced; it may not list others.
  bool lists_what_is_there(const Directory& directory) {
    if (directory.stated() != directory.begin || directory.end.records >= state_.tally.members) return false;
    bool agrees = true;
    read_directory(content_, directory.begin, [&](const Member& record) {
      if (!agrees) return;
      const auto local = read_local(content_, record.offset);
      agrees = local && record.offset < directory.begin && local->name == record.name &&
               local->method == record.method &&
               (local->has_descriptor() ||
                (local->crc == record.crc && local->compressed == record.compressed && local->plain == record.plain));
      state_.has_contradictions |= agrees && (local->flags != record.flags || local->time != record.time);
    });
    return agrees;
  }

  Verdict whole(std::uint64_t end) const {
    Verdict verdict = Verdict::whole(end, state_.kind.extension());
    if (state_.unproved > most_unproved || state_.has_contradictions) verdict.tier = Tier::plausible;
    return verdict;
  }

  // All that is there is in order, but the directory lists members that should lie before.
  Verdict headless(std::uint64_t end) const {
    Verdict verdict = Verdict::whole(end, state_.kind.extension());
    verdict.tier = Tier::plausible;
    verdict.doubts = {{0, 0, DoubtCause::missing_segment}};
    return verdict;
  }

  // Breaks in what begins at `sound`. `member`: whose data they are.
  Verdict broken(std::uint64_t sound, std::uint64_t suspect, const Member* member) {
    const bool is_packed = member != nullptr && member->method == deflated && member->is_provable();
    const bool holds = state_.tally.members > 0 || (is_packed && suspect >= member->end + least_sound_data);
    if (is_new_ && (holds || member != nullptr)) {
      if (const auto repaired = go_on_behind(sound, suspect, holds ? nullptr : member)) return *repaired;
    }
    // The data may be in order up to where they break, but not a byte further.
    const std::uint64_t length = is_packed ? packed_end(content_, sound, suspect) : std::min(sound, content_.size());
    Verdict verdict = Verdict::broken(sound, suspect, length, DoubtCause::missing_segment);
    verdict.suspect = suspect;
    verdict.extension = state_.kind.extension();
    if (!holds) verdict.tier = Tier::header_only;
    return verdict;
  }

  // Something in the midst was overwritten: the directory still lies where it says, and tells what else is damaged.
  // `first`: the archive's first member, if nothing holds before or in it.
  std::optional<Verdict> go_on_behind(std::uint64_t sound, std::uint64_t suspect, const Member* first) {
    std::uint64_t from = sound;
    auto directory = hop_to_directory(content_, sound, &from);
    const auto is_astray = [&] { return !directory || directory->stated() != directory->begin; };
    if (is_astray() && first != nullptr) directory = hop_behind(from);
    if (is_astray()) {
      const std::uint64_t wanted =
          first != nullptr
              ? std::max(near_first, looked_at(*first, suspect))
              : std::max(from, std::min(farthest_directory, nearest_directory + directory_proportion * sound));
      directory = find_directory(content_, from, from + std::min(content_.size() - from, wanted));
    }
    if (!directory || directory->begin < sound) return std::nullopt;
    Verdict verdict = Verdict::broken(sound, suspect, directory->end.end, DoubtCause::crc_error);
    verdict.doubts = doubts(*directory, sound);
    verdict.extension = state_.kind.extension();
    return verdict;
  }

  // The header that should be at `from` was overwritten too: do the next ones lead to the directory?
  std::optional<Directory> hop_behind(std::uint64_t from) const {
    const std::uint64_t to = from + std::min(content_.size() - from, near_first);
    std::uint64_t at = from;
    for (unsigned i = 0; i < most_next; ++i) {
      at = find(content_, local_mark, at + 1, to);
      if (at == to) break;
      std::uint64_t reached = 0;
      const auto directory = hop_to_directory(content_, at, &reached, most_hops);
      if (directory && directory->stated() == directory->begin) return directory;
    }
    return std::nullopt;
  }

  // Bytes that were gone over already in search of the member's end: as many more don't matter.
  static std::uint64_t looked_at(const Member& member, std::uint64_t suspect) {
    return member.has_sizes() ? 0 : suspect - std::min(suspect, member.offset);
  }

  // The members from `sound` on that aren't what the directory says, and what lies between them and the next.
  std::vector<Doubt> doubts(const Directory& directory, std::uint64_t sound) {
    std::vector<Doubt> doubts;
    std::uint64_t good_end = sound;                // a stretch is doubted up to where the next good member begins
    std::uint64_t left = directory.begin - sound;  // members that share bytes would cost more than what is there
    const auto doubt_up_to = [&](std::uint64_t end) {
      if (end > good_end) doubts.push_back({good_end, end - good_end, DoubtCause::crc_error});
    };
    read_directory(content_, directory.begin, [&](const Member& record) {
      state_.kind.note_name(record.name);
      if (record.offset < good_end || record.offset >= directory.begin || record.compressed > left) return;
      const auto local = read_local(content_, record.offset);
      if (!local || local->name != record.name || local->method != record.method) return;
      Member expected = *local;
      expected.compressed = record.compressed;
      expected.plain = record.plain;
      expected.crc = record.crc;
      left -= record.compressed;
      std::deque<Checkpoint> recent;
      const Data data = check_data(content_, expected, nullptr, true, recent);
      if (data.proof == Data::Proof::broken) return;
      doubt_up_to(record.offset);
      good_end = std::max(data.end, good_end);
    });
    doubt_up_to(directory.begin);
    return doubts;
  }

  const Content& content_;
  Memory& memory_;
  State state_;
  bool is_new_ = false;
  std::uint64_t kept_ = 0;
};

Verdict validate(const Content& content, Memory& memory) { return Archive(content, memory).judge(); }

// Of the directory that ends at `anchor`: the archive's begin where no local header's pattern finds it.
std::optional<std::uint64_t> begin_of_directory(const Content& before, std::uint64_t anchor) {
  const auto end = read_end_backward(before, anchor);
  if (!end || end->size < central_length || end->companions > anchor) return std::nullopt;
  const std::uint64_t directory_end = anchor - end->companions;
  if (end->size > directory_end) return std::nullopt;
  const std::uint64_t begin = directory_end - end->size;
  if (!starts_with(before.at(begin, 4), central_mark) || !is_one_directory(before, begin, anchor)) return std::nullopt;
  if (begin >= end->offset && read_local(before, begin - end->offset)) {
    const std::uint64_t first = begin - end->offset;
    return has_predecessor(before, first) ? std::optional(first) : std::nullopt;
  }
  bool is_alone = true;
  read_directory(before, begin, [&](const Member& record) {
    const std::uint64_t back = end->offset - std::min(record.offset, end->offset);
    if (!is_alone || back == 0 || back > begin) return;
    const auto local = read_local(before, begin - back);
    is_alone = !local || local->name != record.name;
  });
  return is_alone ? std::optional(begin) : std::nullopt;
}

// Each member's local header is a candidate: only the archive's first is worth more than a look.
std::optional<std::uint64_t> begin_of(const Content& before, std::uint64_t anchor) {
  if (!starts_with(before.at(anchor, 4), local_mark)) return begin_of_directory(before, anchor);
  if (!read_local(before, anchor) || has_predecessor(before, anchor)) return std::nullopt;
  std::uint64_t reached = 0;
  const auto directory = hop_to_directory(before, anchor, &reached);
  if (!directory || directory->stated() > directory->begin) return anchor;
  const std::uint64_t first = directory->begin - directory->stated();
  return first < anchor && read_local(before, first) ? std::nullopt : std::optional(anchor);
}

// An end record states where it should lie itself, so how many bytes were put before it.
std::vector<std::uint64_t> gaps(const Content& content, const Verdict& verdict) {
  std::vector<std::uint64_t> gaps;
  const std::uint64_t from = verdict.sound;
  const std::uint64_t to = from + std::min(content.size() - std::min(from, content.size()), farthest_directory);
  for (std::uint64_t at = find(content, end_mark, from, to); at < to && gaps.size() < most_gaps;
       at = find(content, end_mark, at + 1, to)) {
    const auto end = read_end_backward(content, at);
    if (!end) continue;
    const std::uint64_t stated = end->offset + end->size + end->companions;
    if (stated < at && std::find(gaps.begin(), gaps.end(), at - stated) == gaps.end()) gaps.push_back(at - stated);
  }
  return gaps;
}

}  // namespace

extern const Validator zip_validator;
const Validator zip_validator = {"zip", validate, nullptr, begin_of, gaps};

}  // namespace exhibit::carve
