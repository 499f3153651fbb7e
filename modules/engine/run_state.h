#pragma once
// What a Run keeps of each image and volume while its tasks come in; run.cc fills it, run_findings.cc writes it out.

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/volume_id.h"
#include "engine/carve_plan.h"
#include "engine/medium.h"
#include "engine/run.h"
#include "engine/sweep_plan.h"

namespace exhibit::engine {

using base::Json;

struct Run::VolumeState {
  std::string evidence;
  Json record;  // as found
  Json plan;    // the survey's message
  Json place;   // what a task is told of it: its id, and where the volume on the medium lies that the id begins with
  std::string id;
  std::uint32_t number = 0;                // in the sweep's plan
  LineSlice walked;                        // its items as they were walked, with what else the walk told
  std::optional<OutputFile> accounted;     // where items are examined: they, and the problems of their scans
  LineSlice account;                       // what was told of its bytes; empty where nothing was
  std::vector<Json> regions;               // [offset, length, owned bytes]
  Json coverage;                           // its record; null where there is none
  std::optional<std::uint64_t> unchanged;  // of a snapshot: items that its volume has as they were, told there alone
  Json owned_coverage;                     // what it adds to the evidence's
  std::uint32_t carve_number = 0;          // in the plan of what is carved
  // Where a nested volume lies in that plan: behind the medium, where nothing is. Nothing: it isn't in it.
  std::optional<std::uint64_t> carve_offset;
  std::uint64_t swept = 0;          // of a nested volume: bytes whose sweep was submitted
  Json unsearched = Json::array();  // of a nested volume: stretches whose search didn't come to its end
  bool is_searched = true;          // the runs in which objects are looked for could be told
  std::uint64_t carving = 1;        // tasks under way that look at its candidates; the sweep counts as one

  // Its bytes are none of the medium's: another volume holds it.
  bool is_nested() const { return base::is_nested(id); }
  // Whether it is in the plan of what is carved, where there is one.
  bool is_carved() const { return !is_nested() || carve_offset; }

  Result<void> account_for(std::string_view line) { return accounted ? accounted->write(line) : Result<void>(); }
};

struct Run::EvidenceState {
  const Evidence* files = nullptr;
  Json record;
  std::vector<std::unique_ptr<VolumeState>> volumes;
  std::unique_ptr<FindingsSorter> findings;
  std::unique_ptr<SweepPlan> plan;
  std::optional<Medium> medium;
  std::unique_ptr<CarvePlan> carving;
  bool stretch_searched = false;    // the sweep at hand said that its search for candidates came to its end
  Json unsearched = Json::array();  // stretches in which it didn't
  std::uint64_t walks_left = 0;     // volumes whose items aren't known yet
  std::uint64_t examining = 0;      // tasks under way that examine items, or digest the medium
  bool accounting = false;          // what follows the last of them has begun
  std::string blocks_file;

  VolumeState& volume(const std::string& id) {
    VolumeState* found = find_volume(id);
    EXHIBIT_CHECK(found != nullptr);
    return *found;
  }
  VolumeState& carved_volume(std::uint32_t number) {
    const auto found = std::find_if(volumes.begin(), volumes.end(), [&](const auto& each) {
      return each->is_carved() && each->carve_number == number;
    });
    EXHIBIT_CHECK(found != volumes.end());
    return **found;
  }
  // nullptr: there is none.
  VolumeState* find_volume(std::string_view id) {
    const auto found = std::find_if(volumes.begin(), volumes.end(), [&](const auto& each) { return each->id == id; });
    return found == volumes.end() ? nullptr : found->get();
  }
  // The volume of an item, or nullptr.
  VolumeState* find_volume(const base::RecordLine& item) {
    std::string scratch;
    return find_volume(item.string("volume", scratch));
  }
};

// Calls with each line's value.
using ValueCall = std::function<Result<void>(const Json& value)>;
Result<void> for_each_value(const LineSlice& lines, const ValueCall& call);
inline Result<void> for_each_value(const std::string& path, const ValueCall& call) {
  return for_each_value(LineSlice::from(path, 0), call);
}

// Calls with each line and its place: for outputs that hold items, however many.
using RecordCall = std::function<Result<void>(const base::RecordLine& line, std::uint64_t offset)>;
Result<void> for_each_record(const std::string& path, const RecordCall& call);

// An id as a part of a file's name.
inline std::string task_id(std::string id) {
  std::replace(id.begin(), id.end(), '/', '.');
  return id;
}

inline std::string kind_of(const Json& line) { return line.value("record", ""); }
inline std::string message_of(const Json& line) { return line.value("message", ""); }

// What a volume's account that couldn't be made leaves behind.
Json account_failure(const std::string& volume, const Json& failed);

// Adds `more`'s numbers to `sum`'s, key by key.
void add_numbers(Json& sum, const Json& more);

}  // namespace exhibit::engine
