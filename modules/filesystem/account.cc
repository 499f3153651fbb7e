#include "filesystem/account.h"

#include <exhibit/result.h>

#include <algorithm>

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
  if (begin >= end) return;
  auto next = ranges_.upper_bound(begin);
  if (next != ranges_.begin()) {
    const auto before = std::prev(next);
    if (before->second >= end) return;
    if (before->second >= begin) {
      begin = before->first;
      next = before;
    }
  }
  while (next != ranges_.end() && next->first <= end) {
    end = std::max(end, next->second);
    next = ranges_.erase(next);
  }
  ranges_.emplace_hint(next, begin, end);
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

std::vector<ClassRun> Account::runs() const {
  struct Edge {
    std::uint64_t at;
    std::size_t rank;
    bool begins;
  };
  std::vector<Edge> edges;
  for (std::size_t i = 0; i < ranks.size(); ++i) {
    for (const auto& [begin, end] : claims_[i].all()) {
      edges.push_back({begin, i, true});
      edges.push_back({end, i, false});
    }
  }
  std::sort(edges.begin(), edges.end(), [](const Edge& a, const Edge& b) { return a.at < b.at; });

  std::vector<ClassRun> runs;
  std::array<bool, ranks.size()> claimed{};
  std::uint64_t at = 0;
  const auto close_run = [&](std::uint64_t end) {
    if (end == at) return;
    const auto first = std::find(claimed.begin(), claimed.end(), true);
    const ByteClass byte_class =
        first == claimed.end() ? rest_ : ranks[static_cast<std::size_t>(first - claimed.begin())];
    if (!runs.empty() && runs.back().byte_class == byte_class) {
      runs.back().length += end - at;
    } else {
      runs.push_back({at, end - at, byte_class});
    }
    at = end;
  };
  for (const Edge& edge : edges) {
    close_run(edge.at);
    claimed[edge.rank] = edge.begins;
  }
  close_run(size_);
  return runs;
}

std::uint64_t Account::hashed_bytes() const {
  std::uint64_t bytes = 0;
  for (const auto& [begin, end] : hashed_.all()) bytes += end - begin;
  return bytes;
}

Account::Totals Account::totals(const std::vector<std::array<std::uint64_t, 2>>& ranges) const {
  Totals totals;
  for (std::size_t i = 0; i < classes; ++i) totals.bytes[static_cast<ByteClass>(i)] = 0;
  // Both lists are sorted and disjoint, so one pass over each is enough.
  const auto overlap = [&ranges](auto first, auto last, auto&& bounds, auto&& add) {
    auto range = ranges.begin();
    while (first != last && range != ranges.end()) {
      const auto [begin, end] = bounds(*first);
      const std::uint64_t range_end = (*range)[0] + (*range)[1];
      const std::uint64_t from = std::max(begin, (*range)[0]), to = std::min(end, range_end);
      if (from < to) add(*first, to - from);
      if (end <= range_end) {
        ++first;
      } else {
        ++range;
      }
    }
  };
  const auto all = runs();
  overlap(
      all.begin(), all.end(), [](const ClassRun& run) { return std::pair(run.offset, run.offset + run.length); },
      [&](const ClassRun& run, std::uint64_t bytes) { totals.bytes[run.byte_class] += bytes; });
  overlap(
      hashed_.all().begin(), hashed_.all().end(),
      [](const auto& range) { return std::pair(range.first, range.second); },
      [&](const auto&, std::uint64_t bytes) { totals.hashed += bytes; });
  return totals;
}

}  // namespace exhibit::filesystem
