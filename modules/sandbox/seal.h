#pragma once
// How a worker seals itself before it is given evidence: rlimits, no_new_privs, Landlock, seccomp. The allow-list of
// system calls is one commented table in policy.cc; anything else kills the process.

#include <exhibit/result.h>

#include <cstdint>
#include <string>
#include <vector>

#include "base/json.h"

namespace exhibit::sandbox {

struct SealOptions {
  std::uint64_t memory_bytes = 0;  // RLIMIT_AS; 0: not limited
  bool required = true;            // false: take what the machine gives
};

// What a process got. All but landlock_abi must be true where it is required; landlock_abi must be at least 1.
struct Seal {
  bool rlimits = false;
  bool no_new_privs = false;
  int landlock_abi = 0;  // 0: none
  bool seccomp = false;
  bool complete() const { return rlimits && no_new_privs && landlock_abi > 0 && seccomp; }
};
base::Json to_json(const Seal& seal);

// What this machine could give, without sealing.
Seal available();

// Seals the calling process, for good. Afterwards: no open, no socket, no exec, no fork, no new thread, no write but to
// descriptors it already has, no executable memory; the time zone is UTC. An Error where `required` and something is
// missing (the process is then half sealed and should end), and for a process of several threads. To be called once.
Result<Seal> seal(const SealOptions& options);

// The forbidden acts, each of which a sealed process must not survive or must be refused: `open-file`, `create-file`,
// `socket`, `exec`, `fork`, `thread`, `ptrace`, `executable-memory`, `kill-parent`, `mount`, …
std::vector<std::string> forbidden_acts();

// Tries one in this process. Returns only if the act was refused (`refused: true`) or went through.
struct Attempt {
  bool refused = false;
  std::string detail;
};
Attempt attempt(const std::string& act);

}  // namespace exhibit::sandbox
