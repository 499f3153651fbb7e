#pragma once
// Whether a case is what its profiles demand (custody/profile.h).

#include <filesystem>

#include "manifest/check.h"
#include "manifest/manifest.h"

namespace exhibit::verify {

// Adds for each of the case's profiles the checks "profile digests" (the findings' digests and trees, the media's
// digests), "profile signatures" (somebody signed in a suite that it asks for; else 'not checked': that signature may
// still come) and "required fields": all told, by the case or by the events that the manifest saw. A case that was
// sealed incomplete is 'not checked' with the reason; one that lacks fields and doesn't say so FAILED.
void check_profiles(const std::filesystem::path& folder, const std::filesystem::path& manifest_file,
                    const manifest::Manifest& manifest, manifest::Checks& checks);

}  // namespace exhibit::verify
