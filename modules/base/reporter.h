#pragma once
// The second channel of errors: the evidence is damaged here, and the reader went on.

#include <exhibit/item.h>

#include <string_view>

namespace exhibit::base {

class Reporter {
 public:
  virtual ~Reporter() = default;

  // About to handle this object (an item's or a folder's id). If the process dies, this is what it died on.
  // `bytes`: how much it may have to read for it, which sets the time that the object is given.
  virtual void touch(std::string_view object, std::uint64_t bytes) = 0;

  virtual void problem(const Problem& problem) = 0;
};

}  // namespace exhibit::base
