#include "image/formats/ewf/layout.h"

#include <algorithm>
#include <array>

#include "base/checked.h"
#include "base/json.h"
#include "image/formats/ewf/bytes.h"

namespace exhibit::image::ewf {
namespace {

constexpr std::uint64_t largest_small_section = std::uint64_t{1} << 20;  // every kind but chunk data and tables
constexpr std::uint64_t largest_chunk = std::uint64_t{64} << 20;         // ewfacquire: 32768 sectors, of 2048 bytes
constexpr std::uint32_t largest_sector = 65536;
constexpr std::size_t volume_size = 1052, smart_volume_size = 94;
constexpr std::size_t error_header_size = 520, error_size = 8;

Error damaged(const SegmentFile& segment, std::uint64_t offset, const std::string& what) {
  return Error{ErrorCode::corrupt, segment.name + ": " + what, segment.name, offset};
}

// The `volume` (`disk`) and `data` sections hold the same. Nothing where it doesn't check.
std::optional<Media> parse_media(std::string_view bytes) {
  Media media;
  if (bytes.size() >= volume_size && checks(bytes, volume_size - 4)) {
    media.sectors = little64(bytes, 16);
    media.set_identifier = std::string(bytes.substr(64, 16));
  } else if (bytes.size() >= smart_volume_size && bytes.size() < volume_size && checks(bytes, smart_volume_size - 4)) {
    media.sectors = little32(bytes, 16);
    media.smart = true;
  } else {
    return std::nullopt;
  }
  media.sectors_per_chunk = little32(bytes, 8);
  media.bytes_per_sector = little32(bytes, 12);
  return media;
}

bool is_media_section(const Section& section) {
  return section.type == "volume" || section.type == "disk" || section.type == "data";
}

bool is_read(const Section& section) {
  static constexpr std::array<std::string_view, 9> types = {"sectors", "table",  "table2", "header2", "header",
                                                            "hash",    "digest", "next",   "done"};
  return is_media_section(section) || std::find(types.begin(), types.end(), section.type) != types.end();
}

// EWF, section 3.15: how many ranges, 512 unused bytes, a checksum; then each range's first sector and length, and a
// checksum. Nothing where it doesn't check.
std::optional<std::vector<SectorRange>> parse_errors(std::string_view bytes) {
  if (bytes.size() < error_header_size || !checks(bytes, error_header_size - 4)) return std::nullopt;
  const std::uint64_t size = std::uint64_t{little32(bytes, 0)} * error_size;
  bytes.remove_prefix(error_header_size);
  if (size > bytes.size() || !checks(bytes, static_cast<std::size_t>(size))) return std::nullopt;
  std::vector<SectorRange> ranges;
  for (std::size_t at = 0; at < size; at += error_size)
    ranges.push_back({little32(bytes, at), little32(bytes, at + 4)});
  return ranges;
}

bool plausible(const Media& media) {
  const auto size = base::checked_multiply(media.sectors, media.bytes_per_sector);
  return media.sectors_per_chunk > 0 && media.bytes_per_sector > 0 && media.bytes_per_sector <= largest_sector &&
         media.chunk_size() <= largest_chunk && media.sectors > 0 && size &&
         *size <= static_cast<std::uint64_t>(INT64_MAX) - largest_chunk;
}

bool has_identifier(const Media& media) { return media.set_identifier.find_first_not_of('\0') != std::string::npos; }

bool one_set(const Media& a, const Media& b) {
  if (has_identifier(a) && has_identifier(b) && a.set_identifier != b.set_identifier) return false;
  return a.sectors == b.sectors && a.sectors_per_chunk == b.sectors_per_chunk &&
         a.bytes_per_sector == b.bytes_per_sector;
}

// Builds the layout out of the segments' chains, one after another.
class Reader {
 public:
  Reader(const std::vector<SegmentFile>& segments, const std::vector<Chain>& chains)
      : segments_(segments), chains_(chains) {}

  Result<Layout> read() {
    EXHIBIT_TRY(read_media());
    EXHIBIT_TRY(read_acquisition_errors());
    for (std::size_t i = 0; i < chains_.size() && !lost_; ++i) EXHIBIT_TRY(read_segment(i));
    for (const Chain& chain : chains_) {
      layout_.notices.insert(layout_.notices.end(), chain.notices.begin(), chain.notices.end());
      if (chain.broken) layout_.notices.push_back(*chain.broken);
    }
    if (layout_.located_chunks == 0) return nothing_left();
    if (layout_.located_chunks < layout_.media.chunks()) {
      layout_.notices.push_back(segments_.front().name + ": " +
                                std::to_string(layout_.media.chunks() - layout_.located_chunks) + " of " +
                                std::to_string(layout_.media.chunks()) + " chunks of the medium have no valid table");
    }
    return std::move(layout_);
  }

