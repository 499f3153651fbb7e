#include "filesystem/consistency/exfat.h"

#include <algorithm>
#include <array>
#include <deque>
#include <set>
#include <utility>

#include "base/text.h"
#include "filesystem/consistency/exfat_volume.h"
#include "volume/bytes.h"

namespace exhibit::filesystem {
namespace {

using namespace consistency;
using namespace consistency::exfat;

// Directory entries [6], [7]: their types with the bits InUse (0x80), TypeCategory (0x40: secondary), TypeImportance
// (0x20: benign).
constexpr std::size_t entry_size = 32;
constexpr std::uint8_t end_of_directory = 0x00, allocation_bitmap = 0x81, up_case_table = 0x82, volume_label = 0x83,
                       file = 0x85, tex_fat_padding = 0xA1, access_control_table = 0xA2, stream_extension = 0xC0,
                       file_name = 0xC1;
constexpr bool in_use(std::uint8_t type) { return (type & 0x80U) != 0; }
constexpr bool is_secondary(std::uint8_t type) { return (type & 0xC0U) == 0xC0; }
constexpr bool is_benign(std::uint8_t type) { return (type & 0x20U) != 0; }

struct Entry {
  std::uint8_t type() const { return u8(bytes, 0); }
  std::array<std::byte, entry_size> bytes{};
  std::uint64_t offset = 0;  // in the volume
};
using EntrySet = std::vector<Entry>;  // a primary entry and the secondary ones behind it

Place place_of(const EntrySet& set) { return {set.front().offset, set.size() * entry_size}; }

// The allocation that the fields at 20 and 24 of most entries tell.
Allocation allocation_of(const Entry& entry, bool contiguous) {
  return {u32(entry.bytes, 20), field<std::uint64_t>(entry.bytes, 24), contiguous};
}

// The entries of a directory one by one.
class EntryReader {
 public:
  EntryReader(Clusters& clusters, const std::vector<Run>& runs) : clusters_(clusters), runs_(runs) { read(); }

  // The entry in turn; nothing at the directory's end.
  const std::optional<Entry>& peek() const { return entry_; }
  Entry pop() {
    Entry entry = *entry_;
    within_ += entry_size;
    if (within_ == clusters_.geometry().cluster) {
      within_ = 0;
      if (++cluster_ == runs_[run_].count) {
        cluster_ = 0;
        ++run_;
      }
    }
    read();
    return entry;
  }

 private:
  void read() {
    entry_.reset();
    if (run_ == runs_.size()) return;
    const std::uint32_t cluster = runs_[run_].first + cluster_;
    const Bytes bytes = clusters_.read(cluster, within_, entry_size);
    if (bytes.size() < entry_size || u8(bytes, 0) == end_of_directory) return;
    entry_.emplace();
    std::ranges::copy(bytes, entry_->bytes.begin());
    entry_->offset = clusters_.geometry().offset_of(cluster) + within_;
  }

  Clusters& clusters_;
  const std::vector<Run>& runs_;
  std::size_t run_ = 0;
  std::uint32_t cluster_ = 0;  // of the run
  std::uint64_t within_ = 0;   // the cluster
  std::optional<Entry> entry_;
};

// [6.3.3], figure 2
std::uint16_t checksum_of(const EntrySet& set) {
  std::uint16_t sum = 0;
  for (std::size_t i = 0; i < set.size(); ++i)
    for (std::size_t at = 0; at < entry_size; ++at)
      if (i > 0 || (at != 2 && at != 3)) sum = static_cast<std::uint16_t>(std::rotr(sum, 1) + u8(set[i].bytes, at));
  return sum;
}

// [7.2.2], figure 3
std::uint32_t table_checksum(Bytes table) {
  std::uint32_t sum = 0;
  for (const std::byte byte : table) sum = std::rotr(sum, 1) + std::to_integer<std::uint32_t>(byte);
  return sum;
}

// [7.2.5]: 0xFFFF and a count stand for so many characters that are their own upper case.
std::vector<char16_t> expand_up_case(Bytes table) {
  std::vector<char16_t> upper(65536);
  for (std::size_t i = 0; i < upper.size(); ++i) upper[i] = static_cast<char16_t>(i);
  std::size_t to = 0;
  for (std::size_t at = 0; at + 1 < table.size() && to < upper.size(); at += 2) {
    const std::uint16_t unit = u16(table, at);
    if (unit == 0xFFFF && at + 3 < table.size()) {
      at += 2;
      to += u16(table, at);
    } else {
      upper[to++] = static_cast<char16_t>(unit);
    }
  }
  return upper;
}

// [7.7.3], table 35; and the names of a folder itself and its parent.
bool is_valid_name(const std::u16string& name) {
  constexpr std::u16string_view forbidden = u"\"*/:<>?\\|";
  return name != u"." && name != u".." && std::ranges::none_of(name, [&](char16_t c) {
           return c < 0x20 || forbidden.find(c) != std::u16string_view::npos;
         });
}

class Walk {
 public:
  Walk(ByteSource& volume, const Geometry& geometry, Teller& tell) : clusters_(volume, geometry, tell), tell_(tell) {}
  void run();

