// SQLite 3 databases (sqlite.org/fileformat2.html). The header tells the count of pages; that each of them is where it
// should be is proved by following every tree, chain and list (carve/sqlite_database.h).

#include "carve/sqlite_database.h"

namespace exhibit::carve {
namespace {

using Use = SqliteDatabase::Use;

// The largest database for which parsed pages are kept while fragments are looked for.
constexpr std::uint32_t most_kept_pages = 32768;
// How far before the first contradiction the cut may lie: sound pages may be sound by chance, where the gap itself is a
// database's.
constexpr std::uint32_t distrusted = 4;           // sound pages
constexpr std::uint64_t kept_before = 128 << 10;  // bytes
constexpr std::uint64_t sector = 512;             // bytes: the least unit at which fragments begin
constexpr std::uint64_t farthest_gap = 1 << 20;   // bytes
constexpr std::size_t most_doubts = 64;

struct State : Memory::State {
  std::shared_ptr<const SqliteDatabase::Pages> parsed;
  std::uint32_t pages = 0;  // of them, that lie before the state's offset
};

struct Census {
  std::uint32_t first_bad = 0, last_bad = 0, last_sound = 0;
  std::uint32_t sound = 0, sound_behind = 0, bad = 0;  // pages; `behind` the first bad one
};

Census census_of(const SqliteDatabase& database, std::uint32_t available) {
  Census census;
  for (std::uint32_t page = 1; page <= available; ++page) {
    const Use use = database.use(page);
    if (use == Use::bad) {
      if (census.first_bad == 0) census.first_bad = page;
      census.last_bad = page;
      ++census.bad;
    } else if (use == Use::tree) {
      ++census.sound;
      if (census.first_bad > 0) ++census.sound_behind;
      census.last_sound = page;
    }
  }
  return census;
}

// The first page behind which the first contradiction's cause may lie.
std::uint32_t trusted_pages(const SqliteDatabase& database, std::uint32_t first_bad) {
  std::uint32_t seen = 0, page = first_bad - 1;
  while (page > 1 && seen < distrusted) seen += database.use(page--) == Use::tree ? 1 : 0;
  return page;
}

// The last page up to `limit` that something leads to or that is a page of a tree by itself, as are those before it.
std::uint32_t last_known(SqliteDatabase& database, std::uint32_t limit) {
  std::uint32_t page = 1;
  while (page < limit && (database.use(page + 1) != Use::unknown || database.is_tree_page(page + 1))) ++page;
  return page;
}

std::vector<Doubt> doubts_of(const SqliteDatabase& database, std::uint64_t page_size, std::uint64_t length) {
  std::vector<Doubt> doubts;
  for (std::uint32_t page = 1; page <= length / page_size; ++page) {
    if (database.use(page) != Use::bad) continue;
    const auto begin = std::uint64_t{page - 1} * page_size;
    if (!doubts.empty() && doubts.back().offset + doubts.back().length == begin) {
      doubts.back().length += page_size;
    } else if (doubts.size() < most_doubts) {
      doubts.push_back({begin, page_size, DoubtCause::missing_segment});
    }
  }
  return doubts;
}

Verdict broken(SqliteDatabase& database, const Content& content, std::uint64_t page_size) {
  const auto available =
      static_cast<std::uint32_t>(std::min<std::uint64_t>(content.size() / page_size, database.pages()));
  const Census census = census_of(database, available);
  // A first page alone that leads to nothing may be a decoy's.
  if (census.sound == 0 || database.use(1) != Use::tree) return {};
  const std::uint32_t known = last_known(database, census.first_bad > 0 ? census.first_bad - 1 : available);
  const bool is_alone = known == 1 && database.pages() > 1;
  if (census.first_bad == 0) {  // it ends too early, or pages are left over
    Verdict verdict = Verdict::broken(page_size, available * page_size, known * page_size, DoubtCause::missing_segment);
    if (is_alone) verdict.tier = Tier::header_only;
    return verdict;
  }
  // Where most pages behind the first bad one hold, it was overwritten; else its rest lies elsewhere.
  const bool is_patched = census.sound_behind >= census.bad && census.last_sound > census.last_bad;
  const std::uint32_t pages = is_patched ? available : known;
  const std::uint32_t sound = trusted_pages(database, census.first_bad);
  Verdict verdict =
      Verdict::broken(sound * page_size, census.first_bad * page_size, pages * page_size, DoubtCause::missing_segment);
  if (is_alone && !is_patched) verdict.tier = Tier::header_only;
  if (is_patched) verdict.doubts = doubts_of(database, page_size, verdict.length);
  if (!is_patched) verdict.doubts = {{verdict.length, 0, DoubtCause::missing_segment}};
  return verdict;
}

// For the search for fragments: the pages around where it may be cut.
void keep(SqliteDatabase& database, std::uint64_t page_size, const Verdict& verdict, Memory& memory) {
  if (database.pages() > most_kept_pages || verdict.tier == Tier::none) return;
  const auto parsed = std::make_shared<const SqliteDatabase::Pages>(database.take_parsed());
  const std::uint64_t from = verdict.sound - std::min(verdict.sound, kept_before);
  for (std::uint64_t page = std::max<std::uint64_t>(1, from / page_size); page * page_size <= verdict.suspect; ++page) {
    auto state = std::make_shared<State>();
    state->parsed = parsed;
    state->pages = static_cast<std::uint32_t>(page);
    memory.keep(page * page_size, std::move(state));
  }
}

Verdict validate(const Content& content, Memory& memory) {
  const auto header = parse_sqlite_header(content);
  if (!header) return {};
  const auto* known = static_cast<const State*>(memory.latest());
  SqliteDatabase database(content, *header, known != nullptr ? known->parsed.get() : nullptr,
                          known != nullptr ? known->pages : 0);
  database.walk(known != nullptr);
  if (database.holds()) return Verdict::whole(std::uint64_t{database.pages()} * header->page_size);
  // Fragments are being tried: the rest doesn't matter.
  if (known != nullptr) return {};
  const Verdict verdict = broken(database, content, header->page_size);
  keep(database, header->page_size, verdict, memory);
  return verdict;
}

// How many of the pages that are missing lie `gap` bytes further on.
std::size_t count_found(const Content& content, const SqliteHeader& header, const SqliteDatabase& database,
                        std::uint64_t gap) {
  std::size_t count = 0;
  for (const SqliteDatabase::Expected& expected : database.missed()) {
    const ByteSpan page = content.at((std::uint64_t{expected.page} - 1) * header.page_size + gap, header.page_size);
    if (page.size() < header.page_size) continue;
    count += SqliteDatabase::fits(parse_sqlite_page(page.first(header.page_size), 0, header.usable), expected) ? 1 : 0;
  }
  return count;
}

// The gaps behind which pages lie that trees lead to.
std::vector<std::uint64_t> gaps(const Content& content, const Verdict&) {
  const auto header = parse_sqlite_header(content);
  if (!header) return {};
  SqliteDatabase database(content, *header);
  database.walk(false);
  std::vector<std::pair<std::size_t, std::uint64_t>> counted;
  for (std::uint64_t gap = sector; gap <= farthest_gap; gap += sector) {
    if (const std::size_t count = count_found(content, *header, database, gap)) counted.emplace_back(count, gap);
  }
  std::stable_sort(counted.begin(), counted.end(), [](const auto& a, const auto& b) { return a.first > b.first; });
  std::vector<std::uint64_t> gaps;
  for (const auto& [count, gap] : counted) gaps.push_back(gap);
  return gaps;
}

}  // namespace

extern const Validator sqlite_validator;
const Validator sqlite_validator = {"sqlite", validate, nullptr, nullptr, gaps};

}  // namespace exhibit::carve
