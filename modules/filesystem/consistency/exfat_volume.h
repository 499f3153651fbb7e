#pragma once
// The frame of an exFAT volume: boot region, clusters, file allocation table, and which clusters are taken.
// Numbers in brackets are sections of the "exFAT file system specification" (Microsoft, revision 1.00).

#include <exhibit/byte_source.h>

#include <optional>

#include "filesystem/consistency/bits.h"
#include "filesystem/consistency/teller.h"

namespace exhibit::filesystem::consistency::exfat {

constexpr std::uint32_t first_cluster = 2;  // the numbers before it are no clusters

struct Geometry {
  std::uint64_t sector = 0, cluster = 0;  // bytes
  std::uint64_t fat = 0;                  // byte offset of the active file allocation table
  std::uint64_t heap = 0;                 // byte offset of the first cluster
  std::uint32_t clusters = 0;             // as the boot sector says, at most those that the volume holds
  std::uint32_t said_clusters = 0;        // as the boot sector says
  std::uint32_t root = 0;                 // first cluster of the root directory
  bool second_fat = false;                // the active table is the second one, and so is the active bitmap

  bool has(std::uint32_t number) const { return number >= first_cluster && number - first_cluster < clusters; }
  std::uint64_t offset_of(std::uint32_t number) const { return heap + (number - first_cluster) * cluster; }
};

// Checks both boot regions [3.1 to 3.4] and the boot sector's fields. Nothing where neither boot sector is of use.
std::optional<Geometry> read_geometry(ByteSource& volume, Teller& tell);

// `count` clusters one after another.
struct Run {
  std::uint32_t first = 0, count = 0;
};

// An allocation as a directory entry says of it. Without `size`: as long as its chain.
struct Allocation {
  std::uint32_t first = 0;
  std::optional<std::uint64_t> size;  // bytes
  bool contiguous = false;            // NoFatChain [6.3.4.2]
};

class Clusters {
 public:
  Clusters(ByteSource& volume, const Geometry& geometry, Teller& tell);

  const Geometry& geometry() const { return geometry_; }

  // The clusters of an allocation as far as they can be followed; each is taken from now on. `owner` begins the detail
  // of a problem, `place` is where the allocation is told.
  std::vector<Run> take(const Allocation& allocation, const std::string& owner, Place place);

  // `length` bytes within one cluster, from `offset` of it; fewer where they can't be read. Good until the next call.
  Bytes read(std::uint32_t cluster, std::uint64_t offset, std::size_t length);
  // The first `size` bytes; fewer where they can't be read.
  std::vector<std::byte> read_all(const std::vector<Run>& runs, std::uint64_t size);

  void set_bitmap(std::vector<std::byte> bitmap) { bitmap_ = std::move(bitmap); }
  // Tells clusters that the bitmap holds free.
  void check_allocated(const std::vector<Run>& runs, const std::string& owner, Place place);

 private:
  struct Window {
    std::uint64_t step = 0;  // its length, a power of two
    std::uint64_t offset = 0;
    std::vector<std::byte> bytes;
  };

  Bytes load(Window& window, std::uint64_t offset, std::size_t length);
  void tell_unreadable(std::uint64_t offset, std::uint64_t length);
  std::optional<std::uint32_t> follow(std::uint32_t cluster, std::uint64_t count,
                                      const std::optional<std::uint64_t>& needed, const std::string& owner);

  ByteSource& volume_;
  Geometry geometry_;
  Teller& tell_;
  Bitmap taken_;
  std::vector<std::byte> bitmap_;  // as it lies on the disk; empty: not known
  // Small for the table, in which a chain may jump about; larger for directories, which are read in order.
  Window fat_{std::uint64_t{4} << 10, 0, {}}, data_{std::uint64_t{64} << 10, 0, {}};
  bool told_unreadable_ = false;
};

}  // namespace exhibit::filesystem::consistency::exfat
