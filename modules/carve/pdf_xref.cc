#include "carve/pdf_xref.h"

#include <algorithm>

#include "carve/inflate.h"

namespace exhibit::carve::pdf {
namespace {

constexpr std::size_t most_entries = std::size_t{1} << 20;   // of one section
constexpr std::size_t most_bytes = std::size_t{32} << 20;    // of a stream, inflated
constexpr unsigned most_sections = 64;                       // of one file, followed
constexpr std::uint64_t entry_length = 20;                   // 7.5.4: bytes
constexpr std::uint64_t longest_space = 256;                 // bytes in a row, in a table
constexpr unsigned png_predictors = 10, tiff_predictor = 2;  // 7.4.4.4

std::uint64_t digits(ByteSpan bytes) {
  std::uint64_t value = 0;
  for (const std::uint8_t byte : bytes) {
    if (byte < '0' || byte > '9') return UINT64_MAX;
    value = value * 10 + (byte - '0');
  }
  return value;
}

// Behind white space at `position`, of which programs write less than would be a gap. False: more.
bool pass_space(const Content& content, std::uint64_t& position) {
  const std::uint64_t begin = position;
  position = skip_space(content, position);
  return position - begin <= longest_space;
}

// `first count` and as many lines; false: broken.
bool read_subsection(const Content& content, std::uint64_t& position, Section& section) {
  const auto first = read_integer(content, position, &position);
  if (!first || !pass_space(content, position)) return false;
  const auto count = read_integer(content, position, &position);
  if (!count || *count > most_entries || !pass_space(content, position)) return false;
  for (std::uint64_t i = 0; i < *count; ++i, position += entry_length) {
    const ByteSpan line = content.at(position, entry_length);
    if (line.size() < entry_length || line[10] != ' ' || line[16] != ' ') return false;
    const std::uint64_t offset = digits(line.first(10)), generation = digits(line.subspan(11, 5));
    const bool is_line = (line[17] == 'n' || line[17] == 'f') && is_space(line[18]);
    if (!is_line || offset == UINT64_MAX || generation == UINT64_MAX) return false;
    if (line[17] == 'n' && offset > 0) section.entries.push_back({*first + i, generation, offset});
    if (section.entries.size() > most_entries) return false;
    // Some write lines of 19 bytes.
    if (!is_space(line[19])) --position;
  }
  return pass_space(content, position);
}

std::optional<Section> read_table(const Content& content, std::uint64_t& position) {
  constexpr std::string_view mark = "xref", trailer = "trailer";
  Section section;
  position += mark.size();
  if (!pass_space(content, position)) return std::nullopt;
  while (!starts_with(content.at(position, trailer.size()), trailer)) {
    if (!read_subsection(content, position, section)) return std::nullopt;
  }
  const auto dictionary = read_dictionary(content, position + trailer.size(), &position);
  if (!dictionary) return std::nullopt;
  section.dictionary = *dictionary;
  section.end = position;
  return section;
}

// Undoes PNG's filters (7.4.4.4) in place; the rows lose their filter bytes.
bool undo_predictor(std::vector<std::uint8_t>& bytes, std::size_t columns) {
  if (columns == 0 || columns > 64) return false;
  std::vector<std::uint8_t> above(columns, 0), row(columns);
  std::size_t written = 0;
  for (std::size_t at = 0; at + columns + 1 <= bytes.size(); at += columns + 1) {
    const std::uint8_t kind = bytes[at];
    if (kind != 0 && kind != 2) return false;  // none and up: others are of no use for such rows
    for (std::size_t i = 0; i < columns; ++i) {
      row[i] = static_cast<std::uint8_t>(bytes[at + 1 + i] + (kind == 2 ? above[i] : 0));
    }
    std::copy(row.begin(), row.end(), bytes.begin() + static_cast<std::ptrdiff_t>(written));
    written += columns;
    above = row;
  }
  bytes.resize(written);
  return true;
}

bool read_rows(const std::vector<std::uint8_t>& bytes, Section& section) {
  const Dictionary& dictionary = section.dictionary;
  if (dictionary.widths.size() != 3) return false;
  std::size_t width = 0;
  for (const std::uint64_t field : dictionary.widths) {
    if (field > 8) return false;
    width += static_cast<std::size_t>(field);
  }
  std::vector<std::uint64_t> index = dictionary.index;
  if (index.empty()) index = {0, dictionary.size.value_or(0)};
  std::size_t at = 0;
  for (std::size_t i = 0; i + 1 < index.size(); i += 2) {
    for (std::uint64_t n = 0; n < index[i + 1]; ++n) {
      if (width == 0 || section.entries.size() > most_entries) return width > 0;
      if (at + width > bytes.size()) {
        section.is_exact = false;
        return true;
      }
      std::uint64_t field[3] = {dictionary.widths[0] == 0 ? 1u : 0u, 0, 0};
      for (std::size_t f = 0; f < 3; ++f) {
        for (std::uint64_t k = 0; k < dictionary.widths[f]; ++k) field[f] = field[f] << 8 | bytes[at++];
      }
      if (field[0] == 1 && field[1] > 0) section.entries.push_back({index[i] + n, field[2], field[1]});  // 7.5.8.3
    }
  }
  section.is_exact = at == bytes.size();
  return true;
}

std::optional<Section> read_stream(const Content& content, std::uint64_t position) {
  std::uint64_t reached = 0;
  const auto object = read_object(content, position, &reached);
  if (!object || !object->is_stream || object->dictionary.type != "XRef") return std::nullopt;
  std::vector<std::uint8_t> bytes;
  std::uint64_t end = object->end + object->dictionary.length.value_or(0);
  if (object->dictionary.filter == Filter::flate) {
    Inflate inflate(Inflate::Wrapping::zlib);
    const auto status = inflate_from(inflate, content, object->end, content.size(), most_bytes,
                                     [&](ByteSpan plain) { bytes.insert(bytes.end(), plain.begin(), plain.end()); });
    if (status != Inflate::Status::ended) return std::nullopt;
    end = object->end + inflate.consumed();
  } else if (object->dictionary.filter == Filter::none && end <= content.size() &&
             end - object->end <= Content::window) {
    const ByteSpan plain = content.at(object->end, end - object->end);
    bytes.assign(plain.begin(), plain.begin() + static_cast<std::ptrdiff_t>(end - object->end));
  } else {
    return std::nullopt;
  }
  Section section;
  section.dictionary = object->dictionary;
  section.end = end;
  if (section.dictionary.predictor == tiff_predictor) return std::nullopt;
  if (section.dictionary.predictor >= png_predictors && !undo_predictor(bytes, section.dictionary.columns)) {
    return std::nullopt;
  }
  return read_rows(bytes, section) ? std::optional(std::move(section)) : std::nullopt;
}

}  // namespace

std::optional<Section> read_section(const Content& content, std::uint64_t position, std::uint64_t* reached) {
  if (position >= content.size()) return std::nullopt;
  std::uint64_t at = skip_space(content, position);
  if (!starts_with(content.at(at, 4), "xref")) return read_stream(content, at);
  auto table = read_table(content, at);
  if (reached != nullptr) *reached = at;
  return table;
}

std::vector<Entry> entries_from(const Content& content, std::uint64_t position) {
  std::vector<Entry> entries;
  std::optional<std::uint64_t> next = position;
  for (unsigned i = 0; next && i < most_sections && entries.size() < most_entries; ++i) {
    const auto section = read_section(content, *next);
    if (!section) break;
    entries.insert(entries.end(), section->entries.begin(), section->entries.end());
    next = section->dictionary.previous;
    if (next == position) break;
  }
  return entries;
}

Account check_sections(const Content& content, std::uint64_t position, std::uint64_t shift) {
  Account account;
  std::vector<std::uint64_t> good;
  std::optional<std::uint64_t> next = position;
  for (unsigned i = 0; next && i < most_sections; ++i) {
    if (*next < shift) return account;
    const auto section = read_section(content, *next - shift);
    if (!section) return account;
    account.is_encrypted |= section->dictionary.is_encrypted;
    if (i == 0) account.is_complete = section->dictionary.has_root && section->dictionary.size;
    if (!section->is_exact) ++account.bad;
    for (const Entry& entry : section->entries) {
      if (entry.offset < shift) {
        ++account.missing;
      } else if (is_object_at(content, entry.offset - shift, entry.number, entry.generation)) {
        ++account.good;
        good.push_back(entry.offset - shift);
      } else {
        ++account.bad;
        account.first_bad = std::min(account.first_bad, entry.offset - shift);
      }
    }
    next = section->dictionary.previous;
    if (next == position) break;
  }
  account.is_there = true;
  for (const std::uint64_t offset : good) {
    if (offset < account.first_bad) account.last_good = std::max(account.last_good, offset);
  }
  return account;
}

}  // namespace exhibit::carve::pdf
