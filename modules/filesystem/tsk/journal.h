#pragma once
// The journal of ext3 and ext4 (jbd2) as a history: the copies of the file system's blocks that its transactions left,
// also those that were written back long ago and aren't overwritten yet.
// Source: Linux, Documentation/filesystems/ext4/journal.rst; all big-endian.

#include <exhibit/byte_source.h>

#include <memory>
#include <optional>
#include <span>
#include <unordered_set>
#include <vector>

#include "filesystem/tsk/raw.h"

namespace exhibit::filesystem::tsk {

class Journal {
 public:
  // A block of the file system as a transaction wrote it.
  struct Copy {
    std::uint64_t block = 0;     // of the file system
    std::int32_t when = 0;       // the transaction: larger is later
    std::uint32_t place = 0;     // block of the journal
    std::uint32_t checksum = 0;  // where the journal has them
    bool is_escaped = false;     // its first four bytes were the journal's magic number
  };

  // Finds the copies of all transactions that are there with their commit block. `content`: the journal's own bytes;
  // `blocks`: of the file system. corrupt: its superblock doesn't hold; unsupported: a journal of another make.
  static Result<Journal> read(std::unique_ptr<ByteSource> content, std::uint64_t block_size, std::uint64_t blocks);

  std::span<const Copy> copies() const { return copies_; }  // by block, then the oldest first
  std::span<const Copy> copies_of(std::uint64_t block) const;

  // nullopt: the medium is damaged there, or the bytes contradict their checksum.
  std::optional<Raw> bytes(const Copy& copy);

  // What was met so far.
  std::size_t contradicted() const { return contradicted_.size(); }  // blocks whose checksum doesn't hold
  bool is_damaged() const { return is_damaged_; }                    // a part of the medium couldn't be read
  bool is_cut() const { return is_cut_; }                            // it has more copies than are kept

 private:
  explicit Journal(std::unique_ptr<ByteSource> content, std::uint64_t block_size)
      : content_(std::move(content)), block_size_(block_size) {}
  struct Tag;
  struct Chain;

  Result<void> read_superblock();
  void scan(std::uint64_t blocks);
  std::uint64_t follow(std::uint64_t place, std::uint64_t blocks);
  bool take_descriptor(const Raw& block, Chain& chain, std::uint64_t blocks);
  std::size_t tag_at(const Raw& block, std::size_t at, Tag& tag) const;
  bool is_whole(const Raw& block, std::size_t checksum_at) const;
  std::optional<Raw> block_at(std::uint64_t place);
  std::uint32_t checksum_of(std::uint32_t start, std::string_view bytes) const;
  bool has_checksums() const { return checksums_ != 0; }

  std::unique_ptr<ByteSource> content_;
  std::uint64_t block_size_;
  std::uint64_t first_ = 0, end_ = 0;  // the log's blocks within the journal
  std::uint32_t next_sequence_ = 0, checksum_seed_ = 0;
  int checksums_ = 0;  // version 2 or 3; 0: none
  bool is_wide_ = false;
  std::vector<Copy> copies_;
  std::unordered_set<std::uint64_t> contradicted_;  // places
  bool is_damaged_ = false, is_cut_ = false;
};

}  // namespace exhibit::filesystem::tsk
