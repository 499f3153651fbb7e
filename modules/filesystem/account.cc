#include "filesystem/account.h"

#include <exhibit/result.h>

#include <algorithm>
#include <utility>

#include "base/checked.h"

namespace exhibit::filesystem {

namespace {

constexpr std::size_t classes = 7;

// Claims in the order in which they win: that of ByteClass, with the blocks that are allocated as a whole behind slack.
constexpr std::array ranks = {ByteClass::unreadable, ByteClass::metadata, ByteClass::allocated,   ByteClass::slack,
                              ByteClass::allocated,  ByteClass::deleted,  ByteClass::unallocated, ByteClass::gap};
constexpr std::size_t allocated_blocks = 4;

std::size_t rank_of(ByteClass byte_class) {
  return static_cast<std::size_t>(std::find(ranks.begin(), ranks.end(), byte_class) - ranks.begin());
}

// The metadata address of `content` ("E1/p0/i36-128-1"), and whether it has an attribute (NTFS and HFS+).
struct Address {
  std::uint64_t number = 0;
  bool has_attribute = false;
};

Address address_of(const Item& item) {
  Address address;
  const std::size_t at = item.content.rfind("/i");
  if (at == std::string::npos) return address;
  std::size_t i = at + 2;
  for (; i < item.content.size() && item.content[i] >= '0' && item.content[i] <= '9'; ++i)
    address.number = address.number * 10 + static_cast<std::uint64_t>(item.content[i] - '0');
  address.has_attribute = i < item.content.size() && item.content[i] == '-';
  return address;
}

// NTFS reserves the MFT entries below 24 and what $Extend holds; HFS+ the catalog ids below 16 (TN1150). Both show
// their own files with names that begin with '$'.
constexpr std::uint64_t first_user_address = 24;

bool is_metadata(const Item& item) {
  if (item.kind == ItemKind::directory || item.kind == ItemKind::virtual_file) return true;
  const Address address = address_of(item);
  if (!address.has_attribute) return false;
  return (address.number < first_user_address && item.path.starts_with("/$")) || item.path.starts_with("/$Extend/");
}

std::optional<ByteClass> class_of(const Item& item) {
  switch (item.state) {
    case ItemState::allocated:
      return is_metadata(item) ? ByteClass::metadata : ByteClass::allocated;
    case ItemState::deleted:
    case ItemState::orphan:
      return ByteClass::deleted;
    case ItemState::overwritten:
    case ItemState::carved:
    case ItemState::member:
      break;
  }
  return std::nullopt;
}

// How much of what comes, sorted and disjoint as the ranges are, lies in them: one pass over them is enough.
class Overlap {
 public:
  using Ranges = std::vector<std::array<std::uint64_t, 2>>;  // offset, length
  explicit Overlap(const Ranges& ranges) : first_(ranges.begin()), end_(ranges.end()) {}

  std::uint64_t next(std::uint64_t begin, std::uint64_t end) {
    std::uint64_t bytes = 0;
    while (first_ != end_ && (*first_)[0] + (*first_)[1] <= begin) ++first_;
    for (auto range = first_; range != end_ && (*range)[0] < end; ++range)
      bytes += std::min(end, (*range)[0] + (*range)[1]) - std::max(begin, (*range)[0]);
    return bytes;
  }

