#pragma once
// What of one object (a directory, a file's map, a group's trees) doesn't hold: one problem tells it.

#include <optional>
#include <string>

namespace exhibit::filesystem::xfs {

class Faults {
 public:
  void add(std::string fault) {
    if (count_++ == 0) first_ = std::move(fault);
  }
  bool any() const { return count_ > 0; }
  // The first in words, and how many there were besides.
  std::string text() const {
    return count_ < 2 ? first_ : first_ + "; and " + std::to_string(count_ - 1) + " more that doesn't hold";
  }

 private:
  std::string first_;
  std::uint64_t count_ = 0;
};

}  // namespace exhibit::filesystem::xfs
