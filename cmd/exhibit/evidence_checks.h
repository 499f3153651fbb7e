#pragma once
// verify --evidence: the image read again, by sealed workers and without The Sleuth Kit.

#include <filesystem>
#include <string>

#include "exhibit/session.h"
#include "manifest/check.h"
#include "verify/verify.h"

namespace exhibit::cmd {

// Adds the checks of one exhibit: its media digests, block_root, and the content of each item (or of `sample` of them,
// drawn at random). An image that can't be opened is a failed check. Error only where the machine fails.
Result<void> check_evidence(const std::filesystem::path& target, const std::string& id, const std::string& image,
                            const RunSettings& settings, std::uint64_t sample, manifest::Checks& checks);

// The same for the items that a disclosure holds, by the image alone.
Result<void> check_disclosed_evidence(const verify::DisclosureReport& report, const std::string& id,
                                      const std::string& image, const RunSettings& settings, std::uint64_t sample,
                                      manifest::Checks& checks);

}  // namespace exhibit::cmd