 private:
  Ranges::const_iterator first_, end_;
};

}  // namespace

const char* name_of(ByteClass byte_class) {
  switch (byte_class) {
    case ByteClass::unreadable:
      return "unreadable";
    case ByteClass::metadata:
      return "metadata";
    case ByteClass::allocated:
      return "allocated";
    case ByteClass::slack:
      return "slack";
    case ByteClass::deleted:
      return "deleted";
    case ByteClass::unallocated:
      return "unallocated";
    case ByteClass::gap:
      return "gap";
  }
  EXHIBIT_CHECK(false);
}

void Account::Ranges::add(std::uint64_t begin, std::uint64_t end) {
  constexpr std::size_t least_unsorted = 1024;
  if (begin >= end) return;
  const bool is_sorted = sorted_ == ranges_.size();
  if (is_sorted && !ranges_.empty() && ranges_.back().begin <= begin && begin <= ranges_.back().end) {
    ranges_.back().end = std::max(ranges_.back().end, end);
    return;
  }
  const bool is_next = is_sorted && (ranges_.empty() || ranges_.back().end < begin);
  ranges_.push_back({begin, end});
  if (is_next) {
    ++sorted_;
  } else if (ranges_.size() - sorted_ > std::max(sorted_, least_unsorted)) {
    all();
  }
}

const std::vector<Account::Range>& Account::Ranges::all() const {
  if (sorted_ == ranges_.size()) return ranges_;
  const auto before = [](const Range& a, const Range& b) { return a.begin < b.begin; };
  const auto unsorted = ranges_.begin() + static_cast<std::ptrdiff_t>(sorted_);
  std::sort(unsorted, ranges_.end(), before);
  std::inplace_merge(ranges_.begin(), unsorted, ranges_.end(), before);
  std::size_t last = 0;
  for (std::size_t i = 1; i < ranges_.size(); ++i) {
    if (ranges_[i].begin <= ranges_[last].end) {
      ranges_[last].end = std::max(ranges_[last].end, ranges_[i].end);
    } else {
      ranges_[++last] = ranges_[i];
    }
  }
  ranges_.resize(last + 1);
  sorted_ = ranges_.size();
  return ranges_;
}

Account::Account(std::uint64_t size, ByteClass rest) : size_(size), rest_(rest) {}

void Account::claim(ByteClass byte_class, std::uint64_t offset, std::uint64_t length) {
  if (offset >= size_) return;
  claims_[rank_of(byte_class)].add(offset, offset + std::min(length, size_ - offset));
}

void Account::claim_blocks(const std::vector<ClassRun>& blocks) {
  for (const ClassRun& run : blocks) {
    if (run.byte_class != ByteClass::allocated) {
      claim(run.byte_class, run.offset, run.length);
    } else if (run.offset < size_) {
      claims_[allocated_blocks].add(run.offset, run.offset + std::min(run.length, size_ - run.offset));
    }
  }
}

void Account::claim_item(const Item& item, std::uint64_t block_size) {
  const auto byte_class = class_of(item);
  if (!byte_class || !item.extents) return;
  for (const Extent& extent : *item.extents)
    if (extent.offset != sparse_run) claim(*byte_class, static_cast<std::uint64_t>(extent.offset), extent.length);
  if (*byte_class == ByteClass::allocated && !item.transform) claim_slack(item, block_size);
  claim_doubts(item);
}

// Contents start at a block's start, so what their length leaves of a block is the slack behind the last run.
void Account::claim_slack(const Item& item, std::uint64_t block_size) {
  if (block_size == 0 || item.extents->empty() || item.extents->back().offset == sparse_run) return;
  const std::uint64_t used = item.size % block_size;
  if (used == 0) return;
  const Extent& last = item.extents->back();
  if (const auto end = base::checked_add(static_cast<std::uint64_t>(last.offset), last.length))
    claim(ByteClass::slack, *end, block_size - used);
}

void Account::claim_doubts(const Item& item) {
  for (const Doubt& doubt : item.doubt) {
    const std::uint64_t doubt_end = base::checked_add(doubt.offset, doubt.length).value_or(UINT64_MAX);
    std::uint64_t at = 0;  // in the content
    for (const Extent& extent : *item.extents) {
      const std::uint64_t end = base::checked_add(at, extent.length).value_or(UINT64_MAX);
      const std::uint64_t from = std::max(at, doubt.offset), to = std::min(end, doubt_end);
      if (from < to && extent.offset != sparse_run)
        claim(ByteClass::unreadable, static_cast<std::uint64_t>(extent.offset) + (from - at), to - from);
      at = end;
    }
  }
}

void Account::mark_hashed(const Item& item) {
  if (!item.extents) return;
  for (const Extent& extent : *item.extents) {
    if (extent.offset == sparse_run) continue;
    const auto begin = static_cast<std::uint64_t>(extent.offset);
    if (begin < size_) hashed_.add(begin, begin + std::min(extent.length, size_ - begin));
  }
}

// In order, neighbours of one class as one.
template <typename Call>
void Account::for_each_run(const Call& call) const {
  std::array<std::size_t, ranks.size()> next{};  // of each rank's ranges, the first that ends behind `at`
  ClassRun open;
  for (std::uint64_t at = 0; at < size_;) {
    std::uint64_t end = size_;  // so far the class holds that holds at `at`
    ByteClass byte_class = rest_;
    for (std::size_t i = 0; i < ranks.size(); ++i) {
      const std::vector<Range>& ranges = claims_[i].all();
      while (next[i] < ranges.size() && ranges[next[i]].end <= at) ++next[i];
      if (next[i] == ranges.size()) continue;
      const auto [range_begin, range_end] = ranges[next[i]];
      if (range_begin <= at) {
        byte_class = ranks[i];
        end = std::min(end, range_end);
        break;  // whatever is claimed behind it in rank counts for nothing here
      }
      end = std::min(end, range_begin);
    }
    if (open.length > 0 && open.byte_class != byte_class) call(std::exchange(open, ClassRun{}));
    if (open.length == 0) open = {at, 0, byte_class};
    open.length += end - at;
    at = end;
  }
  if (open.length > 0) call(open);
}

std::vector<ClassRun> Account::runs() const {
  std::vector<ClassRun> runs;
  for_each_run([&](const ClassRun& run) { runs.push_back(run); });
  return runs;
}

std::uint64_t Account::hashed_bytes() const {
  std::uint64_t bytes = 0;
  for (const auto& [begin, end] : hashed_.all()) bytes += end - begin;
  return bytes;
}

std::size_t Account::ranges() const {
  std::size_t kept = hashed_.kept();
  for (const Ranges& ranges : claims_) kept += ranges.kept();
  return kept;
}

Account::Totals Account::totals(const std::vector<std::array<std::uint64_t, 2>>& ranges) const {
  Totals totals;
  for (std::size_t i = 0; i < classes; ++i) totals.bytes[static_cast<ByteClass>(i)] = 0;
  if (ranges.empty()) return totals;
  Overlap of_runs(ranges), of_hashed(ranges);
  for_each_run(
      [&](const ClassRun& run) { totals.bytes[run.byte_class] += of_runs.next(run.offset, run.offset + run.length); });
  for (const auto& [begin, end] : hashed_.all()) totals.hashed += of_hashed.next(begin, end);
  return totals;
}

}  // namespace exhibit::filesystem
