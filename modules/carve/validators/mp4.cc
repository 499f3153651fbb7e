// MP4, QuickTime, 3GPP, HEIF and their kin (ISO/IEC 14496-12; Apple, QuickTime File Format Specification): boxes one
// behind the other, whose tables say where each sample lies. Samples of AVC and HEVC tell their own lengths within.

#include <algorithm>

#include "carve/iso_boxes.h"
#include "carve/validator.h"

namespace exhibit::carve {
namespace {

using namespace iso;

constexpr std::uint64_t farthest_movie = std::uint64_t{16} << 20;  // bytes behind where it should be
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
  bool has_fragments = false;
  std::uint64_t end = 0;          // of the last whole box
  std::optional<Box> cut;         // a box that the content ends before
  std::string extension = "mov";  // of files older than `ftyp`
};

File read_file(const Content& content) {
  File file;
  while (const auto box = read_box(content, file.end)) {
    if (!is_top(box->type) || (file.end > 0 && box->type == type_box)) break;
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
    file.has_fragments |= box->type == four_letters("moof");
    file.end = box->end;
  }
  return file;
}

bool lies_in_media(const File& file, std::uint64_t offset, std::uint64_t length) {
  return std::any_of(file.medias.begin(), file.medias.end(), [&](const Box& box) {
    return box.body <= offset && offset <= box.end && length <= box.end - offset;
  });
}

// The first sample of a chunk whose units don't fill it; the chunk's end where they do.
std::uint64_t first_wrong_sample(const Content& content, const Track& track, const Chunk& chunk) {
  std::uint64_t position = chunk.offset;
  for (std::uint32_t i = 0; i < chunk.samples; ++i) {
    const std::uint64_t end = position + track.size_of(chunk.first_sample + i);
    for (std::uint64_t at = position; at < end;) {
      Reader reader(content, at);
      std::uint64_t length = 0;
      for (unsigned byte = 0; byte < track.length_size; ++byte) length = length << 8 | reader.u8();
      const std::uint64_t body = at + track.length_size;
      const ByteSpan first = content.at(body, 1);
      // The first bit of a unit is always 0 (ISO/IEC 14496-10, 7.4.1; 23008-2, 7.4.2.2).
      if (!reader.ok() || length == 0 || body > end || length > end - body || first.empty() || first[0] >= 0x80)
        return position;
      at = body + length;
    }
    position = end;
  }
  return position;
}

struct Judged {
  bool holds = true;  // the tables and the boxes agree
  bool is_odd = false;
  std::uint64_t samples = 0;   // bytes that tables speak of
  std::optional<Chunk> wrong;  // the first sample whose own structure contradicts
};

Judged judge_movie(const Content& content, const File& file, const Box& box) {
  Judged judged;
  const auto read = read_movie(content, box);
  if (!read || read->tracks.empty()) return {false, false, 0, {}};
  judged.is_odd = read->is_odd;
  for (const Track& track : read->tracks) {
    for (const Chunk& chunk : track.chunks) {
      if (!lies_in_media(file, chunk.offset, chunk.length)) return {false, false, 0, {}};
      judged.samples += chunk.length;
      if (track.length_size == 0) continue;
      const std::uint64_t wrong = first_wrong_sample(content, track, chunk);
      const bool is_first = !judged.wrong || wrong < judged.wrong->offset;
      if (wrong < chunk.offset + chunk.length && is_first)
        judged.wrong = Chunk{wrong, chunk.offset + chunk.length - wrong, 0, 0};
    }
  }
  return judged;
}

Verdict whole(const File& file, Tier tier) {
  Verdict verdict = Verdict::whole(file.end, file.extension);
  verdict.tier = tier;
  return verdict;
}

// A box that the content doesn't hold to its end.
Verdict cut(const Content& content, const File& file) {
  const bool is_movie = !file.movies.empty();
  if (!is_movie) return {};  // nothing tells what the media would be
  const std::uint64_t reach = file.cut->is_open ? content.size() : file.cut->body;
  Verdict verdict = Verdict::broken(file.cut->body, content.size(), file.cut->is_open ? file.cut->body : reach,
                                    DoubtCause::missing_segment);
  verdict.extension = file.extension;
  return verdict;
}

Verdict validate(const Content& content, Memory&) {
  const File file = read_file(content);
  if (file.end == 0) return {};
  if (file.cut) return cut(content, file);
  if (file.movies.empty()) {
    for (const Box& meta : file.metas) {  // HEIF: pictures, without a movie
      const auto places = read_locations(content, meta);
      const bool holds =
          places && !places->empty() && std::all_of(places->begin(), places->end(), [&](const Chunk& place) {
            return place.offset <= file.end && place.length <= file.end - place.offset;
          });
      if (holds) return whole(file, Tier::validated);
    }
    if (file.medias.empty() || content.size() <= file.end) return {};
    // The movie should follow here: a gap, or never written.
    Verdict verdict = Verdict::broken(file.medias.back().body, std::min(content.size(), file.end + 8), file.end,
                                      DoubtCause::missing_segment);
    verdict.tier = Tier::header_only;
    verdict.extension = file.extension;
    return verdict;
  }
  const Judged judged = judge_movie(content, file, file.movies.back());
  if (!judged.holds) {
    // Tables that don't fit: of a file that isn't whole, or of another one in whose midst this begins.
    const bool is_believed = read_box(content, 0)->type == type_box || read_movie(content, file.movies.back());
    if (!is_believed || (read_box(content, 0)->type != type_box && !file.medias.empty())) return {};
    Verdict verdict = Verdict::broken(file.movies.back().begin, file.end, file.end, DoubtCause::missing_segment);
    verdict.extension = file.extension;
    return verdict;
  }
  if (judged.wrong) {
    Verdict verdict = Verdict::broken(file.medias.front().body, judged.wrong->offset + judged.wrong->length, file.end,
                                      DoubtCause::crc_error);
    verdict.doubts = {{judged.wrong->offset, judged.wrong->length, DoubtCause::missing_segment}};
    verdict.extension = file.extension;
    return verdict;
  }
  // A movie that speaks of no sample proves no more than itself.
  const bool is_proved = (judged.samples > 0 || file.has_fragments) && !judged.is_odd;
  return whole(file, is_proved ? Tier::validated : Tier::plausible);
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

// The movie lies behind the media, later than the boxes before it say.
std::vector<std::uint64_t> gaps(const Content& content, const Verdict&) {
  std::vector<std::uint64_t> gaps;
  const File file = read_file(content);
  if (!file.movies.empty() || file.medias.empty()) return gaps;
  const std::uint64_t expected = file.end;
  if (expected >= content.size()) return gaps;
  const std::uint64_t limit = expected + std::min(content.size() - expected, farthest_movie);
  for (std::uint64_t at = find(content, "moov", expected, limit); at < limit && gaps.size() < most_gaps;
       at = find(content, "moov", at + 1, limit)) {
    if (at >= expected + 4) gaps.push_back(at - 4 - expected);
  }
  return gaps;
}

}  // namespace

extern const Validator mp4_validator;
const Validator mp4_validator = {"mp4", validate, glance, nullptr, gaps};

}  // namespace exhibit::carve
