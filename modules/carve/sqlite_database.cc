#include "carve/sqlite_database.h"

#include <algorithm>

namespace exhibit::carve {
namespace {

constexpr std::string_view magic{"SQLite format 3\0", 16};
constexpr std::size_t header_length = 100;                   // bytes (1.3)
constexpr std::uint64_t lock_byte = std::uint64_t{1} << 30;  // its page is never used (1.4)
constexpr std::uint32_t root_column = 3;                     // of sqlite_schema (2.6)
constexpr std::uint32_t pointer_map_entry = 5;               // bytes (1.8)
constexpr std::size_t most_missed = 64;                      // kept for the search for a gap

}  // namespace

std::optional<SqliteHeader> parse_sqlite_header(const Content& content) {
  if (!starts_with(content.at(0, magic.size()), magic)) return std::nullopt;
  Reader reader(content, magic.size());
  SqliteHeader header;
  const std::uint32_t size = reader.be16();
  header.page_size = size == 1 ? 65536 : size;
  const unsigned writes = reader.u8(), reads = reader.u8(), reserved = reader.u8();
  const bool fractions = reader.u8() == 64 && reader.u8() == 32 && reader.u8() == 32;
  const std::uint32_t changes = reader.be32();
  header.pages = reader.be32();
  header.first_free = reader.be32();
  header.free_pages = reader.be32();
  reader.skip(4);
  const std::uint32_t schema_format = reader.be32();
  reader.skip(4);
  header.has_pointer_map = reader.be32() != 0;
  const std::uint32_t encoding = reader.be32();
  reader.skip(12);
  for (int i = 0; i < 5; ++i) {
    if (reader.be32() != 0) return std::nullopt;  // reserved for expansion
  }
  const std::uint32_t valid_for = reader.be32();
  const bool is_power = header.page_size >= 512 && (header.page_size & (header.page_size - 1)) == 0;
  if (!reader.ok() || !is_power || writes > 2 || reads > 2 || !fractions || schema_format > 4 || encoding > 3) {
    return std::nullopt;
  }
  header.usable = header.page_size - reserved;
  if (header.usable < 480) return std::nullopt;  // 1.3.4
  if (valid_for != changes) header.pages = 0;    // 1.3.7: the count isn't to be trusted
  return header;
}

SqliteDatabase::SqliteDatabase(const Content& content, const SqliteHeader& header, const Pages* known,
                               std::uint32_t known_pages)
    : content_(content), header_(header), known_(known), known_pages_(known_pages) {
  const std::uint64_t whole = content.size() / header.page_size;
  available_ = static_cast<std::uint32_t>(std::min<std::uint64_t>(whole, 0xfffffffe));
  if (header.pages > 0) available_ = std::min(available_, header.pages);
}

void SqliteDatabase::walk(bool is_hasty) {
  is_hasty_ = is_hasty;
  tasks_ = {{1, Expected::table}};
  const auto drain = [&] {
    while (!tasks_.empty() && (holds_ || !is_hasty_)) {
      const Expected next = tasks_.back();
      tasks_.pop_back();
      visit(next);
    }
  };
  // The schema's own tree first: it gives the roots of the others.
  drain();
  in_schema_ = false;
  tasks_ = std::move(roots_);
  drain();
  if (holds_ || !is_hasty_) walk_free_list();
  if (holds_ || !is_hasty_) walk_pointer_maps();
  if (holds_ || !is_hasty_) look_for_unused();
}

bool SqliteDatabase::fits(const SqlitePage& page, const Expected& expected) {
  if (page.type == SqlitePage::none) return false;
  if (expected.kind != Expected::any && page.is_table() != (expected.kind == Expected::table)) return false;
  if (page.rowids.empty()) return true;
  return page.rowids.front() > expected.low && page.rowids.back() <= expected.high;
}

std::uint32_t SqliteDatabase::lock_page() const {
  return static_cast<std::uint32_t>(lock_byte / header_.page_size) + 1;
}

// A map that would lie on the lock's page lies behind it.
std::uint32_t SqliteDatabase::page_of_map(std::uint32_t page) const { return page == lock_page() ? page + 1 : page; }

bool SqliteDatabase::is_bound(std::uint32_t page) const {
  if (page == lock_page()) return true;
  if (!header_.has_pointer_map || page < 2) return false;
  const std::uint32_t group = header_.usable / pointer_map_entry + 1;
  return page == page_of_map((page - 2) / group * group + 2);
}

// Gives `page` a use; false if it has one already, or isn't there.
bool SqliteDatabase::claim(std::uint32_t page, Use use) {
  if (page == 0 || page > available_ || is_bound(page)) return false;
  if (uses_.size() < page) uses_.resize(page, Use::unknown);
  if (uses_[page - 1] != Use::unknown) return false;
  uses_[page - 1] = use;
  highest_ = std::max(highest_, page);
  return true;
}

void SqliteDatabase::contradict(std::uint32_t page) {
  holds_ = false;
  if (page == 0 || page > available_) return;
  if (uses_.size() < page) uses_.resize(page, Use::unknown);
  uses_[page - 1] = Use::bad;
}

std::uint32_t SqliteDatabase::be32(std::uint64_t offset) const { return Reader(content_, offset).be32(); }

std::shared_ptr<const SqlitePage> SqliteDatabase::load(std::uint32_t page) {
  if (page <= known_pages_ && known_ != nullptr && page <= known_->size() && (*known_)[page - 1]) {
    return (*known_)[page - 1];
  }
  const ByteSpan bytes = content_.at(std::uint64_t{page - 1} * header_.page_size, header_.page_size);
  auto parsed = std::make_shared<const SqlitePage>(
      parse_sqlite_page(bytes.first(std::min<std::size_t>(bytes.size(), header_.page_size)),
                        page == 1 ? header_length : 0, header_.usable));
  if (known_ == nullptr && !is_hasty_) {
    if (parsed_.size() < page) parsed_.resize(page);
    parsed_[page - 1] = parsed;
  }
  return parsed;
}

void SqliteDatabase::visit(const Expected& expected) {
  if (!claim(expected.page, Use::tree)) {
    holds_ = false;
    return;
  }
  const auto page = load(expected.page);
  if (!fits(*page, expected)) {
    if (missed_.size() < most_missed) missed_.push_back(expected);
    contradict(expected.page);
    return;
  }
  if (page->is_interior()) visit_children(*page, expected);
  if (in_schema_ && page->type == SqlitePage::table_leaf) visit_schema(expected.page, *page);
  for (const SqlitePage::Overflow& overflow : page->overflows) follow(overflow, expected.page);
}

void SqliteDatabase::visit_children(const SqlitePage& page, const Expected& expected) {
  for (std::size_t i = 0; i < page.children.size(); ++i) {
    Expected child;
    child.page = page.children[i];
    child.kind = page.is_table() ? Expected::table : Expected::index;
    child.low = i > 0 && page.is_table() ? page.rowids[i - 1] : expected.low;
    child.high = i < page.rowids.size() && page.is_table() ? page.rowids[i] : expected.high;
    tasks_.push_back(child);
  }
}

// Takes the roots of the trees from a leaf of sqlite_schema.
void SqliteDatabase::visit_schema(std::uint32_t number, const SqlitePage& page) {
  const ByteSpan bytes = content_.at(std::uint64_t{number - 1} * header_.page_size, header_.page_size);
  if (bytes.size() < header_.usable) return;
  for (const std::uint16_t payload : page.payloads) {
    const auto root = sqlite_integer(bytes.first(header_.usable).subspan(payload), root_column);
    if (!root || *root <= 0) continue;
    const bool is_index = sqlite_text_begin(bytes.first(header_.usable).subspan(payload)) == 'i';  // column 0: the type
    roots_.push_back({static_cast<std::uint32_t>(std::min<std::int64_t>(*root, UINT32_MAX)),
                      is_index ? Expected::index : Expected::any});
  }
}

// An overflow chain (1.7): as long as the payload needs, and then it ends.
void SqliteDatabase::follow(const SqlitePage::Overflow& overflow, std::uint32_t from) {
  std::uint32_t page = overflow.first;
  for (std::uint32_t i = 0; i < overflow.pages; ++i) {
    if (!claim(page, Use::chained)) return contradict(from);
    from = page;
    page = be32(std::uint64_t{page - 1} * header_.page_size);
  }
  if (page != 0) contradict(from);
}

void SqliteDatabase::walk_free_list() {  // 1.5
  std::uint32_t from = 1, left = header_.free_pages;
  std::vector<std::uint32_t> leaves;
  for (std::uint32_t trunk = header_.first_free; trunk != 0;) {
    if (left == 0 || !claim(trunk, Use::chained)) return contradict(from);
    from = trunk;
    Reader reader(content_, std::uint64_t{trunk - 1} * header_.page_size);
    trunk = reader.be32();
    const std::uint32_t count = reader.be32();
    if (!reader.ok() || count > header_.usable / 4 - 2 || count > left - 1) return contradict(from);
    left -= count + 1;
    leaves.clear();
    for (std::uint32_t i = 0; i < count; ++i) leaves.push_back(reader.be32());
    for (const std::uint32_t leaf : leaves) {
      if (!claim(leaf, Use::free)) return contradict(from);
    }
  }
  if (left != 0) contradict(from);
}

void SqliteDatabase::walk_pointer_maps() {  // 1.8
  if (!header_.has_pointer_map) return;
  const std::uint32_t group = header_.usable / pointer_map_entry;
  for (std::uint32_t map = 2; map <= std::min(pages(), available_) && (holds_ || !is_hasty_);) {
    const std::uint32_t place = page_of_map(map);
    Reader reader(content_, std::uint64_t{place - 1} * header_.page_size);
    bool is_sound = true;
    for (std::uint32_t i = 1; i <= group && place + i <= pages(); ++i) {
      const unsigned type = reader.u8();
      const std::uint32_t parent = reader.be32();
      const bool is_lock = is_bound(place + i);
      is_sound = is_sound && (is_lock || (type >= 1 && type <= 5 && (parent == 0) == (type <= 2) && parent <= pages()));
    }
    if (uses_.size() < place) uses_.resize(place, Use::unknown);
    uses_[place - 1] = Use::chained;
    highest_ = std::max(highest_, place);
    if (!is_sound) contradict(place);
    map += group + 1;
  }
}

// In a sound file each page has its use.
void SqliteDatabase::look_for_unused() {
  if (pages() > available_) holds_ = false;
  for (std::uint32_t page = 1; page <= std::min(pages(), available_) && holds_; ++page) {
    if (use(page) == Use::unknown && !is_bound(page)) holds_ = false;
  }
}

}  // namespace exhibit::carve
