// Matroska and WebM (RFC 9559): an EBML header, and a segment of known elements; in its clusters every element down to
// the blocks is gone through, and Cues and SeekHead say where some of them lie.

#include <algorithm>
#include <array>

#include "carve/ebml.h"
#include "carve/matroska_tracks.h"
#include "carve/seam.h"
#include "carve/validator.h"

namespace exhibit::carve {
namespace {

enum Id : std::uint32_t {  // RFC 9559, 27.1
  id_header = 0x1a45dfa3,
  id_doc_type = 0x4282,
  id_segment = 0x18538067,
  id_seek_head = 0x114d9b74,
  id_info = 0x1549a966,
  id_tracks = 0x1654ae6b,
  id_cluster = 0x1f43b675,
  id_cues = 0x1c53bb6b,
  id_attachments = 0x1941a469,
  id_chapters = 0x1043a770,
  id_tags = 0x1254c367,
  id_void = 0xec,
  id_crc = 0xbf,
  id_timestamp = 0xe7,
  id_silent = 0x5854,
  id_position = 0xa7,
  id_previous = 0xab,
  id_block = 0xa3,
  id_group = 0xa0,
  id_encrypted = 0xaf,
  id_track_entry = 0xae,
};
constexpr std::uint64_t longest_header = 4096;  // bytes of the EBML header; real ones have some forty

struct State : Memory::State {
  std::uint64_t position = 0;                  // of the next element
  std::uint64_t before = 0;                    // the one that ends there
  std::uint64_t segment = 0, segment_end = 0;  // of its data; 0: not known
  std::uint64_t cluster = 0, cluster_end = 0;  // of its data; 0: in none
  bool in_open_cluster = false;
  std::uint64_t clusters = 0, blocks = 0;
  bool has_tracks = false, has_info = false, has_index_behind = false;
  bool is_webm = false;
  MatroskaTracks tracks;
  std::uint64_t sums = 0;     // of clusters
  bool is_sum_wrong = false;  // that of the cluster that ends at the position
};

bool is_of_segment(std::uint32_t id) {
  static constexpr std::array ids = {id_seek_head,   id_info,     id_tracks, id_cluster, id_cues,
                                     id_attachments, id_chapters, id_tags,   id_void,    id_crc};
  return std::find(ids.begin(), ids.end(), id) != ids.end();
}

bool is_of_cluster(std::uint32_t id) {
  static constexpr std::array ids = {id_timestamp, id_silent,    id_position, id_previous, id_block,
                                     id_group,     id_encrypted, id_void,     id_crc};
  return std::find(ids.begin(), ids.end(), id) != ids.end();
}

bool begin(const Content& content, State& state) {
  const auto header = read_ebml(content, 0);
  if (!header || header->id != id_header || header->is_open || header->length > longest_header) return false;
  bool is_known = false;
  for (std::uint64_t at = header->data; at < header->end();) {
    const auto element = read_ebml(content, at);
    if (!element || element->is_open || element->end() > header->end()) return false;
    if (element->id == id_doc_type) {
      const ByteSpan type = content.at(element->data, element->length);
      state.is_webm = starts_with(type, "webm");
      is_known = type.size() >= element->length && (state.is_webm || starts_with(type, "matroska"));
    }
    at = element->end();
  }
  const auto segment = read_ebml(content, header->end());
  if (!is_known || !segment || segment->id != id_segment) return false;
  state.before = segment->begin;
  state.position = state.segment = segment->data;
  state.segment_end = segment->is_open ? 0 : segment->end();
  return state.segment_end == 0 || state.segment_end > segment->data;
}

// The CRC-32 that an element of the segment may begin with, over all that follows in it (RFC 8794, 11.3.1).
bool has_sum(const Content& content, std::uint64_t data) {
  const auto first = read_ebml(content, data);
  return first && first->id == id_crc && first->length == 4;
}
bool sum_holds(const Content& content, std::uint64_t data, std::uint64_t end) {
  if (!has_sum(content, data)) return true;
  const auto first = read_ebml(content, data);
  if (first->end() > end || end > content.size()) return false;
  return Reader(content, first->data).le32() == crc32(content, first->end(), end - first->end());
}

// An element within a cluster; false where it can't be.
bool take_in_cluster(const Content& content, const EbmlElement& element, State& state) {
  constexpr std::uint32_t id_inner_block = 0xa1;
  if (!is_of_cluster(element.id) || element.is_open) return false;
  if (state.cluster_end != 0 && element.end() > state.cluster_end) return false;
  if (element.id == id_block && !is_matroska_block(content, element, state.tracks)) return false;
  if (element.id == id_group) {
    const auto inner = read_ebml(content, element.data);
    if (!inner || inner->is_open || inner->end() > element.end()) return false;
    if (inner->id == id_inner_block && !is_matroska_block(content, *inner, state.tracks)) return false;
  }
  if (element.id == id_timestamp && element.length > 8) return false;
  state.blocks += element.id == id_block || element.id == id_group ? 1 : 0;
  state.position = element.end();
  return true;
}

bool take_in_segment(const Content& content, const EbmlElement& element, State& state) {
  if (!is_of_segment(element.id) || (element.is_open && element.id != id_cluster)) return false;
  if (state.segment_end != 0 && element.end() > state.segment_end) return false;
  if (element.id == id_cluster) {
    if (!state.has_tracks) return false;
    ++state.clusters;
    state.cluster = element.data;
    state.in_open_cluster = element.is_open;
    state.cluster_end = element.is_open ? 0 : element.end();
    state.position = element.data;
    return true;
  }
  if (element.end() > content.size()) return false;
  if (!sum_holds(content, element.data, element.end())) return false;
  if (element.id == id_tracks && !state.has_tracks) {
    const auto tracks = read_matroska_tracks(content, element);
    if (!tracks) return false;
    state.tracks = *tracks;
    state.has_tracks = true;
  }
  state.has_info |= element.id == id_info;
  state.has_index_behind |= state.clusters > 0 && (element.id == id_cues || element.id == id_tags);
  state.position = element.end();
  return true;
}

std::string extension_of(const State& state) {
  return state.is_webm ? "webm" : state.has_tracks && !state.tracks.has_video ? "mka" : "mkv";
}

// Tracks that break off within themselves: as far as their elements go on.
std::uint64_t end_of_prefix(const Content& content, std::uint64_t position) {
  constexpr std::uint64_t longest = 4096;  // bytes of an element that may be believed here
  static constexpr std::array masters = {std::uint32_t{id_tracks}, std::uint32_t{id_track_entry},
                                         std::uint32_t{id_info}, std::uint32_t{0xe0}, std::uint32_t{0xe1}};
  for (int i = 0; i < 256; ++i) {
    const auto element = read_ebml(content, position);
    const std::size_t room = content.size() - std::min(content.size(), position);
    if (!element || element->is_open || element->id == 0x80 || room == 0) return position;
    const bool is_master = std::find(masters.begin(), masters.end(), element->id) != masters.end();
    if (!is_master && (element->length > longest || element->end() > content.size())) return position;
    position = is_master ? element->data : element->end();
  }
  return position;
}

// Where, within reach, a cluster lies that begins as one does; 0: nowhere.
std::uint64_t resync(const Content& content, const State& state) {
  constexpr std::uint64_t farthest = std::uint64_t{16} << 20;  // bytes: longer than clusters are
  if (state.cluster_end >= state.position && state.cluster_end < content.size()) {
    const auto next = read_ebml(content, state.cluster_end);
    if (next && is_of_segment(next->id)) return state.cluster_end;
  }
  const std::uint64_t limit = state.segment_end != 0 ? state.segment_end : content.size();
  const std::uint64_t end = std::min({content.size(), limit, state.position + farthest});
  for (std::uint64_t at = state.position; at < end; ++at) {
    at = find(content, "\x1f\x43\xb6\x75", at, end);
    if (at == end) break;
    const auto cluster = read_ebml(content, at);
    const auto first = cluster ? read_ebml(content, cluster->data) : std::nullopt;
    if (first && (first->id == id_timestamp || first->id == id_crc) && first->length <= 8) return at;
  }
  return 0;
}

enum class Step { next, over, broken };
Step take(const Content& content, State& state);

Verdict broken(const Content& content, const State& state) {
  // A block whose frame can't be is doubted to its end; where no element is, from there on.
  const auto block = read_ebml(content, state.position);
  const bool is_block = block && (block->id == id_block || block->id == id_group) && block->end() <= state.cluster_end;
  const std::uint64_t suspect = std::min(is_block ? block->end() : state.position + 12, content.size());
  if (!state.has_tracks) {
    const std::uint64_t end = end_of_prefix(content, state.position);
    if (!state.has_info) return {};
    Verdict verdict = Verdict::broken(state.position, end, end, DoubtCause::missing_segment);
    verdict.extension = extension_of(state);
    return verdict;
  }
  const std::uint64_t place = std::min(state.position, content.size());
  const std::uint64_t sound = state.is_sum_wrong ? state.cluster : state.before;
  Verdict verdict = Verdict::broken(std::min(sound, place), suspect, place,
                                    state.is_sum_wrong ? DoubtCause::crc_error : DoubtCause::missing_segment);
  State behind = state;
  behind.is_sum_wrong = false;
  // Overwritten in its midst, if clusters go on; in a trial join nobody asks.
  const std::uint64_t again = content.seam() == 0 ? resync(content, state) : 0;
  if (again != 0) {
    behind.position = again;
    behind.cluster_end = 0;
    behind.in_open_cluster = false;
    while (take(content, behind) == Step::next) {
    }
    verdict.length = std::min(behind.position, content.size());
    verdict.doubts = {{verdict.sound, again - verdict.sound, verdict.doubts[0].cause}};
  }
  verdict.extension = extension_of(state);
  return verdict;
}

Step take(const Content& content, State& state) {
  if (state.cluster_end != 0 && state.position == state.cluster_end) {
    state.is_sum_wrong = !sum_holds(content, state.cluster, state.cluster_end);
    if (state.is_sum_wrong) return Step::broken;  // in one of its frames
    state.sums += has_sum(content, state.cluster) ? 1 : 0;
    state.cluster_end = 0;
  }
  const bool is_in_cluster = state.cluster_end != 0 || state.in_open_cluster;
  if (!is_in_cluster && state.segment_end != 0 && state.position == state.segment_end) return Step::over;
  const auto element = read_ebml(content, state.position);
  State next = state;
  next.before = state.position;
  bool holds = element && is_in_cluster && take_in_cluster(content, *element, next);
  if (!holds && element && state.cluster_end == 0) {
    next.in_open_cluster = false;
    holds = take_in_segment(content, *element, next);
  }
  if (!holds && state.segment_end == 0 && state.clusters > 0 && state.cluster_end == 0) return Step::over;
  if (!holds || next.position > content.size()) return Step::broken;
  state = next;
  return Step::next;
}

Verdict validate(const Content& content, Memory& memory) {
  State state;
  if (const auto* known = static_cast<const State*>(memory.latest())) {
    state = *known;
  } else if (!begin(content, state)) {
    return {};
  }
  for (std::uint64_t kept = memory.offset();;) {
    const Step step = take(content, state);
    if (step == Step::broken) return broken(content, state);
    if (step == Step::over) break;
    if (state.position >= kept + (std::uint64_t{64} << 10)) {
      kept = state.position;
      memory.keep(kept, std::make_shared<State>(state));
    }
  }
  if (!state.has_tracks) return {};
  Verdict verdict = Verdict::whole(state.position, extension_of(state));
  // A recording whose lengths were never written ends where nothing goes on; so does a part of one.
  if (state.clusters == 0 || state.sums < state.clusters) verdict.misfit = misfit_of_seam(content);
  if (state.blocks == 0 || (state.segment_end == 0 && !state.has_index_behind)) verdict.tier = Tier::plausible;
  return verdict;
}

}  // namespace

extern const Validator matroska_validator;
const Validator matroska_validator = {"matroska", validate};

}  // namespace exhibit::carve
