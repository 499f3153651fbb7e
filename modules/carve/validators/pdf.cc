// PDF (ISO 32000-1:2008). Objects follow each other without gaps; cross-reference sections say where each one lies,
// and the last lines where the last section does (7.5.5). Streams that FlateDecode packs carry an Adler-32.

#include <algorithm>

#include "carve/foreign_sector.h"
#include "carve/pdf_walk.h"
#include "carve/pdf_xref.h"
#include "carve/validator.h"

namespace exhibit::carve {
namespace {

using namespace pdf;

// Bytes of streams that nothing vouches for with which a file is still `validated`.
constexpr std::uint64_t most_unproved = 2048;
constexpr unsigned most_gaps = 8, most_repairs = 256;

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
  const bool is_good = account.is_there && account.is_complete && account.bad == 0 && account.good > 0 &&
                       state.objects > 0 && (!state.is_encrypted || account.is_encrypted) &&
                       (state.whole == 0 || state.whole == state.end);
  if (is_good) {
    Verdict verdict = Verdict::whole(state.end);
    const bool is_unproved = state.unproved > most_unproved || state.is_seam_unproved || state.has_wrong_length;
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
  const std::uint64_t sound = walk.sound();
  std::uint64_t suspect = walk.suspect();
  const std::uint64_t length =
      walk.in_packed_data() ? packed_end(content, sound, suspect) : std::min(sound, content.size());
  const State state = walk.state();
  if (walk.is_new() && state.objects > 0) {
    if (const auto repaired = go_on_behind(content, walk)) return *repaired;
  }
  // The key may be told of in a fragment that lies elsewhere: then a gap may begin where not even lengths hold.
  if (walk.is_new() && walk.looks_encrypted() && !state.is_encrypted) {
    walk.state() = state;
    walk.state().is_encrypted = true;
    if (walk.run() == Walk::Step::broken) suspect = std::max(suspect, walk.suspect());
  }
  Verdict verdict = Verdict::broken(sound, suspect, length, DoubtCause::missing_segment);
  if (state.objects == 0) verdict.tier = Tier::header_only;
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
  const std::uint64_t carriage = find_last(content, "\rxref", table < at ? table : floor, at);
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
  // Of a file that is whole the section mostly lies near, and tells where the header is.
  constexpr std::uint64_t near_end = std::uint64_t{16} << 10;  // bytes
  const auto is_header_at = [&](std::optional<std::uint64_t> section, std::uint64_t stated) {
    return section && *section >= stated && is_header(before.at(*section - stated, 16));
  };
  std::uint64_t end = 0;
  const auto stated = read_integer(before, skip_space(before, anchor + start_mark.size()), &end);
  if (!stated || *stated == 0) return std::nullopt;
  if (is_header_at(section_before(before, anchor - std::min(anchor, near_end), anchor), *stated)) return std::nullopt;
  std::uint64_t floor = anchor - std::min(anchor, farthest_end);
  // Between two of them there is a section: many of them are no more to look at than one.
  const std::uint64_t previous = find_last(before, start_mark, floor, anchor);
  if (previous < anchor) floor = previous + start_mark.size();
  const auto section = section_before(before, floor, anchor);
  if (!section || is_header_at(section, *stated)) return std::nullopt;
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
