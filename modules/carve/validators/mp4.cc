// MP4, QuickTime, 3GPP, HEIF and their kin (ISO/IEC 14496-12; Apple, QuickTime File Format Specification): boxes one
// behind the other, whose tables say where each sample lies. Samples of AVC and HEVC tell their own lengths within.

#include <algorithm>

#include "carve/foreign_sector.h"
#include "carve/iso_boxes.h"
#include "carve/iso_fragments.h"
#include "carve/iso_items.h"
#include "carve/seam.h"
#include "carve/validator.h"

namespace exhibit::carve {
namespace {

using namespace iso;

constexpr std::uint64_t farthest_movie = std::uint64_t{16} << 20;  // bytes behind where it should be
constexpr std::uint64_t farthest_by_length = 256;                  // and no more than so many times what is before it
constexpr std::size_t most_gaps = 8;
constexpr std::uint32_t media = four_letters("mdat"), movie = four_letters("moov"), type_box = four_letters("ftyp");

// What may lie beside others on the top.
bool is_top(std::uint32_t type) {
  static constexpr std::uint32_t types[] = {type_box,
                                            movie,
                                            media,
                                            four_letters("free"),
                                            four_letters("skip"),
                                            four_letters("wide"),
                                            four_letters("pnot"),
                                            four_letters("PICT"),
                                            four_letters("meta"),
                                            four_letters("moof"),
                                            four_letters("mfra"),
                                            four_letters("sidx"),
                                            four_letters("ssix"),
                                            four_letters("styp"),
                                            four_letters("uuid"),
                                            four_letters("emsg"),
                                            four_letters("prft"),
                                            four_letters("udta"),
                                            four_letters("pdin"),
                                            four_letters("junk")};
  return std::find(std::begin(types), std::end(types), type) != std::end(types);
}

std::string extension_of(std::uint32_t brand) {
  switch (brand) {
    case four_letters("qt  "):
      return "mov";
    case four_letters("M4A "):
    case four_letters("M4B "):
      return "m4a";
    case four_letters("M4V "):
      return "m4v";
    case four_letters("heic"):
    case four_letters("heix"):
    case four_letters("mif1"):
    case four_letters("msf1"):
    case four_letters("hevc"):
      return "heic";
    case four_letters("avif"):
    case four_letters("avis"):
      return "avif";
    case four_letters("crx "):
      return "cr3";
    default:
      break;
  }
  if (brand >> 8 == four_letters("3gp4") >> 8) return "3gp";
  if (brand >> 8 == four_letters("3g2a") >> 8) return "3g2";
  return "mp4";
}

struct File {
  std::vector<Box> medias;
  std::vector<Box> movies, metas;
  std::vector<Box> fragments, indexes;  // moof, sidx
  std::optional<Box> random_access;     // mfra
  std::uint64_t end = 0;                // of the last whole box
  std::optional<Box> cut;               // a box that the content ends before
  std::string extension = "mov";        // of files older than `ftyp`
};

// Files older than `ftyp` have few boxes. A row of short ones, each of which could begin a file, must not be gone
// through from each.
bool is_row(const Content& content) {
  constexpr unsigned most_without_type = 64;
  std::uint64_t at = 0;
  for (unsigned boxes = 0; boxes <= most_without_type; ++boxes) {
    const auto box = read_box(content, at);
    if (!box || !is_top(box->type) || box->type == type_box || box->is_open) return false;
    at = box->end;
  }
  return true;
}

File read_file(const Content& content) {
  File file;
  while (const auto box = read_box(content, file.end)) {
    if (!is_top(box->type) || (file.end > 0 && box->type == type_box)) break;
    if (file.end == 0 && box->type != type_box && is_row(content)) break;
    if (box->type == type_box) {
      Reader reader(content, box->body);
      file.extension = extension_of(reader.be32());
    }
    if (box->end > content.size() || box->is_open) {
      file.cut = *box;
      break;
    }
    if (box->type == media) file.medias.push_back(*box);
    if (box->type == movie) file.movies.push_back(*box);
    if (box->type == four_letters("meta")) file.metas.push_back(*box);
    if (box->type == four_letters("moof")) file.fragments.push_back(*box);
    if (box->type == four_letters("sidx")) file.indexes.push_back(*box);
    if (box->type == four_letters("mfra")) file.random_access = *box;
    file.end = box->end;
  }
  return file;
}

bool lies_in_media(const File& file, std::uint64_t offset, std::uint64_t length) {
  const auto behind = std::upper_bound(file.medias.begin(), file.medias.end(), offset,
                                       [](std::uint64_t at, const Box& box) { return at < box.body; });
  if (behind == file.medias.begin()) return false;
  const Box& box = *std::prev(behind);
  return offset <= box.end && length <= box.end - offset;
}

struct Judged {
  bool holds = true;  // the tables and the boxes agree
  bool is_odd = false;
  std::uint64_t samples = 0;          // bytes that tables speak of
  std::uint64_t recognised = 0;       // of them, bytes of samples that look like what they are
  std::uint64_t sound = 0;            // where the last one begins of those that lie before `wrong`
  std::uint64_t last = 0;             // where the last one begins
  std::optional<Chunk> wrong;         // the first sample whose own structure contradicts
  bool ends_as_told = true;           // behind `wrong` the last samples are where they should be
  std::optional<Box> wrong_fragment;  // the first fragment whose tables don't fit
};

Judged unfit() {
  Judged judged;
  judged.holds = false;
  return judged;
}

// A track whose encoder keeps the rules from its first samples on: only then does one that breaks them tell something.
bool keeps_rules(const Content& content, const Track& track) {
  if (track.coding == Coding::unknown || track.chunks.empty()) return false;
  const bool is_strict = track.coding == Coding::alac || track.coding == Coding::jpeg || track.coding == Coding::dv;
  const std::uint32_t looked_at = track.coding == Coding::aac ? 8 : is_strict ? 1 : 0;
  std::uint32_t seen = 0;
  for (const Chunk& chunk : track.chunks) {
    std::uint64_t position = chunk.offset;
    for (std::uint32_t i = 0; i < chunk.samples && seen < looked_at; ++i, ++seen) {
      const std::uint64_t end = position + track.size_of(chunk.first_sample + i);
      if (!is_sample(content, track, position, end)) return false;
      position = end;
    }
  }
  return true;
}

constexpr std::uint64_t least_kept = 8;  // bytes: shorter samples aren't looked into

// Goes over a track's samples up to the first that is wrong, or that lies behind a wrong one of another track.
void judge_track(const Content& content, const Track& track, Judged& judged, std::vector<std::uint64_t>& begins) {
  for (const Chunk& chunk : track.chunks) {
    std::uint64_t position = chunk.offset;
    for (std::uint32_t i = 0; i < chunk.samples; ++i) {
      const std::uint64_t length = track.size_of(chunk.first_sample + i);
      if (judged.wrong && position >= judged.wrong->offset) return;
      if (!is_sample(content, track, position, position + length)) {
        judged.wrong = Chunk{position, length, 0, 0};
        return;
      }
      judged.recognised += length;
      if (length >= least_kept) begins.push_back(position);
      position += length;
    }
  }
}

// Whether the track's last samples lie behind `offset` and are there: what is wrong was overwritten, not cut.
bool has_last_samples(const Content& content, const Track& track, std::uint64_t offset) {
  constexpr std::uint32_t looked_at = 8;
  constexpr std::uint64_t shortest = 8;  // bytes: of shorter ones nothing is known
  if (track.coding == Coding::unknown || track.coding == Coding::packed || track.chunks.empty()) return false;
  const Chunk& chunk = track.chunks.back();
  const std::uint32_t samples = std::min(chunk.samples, looked_at);
  std::uint64_t end = chunk.offset + chunk.length;
  bool holds = samples > 0;
  for (std::uint32_t i = 0; i < samples && holds; ++i) {
    const std::uint64_t begin = end - track.size_of(chunk.first_sample + chunk.samples - 1 - i);
    holds = begin > offset && end - begin >= shortest && is_sample(content, track, begin, end);
    end = begin;
  }
  return holds;
}

// What tracks speak of is gone through: tables are short that name the same bytes over and over.
constexpr std::uint64_t most_shared = 2;  // tracks to which all bytes belong

Judged judge_movie(const Content& content, const File& file, const Box& box) {
  Judged judged;
  auto read = read_movie(content, box);
  if (!read || read->tracks.empty()) return unfit();
  const std::size_t fragments = add_fragments(
      content, box, file.fragments, [&](const Chunk& chunk) { return lies_in_media(file, chunk.offset, chunk.length); },
      *read);
  if (fragments < file.fragments.size()) judged.wrong_fragment = file.fragments[fragments];
  judged.is_odd = read->is_odd;
  std::vector<std::uint64_t> begins;
  for (const Track& track : read->tracks) {
    for (const Chunk& chunk : track.chunks) {
      if (!lies_in_media(file, chunk.offset, chunk.length)) return unfit();
      judged.samples += chunk.length;
    }
    if (judged.samples > file.end * most_shared) return unfit();
    if (keeps_rules(content, track)) judge_track(content, track, judged, begins);
  }
  for (const std::uint64_t begin : begins) {
    judged.last = std::max(judged.last, begin);
    if (judged.wrong && begin < judged.wrong->offset) judged.sound = std::max(judged.sound, begin);
  }
  judged.ends_as_told = !judged.wrong || std::any_of(read->tracks.begin(), read->tracks.end(), [&](const Track& track) {
    return has_last_samples(content, track, judged.wrong->offset);
  });
  return judged;
}

Verdict whole(const File& file, Tier tier) {
  Verdict verdict = Verdict::whole(file.end, file.extension);
  verdict.tier = tier;
  return verdict;
}

// Where units of AVC or HEVC end that the media begin with, each behind its length; 0: they begin with none. Most
// recorders put a chunk of the picture first.
std::uint64_t end_of_units(const Content& content, const Box& media_box) {
  constexpr std::uint64_t least_units = 2, longest = std::uint64_t{16} << 20, enough = std::uint64_t{1} << 20;
  const std::uint64_t limit = std::min(media_box.end, content.size());
  std::uint64_t at = media_box.body, units = 0;
  for (; at < limit && at - media_box.body < enough; ++units) {
    Reader reader(content, at);
    const std::uint64_t length = reader.be32();
    const unsigned first = reader.u8();
    // The forbidden bit, and types that aren't in use (14496-10, table 7-1) or HEVC's second byte (23008-2, 7.3.1.2).
    const bool is_avc = (first & 31) >= 1 && (first & 31) <= 12, is_hevc = (first & 1) == 0 && reader.u8() == 1;
    const bool is_unit = reader.ok() && first < 0x80 && (is_avc || is_hevc) && length > 2 && length < longest;
    if (!is_unit || length > limit - at - 4) break;
    at += 4 + length;
  }
  return units >= least_units ? at : 0;
}

// The media of a file whose movie would lie behind them and doesn't: that far as they look packed.
std::optional<Verdict> lone_media(const Content& content, const File& file, const Box& media_box) {
  const bool begins_as_file = read_box(content, 0)->type == type_box;
  const std::uint64_t sound = begins_as_file ? end_of_units(content, media_box) : 0;
  if (sound == 0) return std::nullopt;
  const std::uint64_t end = packed_end(content, sound, std::min(media_box.end, content.size()));
  Verdict verdict = Verdict::broken(sound, std::min(media_box.end, content.size()), end, DoubtCause::missing_segment);
  verdict.doubts = {{end, 0, DoubtCause::missing_segment}};
  verdict.extension = file.extension;
  return verdict;
}

// A box that the content doesn't hold to its end.
Verdict cut(const Content& content, const File& file) {
  const bool is_movie = !file.movies.empty();
  if (!is_movie && file.cut->type == media) return lone_media(content, file, *file.cut).value_or(Verdict{});
  if (!is_movie) return {};  // nothing tells what the media would be
  const std::uint64_t reach = file.cut->is_open ? content.size() : file.cut->body;
  Verdict verdict = Verdict::broken(file.cut->body, content.size(), file.cut->is_open ? file.cut->body : reach,
                                    DoubtCause::missing_segment);
  verdict.extension = file.extension;
  return verdict;
}

// The movie lies behind the media, later than the boxes before it say.
std::vector<std::uint64_t> movie_gaps(const Content& content, const File& file) {
  std::vector<std::uint64_t> gaps;
  const std::uint64_t expected = file.end;
  if (expected >= content.size()) return gaps;
  const std::uint64_t farthest = std::min(farthest_movie, expected * farthest_by_length);
  const std::uint64_t limit = expected + std::min(content.size() - expected, farthest);
  for (std::uint64_t at = find(content, "moov", expected, limit); at < limit && gaps.size() < most_gaps;
       at = find(content, "moov", at + 1, limit)) {
    if (at >= expected + 4) gaps.push_back(at - 4 - expected);
  }
  return gaps;
}

// A sample isn't what its table says: something lies over it, or the file goes on elsewhere.
Verdict contradicted(const Content& content, const File& file, const Judged& judged) {
  const std::uint64_t sound = std::max(judged.sound, file.medias.front().body);
  const std::uint64_t wrong_end = judged.wrong->offset + judged.wrong->length;
  // Nothing behind the media, and nothing of theirs where it should be: they end where they stop being.
  const bool is_cut = !judged.ends_as_told && file.medias.back().end == file.end;
  const std::uint64_t length = is_cut ? packed_end(content, judged.wrong->offset, wrong_end) : file.end;
  Verdict verdict = Verdict::broken(sound, wrong_end, length, DoubtCause::missing_segment);
  if (!is_cut) verdict.doubts = {{judged.wrong->offset, judged.wrong->length, DoubtCause::missing_segment}};
  verdict.extension = file.extension;
  return verdict;
}

// A fragment's tables aren't what they should be, and those before are.
Verdict contradicted_by_fragment(const File& file, const Judged& judged) {
  const Box& wrong = *judged.wrong_fragment;
  const bool is_closed = file.random_access && file.random_access->end == file.end;
  Verdict verdict = Verdict::broken(std::min(wrong.begin, std::max(judged.last, file.movies.back().begin)), wrong.end,
                                    is_closed ? file.end : wrong.begin, DoubtCause::missing_segment);
  if (is_closed) verdict.doubts = {{wrong.begin, wrong.end - wrong.begin, DoubtCause::missing_segment}};
  verdict.extension = file.extension;
  return verdict;
}

// Whether something tells that the fragments end where the file does.
bool is_closed(const Content& content, const File& file) {
  if (file.fragments.empty()) return true;
  if (file.random_access) {
    return file.random_access->end == file.end && is_closed_by(content, *file.random_access, file.fragments);
  }
  return std::any_of(file.indexes.begin(), file.indexes.end(),
                     [&](const Box& index) { return end_of_segments(content, index) == file.end; });
}

// Whether what lies behind the last place that is proved is too little to be of another file: it ends within the same
// cluster, or is next to nothing of the file.
bool is_end_proved(const File& file, std::uint64_t last) {
  constexpr std::uint64_t cluster = 4096, parts = 32;
  const bool is_followed = file.medias.empty() || file.medias.back().end < file.end;
  return is_followed || last / cluster == (file.end - 1) / cluster || (file.end - last) * parts <= file.end;
}

// The media are there, and the movie isn't where it should be: later, and then the media go on elsewhere, or never
// written.
Verdict without_movie(const Content& content, const File& file) {
  Verdict verdict = Verdict::broken(file.medias.back().body, std::min(content.size(), file.end + 8), file.end,
                                    DoubtCause::missing_segment);
  if (content.seam() == 0) {
    for (const std::uint64_t gap : movie_gaps(content, file)) {
      const auto box = read_box(content, file.end + gap);
      const Judged judged = box ? judge_movie(content, file, *box) : unfit();
      if (!judged.holds || !judged.wrong) continue;
      verdict = contradicted(content, file, judged);
      verdict.length = file.end;
      break;
    }
  }
  // What else is known is where a gap may be looked for.
  if (const auto lone = lone_media(content, file, file.medias.back())) {
    verdict.length = lone->length;
    verdict.sound = std::min(verdict.sound, verdict.length);
    verdict.doubts = lone->doubts;
    verdict.extension = file.extension;
    return verdict;
  }
  verdict.tier = Tier::header_only;
  verdict.extension = file.extension;
  return verdict;
}

// An item of a picture isn't what its type says.
Verdict contradicted_by_item(const File& file, const Box& meta, const Items& items) {
  std::uint64_t sound = meta.end;
  for (const Chunk& place : items.places) {
    if (place.offset < items.wrong->offset) sound = std::max(sound, place.offset);
  }
  const std::uint64_t wrong_end = items.wrong->offset + items.wrong->length;
  Verdict verdict =
      Verdict::broken(std::min(sound, items.wrong->offset), wrong_end, file.end, DoubtCause::missing_segment);
  verdict.doubts = {{items.wrong->offset, items.wrong->length, DoubtCause::missing_segment}};
  verdict.extension = file.extension;
  return verdict;
}

// HEIF: pictures, without a movie. Nothing: they don't lie within the file.
std::optional<Verdict> judge_pictures(const Content& content, const File& file) {
  for (const Box& meta : file.metas) {
    const auto items = read_items(content, meta, file.end);
    if (!items || items->places.empty()) continue;
    if (items->wrong) return contradicted_by_item(file, meta, *items);
    const bool is_proved = items->proved > 0 && is_end_proved(file, items->proved);
    Verdict verdict = whole(file, is_proved ? Tier::validated : Tier::plausible);
    verdict.misfit = misfit_of_seam(content);
    return verdict;
  }
  return std::nullopt;
}

Verdict validate(const Content& content, Memory&) {
  const File file = read_file(content);
  if (file.end == 0) return {};
  if (file.cut) return cut(content, file);
  if (file.movies.empty()) {
    if (auto verdict = judge_pictures(content, file)) return *std::move(verdict);
    if (file.medias.empty() || content.size() <= file.end) return {};
    return without_movie(content, file);
  }
  const bool begins_as_file = read_box(content, 0)->type == type_box;
  if (!file.fragments.empty() && !begins_as_file) return {};  // within one
  const Judged judged = judge_movie(content, file, file.movies.back());
  if (!judged.holds) {
    // Tables that don't fit: of a file that isn't whole, or of another one in whose midst this begins.
    const bool is_believed = begins_as_file || read_movie(content, file.movies.back());
    if (!is_believed || (!begins_as_file && !file.medias.empty())) return {};
    Verdict verdict = Verdict::broken(file.movies.back().begin, file.end, file.end, DoubtCause::missing_segment);
    if (!begins_as_file) verdict.tier = Tier::header_only;  // what is left of a file whose media lie elsewhere
    verdict.extension = file.extension;
    return verdict;
  }
  if (judged.wrong) return contradicted(content, file, judged);
  if (judged.wrong_fragment) return contradicted_by_fragment(file, judged);
  // A movie that speaks of no sample proves no more than itself, and one whose samples can't be recognised no more than
  // where they should lie.
  const bool is_recognised = judged.recognised * 2 > judged.samples;
  const bool is_proved = judged.samples > 0 && !judged.is_odd && is_recognised && is_end_proved(file, judged.last) &&
                         is_closed(content, file);
  Verdict verdict = whole(file, is_proved ? Tier::validated : Tier::plausible);
  verdict.misfit = misfit_of_seam(content);
  return verdict;
}

// The first box must be one that files begin with, and not too long to be.
bool glance(ByteSpan head) {
  if (head.size() < 16) return true;
  const auto number = [&](std::size_t at) {
    return std::uint32_t{head[at]} << 24 | std::uint32_t{head[at + 1]} << 16 | std::uint32_t{head[at + 2]} << 8 |
           head[at + 3];
  };
  const std::uint32_t size = number(0), type = number(4);
  if (type == type_box) return size >= 16 && size <= 4096 && size % 4 == 0;
  if (type == movie) return size > 16 && (number(12) == four_letters("mvhd") || number(12) == four_letters("cmov"));
  return size == 1 || size >= 8;
}

std::vector<std::uint64_t> gaps(const Content& content, const Verdict&) {
  const File file = read_file(content);
  if (!file.movies.empty() || file.medias.empty()) return {};
  return movie_gaps(content, file);
}

}  // namespace

extern const Validator mp4_validator;
const Validator mp4_validator = {"mp4", validate, glance, nullptr, gaps};

}  // namespace exhibit::carve
