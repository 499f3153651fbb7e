#include "filesystem/xfs/tree.h"

#include "filesystem/number_set.h"

namespace exhibit::filesystem::xfs {
namespace {

constexpr SelfDescription short_block = {
    .checksum = 52, .block_number = 16, .uuid = 32, .owner = 48, .is_owner_short = true};
constexpr SelfDescription long_block = {
    .checksum = 64, .block_number = 24, .uuid = 40, .owner = 56, .is_owner_short = false};

std::size_t header_size(const TreeKind& kind, bool is_v5) {
  if (kind.is_long) return is_v5 ? 72 : 24;
  return is_v5 ? 56 : 16;
}

class Walk {
 public:
  Walk(const Volume& volume, const TreeKind& kind, std::uint64_t owner, const TreeVisitor& visitor, Faults& faults)
      : volume_(volume), kind_(kind), owner_(owner), visitor_(visitor), faults_(faults) {}

  void run(const std::vector<std::uint64_t>& blocks, std::uint32_t level) {
    push(blocks, level);
    while (!pending_.empty()) {
      const Pending next = pending_.back();
      pending_.pop_back();
      visit(next);
    }
  }

 private:
  struct Pending {
    std::uint64_t block;
    std::uint32_t level;
  };

  void push(const std::vector<std::uint64_t>& blocks, std::uint32_t level) {
    for (auto block = blocks.rbegin(); block != blocks.rend(); ++block) pending_.push_back({*block, level});
  }

  void visit(const Pending& pending) {
    const auto bytes = volume_.read_blocks(pending.block, 1, kind_.name, faults_);
    if (!bytes) return;
    const std::uint64_t offset = *volume_.super().offset_of(pending.block);
    const auto fault = [&](const char* why) {
      faults_.add(std::string(kind_.name) + ": its block at byte " + std::to_string(offset) + " " + why);
    };
    if (seen_.contains(pending.block)) return fault("is met twice");
    seen_.insert(pending.block);
    const bool is_v5 = volume_.super().is_v5;
    if (u32(*bytes, 0) != (is_v5 ? kind_.magic_v5 : kind_.magic)) return fault("isn't of this tree");
    volume_.check(*bytes, kind_.is_long ? long_block : short_block, offset, owner_, kind_.name, faults_);
    if (u16(*bytes, 4) != pending.level) return fault("isn't of its level");
    if (visitor_.block) visitor_.block(pending.block);
    const std::size_t header = header_size(kind_, is_v5), room = bytes->size() - header, count = u16(*bytes, 6);
    const std::size_t most = room / (pending.level == 0 ? kind_.record_size : kind_.key_size + pointer_size());
    if (count > most) return fault("holds more than it has room for");
    if (pending.level > 0) return push(children(*bytes, header + most * kind_.key_size, count), pending.level - 1);
    for (std::size_t i = 0; i < count && visitor_.record; ++i)
      visitor_.record(part(*bytes, header + i * kind_.record_size, kind_.record_size));
  }

  std::size_t pointer_size() const { return kind_.is_long ? 8 : 4; }

  std::vector<std::uint64_t> children(Bytes bytes, std::size_t at, std::size_t count) const {
    std::vector<std::uint64_t> blocks;
    for (std::size_t i = 0; i < count; ++i)
      blocks.push_back(kind_.is_long
                           ? u64(bytes, at + i * 8)
                           : volume_.super().block_in(static_cast<std::uint32_t>(owner_), u32(bytes, at + i * 4)));
    return blocks;
  }

  const Volume& volume_;
  const TreeKind& kind_;
  std::uint64_t owner_;
  const TreeVisitor& visitor_;
  Faults& faults_;
  std::vector<Pending> pending_;
  NumberSet seen_;
};

}  // namespace

void walk_tree(const Volume& volume, const TreeKind& kind, const std::vector<std::uint64_t>& blocks,
               std::uint32_t level, std::uint64_t owner, const TreeVisitor& visitor, Faults& faults) {
  Walk(volume, kind, owner, visitor, faults).run(blocks, level);
}

}  // namespace exhibit::filesystem::xfs
