#pragma once
// The second channel of errors: the evidence is damaged here, and the reader went on.

#include <exhibit/item.h>

#include <string_view>

namespace exhibit::base {

// Behind an item's id: what its content is like (a picture decoded, say), which is told beside what it is. A process
// that dies on that costs the item no more. No name has a slash.
inline constexpr std::string_view decoding_mark = "//likeness";

class Reporter {
 public:
  virtual ~Reporter() = default;

  // About to handle this object (an item's or a folder's id). If the process dies, this is what it died on.
  // `bytes`: how much it may have to read for it, which sets the time that the object is given.
  virtual void touch(std::string_view object, std::uint64_t bytes) = 0;

  virtual void problem(const Problem& problem) = 0;
};

}  // namespace exhibit::base
