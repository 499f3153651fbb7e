#pragma once
// The rows of one algorithm on their way to being sorted: parted by the digest's first byte as they come, then sorted
// part by part. Digests are uniformly random, so that each part is a 256th and fits into memory; a merge sort (the
// engine's ExternalSorter) would compare each row some 25 times where one counting pass and short insertion sorts do.

#include <exhibit/result.h>

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "hashset/digest.h"
#include "hashset/scratch_file.h"

namespace exhibit::hashset {

// A row as it waits: the digest, its label (16 bits), its name's length (32 bits where names are kept), its name.
struct WaitingRow {
  const char* bytes = nullptr;
  std::uint64_t key = 0;  // digest_key()
};

class Partition {
 public:
  static constexpr std::size_t part_count = 256;
  // Of what waits in memory of a part before it goes to the scratch file.
  static constexpr std::size_t buffer_bytes = std::size_t{64} << 10;
  // More isn't what digests look like: the part wouldn't fit into the memory that building may take.
  static constexpr std::uint64_t largest_part = std::uint64_t{384} << 20;

  // `folder`: scratch_file.h.
  Partition(Algorithm algorithm, bool with_names, std::string folder);

  std::uint64_t rows() const { return rows_; }
  Result<void> add(const RawDigest& digest, std::uint16_t label, std::string_view name);

  // The rows of a part, by digest; rows of one digest in the order in which they came. They last until the next call;
  // each part can be taken once.
  Result<const std::vector<WaitingRow>*> sorted_part(std::size_t part);

  std::size_t digest_bytes() const { return digest_bytes_; }
  std::uint16_t label_of(const char* row) const;
  std::string_view name_of(const char* row) const;

 private:
  struct Piece {
    std::uint64_t offset = 0, length = 0;
  };

  Result<void> put_away(std::size_t part);
  Result<void> gather(std::size_t part);
  void index_rows();
  void sort_rows();

  std::size_t digest_bytes_;
  bool with_names_;
  std::string folder_;
  std::uint64_t rows_ = 0;
  std::array<std::string, part_count> waiting_;
  std::array<std::vector<Piece>, part_count> pieces_;
  std::optional<ScratchFile> file_;
  std::string part_;  // the bytes of the part at hand
  std::vector<WaitingRow> unsorted_, sorted_;
};

}  // namespace exhibit::hashset