 private:
  // The geometry is written once as `volume` and, by most writers, once a segment as `data`.
  Result<void> read_media() {
    std::optional<Media> found;
    for (std::size_t i = 0; i < chains_.size(); ++i) {
      for (const Section& section : chains_[i].sections) {
        if (!is_media_section(section)) continue;
        const auto media = parse_media(EXHIBIT_TRY(read_data(segments_[i], section, largest_small_section)));
        if (!media || !plausible(*media)) {
          layout_.notices.push_back(segments_[i].name + ": the section `" + section.type + "` at offset " +
                                    std::to_string(section.offset) + " is damaged");
          continue;
        }
        if (found && !one_set(*found, *media)) {
          return damaged(
              segments_[i], section.offset,
              "belongs to another image than " + segments_.front().name + "; give the segments of one image");
        }
        if (!found) found = media;
      }
    }
    if (!found) {
      return damaged(segments_.front(), file_header_size,
                     "no section says how large the medium is; the image cannot be read");
    }
    layout_.media = *found;
    return {};
  }

  // Those of all segments: they stand in the last one, whatever is lost before it.
  Result<void> read_acquisition_errors() {
    for (std::size_t i = 0; i < chains_.size(); ++i) {
      for (const Section& section : chains_[i].sections) {
        if (is_read(section)) continue;
        std::optional<std::vector<SectorRange>> ranges;
        if (section.type == "error2" && section.data_size() <= largest_small_section)
          ranges = parse_errors(EXHIBIT_TRY(read_data(segments_[i], section, largest_small_section)));
        layout_.foreign = layout_.foreign || !ranges;
        if (ranges) layout_.acquisition_errors.insert(layout_.acquisition_errors.end(), ranges->begin(), ranges->end());
      }
    }
    return {};
  }

  Result<void> read_segment(std::size_t index) {
    const SegmentFile& segment = segments_[index];
    const std::vector<Section>& sections = chains_[index].sections;
    for (std::size_t i = 0; i < sections.size(); ++i) {
      const Section& section = sections[i];
      if (section.type == "table") {
        const Section* copy = i + 1 < sections.size() && sections[i + 1].type == "table2" ? &sections[i + 1] : nullptr;
        EXHIBIT_TRY(take_table(index, i, copy));
        if (lost_) return {};
      } else if (section.type == "header2" || section.type == "header") {
        take_header(segment, section);
      } else if (section.type == "hash" || section.type == "digest") {
        EXHIBIT_TRY(take_digests(segment, section));
      }
    }
    if (chains_[index].broken) lost_ = true;
    return {};
  }

  Result<void> take_table(std::size_t index, std::size_t at, const Section* copy) {
    const SegmentFile& segment = segments_[index];
    const Section& section = chains_[index].sections[at];
    std::optional<ChunkTable> table = EXHIBIT_TRY(read_chunk_table(segment, section));
    if (!table && copy != nullptr) {
      table = EXHIBIT_TRY(read_chunk_table(segment, *copy));
      if (table) {
        layout_.notices.push_back(segment.name + ": the section `table` at offset " + std::to_string(section.offset) +
                                  " is damaged; its copy was used");
      }
    } else if (table && copy != nullptr && !EXHIBIT_TRY(has_sound_header(segment, *copy))) {
      layout_.notices.push_back(segment.name + ": the section `table2` at offset " + std::to_string(copy->offset) +
                                " is damaged; it is a copy and wasn't needed");
    }
    if (!table || layout_.located_chunks + table->count > layout_.media.chunks()) {
      layout_.notices.push_back(segment.name + ": the section `table` at offset " + std::to_string(section.offset) +
                                (table ? " accounts for more chunks than the medium has" : " is damaged"));
      lost_ = true;
      return {};
    }
    table->segment = index;
    table->first_chunk = layout_.located_chunks;
    place_chunks(index, at, *table);
    layout_.located_chunks += table->count;
    layout_.tables.push_back(*table);
    return {};
  }

  // Where a writer puts the chunks of a table: in the `sectors` before it, or in the table's own section.
  void place_chunks(std::size_t index, std::size_t at, ChunkTable& table) const {
    const std::vector<Section>& sections = chains_[index].sections;
    const Section* holder = table.chunks_follow ? &sections[at] : nullptr;
    if (holder == nullptr && at > 0 && sections[at - 1].type == "sectors") holder = &sections[at - 1];
    if (holder == nullptr) return;
    table.data = holder->data();
    table.end = holder->end;
  }

