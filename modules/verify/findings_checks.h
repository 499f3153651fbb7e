#pragma once
// The checks of one exhibit's findings against its claim; for this module's own files.

#include <filesystem>

#include "manifest/check.h"
#include "manifest/manifest.h"

namespace exhibit::verify {

// `scratch`: a folder for what memory doesn't hold. `missing`: what a file of the case that isn't there counts as.
void check_findings(const std::filesystem::path& folder, const manifest::EvidenceClaim& claim,
                    const std::filesystem::path& scratch, manifest::Status missing, manifest::Checks& checks);

// Files in findings/ that no claim covers.
void check_uncovered(const std::filesystem::path& folder, const manifest::Manifest& manifest, manifest::Checks& checks);

}  // namespace exhibit::verify
