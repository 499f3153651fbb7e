#pragma once
// `exhibit verify` on a case folder: everything is computed again and compared with what the manifest claims, and
// every question ends as ok, FAILED or not checked (manifest.md, "What verify answers").

#include <exhibit/result.h>

#include <cstdio>
#include <filesystem>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "manifest/check.h"
#include "manifest/disclosure.h"
#include "manifest/manifest.h"
#include "manifest/trust.h"

namespace exhibit::verify {

using manifest::Check;
using manifest::Checks;
using manifest::Status;
using manifest::Verdict;
using manifest::verdict;

struct Request {
  // A case folder, or its manifest.json alone. Of a lone manifest.json, files of the case that aren't beside it are
  // 'not checked'; of a case folder, they are FAILED.
  std::filesystem::path target;
  std::optional<manifest::Trust> trust;
  std::vector<std::filesystem::path> inputs;      // hash sets, rule packs, …: to compare with the manifest's inputs
  std::optional<std::filesystem::path> previous;  // the manifest that this one replaces
  std::vector<std::string> ledger_heads;          // receipts: heads that the ledger had, lower-case hex
  // Exhibits whose image the caller will read again (--evidence); for the others this says 'not checked'.
  std::set<std::string> evidence;
  // A folder for what memory doesn't hold (a file without a name): the keys of more than half a million contents.
  std::filesystem::path scratch = P_tmpdir;
};

struct Report {
  Checks checks;                               // the caller adds its own (--evidence) before verdict(checks)
  std::optional<manifest::Manifest> manifest;  // where it could be read
};

// Error only where the target is neither a folder nor a file. Everything else is a check, and none stops the others.
Result<Report> verify_case(const Request& request);

struct DisclosureReport : Report {
  std::optional<manifest::Disclosure> disclosure;  // where it could be read; not believed unless its checks are ok
};

// The same of a disclosure's bytes (manifest::is_disclosure), without the case: its form, the manifest in it with its
// signatures, and what is disclosed; the rest of the case is 'not checked'. `request.target` is for its name alone.
DisclosureReport verify_disclosure(std::string_view bytes, const Request& request);

}  // namespace exhibit::verify
