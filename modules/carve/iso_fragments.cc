#include "carve/iso_fragments.h"

#include "base/checked.h"

namespace exhibit::carve::iso {
namespace {

constexpr std::size_t most_samples = std::size_t{1} << 24;  // of all tracks together, as of one track's table
constexpr std::size_t most_tracks = 256;
// Flags of `tfhd` and `trun` (8.8.7, 8.8.8).
constexpr std::uint32_t has_base = 1, has_description = 2, has_default_duration = 8, has_default_size = 0x10;
constexpr std::uint32_t has_data_offset = 1, has_first_flags = 4, has_duration = 0x100, has_size = 0x200,
                        has_flags = 0x400, has_composition = 0x800;
constexpr std::uint32_t base_is_fragment = 0x20000;

struct Known {
  std::uint32_t id = 0, default_size = 0;
};

// A track's number (8.3.2).
std::uint32_t id_of(const Content& content, const Box& track) {
  std::uint32_t id = 0;
  for_each_box(content, track.body, track.end, [&](const Box& header) {
    if (header.type != four_letters("tkhd")) return true;
    const bool is_long = Reader(content, header.body).u8() == 1;
    id = Reader(content, header.body + (is_long ? 20 : 12)).be32();  // behind two times
    return false;
  });
  return id;
}

// The tracks in the order in which read_movie() has them, and what `trex` gives their samples (8.8.3).
std::vector<Known> known_tracks(const Content& content, const Box& movie) {
  std::vector<Known> tracks;
  for_each_box(content, movie.body, movie.end, [&](const Box& track) {
    if (track.type == four_letters("trak")) tracks.push_back({id_of(content, track), 0});
    return tracks.size() <= most_tracks;
  });
  const auto take_defaults = [&](const Box& box) {
    Reader reader(content, box.body + 4);
    const std::uint32_t id = reader.be32();
    reader.skip(8);  // description, duration
    const std::uint32_t size = reader.be32();
    for (Known& known : tracks) {
      if (box.type == four_letters("trex") && known.id == id) known.default_size = size;
    }
    return true;
  };
  for_each_box(content, movie.body, movie.end, [&](const Box& extends) {
    if (extends.type == four_letters("mvex")) for_each_box(content, extends.body, extends.end, take_defaults);
    return true;
  });
  return tracks;
}

// Where the next run lies, unless it says so itself.
struct Place {
  std::uint64_t base = 0, next = 0;
  std::uint32_t default_size = 0;
};

// Samples of fragments have sizes of their own: so must those before. `left`: how many more sizes are kept.
bool name_sizes(Track& track, std::size_t& left) {
  if (!track.sizes.empty()) return true;
  std::size_t count = 0;
  for (const Chunk& chunk : track.chunks) count += chunk.samples;
  if (count > left) return false;
  left -= count;
  track.sizes.assign(count, track.size);
  return true;
}

bool take_run(const Content& content, const Box& box, Place& place, Track& track, std::size_t& left) {
  Reader reader(content, box.body);
  const std::uint32_t flags = reader.be32() & 0xffffff, count = reader.be32();
  if ((flags & has_data_offset) != 0) {
    const auto offset = static_cast<std::int32_t>(reader.be32());
    place.next = place.base + static_cast<std::uint64_t>(std::int64_t{offset});
  }
  if ((flags & has_first_flags) != 0) reader.be32();
  unsigned fields = 0;
  for (const std::uint32_t field : {has_duration, has_size, has_flags, has_composition}) {
    fields += (flags & field) != 0 ? 1 : 0;
  }
  if (!reader.ok() || reader.position() > box.end) return false;
  if (std::uint64_t{count} * fields * 4 != box.end - reader.position()) return false;
  // Samples without fields of their own cost nothing to claim: they must lie in the content.
  const bool is_bare = (flags & has_size) == 0;
  if (is_bare && count > 0 && (place.default_size == 0 || count > content.size() / place.default_size)) return false;
  if (!name_sizes(track, left) || count > left) return false;
  left -= count;
  Chunk chunk{place.next, 0, static_cast<std::uint32_t>(track.sizes.size()), count};
  for (std::uint32_t i = 0; i < count; ++i) {
    if ((flags & has_duration) != 0) reader.be32();
    const std::uint32_t size = is_bare ? place.default_size : reader.be32();
    if ((flags & has_flags) != 0) reader.be32();
    if ((flags & has_composition) != 0) reader.be32();
    track.sizes.push_back(size);
    chunk.length += size;
  }
  const auto end = base::checked_add(chunk.offset, chunk.length);
  if (!reader.ok() || !end) return false;
  place.next = *end;
  if (count > 0) track.chunks.push_back(chunk);
  return true;
}

// A `traf` box. `end_before`: where the data of the one before it end; 0: it is the fragment's first.
bool take_track(const Content& content, const Box& fragment, const Box& box, std::span<const Known> known, Movie& movie,
                std::uint64_t& end_before, std::size_t& left) {
  Place place;
  Track* track = nullptr;
  bool holds = true;
  const bool filled = for_each_box(content, box.body, box.end, [&](const Box& child) {
    if (child.type == four_letters("trun"))
      return holds = track != nullptr && take_run(content, child, place, *track, left);
    if (child.type != four_letters("tfhd")) return true;
    Reader reader(content, child.body);
    const std::uint32_t flags = reader.be32() & 0xffffff, id = reader.be32();
    const auto it = std::find_if(known.begin(), known.end(), [&](const Known& one) { return one.id == id; });
    const auto index = static_cast<std::size_t>(it - known.begin());
    if (index >= movie.tracks.size()) return holds = false;
    track = &movie.tracks[index];
    const bool is_own = (flags & base_is_fragment) != 0 || end_before == 0;
    place = {is_own ? fragment.begin : end_before, 0, it->default_size};
    if ((flags & has_base) != 0) place.base = reader.be64();
    if ((flags & has_description) != 0) reader.be32();
    if ((flags & has_default_duration) != 0) reader.be32();
    if ((flags & has_default_size) != 0) place.default_size = reader.be32();
    place.next = place.base;
    return holds = reader.ok() && reader.position() <= child.end;
  });
  end_before = place.next;
  return filled && holds && track != nullptr;
}

bool take_fragment(const Content& content, const Box& fragment, std::span<const Known> known,
                   const std::function<bool(const Chunk&)>& lies_in_media, Movie& movie, std::size_t& left) {
  std::vector<std::size_t> before;
  for (const Track& track : movie.tracks) before.push_back(track.chunks.size());
  std::uint64_t end_before = 0;
  bool holds = true;
  const bool filled = for_each_box(content, fragment.body, fragment.end, [&](const Box& child) {
    if (child.type != four_letters("traf")) return true;
    return holds = take_track(content, fragment, child, known, movie, end_before, left);
  });
  holds &= filled;
  for (std::size_t i = 0; i < before.size(); ++i) {
    const auto& chunks = movie.tracks[i].chunks;
    holds = holds && std::all_of(chunks.begin() + static_cast<std::ptrdiff_t>(before[i]), chunks.end(), lies_in_media);
  }
  for (std::size_t i = 0; i < before.size() && !holds; ++i) movie.tracks[i].chunks.resize(before[i]);
  return holds;
}

std::uint64_t sized(Reader& reader, bool is_long) { return is_long ? reader.be64() : reader.be32(); }

// A `tfra` box (8.8.10): each of its entries points to a fragment.
bool points_to(const Content& content, const Box& box, std::span<const Box> fragments, std::uint64_t& last) {
  Reader reader(content, box.body);
  const bool is_long = reader.u8() == 1;
  reader.be24();
  reader.be32();  // the track
  const std::uint32_t lengths = reader.be32(), count = reader.be32();
  const std::uint64_t numbers = 3 + (lengths >> 4 & 3) + (lengths >> 2 & 3) + (lengths & 3);
  if (!reader.ok() || reader.position() > box.end) return false;
  if (std::uint64_t{count} * ((is_long ? 16 : 8) + numbers) != box.end - reader.position()) return false;
  for (std::uint32_t i = 0; i < count; ++i) {
    sized(reader, is_long);  // the time
    const std::uint64_t offset = sized(reader, is_long);
    const auto found = std::lower_bound(fragments.begin(), fragments.end(), offset,
                                        [](const Box& one, std::uint64_t begin) { return one.begin < begin; });
    if (!reader.skip(numbers) || found == fragments.end() || found->begin != offset) return false;
    last = std::max(last, offset);
  }
  return true;
}

}  // namespace

std::size_t add_fragments(const Content& content, const Box& box, std::span<const Box> fragments,
                          const std::function<bool(const Chunk&)>& lies_in_media, Movie& movie) {
  if (fragments.empty()) return 0;
  const std::vector<Known> known = known_tracks(content, box);
  if (known.size() != movie.tracks.size() || known.size() > most_tracks) return 0;
  std::size_t good = 0, left = most_samples;
  while (good < fragments.size() && take_fragment(content, fragments[good], known, lies_in_media, movie, left)) ++good;
  return good;
}

bool is_closed_by(const Content& content, const Box& random_access, std::span<const Box> fragments) {
  std::uint64_t last = 0;
  bool holds = true, has_end = false;
  const bool filled = for_each_box(content, random_access.body, random_access.end, [&](const Box& box) {
    if (box.type == four_letters("tfra")) return holds = points_to(content, box, fragments, last);
    if (box.type != four_letters("mfro")) return true;
    has_end = Reader(content, box.body + 4).be32() == random_access.end - random_access.begin;  // 8.8.11
    return holds = has_end;
  });
  return filled && holds && has_end && last != 0;
}

std::optional<std::uint64_t> end_of_segments(const Content& content, const Box& index) {
  Reader reader(content, index.body);
  const bool is_long = reader.u8() == 1;
  reader.skip(3 + 8);  // flags, the stream, its time scale
  sized(reader, is_long);
  auto end = base::checked_add(index.end, sized(reader, is_long));
  reader.be16();
  const unsigned count = reader.be16();
  for (unsigned i = 0; i < count && end && reader.ok() && reader.position() < index.end; ++i) {
    const std::uint32_t reference = reader.be32();
    if ((reference & 0x80000000U) != 0) return std::nullopt;  // another index
    end = base::checked_add(*end, reference);
    reader.skip(8);
  }
  if (!reader.ok() || reader.position() > index.end || count == 0) return std::nullopt;
  return end;
}

}  // namespace exhibit::carve::iso
