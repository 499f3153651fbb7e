#pragma once
// Which items of a volume were told already.

#include <exhibit/item.h>

#include <array>
#include <memory>
#include <string_view>
#include <unordered_map>

#include "hash/multi_digest.h"

namespace exhibit::filesystem {

// Ids are unique in a volume. Two entries that differ can still make the same one: names that hold "/", or that differ
// in bytes that are no UTF-8. Then the later gets "#2", "#3", …
class ToldItems {
 public:
  ToldItems();
  // Whether the item is to be told: it's another than those before. Its id may have got its suffix then.
  bool add(Item& item);

 private:
  // Half of a SHA-256: an image can't be made so that two differing items have the same.
  using Fingerprint = std::array<std::uint64_t, 2>;
  struct FirstBytes {
    std::size_t operator()(const Fingerprint& fingerprint) const noexcept { return fingerprint[0]; }
  };
  Fingerprint fingerprint(std::string_view text);

  std::unique_ptr<hash::Hasher> digest_;
  std::unordered_map<Fingerprint, Fingerprint, FirstBytes> told_;  // of an item's id -> of the item without its id
};

}  // namespace exhibit::filesystem
