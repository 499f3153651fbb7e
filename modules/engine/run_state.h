#pragma once
// What a Run keeps of each image and volume while its tasks come in; run.cc fills it, run_findings.cc writes it out.

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "engine/run.h"

namespace exhibit::engine {

using base::Json;

struct Run::VolumeState {
  std::string evidence;
  Json record;  // as found
  Json plan;    // the survey's message
  std::string id;
  std::uint64_t batches_left = 0;
  bool examined = false;
  std::vector<LineSlice> items;        // where the items' lines stand
  std::vector<std::string> unscanned;  // items that were not scanned to the end
  std::vector<Json> regions;           // [offset, length, owned bytes]
  Json coverage;                       // its record; null where there is none
  Json owned_coverage;                 // what it adds to the evidence's
  std::unique_ptr<VolumeFindings> findings;
};

struct Run::EvidenceState {
  const Evidence* files = nullptr;
  Json record;
  std::vector<Json> problems;  // the evidence's own
  std::vector<std::unique_ptr<VolumeState>> volumes;
  bool media_done = false;
  Json doubts = Json::array();
  std::string blocks;

  VolumeState& volume(const std::string& id) {
    const auto found = std::find_if(volumes.begin(), volumes.end(), [&](const auto& each) { return each->id == id; });
    EXHIBIT_CHECK(found != volumes.end());
    return **found;
  }
};

// Adds `more`'s numbers to `sum`'s, key by key.
void add_numbers(Json& sum, const Json& more);

}  // namespace exhibit::engine
