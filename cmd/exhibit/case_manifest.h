#pragma once
// What sealing claims of a case: the findings' trees, what the ledger says of the processing, manifest.json.

#include <exhibit/result.h>

#include <optional>
#include <string>

#include "exhibit/case_folder.h"
#include "manifest/signer.h"

namespace exhibit::cmd {

// Who seals, and with what.
struct Sealing {
  const manifest::Signer* signer = nullptr;  // who signs the events `processed` and `sealed`; without: no such events
  std::optional<std::string> examiner;       // default: who processed
  std::string organisation;
  base::Json more_fields = base::Json::object();  // of the case; stronger than what was told when it was processed
  std::optional<std::string> incomplete;          // why it is sealed without fields that its profiles require
};

// Adds the events to the ledger and writes manifest.json. Error where the case has no findings, where processing
// hasn't come to its end, or where a required field is missing and `incomplete` doesn't say why; the fields that are
// missing are named on standard error.
Result<void> write_manifest(const CaseFolder& folder, const Sealing& sealing);

}  // namespace exhibit::cmd
