// Hashes of pictures within a distance, by multi-index hashing (index_format.h).

#include <algorithm>
#include <array>
#include <bit>

#include "hashset/index.h"
#include "hashset/index_format.h"

namespace exhibit::hashset {
namespace {

constexpr std::size_t pdq_words = 4;
constexpr std::size_t rows_ahead = 16;  // fetched from memory before they are compared
using Words = std::array<std::uint64_t, pdq_words>;

Words words_of(const std::uint8_t* hash) {
  Words words;
  for (std::size_t i = 0; i < pdq_words; ++i) words[i] = load_le64(hash + 8 * i);
  return words;
}

unsigned distance(const Words& a, const std::uint8_t* hash) {
  int bits = 0;
  for (std::size_t i = 0; i < pdq_words; ++i) bits += std::popcount(a[i] ^ load_le64(hash + 8 * i));
  return static_cast<unsigned>(bits);
}

// Whether the slot differs in a bit at most, so that a search by it finds the row.
bool finds(const std::uint8_t* a, const std::uint8_t* b, std::size_t slot) {
  return std::popcount(pdq_slot_value(a + 2 * slot) ^ pdq_slot_value(b + 2 * slot)) <= 1;
}

}  // namespace

RawDigest Index::pdq(Place place) const {
  RawDigest hash{};
  const Table& in = *table(Algorithm::pdq);
  std::copy_n(in.rows + std::uint64_t{place} * in.row_bytes, in.row_bytes, hash.begin());
  return hash;
}

std::vector<Index::Near> Index::find_near(const RawDigest& hash, unsigned most) const {
  EXHIBIT_CHECK(most <= most_pdq_distance);
  std::vector<Near> found;
  const Table* table = this->table(Algorithm::pdq);
  if (table == nullptr) return found;
  const Words words = words_of(hash.data());
  const auto compare = [&](std::uint32_t place, std::size_t slot) {
    const std::uint8_t* row = table->rows + std::uint64_t{place} * table->row_bytes;
    const unsigned bits = distance(words, row);
    if (bits > most) return;
    // Another slot may have found it before.
    for (std::size_t before = 0; before < slot; ++before) {
      if (finds(hash.data(), row, before)) return;
    }
    found.push_back({place, bits});
  };
  const std::uint64_t rows = table->facts.digests;
  for (std::size_t slot = 0; slot < pdq_slots; ++slot) {
    const std::uint8_t* starts = table->slots + slot * pdq_slot_bytes(rows);
    const std::uint8_t* places = starts + 4 * (pdq_slot_values + 1);
    const std::size_t value = pdq_slot_value(hash.data() + 2 * slot);
    for (unsigned neighbour = 0; neighbour <= 16; ++neighbour) {
      const std::size_t sought = neighbour == 0 ? value : value ^ std::size_t{1} << (neighbour - 1);
      // A damaged index may say anything.
      const std::uint64_t end = std::min<std::uint64_t>(load_le32(starts + 4 * sought + 4), rows);
      for (std::uint64_t i = load_le32(starts + 4 * sought); i < end; ++i) {
        const std::uint64_t ahead = load_le32(places + 4 * std::min(i + rows_ahead, end - 1));
        __builtin_prefetch(table->rows + ahead * table->row_bytes);
        const std::uint32_t place = load_le32(places + 4 * i);
        if (place < rows) compare(place, slot);
      }
    }
  }
  std::ranges::sort(found, {}, &Near::place);
  return found;
}

}  // namespace exhibit::hashset
