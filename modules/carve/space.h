#pragma once
// A space: runs of a volume's bytes put one behind the other, in which objects are looked for. All unallocated runs of
// a volume are one space, so that an object goes on behind a block that belongs to a file of today; each slack is one.

#include <exhibit/byte_source.h>
#include <exhibit/item.h>

#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <span>
#include <vector>

#include "carve/content.h"

namespace exhibit::carve {

// Bytes of a space, or of a volume.
struct Run {
  std::uint64_t offset = 0, length = 0;
  std::uint64_t end() const { return offset + length; }
  bool operator==(const Run&) const = default;
};

class Space {
 public:
  // So many bytes of what was read last are kept.
  static constexpr std::size_t room_size = std::size_t{16} << 20;

  // `volume` outlives the space. The runs lie within it, in the order in which they follow each other here. `room`:
  // memory of room_size for what was read last, this one's alone while it lives; none: the space makes its own.
  Space(ByteSource& volume, std::vector<Run> runs, std::span<std::byte> room = {});

  std::uint64_t size() const { return size_; }
  // As Content::at. Bytes that can't be read end what is given: unreadable() tells of them.
  ByteSpan at(std::uint64_t offset, std::size_t wanted) const;
  // Where the volume has the bytes [offset, offset + length) of the space.
  std::vector<Extent> extents(std::uint64_t offset, std::uint64_t length) const;
  // Where the space has the volume's byte `offset`; nothing if it isn't in it.
  std::optional<std::uint64_t> place(std::uint64_t offset) const;
  // The volume's offset of the byte `offset` < size() of the space.
  std::uint64_t volume_offset(std::uint64_t offset) const;
  // What looking at it came to so far: bytes of the blocks gone to, each time anew, whether they were kept or not. A
  // measure of time that is the same on every machine.
  std::uint64_t work() const { return work_; }
  // The first error that reading met, if any.
  const std::optional<Error>& unreadable() const { return error_; }

 private:
  struct Block {
    std::uint64_t number = 0;
    std::span<std::uint8_t> room;
    std::size_t filled = 0;
    ByteSpan bytes() const { return room.first(filled); }
  };
  std::size_t run_of(std::uint64_t offset) const;
  const Block& block(std::uint64_t number) const;
  void fill(Block& block) const;

  ByteSource& volume_;
  std::vector<Run> runs_;
  std::vector<std::uint64_t> begins_;  // of each run, in the space
  std::vector<std::size_t> by_place_;  // the runs in the volume's order
  std::uint64_t size_ = 0;
  std::unique_ptr<std::byte[]> own_room_;
  std::span<std::byte> room_;
  mutable std::list<Block> cache_;  // the last used first
  mutable std::map<std::uint64_t, std::list<Block>::iterator> cached_;
  mutable std::vector<std::uint8_t> joint_;  // what lies across blocks
  mutable std::optional<Error> error_;
  mutable std::uint64_t work_ = 0;
};

// Pieces of a space put together: what an object in fragments would be.
class PieceContent : public Content {
 public:
  // The pieces lie within `space`, which outlives this.
  PieceContent(const Space& space, std::vector<Run> pieces);
  std::uint64_t size() const override { return size_; }
  ByteSpan at(std::uint64_t offset, std::size_t wanted) const override;
  std::uint64_t seam() const override { return pieces_.size() > 1 ? pieces_.front().length : 0; }
  ByteSpan behind_first_piece(std::size_t wanted) const override;
  ByteSpan before_second_piece(std::size_t wanted) const override;
  // The pieces of its first `length` bytes.
  std::vector<Run> pieces(std::uint64_t length) const;
  // How many bytes at() was asked for so far, all in all.
  std::uint64_t asked() const { return asked_; }

 private:
  const Space& space_;
  std::vector<Run> pieces_;
  std::uint64_t size_ = 0;
  mutable std::uint64_t asked_ = 0;
  mutable std::vector<std::uint8_t> joint_;
};

}  // namespace exhibit::carve
