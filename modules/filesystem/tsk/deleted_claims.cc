// Which deleted inodes the journal can give back, and which of their blocks it shows in later use.
#include <algorithm>
#include <tuple>

#include "filesystem/tsk/deleted_inodes.h"

namespace exhibit::filesystem::tsk {

namespace {

constexpr std::size_t most_found = std::size_t{1} << 20;
constexpr std::uint64_t most_groups = std::uint64_t{1} << 20;  // 128 TiB in blocks of 4 KiB

}  // namespace

void DeletedInodes::find_all() {
  if (is_off_) return;
  read_journal();
  if (!journal_) return;
  const auto tables = groups();
  collect(tables);
  are_all_known_ = true;
  if (claims_.empty()) return;
  std::sort(claims_.begin(), claims_.end(), [](const Claim& a, const Claim& b) {
    return std::tie(a.begin, a.end, a.number) < std::tie(b.begin, b.end, b.number);
  });
  std::uint64_t last_end = 0;
  for (Claim& claim : claims_) claim.last_end = last_end = std::max(last_end, claim.end);
  find_overwritten(tables);
  claims_ = {};
}

// Where each group's inodes begin, by block.
std::vector<DeletedInodes::Group> DeletedInodes::groups() {
  std::vector<Group> groups;
  const std::uint64_t per_group = layout_.inodes_per_group;
  if (per_group == 0 || layout_.inode_size < 128 || layout_.inode_size > layout_.block_size) return groups;
  const std::uint64_t count = std::min((layout_.inodes + per_group - 1) / per_group, most_groups);
  for (std::uint64_t i = 0; i < count; ++i)
    if (const auto place = metadata_.place_of(i * per_group + 1))
      groups.push_back({place->offset / layout_.block_size, i * per_group + 1});
  std::sort(groups.begin(), groups.end(), [](const Group& a, const Group& b) { return a.table < b.table; });
  return groups;
}

// The inodes that this block holds; none if it belongs to no table.
std::vector<TSK_INUM_T> DeletedInodes::inodes_in(const std::vector<Group>& groups, std::uint64_t block) const {
  const auto next = std::upper_bound(groups.begin(), groups.end(), block,
                                     [](std::uint64_t at, const Group& group) { return at < group.table; });
  if (next == groups.begin()) return {};
  const Group& group = *std::prev(next);
  const std::uint64_t per_block = layout_.block_size / layout_.inode_size, index = (block - group.table) * per_block;
  std::vector<TSK_INUM_T> numbers;
  for (std::uint64_t i = index; i < index + per_block && i < layout_.inodes_per_group; ++i)
    if (group.first + i <= layout_.inodes) numbers.push_back(group.first + i);
  return numbers;
}

void DeletedInodes::collect(const std::vector<Group>& groups) {
  const auto copies = journal_->copies();
  for (std::size_t i = 0; i < copies.size(); ++i) {
    if (i > 0 && copies[i].block == copies[i - 1].block) continue;
    for (const TSK_INUM_T number : inodes_in(groups, copies[i].block)) {
      if (!may_be_found(number)) continue;
      last_ = {};
      const File file(tsk_fs_file_open_meta(&fs_, nullptr, number));
      tsk_error_reset();
      if (last_.number == number && last_.found) add(number, *last_.found);
    }
  }
}

void DeletedInodes::add(TSK_INUM_T number, const Found& found) {
  if (all_.size() >= most_found || claims_.size() + found.runs.size() > 2 * most_found) {
    is_cut_ = true;
    return;
  }
  all_.emplace(number, found.when);
  const bool is_directory = ext_inode::type_of(found.inode) == ext_inode::type_directory;
  for (const BlockRun& run : found.runs)
    claims_.push_back({run.physical, run.physical + run.count, 0, number, found.when, is_directory});
}

void DeletedInodes::find_overwritten(const std::vector<Group>& groups) {
  for (const Journal::Copy& copy : journal_->copies()) {
    const auto numbers = inodes_in(groups, copy.block);
    if (numbers.empty()) {
      claim(copy.block, copy.block + 1, copy.when, std::nullopt);
    } else {
      claim_inodes(copy, numbers);
    }
  }
}

// What the inodes of this copy of their block had at that time.
void DeletedInodes::claim_inodes(const Journal::Copy& copy, const std::vector<TSK_INUM_T>& numbers) {
  const auto block = journal_->bytes(copy);
  if (!block) return;
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    const Raw inode(std::string(block->view(i * layout_.inode_size, layout_.inode_size)));
    if (!ext_inode::is_in_use(inode) || !layout_.is_whole_inode(numbers[i], inode)) continue;
    const auto runs = runs_of(numbers[i], inode, copy.when);
    if (!runs) continue;
    for (const BlockRun& run : *runs) claim(run.physical, run.physical + run.count, copy.when, numbers[i]);
  }
}

// `by`: an inode; otherwise it was a block of a directory or of a map. A directory's own blocks are such.
void DeletedInodes::claim(std::uint64_t begin, std::uint64_t end, std::int32_t when, std::optional<TSK_INUM_T> by) {
  auto claim = std::partition_point(claims_.begin(), claims_.end(), [&](const Claim& c) { return c.begin < end; });
  while (claim != claims_.begin() && (--claim)->last_end > begin) {
    const bool is_its_own = by ? *by == claim->number : claim->is_directory;
    if (claim->end > begin && claim->when < when && !is_its_own) overwritten_.insert(claim->number);
  }
}

}  // namespace exhibit::filesystem::tsk
