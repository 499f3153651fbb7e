#pragma once
// What this machine can sign and verify with, tried out; for `exhibit doctor`.

#include <string>
#include <vector>

namespace exhibit::manifest {

struct EngineState {
  std::string name;
  std::string state;  // for a person: "works: …" or "no: why"
};

// Starts exhibit-crypto, once for GOST and once for tokens. Of no engine a key is asked for.
std::vector<EngineState> examine_engines();

}  // namespace exhibit::manifest