 private:
  struct Directory {
    std::vector<Run> runs;
    bool root = false;
    std::set<std::u16string> names = {};  // in upper case, those met so far
  };

  void read_system_entries(const std::vector<Run>& root);
  void read_bitmap(const Entry& entry);
  void read_up_case(const Entry& entry);
  void walk(Directory directory);
  void check_set(EntryReader& reader, Directory& directory);
  void check_other(const Entry& entry, bool in_root);
  void check_file(const EntrySet& set, Directory& directory);
  std::u16string check_name(const EntrySet& set, Directory& directory);
  std::string name_of_set(const EntrySet& set) const;
  void check_checksum(const EntrySet& set, const std::string& name);
  std::vector<Run> take(const Allocation& allocation, const std::string& owner, Place place) {
    auto runs = clusters_.take(allocation, owner, place);
    clusters_.check_allocated(runs, owner, place);
    return runs;
  }

  Clusters clusters_;
  Teller& tell_;
  std::vector<char16_t> upper_;  // empty: not known
  std::deque<Directory> queue_;
};

void Walk::run() {
  const std::string name = "exFAT: the root directory";
  const Place place{96, 4};
  Directory root{clusters_.take({clusters_.geometry().root, std::nullopt, false}, name, place), true};
  if (root.runs.empty()) return;
  read_system_entries(root.runs);
  clusters_.check_allocated(root.runs, name, place);
  queue_.push_back(std::move(root));
  while (!queue_.empty()) {
    Directory directory = std::move(queue_.front());
    queue_.pop_front();
    walk(std::move(directory));
  }
}

// The bitmap comes first: what the other entries use is compared with it.
void Walk::read_system_entries(const std::vector<Run>& root) {
  std::optional<Entry> bitmap, up_case;
  const std::uint8_t active = clusters_.geometry().second_fat ? 1 : 0;
  for (EntryReader reader(clusters_, root); reader.peek();) {
    const Entry entry = reader.pop();
    if (entry.type() == allocation_bitmap && (u8(entry.bytes, 1) & 1U) == active && !bitmap) bitmap = entry;
    if (entry.type() == up_case_table && !up_case) up_case = entry;
  }
  const Place place{clusters_.geometry().offset_of(root.front().first), clusters_.geometry().cluster};
  const auto missing = [&](const char* what) {
    tell_.corrupt("entries missing from the root directory", place,
                  std::string("exFAT: the root directory has no entry of ") + what);
  };
  bitmap ? read_bitmap(*bitmap) : missing("the allocation bitmap");
  up_case ? read_up_case(*up_case) : missing("the up-case table");
}

void Walk::read_bitmap(const Entry& entry) {
  const std::string name = "exFAT: the allocation bitmap";
  const Place place{entry.offset, entry_size};
  const Allocation allocation = allocation_of(entry, false);
  const std::uint64_t needed = (std::uint64_t{clusters_.geometry().said_clusters} + 7) / 8;
  if (*allocation.size < needed)
    tell_.corrupt("wrong sizes of the allocation bitmap", place,
                  name + " is of " + std::to_string(*allocation.size) + " bytes, not the " + std::to_string(needed) +
                      " of " + std::to_string(clusters_.geometry().said_clusters) + " clusters");
  const auto runs = clusters_.take(allocation, name, place);
  auto bitmap = clusters_.read_all(runs, std::min(*allocation.size, needed));
  if (bitmap.size() == needed) clusters_.set_bitmap(std::move(bitmap));
  clusters_.check_allocated(runs, name, place);
}

void Walk::read_up_case(const Entry& entry) {
  constexpr std::uint64_t largest = std::uint64_t{2} * 65536;
  const std::string name = "exFAT: the up-case table";
  const Place place{entry.offset, entry_size};
  const Allocation allocation = allocation_of(entry, false);
  if (*allocation.size == 0 || *allocation.size > largest || *allocation.size % 2 != 0) {
    tell_.corrupt("wrong up-case tables", place, name + " is of " + std::to_string(*allocation.size) + " bytes");
    return;
  }
  const auto table = clusters_.read_all(take(allocation, name, place), *allocation.size);
  const std::uint32_t sum = table_checksum(table), said = u32(entry.bytes, 4);
  if (sum != said) {
    tell_.corrupt("wrong up-case tables", place,
                  name + "'s checksum is " + std::to_string(said) + ", its bytes' is " + std::to_string(sum));
    return;
  }
  upper_ = expand_up_case(table);
}

void Walk::walk(Directory directory) {
  EntryReader reader(clusters_, directory.runs);
  while (reader.peek()) {
    const std::uint8_t type = reader.peek()->type();
    const bool opens_set = in_use(type) && !is_secondary(type) && (type == file || is_benign(type)) &&
                           type != tex_fat_padding && type != access_control_table;
    if (opens_set) {
      check_set(reader, directory);
    } else {
      const Entry entry = reader.pop();
      if (in_use(type)) check_other(entry, directory.root);
    }
  }
}

void Walk::check_other(const Entry& entry, bool in_root) {
  const Place place{entry.offset, entry_size};
  const auto type = std::to_string(entry.type());
  if (is_secondary(entry.type())) {
    tell_.corrupt("directory entries out of place", place,
                  "exFAT: a secondary directory entry of type " + type + " belongs to no primary one");
  } else if (is_benign(entry.type())) {
    return;  // Windows CE's entries for a padding and for access control, which hold nothing to compare
  } else if (entry.type() > volume_label || entry.type() < allocation_bitmap) {
    tell_.corrupt("directory entries of unknown type", place, "exFAT: a directory entry is of unknown type " + type);
  } else if (!in_root) {
    tell_.corrupt("directory entries out of place", place,
                  "exFAT: a directory entry of type " + type + " lies outside of the root directory");
  } else if (entry.type() == volume_label && u8(entry.bytes, 1) > 11) {
    tell_.corrupt("wrong volume labels", place,
                  "exFAT: the volume label is of " + std::to_string(u8(entry.bytes, 1)) + " characters; 11 fit");
  }
}

void Walk::check_set(EntryReader& reader, Directory& directory) {
  EntrySet set{reader.pop()};
  const unsigned count = u8(set.front().bytes, 1);
  while (set.size() <= count && reader.peek() && is_secondary(reader.peek()->type())) set.push_back(reader.pop());
  if (set.size() <= count)
    tell_.corrupt("directory entry sets that are cut short", place_of(set),
                  name_of_set(set) + ": its directory entry has " + std::to_string(set.size() - 1) + " of " +
                      std::to_string(count) + " secondary entries");
  else
    check_checksum(set, name_of_set(set));
  if (set.front().type() == file) {
    check_file(set, directory);
  } else if ((u16(set.front().bytes, 4) & 1U) != 0) {  // AllocationPossible [6.3.4.1]
    take(allocation_of(set.front(), (u16(set.front().bytes, 4) & 2U) != 0), name_of_set(set), place_of(set));
  }
}

void Walk::check_checksum(const EntrySet& set, const std::string& name) {
  const std::uint16_t said = u16(set.front().bytes, 2), sum = checksum_of(set);
  if (sum != said)
    tell_.corrupt("wrong checksums of directory entries", place_of(set),
                  name + ": its directory entries' checksum is " + std::to_string(said) + ", their bytes' is " +
                      std::to_string(sum));
}

// The UTF-16 of the file name entries, as long as they go.
std::string name_bytes(const EntrySet& set) {
  std::string bytes;
  for (std::size_t i = 2; i < set.size() && set[i].type() == file_name; ++i)
    bytes.append(reinterpret_cast<const char*>(set[i].bytes.data()) + 2, entry_size - 2);
  return bytes;
}

std::string Walk::name_of_set(const EntrySet& set) const {
  if (set.front().type() != file) return "exFAT: an entry of type " + std::to_string(set.front().type());
  return "exFAT: `" + base::from_utf16le(name_bytes(set)) + "`";
}

std::u16string Walk::check_name(const EntrySet& set, Directory& directory) {
  const std::string bytes = name_bytes(set), name = name_of_set(set);
  std::u16string units;
  for (std::size_t i = 0; i + 1 < bytes.size(); i += 2)
    units.push_back(static_cast<char16_t>(volume::little(bytes, i, 2)));
  const std::size_t said = u8(set[1].bytes, 3), length = std::min(units.find(u'\0'), units.size());
  units.resize(length);
  const auto wrong = [&](const std::string& what) { tell_.corrupt("wrong names", place_of(set), name + ": " + what); };
  // The rest of the last name entry is zeros or not looked at: only the said length counts.
  if (said == 0 || said != length || (said + 14) / 15 != bytes.size() / (entry_size - 2))
    wrong("its name is of " + std::to_string(length) + " characters, its directory entry says " + std::to_string(said));
  if (!is_valid_name(units)) wrong("its name holds what no name may");
  if (upper_.empty()) return units;
  std::u16string upper = units;
  for (char16_t& unit : upper) unit = upper_[unit];
  std::uint16_t hash = 0;  // [7.6.4], figure 4
  for (const char16_t unit : upper)
    for (const unsigned byte : {unit & 0xFFU, static_cast<unsigned>(unit) >> 8})
      hash = static_cast<std::uint16_t>(std::rotr(hash, 1) + byte);
  if (said == length && hash != u16(set[1].bytes, 4)) wrong("its name's hash is wrong");
  if (!directory.names.insert(std::move(upper)).second) wrong("another file of the same directory has its name");
  return units;
}

void Walk::check_file(const EntrySet& set, Directory& directory) {
  constexpr std::uint64_t largest_directory = std::uint64_t{256} << 20;  // [6.1]
  const std::string name = name_of_set(set);
  const auto wrong = [&](const std::string& what) {
    tell_.corrupt("contradictions in directory entries", place_of(set), name + ": " + what);
  };
  const unsigned count = u8(set.front().bytes, 1);
  if (count < 2 || count > 18) wrong("its directory entry says " + std::to_string(count) + " secondary entries");
  if (set.size() < 2 || set[1].type() != stream_extension) return wrong("its directory entry has no stream extension");
  check_name(set, directory);
  const Entry& stream = set[1];
  const std::uint64_t size = field<std::uint64_t>(stream.bytes, 24), valid = field<std::uint64_t>(stream.bytes, 8);
  if (valid > size)
    wrong("its valid data are of " + std::to_string(valid) + " bytes, the file of " + std::to_string(size));
  const bool is_directory = (u16(set.front().bytes, 4) & 0x10U) != 0;
  if (is_directory && (size % clusters_.geometry().cluster != 0 || size > largest_directory))
    wrong("it is a directory of " + std::to_string(size) + " bytes");
  const bool contiguous = (u8(stream.bytes, 1) & 2U) != 0;
  auto runs = take(allocation_of(stream, contiguous), name, place_of(set));
  for (std::size_t i = 2; i < set.size(); ++i)
    if (is_benign(set[i].type()) && (u8(set[i].bytes, 1) & 1U) != 0)
      take(allocation_of(set[i], (u8(set[i].bytes, 1) & 2U) != 0), name + ": a further entry", place_of(set));
  if (is_directory && !runs.empty()) queue_.push_back(Directory{std::move(runs)});
}

}  // namespace

void check_exfat(ByteSource& volume, const std::string& volume_id, base::Reporter& reporter) {
  Teller tell(volume_id, reporter);
  constexpr std::uint32_t most_clusters = 1U << 30;  // 128 MiB for a bitmap of them
  if (const auto geometry = read_geometry(volume, tell)) {
    if (geometry->clusters <= most_clusters) {
      Walk(volume, *geometry, tell).run();
    } else {
      tell.unchecked(ErrorCode::size_limit, {geometry->heap, volume.size() - geometry->heap},
                     "exFAT: " + std::to_string(geometry->clusters) +
                         " clusters are more than can be checked; only the boot regions were");
    }
  }
  tell.finish();
}

}  // namespace exhibit::filesystem
