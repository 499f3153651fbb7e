#pragma once
// The digests of a set in memory: for each algorithm a sorted list of raw digests with the place of the entry's name.

#include <array>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>

#include "hashset/format.h"

namespace exhibit::hashset {

// Names one after the other, each ended by a NUL (which no line holds). A deque never moves or doubles what it holds.
class NamePool {
 public:
  NamePool() { pool_.push_back('\0'); }
  // Where the name is; 0 for the empty name.
  std::uint64_t add(std::string_view name);
  std::string at(std::uint64_t place) const;

 private:
  std::deque<char> pool_;
};

template <std::size_t digest_bytes>
class DigestList {
 public:
  void add(std::string_view digest, std::uint64_t place);
  // To be called once, after the last add() and before find().
  void sort();
  // The place of the name of the entry that has this digest; of several the first that has a name.
  std::optional<std::uint64_t> find(std::string_view digest) const;

 private:
  // Without padding: 10 million md5 take 210 MB. A place is 40 bits, least significant byte first (1 TiB of names).
  static constexpr std::size_t place_bytes = 5;
  struct Row {
    std::array<char, digest_bytes> digest;
    std::array<unsigned char, place_bytes> place;
    std::uint64_t place_value() const;
  };

  std::deque<Row> rows_;
};

class Store {
 public:
  // Takes all the entry's digests, or none and says why.
  std::optional<Refusal> add(const Entry& entry);
  void sort();
  std::uint64_t entries() const { return entries_; }

  // The name of the entry with this digest (lower- or upper-case hex), empty where it has none; of several entries the
  // first that has a name. nullopt where no entry has the digest.
  std::optional<std::string> find(Algorithm algorithm, std::string_view digest) const;

 private:
  NamePool names_;
  std::tuple<DigestList<16>, DigestList<20>, DigestList<32>, DigestList<64>> lists_;  // by Algorithm
  std::uint64_t entries_ = 0;
};

}  // namespace exhibit::hashset
