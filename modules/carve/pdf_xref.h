#pragma once
// Cross-reference sections of PDF files (ISO 32000-1:2008, 7.5.4, 7.5.8): where objects lie.

#include "carve/pdf_syntax.h"

namespace exhibit::carve::pdf {

struct Entry {
  std::uint64_t number = 0, generation = 0, offset = 0;
};

struct Section {
  std::vector<Entry> entries;  // of objects that lie by themselves
  Dictionary dictionary;       // the trailer's
  std::uint64_t end = 0;
  bool is_exact = true;  // has as many rows as it says
};

// The table with its trailer, or the stream, at `position`. `reached`, if any: where a table stops being one.
std::optional<Section> read_section(const Content& content, std::uint64_t position, std::uint64_t* reached = nullptr);

// What it and the sections before it tell of; nothing where it isn't there.
std::vector<Entry> entries_from(const Content& content, std::uint64_t position);

// What the sections from `position` back say of a file whose first `shift` bytes are gone.
struct Account {
  bool is_there = false;  // a section was where it should be, and each one before
  bool is_encrypted = false;
  bool is_complete = false;                      // the last section has what a trailer must have (7.5.5, table 15)
  std::uint64_t good = 0, bad = 0, missing = 0;  // entries whose object is there, isn't there, lay in what is gone
  std::uint64_t first_bad = UINT64_MAX;          // the lowest offset of a bad one
  std::uint64_t last_good = 0;                   // the highest offset of a good one before it
};
Account check_sections(const Content& content, std::uint64_t position, std::uint64_t shift);

}  // namespace exhibit::carve::pdf
