#pragma once
// Coverage: each byte of a volume in just one class, so that nothing is left out.

#include <array>
#include <map>
#include <vector>

#include "filesystem/filesystem.h"

namespace exhibit::filesystem {

// Collects claims on a volume's bytes; of several claims on a byte the first in ByteClass's order holds.
class Account {
 public:
  // `rest`: the class of bytes that nobody claims (gap for a gap, unallocated otherwise).
  Account(std::uint64_t size, ByteClass rest);

  // Cut at the volume's size.
  void claim(ByteClass byte_class, std::uint64_t offset, std::uint64_t length);

  // What the file system says of its blocks (FileSystem::block_classes). Metadata is a claim like any other; an
  // allocated block is `allocated` only where no item's slack lies in it, so that it doesn't swallow the slack.
  void claim_blocks(const std::vector<ClassRun>& blocks);

  // An item's claims: its content's bytes (metadata for directories and the file system's own files, else allocated or
  // deleted), the slack behind it up to the end of its last block, its doubts as unreadable. Nothing for an overwritten
  // item.
  void claim_item(const Item& item, std::uint64_t block_size);

  // Marks bytes as hashed (part of a digested content); counted once however often they are marked.
  void mark_hashed(const Item& item);

  // Sorted, disjoint, and together the whole volume; neighbours of one class are one run.
  std::vector<ClassRun> runs() const;

  std::uint64_t hashed_bytes() const;

  // Ranges that are kept, 16 bytes each: what it takes of memory.
  std::size_t ranges() const;

  struct Totals {
    std::map<ByteClass, std::uint64_t> bytes;  // every class; adds up to the ranges' size
    std::uint64_t hashed = 0;
  };
  // Over the given ranges of the volume (sorted, disjoint) only.
  Totals totals(const std::vector<std::array<std::uint64_t, 2>>& ranges) const;

 private:
  struct Range {
    std::uint64_t begin, end;
  };
  // Disjoint, not touching ranges. They come by and large in order; those that don't are sorted in when they are looked
  // at, or when there are as many of them as of the others.
  class Ranges {
   public:
    void add(std::uint64_t begin, std::uint64_t end);
    const std::vector<Range>& all() const;
    std::size_t kept() const { return ranges_.size(); }

   private:
    mutable std::vector<Range> ranges_;
    mutable std::size_t sorted_ = 0;  // so many from the front on are sorted and disjoint
  };
  template <typename Call>
  void for_each_run(const Call& call) const;
  void claim_slack(const Item& item, std::uint64_t block_size);
  void claim_doubts(const Item& item);

  std::uint64_t size_;
  ByteClass rest_;
  std::array<Ranges, 8> claims_;  // by rank, see account.cc
  Ranges hashed_;
};

}  // namespace exhibit::filesystem
