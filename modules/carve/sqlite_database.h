#pragma once
// An SQLite database (sqlite.org/fileformat2.html): every page has one use, told by the tree, the chain or the list
// that leads to it. Following them all tells which pages hold and which contradict.

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "carve/sqlite_page.h"
#include "carve/validator.h"

namespace exhibit::carve {

struct SqliteHeader {
  std::uint32_t page_size = 0;  // bytes
  std::uint32_t usable = 0;     // bytes of a page
  std::uint32_t pages = 0;      // 0: an old version wrote it, which didn't say
  std::uint32_t first_free = 0, free_pages = 0;
  bool has_pointer_map = false;
};

// Nothing where the 100 bytes are no header (1.3).
std::optional<SqliteHeader> parse_sqlite_header(const Content& content);

class SqliteDatabase {
 public:
  enum class Use : std::uint8_t {
    unknown,  // nothing led to it
    tree,     // a sound page of a b-tree
    chained,  // an overflow page, a list or a map, whose pointers hold
    free,     // its content means nothing
    bad,      // contradicts what led to it
  };
  // A page that some tree leads to: what it may be.
  struct Expected {
    std::uint32_t page = 0;
    enum Kind : std::uint8_t { any, table, index } kind = any;
    std::int64_t low = INT64_MIN, high = INT64_MAX;  // of a table's rowids
  };
  using Pages = std::vector<std::shared_ptr<const SqlitePage>>;  // by page number less one; null: not parsed

  // `known`: pages that were parsed before, of which the first `known_pages` are this content's too.
  SqliteDatabase(const Content& content, const SqliteHeader& header, const Pages* known = nullptr,
                 std::uint32_t known_pages = 0);

  // Follows everything; `is_hasty`: up to the first contradiction.
  void walk(bool is_hasty);

  bool holds() const { return holds_; }
  // Pages that the file has, as its header or else its structure tells.
  std::uint32_t pages() const { return header_.pages > 0 ? header_.pages : highest_; }
  Use use(std::uint32_t page) const { return page - 1 < uses_.size() ? uses_[page - 1] : Use::unknown; }
  // Whether `page`, that nothing leads to, is one of a tree by itself.
  bool is_tree_page(std::uint32_t page) { return page <= available_ && load(page)->type != SqlitePage::none; }
  // Pages of trees that aren't what they should be.
  const std::vector<Expected>& missed() const { return missed_; }
  Pages take_parsed() { return std::move(parsed_); }

  // Whether `page` can stand where `expected` is.
  static bool fits(const SqlitePage& page, const Expected& expected);

 private:
  std::uint32_t lock_page() const;
  std::uint32_t page_of_map(std::uint32_t page) const;
  bool is_bound(std::uint32_t page) const;  // has a use of its own by its place
  bool claim(std::uint32_t page, Use use);
  void contradict(std::uint32_t page);
  std::shared_ptr<const SqlitePage> load(std::uint32_t page);
  void visit(const Expected& expected);
  void visit_children(const SqlitePage& page, const Expected& expected);
  void visit_schema(std::uint32_t number, const SqlitePage& page);
  void follow(const SqlitePage::Overflow& overflow, std::uint32_t from);
  void walk_free_list();
  void walk_pointer_maps();
  void look_for_unused();
  std::uint32_t be32(std::uint64_t offset) const;

  const Content& content_;
  SqliteHeader header_;
  const Pages* known_;
  std::uint32_t known_pages_;
  std::uint32_t available_;  // whole pages in the content
  std::uint32_t highest_ = 1;
  bool is_hasty_ = false, holds_ = true;
  bool in_schema_ = true;
  std::vector<Use> uses_;
  std::vector<Expected> tasks_, roots_, missed_;
  Pages parsed_;
};

}  // namespace exhibit::carve
