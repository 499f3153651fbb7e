#include "worker/volume_account.h"

#include <algorithm>
#include <utility>

#include "base/record.h"
#include "base/volume_id.h"

namespace exhibit::worker {
namespace {

using base::Json;
using filesystem::Account;
using filesystem::ByteClass;
using filesystem::ClassRun;

using Ranges = std::vector<std::array<std::uint64_t, 2>>;  // offset, length

// Of the time that reading the volume is given, what its maps and the telling are given.
constexpr std::uint64_t time_share = 16;

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

// The runs in which objects are carved: [offset, length, stands alone]. Unallocated runs follow each other as one
// space; each slack is one of its own.
void tell_runs(const Account& classes, const std::set<ByteClass>& carved, Output& output) {
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
  for (const ClassRun& run : classes.runs()) {
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
void tell_regions(const Account& classes, const Account& scanned, const Ranges& owned, Output& output) {
  constexpr std::size_t regions_per_message = 4096;
  Ranges unscanned;
  for (const ClassRun& run : scanned.runs()) {
    if (run.byte_class == ByteClass::unallocated) unscanned.push_back({run.offset, run.length});
  }
  Json regions = Json::array();
  for (const ClassRun& run : classes.runs()) {
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

}  // namespace

VolumeAccount::VolumeAccount(OpenVolume& volume, filesystem::FileSystem* filesystem, ByteClass rest)
    : volume_(&volume),
      filesystem_(filesystem),
      block_size_(filesystem != nullptr ? filesystem->description().block_size : 0),
      classes_(volume.bytes().size(), rest),
      scanned_(volume.bytes().size(), ByteClass::unallocated) {}

Result<VolumeAccount> VolumeAccount::create(OpenVolume& volume, const Task& task) {
  filesystem::FileSystem* filesystem = nullptr;
  if (task.arguments.value("filesystem", false)) filesystem = EXHIBIT_TRY(volume.filesystem());
  const ByteClass rest = task.arguments.value("rest", "") == "gap" ? ByteClass::gap : ByteClass::unallocated;
  VolumeAccount account(volume, filesystem, rest);
  for (const auto& [offset, length] : ranges_of(task.arguments.at("tables")))
    account.classes_.claim(ByteClass::metadata, offset, length);
  for (const auto& [offset, length] : ranges_of(task.arguments.value("held", Json::array()))) {
    account.classes_.claim(ByteClass::allocated, offset, length);
    account.scanned_.claim(ByteClass::allocated, offset, length);
  }
  // Which of a nested volume's bytes damage of the medium touches is met where they are read.
  if (!base::is_nested(volume.id()))
    claim_damage(account.classes_, task.arguments.value("doubt", Json::array()), task.arguments.at("volume"));
  return account;
}

void VolumeAccount::take(const Item& item, bool was_scanned) {
  classes_.claim_item(item, block_size_);
  if (!item.digests.empty()) classes_.mark_hashed(item);
  if (!was_scanned || !item.extents) return;
  for (const Extent& extent : *item.extents) {
    if (extent.offset != sparse_run)
      scanned_.claim(ByteClass::allocated, static_cast<std::uint64_t>(extent.offset), extent.length);
  }
}

// The maps are a help: where they can't be had, coverage rests on the items alone, and a problem says so.
void VolumeAccount::claim_maps(const Task& task, Output& output) {
  const std::string maps = volume_->id() + ":/blocks";
  if (filesystem_ == nullptr || task.skips(maps)) return;
  output.touch(maps, volume_->bytes().size() / time_share);
  auto blocks = filesystem_->block_classes(output);
  if (blocks.ok()) {
    classes_.claim_blocks(*blocks);
  } else {
    output.problem({volume_->id(), "read", name_of(blocks.error().code), {}, blocks.error().message});
  }
}

void VolumeAccount::tell_coverage(const Task& task, Output& output) const {
  const Ranges whole = {{0, volume_->bytes().size()}};
  const Ranges owned = ranges_of(task.arguments.at("owned"));
  const bool rules = task.arguments.value("rules", false);
  const std::set<ByteClass> carved = carved_classes(task.arguments);
  // Of a nested volume they come as its own.
  Ranges unsearched = ranges_of(task.arguments.value("unsearched", Json::array()));
  if (!base::is_nested(volume_->id())) unsearched = in_volume(unsearched, task.arguments.at("volume"));
  const auto told = [&](Json message, const Ranges& ranges) {
    const Account::Totals totals = classes_.totals(ranges);
    const Account::Totals searched = classes_.totals(without(ranges, unsearched));
    std::uint64_t carved_bytes = 0;
    for (const ByteClass byte_class : carved) carved_bytes += searched.bytes.at(byte_class);
    const std::uint64_t scanned = rules ? scanned_.totals(ranges).bytes.at(ByteClass::allocated) : 0;
    message["bytes"] = bytes_of(totals);
    message["examined"] = {{"hashed", totals.hashed}, {"scanned", scanned}, {"carved", carved_bytes}};
    return message;
  };
  output.record(told({{"record", "coverage"}, {"where", volume_->id()}}, whole));
  output.message(told({{"message", "owned"}}, owned));
  if (rules) tell_regions(classes_, scanned_, owned, output);
}

void VolumeAccount::finish(const Task& task, Output& output) {
  claim_maps(task, output);
  output.touch(volume_->id(), volume_->bytes().size() / time_share);
  const auto tells = task.arguments.at("tells").get<std::set<std::string>>();
  if (tells.contains("coverage")) tell_coverage(task, output);
  if (tells.contains("runs")) tell_runs(classes_, carved_classes(task.arguments), output);
  output.message({{"message", "accounted"}});
}

}  // namespace exhibit::worker
