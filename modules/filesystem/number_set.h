#pragma once
// A set of numbers of which most have neighbours in it.

#include <bitset>
#include <cstdint>
#include <unordered_map>

namespace exhibit::filesystem {

class NumberSet {
 public:
  void insert(std::uint64_t number) { pages_[number / page][number % page] = true; }
  bool contains(std::uint64_t number) const {
    const auto found = pages_.find(number / page);
    return found != pages_.end() && found->second[number % page];
  }

 private:
  static constexpr std::size_t page = 512;
  std::unordered_map<std::uint64_t, std::bitset<page>> pages_;
};

}  // namespace exhibit::filesystem
