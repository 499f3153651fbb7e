#pragma once
// The syntax of PDF files (ISO 32000-1:2008, 7.2, 7.3, 7.5): what an object says of itself, and where it ends.

#include <optional>
#include <string>
#include <vector>

#include "carve/content.h"

namespace exhibit::carve::pdf {

enum class Filter { none, flate, dct, jpx, other };  // the first of a stream's

// What of a dictionary tells where things lie. Only the entries of the outermost one.
struct Dictionary {
  std::optional<std::uint64_t> length, previous, size, linearized_length;
  std::optional<std::uint64_t> length_object;  // its number, where the length is another object
  Filter filter = Filter::none;
  std::string type;
  bool is_encrypted = false;  // names a dictionary of encryption: a trailer's
  bool has_root = false;
  std::vector<std::uint64_t> widths, index;  // of a cross-reference stream (7.5.8.2)
  unsigned predictor = 1, columns = 1;       // of its FlateDecode (7.4.4.3)
  // Bytes: what lies between one key that belongs into a trailer and the next, where that is most; foreign bytes that
  // happen to be strings, comments, white space or other entries make it long.
  std::uint64_t longest_between_keys = 0;
  std::uint64_t longest_string = 0;  // bytes, however deep it lies
};

struct Object {
  std::uint64_t number = 0, generation = 0;
  std::uint64_t begin = 0;  // of its number
  Dictionary dictionary;
  std::optional<std::uint64_t> integer;  // where the object is nothing else
  bool is_stream = false;
  std::uint64_t end = 0;  // behind `endobj`; of a stream, where its data begin
};

// The object at `position` (7.3.10). Nothing: none; `*reached`: where it stops being one.
std::optional<Object> read_object(const Content& content, std::uint64_t position, std::uint64_t* reached);
// Whether `number generation obj` is at `position`, and not beside it.
bool is_object_at(const Content& content, std::uint64_t position, std::uint64_t number, std::uint64_t generation);
// The dictionary at `position`; `*end`: behind it, or where it stops being one.
std::optional<Dictionary> read_dictionary(const Content& content, std::uint64_t position, std::uint64_t* end);

// Behind white space, of which no more than a few hundred bytes are taken (7.2.2): more is a gap.
std::uint64_t skip_space(const Content& content, std::uint64_t position);
// The number at `position`; `*end`: behind it.
std::optional<std::uint64_t> read_integer(const Content& content, std::uint64_t position, std::uint64_t* end);

inline bool is_space(std::uint8_t byte) {  // table 1
  return byte == 0 || byte == 9 || byte == 10 || byte == 12 || byte == 13 || byte == 32;
}

}  // namespace exhibit::carve::pdf
