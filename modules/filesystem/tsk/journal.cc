#include "filesystem/tsk/journal.h"

#include <algorithm>
#include <tuple>

#include "base/checked.h"
#include "base/crc.h"

namespace exhibit::filesystem::tsk {

namespace {

// journal.rst: "Block Header", "Super Block", "Descriptor Block", "Commit Block".
constexpr std::uint32_t magic = 0xC03B3998;
constexpr std::uint32_t type_descriptor = 1, type_commit = 2, type_superblock_1 = 3, type_superblock_2 = 4,
                        type_revoke = 5;
constexpr std::size_t header_size = 12, tail_size = 4, uuid_size = 16, commit_checksum_at = 16;
constexpr std::uint32_t incompat_64bit = 0x2, incompat_checksum_2 = 0x8, incompat_checksum_3 = 0x10,
                        incompat_fast_commit = 0x20;
constexpr std::uint32_t incompat_known = 0x3f;  // those and revoke (1), asynchronous commit (4)
constexpr std::uint8_t checksum_crc32c = 4;
constexpr std::uint32_t flag_escaped = 1, flag_same_uuid = 2, flag_last = 8;
constexpr std::size_t superblock_size = 1024;
constexpr std::uint32_t default_fast_commit_blocks = 256;

constexpr std::size_t most_copies = std::size_t{1} << 21;  // 8 GiB of blocks of 4 KiB, in 64 MiB of memory

std::string_view all_of(const Raw& block) { return block.view(0, block.size()); }

bool is_header(const Raw& block) { return block.be32(0) == magic; }

}  // namespace

struct Journal::Tag {
  std::uint64_t block = 0;
  std::uint32_t flags = 0, checksum = 0;
};

// A transaction that is followed from one of its descriptors on.
struct Journal::Chain {
  std::vector<Copy> copies;
  std::uint64_t at = 0;      // the block that comes next
  std::uint64_t steps = 0;   // blocks passed
  std::uint64_t resume = 0;  // where to look on if it breaks off: no block is looked at twice as a descriptor
  bool has_wrapped = false;
};

Result<Journal> Journal::read(std::unique_ptr<ByteSource> content, std::uint64_t block_size, std::uint64_t blocks) {
  Journal journal(std::move(content), block_size);
  EXHIBIT_TRY(journal.read_superblock());
  if (journal.end_ > blocks) return Error{ErrorCode::corrupt, "the journal is larger than its file system", {}, {}};
  journal.scan(blocks);
  std::sort(journal.copies_.begin(), journal.copies_.end(), [](const Copy& a, const Copy& b) {
    return std::tie(a.block, a.when, a.place) < std::tie(b.block, b.when, b.place);
  });
  return journal;
}

Result<void> Journal::read_superblock() {
  const auto super = block_at(0);
  if (!super || super->size() < superblock_size)
    return Error{ErrorCode::io_error, "the journal's superblock can't be read", {}, {}};
  const std::uint32_t type = super->be32(4), length = super->be32(16);
  if (!is_header(*super) || (type != type_superblock_1 && type != type_superblock_2) || super->be32(12) != block_size_)
    return Error{ErrorCode::corrupt, "the journal has no superblock", {}, {}};
  const std::uint32_t incompat = type == type_superblock_2 ? super->be32(40) : 0;
  if ((incompat & ~incompat_known) != 0)
    return Error{ErrorCode::unsupported, "the journal has features that aren't known", {}, {}};
  is_wide_ = (incompat & incompat_64bit) != 0;
  if ((incompat & incompat_checksum_3) != 0) {
    checksums_ = 3;
  } else if ((incompat & incompat_checksum_2) != 0) {
    checksums_ = 2;
  }
  if (has_checksums()) {
    if (super->u8(80) != checksum_crc32c)
      return Error{ErrorCode::unsupported, "the journal's checksums are of a kind that isn't known", {}, {}};
    checksum_seed_ = checksum_of(~std::uint32_t{0}, super->view(48, uuid_size));
  }
  first_ = super->be32(20);
  next_sequence_ = super->be32(24);
  end_ = length;
  if ((incompat & incompat_fast_commit) != 0) {
    const std::uint32_t stored = super->be32(84), reserved = stored == 0 ? default_fast_commit_blocks : stored;
    end_ = length > reserved ? length - reserved : 0;
  }
  if (first_ == 0 || first_ >= end_ || length > content_->size() / block_size_)
    return Error{ErrorCode::corrupt, "the journal's superblock doesn't hold", {}, {}};
  return {};
}

void Journal::scan(std::uint64_t blocks) {
  for (std::uint64_t place = first_; place < end_ && !is_cut_;) {
    const auto block = block_at(place);
    const bool is_descriptor = block && is_header(*block) && block->be32(4) == type_descriptor;
    place = is_descriptor ? follow(place, blocks) : place + 1;
  }
}

// Takes the transaction's copies if it goes on to its commit block. Returns where to look on.
std::uint64_t Journal::follow(std::uint64_t place, std::uint64_t blocks) {
  Chain chain;
  chain.at = place;
  chain.resume = place + 1;
  std::uint32_t sequence = 0;
  while (chain.steps < end_ - first_) {
    const auto block = block_at(chain.at);
    if (!block || !is_header(*block)) break;
    if (chain.steps == 0) sequence = block->be32(8);
    if (block->be32(8) != sequence) break;
    if (!chain.has_wrapped) chain.resume = chain.at + 1;
    const std::uint32_t type = block->be32(4);
    const bool is_known = type == type_descriptor || type == type_revoke || type == type_commit;
    if (!is_known) break;
    if (!is_whole(*block, type == type_commit ? commit_checksum_at : block_size_ - tail_size)) {
      contradicted_.insert(chain.at);
      break;
    }
    if (type == type_commit) {
      if (copies_.size() + chain.copies.size() > most_copies) {
        is_cut_ = true;
        break;
      }
      for (Copy& copy : chain.copies) copy.when = static_cast<std::int32_t>(sequence - next_sequence_);
      copies_.insert(copies_.end(), chain.copies.begin(), chain.copies.end());
      return chain.has_wrapped ? end_ : chain.at + 1;
    }
    ++chain.steps;
    if (++chain.at == end_) {
      chain.at = first_;
      chain.has_wrapped = true;
    }
    if (type == type_descriptor && !take_descriptor(*block, chain, blocks)) break;
  }
  return chain.resume;
}

// False: what follows isn't what the descriptor tells.
bool Journal::take_descriptor(const Raw& block, Chain& chain, std::uint64_t blocks) {
  const std::size_t end = block_size_ - (has_checksums() ? tail_size : 0);
  for (std::size_t at = header_size; at < end;) {
    Tag tag;
    const std::size_t length = tag_at(block, at, tag);
    if (at + length > end || ++chain.steps > end_ - first_) return false;
    if (chain.has_wrapped) {
      // A later transaction may have begun at the log's first block and not have reached this one's commit block. It
      // begins with a header, which no copy does.
      const auto copy = block_at(chain.at);
      if (!copy || is_header(*copy)) return false;
    }
    if (tag.block < blocks)
      chain.copies.push_back(
          {tag.block, 0, static_cast<std::uint32_t>(chain.at), tag.checksum, (tag.flags & flag_escaped) != 0});
    if (++chain.at == end_) {
      chain.at = first_;
      chain.has_wrapped = true;
    }
    if ((tag.flags & flag_last) != 0) return true;
    at += length;
  }
  return true;
}

// Returns its length.
std::size_t Journal::tag_at(const Raw& block, std::size_t at, Tag& tag) const {
  std::size_t length = 0;
  tag.block = block.be32(at);
  if (checksums_ == 3) {
    tag.flags = block.be32(at + 4);
    if (is_wide_) tag.block |= static_cast<std::uint64_t>(block.be32(at + 8)) << 32;
    tag.checksum = block.be32(at + 12);
    length = 16;
  } else {
    tag.checksum = block.be16(at + 4);
    tag.flags = block.be16(at + 6);
    if (is_wide_) tag.block |= static_cast<std::uint64_t>(block.be32(at + 8)) << 32;
    length = 8 + (is_wide_ ? 4 : 0) + (checksums_ == 2 ? 2 : 0);
  }
  return length + ((tag.flags & flag_same_uuid) == 0 ? uuid_size : 0);
}

// Whether the block's own checksum holds, or there are none.
bool Journal::is_whole(const Raw& block, std::size_t checksum_at) const {
  if (!has_checksums()) return true;
  std::string bytes(all_of(block));
  bytes.replace(checksum_at, tail_size, tail_size, '\0');
  return checksum_of(checksum_seed_, bytes) == block.be32(checksum_at);
}

std::span<const Journal::Copy> Journal::copies_of(std::uint64_t block) const {
  const auto from =
      std::partition_point(copies_.begin(), copies_.end(), [&](const Copy& c) { return c.block < block; });
  const auto to = std::partition_point(from, copies_.end(), [&](const Copy& c) { return c.block == block; });
  return {from, to};
}

std::optional<Raw> Journal::bytes(const Copy& copy) {
  auto block = block_at(copy.place);
  if (!block) return std::nullopt;
  if (has_checksums()) {
    std::string sequence(4, '\0');
    const std::uint32_t number = next_sequence_ + static_cast<std::uint32_t>(copy.when);
    for (int i = 0; i < 4; ++i) sequence[static_cast<std::size_t>(i)] = static_cast<char>(number >> (24 - 8 * i));
    const std::uint32_t found = checksum_of(checksum_of(checksum_seed_, sequence), all_of(*block));
    if (checksums_ == 3 ? found != copy.checksum : (found & 0xffff) != copy.checksum) {
      contradicted_.insert(copy.place);
      return std::nullopt;
    }
  }
  if (!copy.is_escaped) return block;
  std::string bytes(all_of(*block));
  for (std::size_t i = 0; i < 4; ++i) bytes[i] = static_cast<char>(magic >> (24 - 8 * i));
  return Raw(std::move(bytes));
}

// nullopt: damaged, or past the end.
std::optional<Raw> Journal::block_at(std::uint64_t place) {
  const auto offset = base::checked_multiply(place, block_size_);
  if (!offset) return std::nullopt;
  const std::uint64_t damaged = content_->damaged_reads();
  Raw block = Raw::read(*content_, *offset, static_cast<std::size_t>(block_size_));
  if (block.size() == block_size_ && content_->damaged_reads() == damaged) return block;
  is_damaged_ = true;
  return std::nullopt;
}

std::uint32_t Journal::checksum_of(std::uint32_t start, std::string_view bytes) const {
  return base::crc32c(start, std::as_bytes(std::span(bytes)));
}

}  // namespace exhibit::filesystem::tsk
