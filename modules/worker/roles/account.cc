// Each byte of a volume in one class. What it `tells`: "coverage", with the regions that belong to no item that was
// examined, so that they are scanned as such; or "runs", in which objects are looked for. Those rest on the items as
// they were walked: what can't be read of the medium isn't known by then, and lies in them like any other byte.

#include "filesystem/account.h"

#include <algorithm>

#include "base/record.h"
#include "worker/task.h"

namespace exhibit::worker {
namespace {

using base::Json;
using filesystem::Account;
using filesystem::ByteClass;
using filesystem::ClassRun;

using Ranges = std::vector<std::array<std::uint64_t, 2>>;  // offset, length

Ranges ranges_of(const Json& value) {
  Ranges ranges;
  for (const Json& range : value)
    ranges.push_back({range.at(0).get<std::uint64_t>(), range.at(1).get<std::uint64_t>()});
  return ranges;
}

// The parts of `run` that lie in `ranges` (sorted, disjoint).
template <typename Call>
void for_each_overlap(std::uint64_t offset, std::uint64_t length, const Ranges& ranges, const Call& call) {
  const auto first = std::upper_bound(ranges.begin(), ranges.end(), offset,
                                      [](std::uint64_t at, const auto& range) { return at < range[0] + range[1]; });
  for (auto range = first; range != ranges.end() && (*range)[0] < offset + length; ++range) {
    const std::uint64_t from = std::max(offset, (*range)[0]);
    const std::uint64_t to = std::min(offset + length, (*range)[0] + (*range)[1]);
    if (from < to) call(from, to - from);
  }
}

struct VolumeAccount {
  Account classes;
  Account scanned;  // `allocated` marks what an item's scan has read

  VolumeAccount(std::uint64_t size, ByteClass rest) : classes(size, rest), scanned(size, ByteClass::unallocated) {}

