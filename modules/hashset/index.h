#pragma once
// An .xhs file, mapped read-only: is this digest in the set, and what does the set say of it? Exact: whole digests are
// compared, so that nothing is found that isn't there.
//
// A mapped file that somebody cuts short while it is in use ends the process (SIGBUS). A hash set is the examiner's
// own file and no evidence, so that's what we take for lookups that cost two cache misses; its size is checked when it
// is opened, and a run that ended so goes on from its journal (docs/decisions/0022-hash-set-index.md).

#include <exhibit/result.h>

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/unique_fd.h"
#include "hashset/digest.h"
#include "hashset/index_header.h"

namespace exhibit::hashset {

// ThreatExchange's own thresholds for PDQ: pictures whose hashes differ in so many bits are taken for alike, and hashes
// of a lower quality tell too little of a picture. Within the distance find_near() is exact.
inline constexpr unsigned most_pdq_distance = 31;
inline constexpr unsigned least_pdq_quality = 50;

class Index {
 public:
  // Checks sizes and the header, and doesn't read the rest: see digest_file(). `name` is for messages.
  // Error: unsupported where it's no .xhs file or of a later version, corrupt where it's cut or its header is broken.
  static Result<Index> open(base::UniqueFd fd, std::string name);
  Index(Index&& other) noexcept;
  Index& operator=(Index&&) = delete;
  ~Index();

  // Whether these bytes, a file's first eight or more, begin an .xhs file.
  static bool has_magic(std::string_view beginning);

  const IndexHeader& header() const { return header_; }
  std::uint64_t file_bytes() const { return bytes_; }
  // SHA-256 of all before it, as it stands at the file's end; lower-case hex.
  std::string stored_checksum() const;

  // Reads the whole file once: its SHA-256, lower-case hex. Error (corrupt) where it isn't what its own checksum says.
  // May be called from another thread than the lookups.
  Result<std::string> digest_file() const;

  // A row of a table: rows of one digest are neighbours, one for each of its labels.
  using Place = std::uint32_t;
  static constexpr Place nowhere = 0xffffffffU;

  // The digest's first row, or nowhere. No table of this algorithm: nowhere.
  Place find(Algorithm algorithm, const RawDigest& digest) const;
  // The same of many: `digests` has them one after the other, `places` room for each. Memory is fetched ahead, so that
  // this is several times faster than as many find().
  void find(Algorithm algorithm, std::span<const std::uint8_t> digests, std::span<Place> places) const;

  // Whether there is a table of it.
  bool has(Algorithm algorithm) const { return table(algorithm) != nullptr; }

  // A row's PDQ hash.
  RawDigest pdq(Place place) const;
  // The rows whose PDQ hash differs from `hash` (its 32 bytes) in up to `most` bits, which is at most
  // most_pdq_distance: all of them, by their place.
  struct Near {
    Place place = nowhere;
    unsigned distance = 0;
  };
  std::vector<Near> find_near(const RawDigest& hash, unsigned most) const;

  // How many rows from `first` on, which find() gave for the digest, have it.
  Place rows_of_digest(Algorithm algorithm, const RawDigest& digest, Place first) const;
  const Label& label(Algorithm algorithm, Place place) const;
  // Empty where the entry has no name, or the set keeps none.
  std::string name(Algorithm algorithm, Place place) const;

  // Goes through a table's rows in order.
  class Cursor {
   public:
    // A table that isn't there has no rows.
    Cursor(const Index& index, Algorithm algorithm);
    // False at the end.
    bool next();
    const RawDigest& digest() const { return digest_; }
    Place place() const { return static_cast<Place>(next_ - 1); }

   private:
    const Index& index_;
    Algorithm algorithm_;
    RawDigest digest_{};
    std::uint64_t next_ = 0, bucket_ = 0;
  };

 private:
  struct Table {
    TableFacts facts;
    std::size_t digest_bytes = 0, row_bytes = 0;
    const std::uint8_t* rows = nullptr;
    const std::uint8_t* buckets = nullptr;  // where each begins, and where the last ends: 32 bits each
    const std::uint8_t* labels = nullptr;
    const std::uint8_t* names = nullptr;
    const std::uint8_t* name_blocks = nullptr;
    const std::uint8_t* slots = nullptr;

    struct Range {
      std::uint64_t begin = 0, end = 0;
    };
    Range bucket(std::uint64_t key) const;
    std::uint64_t guess(std::uint64_t key, Range range) const;
    Place find_in(const std::uint8_t* digest, Range range, std::uint64_t guess) const;
    int compare(std::uint64_t place, const std::uint8_t* digest) const;
  };

  Index(base::UniqueFd fd, std::string name, const std::uint8_t* data, std::uint64_t bytes)
      : fd_(std::move(fd)), name_(std::move(name)), data_(data), bytes_(bytes) {}
  Result<void> read_header();
  const Table* table(Algorithm algorithm) const;

  base::UniqueFd fd_;
  std::string name_;
  const std::uint8_t* data_;
  std::uint64_t bytes_;
  IndexHeader header_;
  std::vector<Table> tables_;
};

}  // namespace exhibit::hashset
