// Compound files ([MS-CFB]): Word's, Excel's and PowerPoint's old documents, messages, installer packages and more. The
// end is that of the last sector in use; what proves it are the tables, each where another says it lies, chains as long
// as their streams, and in Office's streams the records (carve/compound_streams.h).

#include <algorithm>
#include <array>
#include <cstdlib>

#include "carve/compound_streams.h"
#include "carve/validator.h"

namespace exhibit::carve {
namespace {

using namespace std::literals;

constexpr std::uint64_t sector = 512;            // bytes
constexpr std::uint64_t cluster = 4096;          // bytes: what is lost where only the header's is known to be
constexpr std::uint64_t farthest_gap = 1 << 20;  // bytes
// How far around a directory the rest of a file without its head is looked for.
constexpr std::uint64_t headless_reach = 4 << 20;    // bytes
constexpr std::uint64_t farthest_header = 16 << 20;  // bytes
// More that nothing speaks for than this, behind the last table, isn't called proved.
constexpr std::string_view magic = "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1";
constexpr std::string_view root_name = "R\0o\0o\0t\0 \0E\0n\0t\0r\0y\0"sv;

// What speaks for the bytes of the content: tables and checked streams.
struct Proof {
  std::uint64_t first_bad = UINT64_MAX, bad_end = 0, bad_count = 0;
  std::uint64_t sound_before = 0;  // the end of the last that holds before the first that doesn't
  std::uint64_t last_sound = 0;
  std::uint64_t sound_count = 0;
};

Proof proof_of(std::vector<CheckedStretch> stretches) {
  Proof proof;
  for (const CheckedStretch& one : stretches) {
    if (one.is_sound) {
      proof.last_sound = std::max(proof.last_sound, one.end);
      ++proof.sound_count;
      continue;
    }
    ++proof.bad_count;
    if (one.begin < proof.first_bad) proof.first_bad = one.begin, proof.bad_end = one.end;
  }
  for (const CheckedStretch& one : stretches) {
    if (one.is_sound && one.begin < proof.first_bad) {
      proof.sound_before = std::max(proof.sound_before, std::min(one.end, proof.first_bad));
    }
  }
  return proof;
}

std::vector<CheckedStretch> stretches_of(const CompoundFile& file) {
  std::vector<CheckedStretch> stretches;
  for (const CompoundFile::Mark& mark : file.marks()) {
    stretches.push_back({mark.offset, mark.offset + file.header().sector_size, mark.is_sound});
  }
  return stretches;
}

using Histogram = std::array<std::uint32_t, 256>;

Histogram histogram_of(ByteSpan bytes, std::uint32_t& count) {
  Histogram histogram{};
  count = static_cast<std::uint32_t>(std::min<std::size_t>(bytes.size(), cluster));
  for (const std::uint8_t byte : bytes.first(count)) ++histogram[byte];
  return histogram;
}

// How the bytes of two stretches differ: 0 the same, 2048 nothing in common.
std::int64_t distance(ByteSpan one, ByteSpan other) {
  std::uint32_t first = 0, second = 0;
  const Histogram a = histogram_of(one, first), b = histogram_of(other, second);
  if (first == 0 || second == 0) return 0;
  std::int64_t sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    sum += std::abs(std::int64_t{a[i]} * 1024 / first - std::int64_t{b[i]} * 1024 / second);
  }
  return sum;
}

// At the right cut the two sides are alike, and what was left out is like neither of them.
std::uint32_t misfit_of(const Content& content, std::uint64_t seam) {
  const auto copy = [](ByteSpan bytes) {
    return std::vector<std::uint8_t>(
        bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(std::min<std::size_t>(bytes.size(), cluster)));
  };
  const std::uint64_t side = std::min(seam, cluster);
  const auto head = copy(content.at(seam - side, side)), tail = copy(content.at(seam, cluster));
  const auto gap_begin = copy(content.behind_first_piece(cluster));
  const ByteSpan gap_end = content.before_second_piece(cluster);
  const std::int64_t change = distance(head, tail) - distance(head, gap_begin) - distance(gap_end, tail);
  return static_cast<std::uint32_t>(5000 + change);
}

// Nothing tells a header alone from a decoy, unless the first stream goes on behind it.
Verdict header_alone(const Content& content, std::uint64_t header, std::uint64_t suspect) {
  const std::uint64_t end = content.seam() == 0 ? end_of_first_stream(content, header) : header;
  Verdict verdict = Verdict::broken(std::min(header, content.size()), std::min(suspect, content.size()),
                                    std::min(end, content.size()), DoubtCause::missing_segment);
  if (end == header) verdict.tier = Tier::header_only;
  if (end == header) return verdict;
  verdict.doubts = {{verdict.length, 0, DoubtCause::missing_segment}};
  verdict.extension = starts_with(content.at(header, 2), "\x09\x08") ? "xls" : "ppt";
  return verdict;
}

Verdict broken(const CompoundFile& file, const Content& content, const Proof& proof) {
  const std::uint64_t header = file.header().sector_size;
  const std::uint64_t sound = std::max(proof.sound_before, header);
  const std::uint64_t end = std::min(file.end(), content.size());
  if (proof.sound_count == 0) return header_alone(content, header, proof.bad_end);
  // Where most tables hold, the rest is where it was.
  const bool is_patched = proof.last_sound > proof.first_bad && proof.sound_count > proof.bad_count;
  const std::uint64_t length =
      is_patched ? std::max(end, sound) : std::min(std::max(proof.first_bad, sound), content.size());
  Verdict verdict =
      Verdict::broken(sound, std::min(proof.bad_end, content.size()), length, DoubtCause::missing_segment);
  verdict.extension = file.extension();
  return verdict;
}

Verdict judge(const CompoundFile& file, const Content& content) {
  std::vector<CheckedStretch> stretches = stretches_of(file);
  const std::uint64_t length = file.end();
  for (const CheckedStretch& one : check_streams(content, file)) stretches.push_back(one);
  const Proof proof = proof_of(stretches);
  if (proof.bad_count > 0) return broken(file, content, proof);
  if (!file.chains_hold() || length > content.size()) {
    // No table is out of its place, yet they contradict each other.
    const std::uint64_t end = std::min(length, content.size());
    Verdict verdict = Verdict::broken(file.header().sector_size, end, end, DoubtCause::missing_segment);
    verdict.extension = file.extension();
    return verdict;
  }
  Verdict verdict = Verdict::whole(length, file.extension());
  // A last cluster that nothing speaks for could be another file's.
  if (proof.last_sound <= (length - 1) / cluster * cluster) verdict.tier = Tier::plausible;
  if (content.seam() > 0 && content.seam() < length) verdict.misfit = misfit_of(content, content.seam());
  return verdict;
}

// Where the allocation table says of itself that it lies, the file's first byte can be told: for the first such table
// of a file whose header is lost. Offsets are the content's; `begin` may lie before it.
struct Headless {
  std::int64_t begin = 0;
  CompoundFile::Header header;
};

// The file's tables as those would say who take the sectors in `fat` for its allocation table.
CompoundFile::Header header_for(std::uint64_t directory, std::vector<std::uint32_t> fat, std::int64_t begin) {
  CompoundFile::Header header;
  header.fat_sectors = static_cast<std::uint32_t>(fat.size());
  header.fat = std::move(fat);
  header.first_directory = static_cast<std::uint32_t>(
      (static_cast<std::int64_t>(directory) - begin) / static_cast<std::int64_t>(sector) - 1);
  header.first_mini_fat = CompoundFile::end_of_chain;
  return header;
}

// The sectors of a FAT whose first is at `first`, by what it says of itself being its word `word`.
std::optional<Headless> headless_by(const Content& content, std::uint64_t directory, std::uint64_t first,
                                    std::size_t word) {
  const std::int64_t begin = static_cast<std::int64_t>(first) - static_cast<std::int64_t>((word + 1) * sector);
  if (begin >= static_cast<std::int64_t>(directory)) return std::nullopt;
  std::vector<std::uint32_t> fat;
  const ByteSpan table = content.at(first, sector);
  if (table.size() < sector) return std::nullopt;
  for (std::size_t i = 0; i < sector / 4; ++i) {
    const std::uint32_t value = table[4 * i] | std::uint32_t{table[4 * i + 1]} << 8 |
                                std::uint32_t{table[4 * i + 2]} << 16 | std::uint32_t{table[4 * i + 3]} << 24;
    if (value == CompoundFile::fat_sector) fat.push_back(static_cast<std::uint32_t>(i));
  }
  Headless headless{begin, header_for(directory, std::move(fat), begin)};
  const std::size_t own = headless.header.first_directory;
  if (own >= sector / 4 * headless.header.fat_sectors) return std::nullopt;
  return headless;
}

// What a directory at `directory` belongs to, if its allocation table lies near.
std::optional<Headless> find_headless(const Content& content, std::uint64_t directory) {
  const std::uint64_t from =
      directory % sector + (directory - directory % sector - std::min(directory - directory % sector, headless_reach));
  const std::uint64_t to = std::min(content.size(), directory + headless_reach);
  for (std::uint64_t at = from; at + sector <= to; at += sector) {
    const ByteSpan table = content.at(at, sector).first(sector);
    if (!is_fat_sector(table)) continue;
    for (std::size_t word = 0; word < sector / 4; ++word) {
      const bool is_own = table[4 * word] == 0xfd && table[4 * word + 1] == 0xff && table[4 * word + 2] == 0xff &&
                          table[4 * word + 3] == 0xff;
      if (!is_own) continue;
      const auto headless = headless_by(content, directory, at, word);
      if (!headless) continue;
      const std::uint64_t missing = headless->begin < 0 ? static_cast<std::uint64_t>(-headless->begin) : 0;
      if (headless->begin > 0) {
        const PartContent part(content, static_cast<std::uint64_t>(headless->begin), content.size());
        CompoundFile file(part, headless->header);
        if (file.read_tables() && file.end() <= part.size()) return headless;
      } else {
        CompoundFile file(content, headless->header, missing);
        if (file.read_tables() && file.end() <= content.size()) return headless;
      }
    }
  }
  return std::nullopt;
}

// A file without its head, of which the content begins with the first byte that may still be there.
Verdict validate_headless(const Content& content) {
  const std::uint64_t limit = std::min(content.size(), headless_reach);
  std::uint64_t directory = find(content, root_name, 0, limit);
  for (; directory < limit; directory = find(content, root_name, directory + 2, limit)) {
    const ByteSpan bytes = content.at(directory, sector);
    if (bytes.size() < sector || !is_directory_sector(bytes.first(sector))) continue;
    const auto headless = find_headless(content, directory);
    if (!headless || headless->begin >= 0) continue;
    CompoundFile file(content, headless->header, static_cast<std::uint64_t>(-headless->begin));
    file.read_tables();
    Verdict verdict = Verdict::broken(file.end(), file.end(), file.end(), DoubtCause::missing_segment);
    verdict.doubts = {{0, 0, DoubtCause::missing_segment}};
    verdict.extension = file.extension();
    return verdict;
  }
  return {};
}

Verdict validate(const Content& content, Memory&) {
  const auto header = CompoundFile::read_header(content);
  if (!header) return starts_with(content.at(0, 8), "\xd0\xcf\x11\xe0") ? Verdict{} : validate_headless(content);
  CompoundFile file(content, *header);
  if (file.read_tables()) return judge(file, content);
  const Proof proof = proof_of(stretches_of(file));
  if (proof.bad_count > 0) return broken(file, content, proof);
  const std::uint64_t end = std::min(file.end(), content.size());
  return Verdict::broken(header->sector_size, end, end, DoubtCause::missing_segment);
}

// Whether a header near by is that of this file, which lies in fragments: it leads to the same sectors.
bool has_header_near(const Content& content, std::uint64_t anchor, const CompoundFile::Header& told) {
  const std::uint64_t limit = std::min(content.size(), anchor + farthest_header);
  for (std::uint64_t at = anchor - std::min(anchor, farthest_header);; ++at) {
    at = find(content, magic, at, limit);
    if (at >= limit) return false;
    const auto header = CompoundFile::read_header(PartContent(content, at, content.size()));
    if (header && header->first_directory == told.first_directory && header->fat.front() == told.fat.front())
      return true;
  }
}

// The beginning of the file whose directory begins at `anchor`, if its header is lost.
std::optional<std::uint64_t> begin_of(const Content& before, std::uint64_t anchor) {
  const ByteSpan bytes = before.at(anchor, sector);
  if (bytes.size() < sector || bytes[66] != 5 || !is_directory_sector(bytes.first(sector))) return std::nullopt;
  // A header that leads to this directory finds it by itself.
  const std::uint64_t from = anchor - std::min(anchor, farthest_header);
  for (std::uint64_t end = anchor;;) {
    const std::uint64_t at = find_last(before, magic, from, end);
    if (at >= end) break;
    const auto header = CompoundFile::read_header(PartContent(before, at, before.size()));
    if (header && at + (std::uint64_t{header->first_directory} + 1) * header->sector_size == anchor)
      return std::nullopt;
    end = at;
  }
  const auto headless = find_headless(before, anchor);
  if (!headless || has_header_near(before, anchor, headless->header)) return std::nullopt;
  const std::int64_t first_known = headless->begin + static_cast<std::int64_t>(sector);
  std::int64_t begin = headless->begin + static_cast<std::int64_t>(cluster);
  const bool is_within = static_cast<std::int64_t>(anchor) < begin;
  if (is_within) begin = first_known;  // less than a cluster was lost
  return static_cast<std::uint64_t>(std::max<std::int64_t>(begin, 0));
}

// The distance between where the directory lies and where the header says it lies.
std::vector<std::uint64_t> gaps(const Content& content, const Verdict&) {
  const auto header = CompoundFile::read_header(content);
  if (!header) return {};
  std::vector<std::uint64_t> gaps;
  const std::uint64_t told = (std::uint64_t{header->first_directory} + 1) * header->sector_size;
  const std::uint64_t limit = std::min(content.size(), told + farthest_gap + root_name.size());
  for (std::uint64_t at = find(content, root_name, told, limit); at < limit;
       at = find(content, root_name, at + 2, limit)) {
    if (at > told) gaps.push_back(at - told);
  }
  return gaps;
}

}  // namespace

extern const Validator ole_validator;
const Validator ole_validator = {"ole", validate, nullptr, begin_of, gaps};

}  // namespace exhibit::carve