  void take(const Item& item, std::uint64_t block_size, bool was_scanned) {
    classes.claim_item(item, block_size);
    if (!item.digests.empty()) classes.mark_hashed(item);
    if (!was_scanned || !item.extents) return;
    for (const Extent& extent : *item.extents) {
      if (extent.offset != sparse_run) {
        scanned.claim(ByteClass::allocated, static_cast<std::uint64_t>(extent.offset), extent.length);
      }
    }
  }
};

Json bytes_of(const Account::Totals& totals) {
  Json bytes = Json::object();
  for (const auto& [byte_class, count] : totals.bytes) bytes[filesystem::name_of(byte_class)] = count;
  return bytes;
}

// In which classes objects are carved: those of `carve` among the task's arguments.
std::set<ByteClass> carved_classes(const Json& arguments) {
  std::set<ByteClass> classes;
  for (const Json& where : arguments.value("carve", Json::array())) {
    if (where == "unallocated") classes.insert({ByteClass::unallocated, ByteClass::deleted});
    if (where == "slack") classes.insert(ByteClass::slack);
    if (where == "gaps") classes.insert(ByteClass::gap);
  }
  return classes;
}

// What of `ranges` isn't in `without` (both sorted and disjoint).
Ranges without(const Ranges& ranges, const Ranges& without) {
  Ranges rest;
  for (const auto& [offset, length] : ranges) {
    std::uint64_t at = offset;
    for_each_overlap(offset, length, without, [&](std::uint64_t from, std::uint64_t part) {
      if (from > at) rest.push_back({at, from - at});
      at = from + part;
    });
    if (offset + length > at) rest.push_back({at, offset + length - at});
  }
  return rest;
}

// Objects were looked for in `carved` bytes, but for those of the ranges `unsearched`.
struct Search {
  std::set<ByteClass> carved;
  Ranges unsearched;
};

Json examined(const VolumeAccount& account, const Ranges& ranges, bool rules, const Search& search) {
  const std::uint64_t scanned = rules ? account.scanned.totals(ranges).bytes.at(ByteClass::allocated) : 0;
  std::uint64_t searched = 0;
  if (!search.carved.empty()) {
    const Account::Totals totals = account.classes.totals(without(ranges, search.unsearched));
    for (const ByteClass byte_class : search.carved) searched += totals.bytes.at(byte_class);
  }
  return {{"hashed", account.classes.totals(ranges).hashed}, {"scanned", scanned}, {"carved", searched}};
}

// The runs in which objects are carved: [offset, length, stands alone]. Unallocated runs follow each other as one
// space; each slack is one of its own.
void tell_runs(const VolumeAccount& account, const std::set<ByteClass>& carved, Output& output) {
  constexpr std::size_t runs_per_message = 1024;
  Json runs = Json::array();
  const auto tell = [&] {
    if (!runs.empty()) output.message({{"message", "runs"}, {"runs", std::exchange(runs, Json::array())}});
  };
  std::optional<ClassRun> open;  // an unallocated run that may go on
  const auto end_open = [&] {
    if (open) runs.push_back({open->offset, open->length, 0U});
    open.reset();
  };
  for (const ClassRun& run : account.classes.runs()) {
    if (runs.size() >= runs_per_message) tell();
    if (!carved.contains(run.byte_class)) continue;
    if (run.byte_class == ByteClass::slack) {
      end_open();
      runs.push_back({run.offset, run.length, 1U});
    } else if (open && open->offset + open->length == run.offset) {
      open->length += run.length;
    } else {
      end_open();
      open = run;
    }
  }
  end_open();
  tell();
}

// Runs that no item's scan has read, cut by class.
void tell_regions(const VolumeAccount& account, const Ranges& owned, Output& output) {
  constexpr std::size_t regions_per_message = 4096;
  Ranges unscanned;
  for (const ClassRun& run : account.scanned.runs()) {
    if (run.byte_class == ByteClass::unallocated) unscanned.push_back({run.offset, run.length});
  }
  Json regions = Json::array();
  for (const ClassRun& run : account.classes.runs()) {
    if (run.byte_class == ByteClass::unreadable) continue;
    for_each_overlap(run.offset, run.length, unscanned, [&](std::uint64_t offset, std::uint64_t length) {
      std::uint64_t own = 0;
      for_each_overlap(offset, length, owned, [&](std::uint64_t, std::uint64_t part) { own += part; });
      regions.push_back(
          {{"offset", offset}, {"length", length}, {"owned", own}, {"class", filesystem::name_of(run.byte_class)}});
      if (regions.size() == regions_per_message) {
        output.message({{"message", "regions"}, {"regions", std::exchange(regions, Json::array())}});
      }
    });
  }
  if (!regions.empty()) output.message({{"message", "regions"}, {"regions", regions}});
}

// Ranges of the medium as the volume's own.
Ranges in_volume(const Ranges& of_medium, const Json& volume) {
  const auto begin = volume.at("offset").get<std::uint64_t>(), size = volume.at("size").get<std::uint64_t>();
  Ranges own;
  for_each_overlap(begin, size, of_medium, [&](std::uint64_t offset, std::uint64_t length) {
    own.push_back({offset - begin, length});
  });
  return own;
}

// The medium's damage.
void claim_damage(Account& account, const Json& doubts, const Json& volume) {
  for (const Json& doubt : doubts) {
    const Ranges damage = {{doubt.at("offset").get<std::uint64_t>(), doubt.at("length").get<std::uint64_t>()}};
    for (const auto& [offset, length] : in_volume(damage, volume)) account.claim(ByteClass::unreadable, offset, length);
  }
}

void tell_coverage(const VolumeAccount& account, OpenVolume& volume, const Task& task, Output& output) {
  const Ranges whole = {{0, volume.bytes().size()}};
  const Ranges owned = ranges_of(task.arguments.at("owned"));
  const bool rules = task.arguments.value("rules", false);
  const Search search = {
      carved_classes(task.arguments),
      in_volume(ranges_of(task.arguments.value("unsearched", Json::array())), task.arguments.at("volume"))};
  output.record({{"record", "coverage"},
                 {"where", volume.id()},
                 {"bytes", bytes_of(account.classes.totals(whole))},
                 {"examined", examined(account, whole, rules, search)}});
  output.message({{"message", "owned"},
                  {"bytes", bytes_of(account.classes.totals(owned))},
                  {"examined", examined(account, owned, rules, search)}});
  if (rules) tell_regions(account, owned, output);
}

// Each item comes with the problems of its scan behind it.
Result<void> take_items(const Task& task, std::uint64_t block_size, bool rules, VolumeAccount& account,
                        const std::string& volume, Output& output) {
  constexpr std::uint64_t items_per_touch = 1024;
  std::uint64_t taken = 0;
  std::optional<Item> item;
  bool scanned = false;
  const auto take = [&] {
    if (item) account.take(*item, block_size, scanned);
  };
  std::string scratch;
  while (const base::RecordLine* record = task.next_record()) {
    if (record->string("record", scratch) == "problem") {
      if (item && record->string("where", scratch) == item->id) scanned = false;
      continue;
    }
    take();
    if (taken++ % items_per_touch == 0) output.touch(volume, 0);
    item = EXHIBIT_TRY(base::item_from_record(*record));
    scanned = rules && item->type.has_value();
  }
  take();
  return {};
}

}  // namespace

Result<void> run_account(Context& context, const Task& task, Output& output) {
  OpenVolume* volume = EXHIBIT_TRY(context.open_volume(task.arguments));
  const std::uint64_t size = volume->bytes().size();
  const ByteClass rest = task.arguments.value("rest", "") == "gap" ? ByteClass::gap : ByteClass::unallocated;
  const bool rules = task.arguments.value("rules", false);
  VolumeAccount account(size, rest);
  for (const auto& table : ranges_of(task.arguments.at("tables")))
    account.classes.claim(ByteClass::metadata, table[0], table[1]);
  claim_damage(account.classes, task.arguments.value("doubt", Json::array()), task.arguments.at("volume"));
  filesystem::FileSystem* filesystem = nullptr;
  if (task.arguments.value("filesystem", false)) filesystem = EXHIBIT_TRY(volume->filesystem());
  const std::uint64_t block_size = filesystem != nullptr ? filesystem->description().block_size : 0;
  EXHIBIT_TRY(take_items(task, block_size, rules, account, volume->id(), output));
  // Its maps are a help: where they can't be had, coverage rests on the items alone, and a problem says so.
  const std::string maps = volume->id() + ":/blocks";
  if (filesystem != nullptr && !task.skips(maps)) {
    output.touch(maps, size / 16);
    auto blocks = filesystem->block_classes(output);
    if (blocks.ok()) {
      account.classes.claim_blocks(*blocks);
    } else {
      output.problem({volume->id(), "read", name_of(blocks.error().code), {}, blocks.error().message});
    }
  }
  const auto tells = task.arguments.at("tells").get<std::set<std::string>>();
  if (tells.contains("coverage")) tell_coverage(account, *volume, task, output);
  if (tells.contains("runs")) tell_runs(account, carved_classes(task.arguments), output);
  return {};
}

extern const Role account_role;
const Role account_role = {"account", run_account};

}  // namespace exhibit::worker
