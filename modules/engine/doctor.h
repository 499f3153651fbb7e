#pragma once
// What a worker's seal is worth on this machine: every forbidden act tried in a sealed worker of its own.

#include <string>
#include <vector>

#include "base/json.h"
#include "engine/worker_process.h"

namespace exhibit::engine {

struct TriedAct {
  std::string name;
  bool prevented = false;
  std::string outcome;
};

struct MachineReport {
  base::Json seal, libraries;
  std::vector<TriedAct> acts;
};

Result<MachineReport> examine_machine(const WorkerSetup& setup);

}  // namespace exhibit::engine