  void take_header(const SegmentFile& segment, const Section& section) {
    const auto bytes = read_data(segment, section, largest_small_section);
    auto& values = section.type == "header2" ? layout_.acquisition : one_byte_values_;
    if (!bytes.ok() || !add_header_values(*bytes, section.type == "header2", values)) {
      layout_.notices.push_back(segment.name + ": the section `" + section.type + "` at offset " +
                                std::to_string(section.offset) + " is damaged");
    }
    // What `header2` says in full Unicode wins; it comes first in the file.
    layout_.acquisition.insert(one_byte_values_.begin(), one_byte_values_.end());
  }

  Result<void> take_digests(const SegmentFile& segment, const Section& section) {
    constexpr std::size_t md5_size = 16, sha1_size = 20;
    const bool both = section.type == "digest";  // MD5, SHA-1; `hash` holds the MD5 alone
    const std::size_t checked = both ? 76 : 32;
    const std::string bytes = EXHIBIT_TRY(read_data(segment, section, largest_small_section));
    if (!checks(bytes, checked)) {
      layout_.notices.push_back(segment.name + ": the section `" + section.type + "` at offset " +
                                std::to_string(section.offset) + ", which holds digests of the medium, is damaged");
      return {};
    }
    take_digest("md5", std::string_view(bytes).substr(0, md5_size), segment);
    if (both) take_digest("sha1", std::string_view(bytes).substr(md5_size, sha1_size), segment);
    return {};
  }

  // All zeros: not set.
  void take_digest(const std::string& algorithm, std::string_view bytes, const SegmentFile& segment) {
    if (bytes.find_first_not_of('\0') == std::string_view::npos) return;
    const auto [known, added] = layout_.stored_digests.emplace(algorithm, base::to_hex(bytes));
    if (!added && known->second != base::to_hex(bytes))
      layout_.notices.push_back(segment.name + ": two different digests (" + algorithm + ") of the medium are stored");
  }

  Result<Layout> nothing_left() const {
    for (std::size_t i = 0; i < chains_.size(); ++i)
      if (chains_[i].broken)
        return Error{ErrorCode::corrupt, *chains_[i].broken + "; no chunk of the medium can be located",
                     segments_[i].name, chains_[i].broken_at};
    const std::string& what =
        layout_.notices.empty() ? segments_.front().name + ": holds no table of chunks" : layout_.notices.back();
    return Error{ErrorCode::corrupt, what + "; no chunk of the medium can be located", segments_.front().name, {}};
  }

  const std::vector<SegmentFile>& segments_;
  const std::vector<Chain>& chains_;
  Layout layout_;
  std::map<std::string, std::string> one_byte_values_;
  bool lost_ = false;  // chunks from here on cannot be numbered
};

// Numbers 1, 2, … without a gap, and the last segment says that it is the last.
Result<void> check_complete(const std::vector<SegmentFile>& segments, const std::vector<Chain>& chains) {
  const std::string& first = segments.front().name;
  const auto missing = [&](const std::string& which) {
    return Error{ErrorCode::not_found, first + ": " + which + "; put it beside " + first, first, {}};
  };
  for (std::size_t i = 0; i < chains.size(); ++i) {
    const std::size_t number = chains[i].number;
    if (i > 0 && number == chains[i - 1].number) {
      return damaged(segments[i], 9,
                     "has the segment number " + std::to_string(number) + ", as has " + segments[i - 1].name);
    }
    if (number != i + 1) return missing("segment " + std::to_string(i + 1) + " is missing");
    if (chains[i].last && i + 1 < chains.size()) {
      return damaged(segments[i + 1], 0, "follows " + segments[i].name + ", which says that it is the last segment");
    }
  }
  const Chain& last = chains.back();
  if (!last.last && !last.broken) {
    return missing("segment " + std::to_string(chains.size() + 1) + " is missing, and perhaps more after it");
  }
  return {};
}

}  // namespace

Result<Layout> read_layout(std::vector<SegmentFile>& segments) {
  std::vector<std::pair<Chain, SegmentFile>> read;
  for (SegmentFile& segment : segments) {
    Chain chain = EXHIBIT_TRY(read_chain(segment));
    read.emplace_back(std::move(chain), std::move(segment));
  }
  std::stable_sort(read.begin(), read.end(),
                   [](const auto& a, const auto& b) { return a.first.number < b.first.number; });
  segments.clear();
  std::vector<Chain> chains;
  for (auto& [chain, segment] : read) {
    chains.push_back(std::move(chain));
    segments.push_back(std::move(segment));
  }
  EXHIBIT_TRY(check_complete(segments, chains));
  return Reader(segments, chains).read();
}

}  // namespace exhibit::image::ewf
