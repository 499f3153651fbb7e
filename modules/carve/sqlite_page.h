#pragma once
// A page of an SQLite b-tree (sqlite.org/fileformat2.html, 1.6), judged by itself: what it says must fill it exactly.

#include <cstdint>
#include <optional>
#include <vector>

#include "carve/content.h"

namespace exhibit::carve {

struct SqlitePage {
  enum Type : std::uint8_t { none = 0, index_interior = 2, table_interior = 5, index_leaf = 10, table_leaf = 13 };

  // A payload that goes on in a chain of overflow pages.
  struct Overflow {
    std::uint32_t first = 0;  // page number
    std::uint32_t pages = 0;  // that the rest of the payload fills
  };

  Type type = none;  // none: this is no sound page of a b-tree
  // Of a table: rowids in the page's order; of an interior page one less than `children`.
  std::vector<std::int64_t> rowids;
  std::vector<std::uint32_t> children;  // page numbers; the right-most last
  std::vector<Overflow> overflows;
  // Where the payloads begin that are whole or at least have their header in the page: table leaves only.
  std::vector<std::uint16_t> payloads;

  bool is_table() const { return type == table_interior || type == table_leaf; }
  bool is_interior() const { return type == table_interior || type == index_interior; }
};

// `page`: the whole page. `begin`: of the b-tree header in it (100 in the file's first page, else 0). `usable`: bytes
// of the page less those reserved for extensions.
SqlitePage parse_sqlite_page(ByteSpan page, std::size_t begin, std::uint32_t usable);

// Of a record at the beginning of `bytes` (2.1): the integer in `column`; nothing if it isn't there.
std::optional<std::int64_t> sqlite_integer(ByteSpan bytes, std::size_t column);
// Its first byte behind the header; 0 if there is none.
std::uint8_t sqlite_text_begin(ByteSpan bytes);

}  // namespace exhibit::carve
