#pragma once
// A disclosure made from a sealed case.

#include <exhibit/result.h>

#include <filesystem>
#include <string>
#include <vector>

#include "manifest/disclosure.h"

namespace exhibit::manifest {

struct DisclosureRequest {
  std::filesystem::path folder = {};                  // of the case
  std::filesystem::path scratch = {};                 // a folder for what memory doesn't hold (content.h)
  std::vector<std::string> items = {}, volumes = {};  // ids; their first part names the exhibit
  std::vector<std::string> absent = {};               // raw SHA-256 digests
  std::vector<std::string> evidence = {};             // of which exhibits they are absent; all where it is empty
};

struct MadeDisclosure {
  Disclosure disclosure;
  std::string bytes;  // of the file; what it says was checked
  // Digests that are not absent: "sha256:… is in the findings of E1". Then there is nothing to disclose.
  std::vector<std::string> present;
  Checks not_checked;  // what it can't show, as whoever verifies it will be told
};

// Reads each findings file that is asked about twice. Memory: what is disclosed, one line, and that of content.h.
// Error: not_found (no manifest, no signature, no salt key, no such exhibit, item or volume), corrupt (the findings
// aren't those of the manifest), unsupported (a tree by an algorithm that isn't known here), size_limit.
Result<MadeDisclosure> make_disclosure(const DisclosureRequest& request);

}  // namespace exhibit::manifest
