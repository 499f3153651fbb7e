#pragma once
// How a worker seals itself before it is given evidence: rlimits, no_new_privs, Landlock, seccomp. The allow-list of
// system calls is one commented table in policy.cc; anything else kills the process. The helpers exhibit-crypto and
// exhibit-protocol seal themselves by the same means, as far as their work allows.

#include <exhibit/result.h>

#include <cstdint>
#include <string>
#include <vector>

#include "base/json.h"

namespace exhibit::sandbox {

// What the process is for. All but the first keep what their work can't do without, and nothing more.
enum class Work {
  parse,    // evidence; and the gost engine once it is loaded: descriptors and memory alone
  typeset,  // exhibit-protocol: also pango's threads, and reading fonts
  token,  // exhibit-crypto with a PKCS#11 module, which is a stranger's: files, Unix sockets and devices, for its card;
          // but no program, no process, no network, no other process's memory
};

struct SealOptions {
  std::uint64_t memory_bytes = 0;  // RLIMIT_AS; 0: not limited
  bool required = true;            // false: take what the machine gives
  Work work = Work::parse;
  std::vector<std::string> readable = {};  // Work::typeset: the folders below which it may read
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

// Seals the calling process, for good. Afterwards, for Work::parse: no open, no socket, no exec, no fork, no new
// thread, no write but to descriptors it already has, no executable memory; the time zone is UTC. An Error where
// `required` and something is missing (the process is then half sealed and should end), and for a process of several
// threads. To be called once.
Result<Seal> seal(const SealOptions& options);

// The forbidden acts, each of which a sealed process must not survive or must be refused: `open-file`, `create-file`,
// `socket`, `exec`, `fork`, `thread`, `ptrace`, `executable-memory`, `kill-parent`, `mount`, …
std::vector<std::string> forbidden_acts(Work work = Work::parse);

// Tries one in this process. Returns only if the act was refused (`refused: true`) or went through.
struct Attempt {
  bool refused = false;
  std::string detail;
};
Attempt attempt(const std::string& act);

}  // namespace exhibit::sandbox
