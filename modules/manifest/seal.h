#pragma once
// The files beside manifest.json: manifest.json.N.p7s and manifest.json.N.tsr, N = 1, 2, …

#include <exhibit/result.h>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "manifest/signer.h"
#include "manifest/timestamp.h"

namespace exhibit::manifest {

struct SealFiles {
  std::uint64_t number = 0;
  std::filesystem::path signature;
  std::optional<std::filesystem::path> timestamp;
};

// Whom to ask for time-stamps (timestamp.h), in this order.
struct Authorities {
  std::vector<std::string> names;
  std::string imprint_digest = default_imprint_digest;
};

// Signs the file's exact bytes and writes the signature under the next free number, time-stamped by all authorities:
// every token goes into the signature, and the first one's answer beside it. What was made is checked before it is
// written. `time`: seconds since 1970.
Result<SealFiles> add_signature(const std::filesystem::path& manifest_file, const Signer& signer, std::int64_t time,
                                const Authorities& authorities);

// Takes a signature (CMS, DER) that another product made over the file's bytes, under the next free number. One that
// fails is refused; one of a suite that isn't known here is taken, as it is.
Result<SealFiles> import_signature(const std::filesystem::path& manifest_file, std::string_view signature);

// The question to a time-stamp authority over signature `number`; 0: over the last.
Result<std::string> export_timestamp_question(const std::filesystem::path& manifest_file, std::uint64_t number,
                                              const std::string& imprint_digest);

// Takes an authority's answer to such a question: its token goes into the signature that it is over, and the answer
// beside it where none is yet. One that fails, or that is over none of the signatures, is refused.
Result<SealFiles> import_timestamp(const std::filesystem::path& manifest_file, std::string_view answer);

// What is there, by number. A gap or a .tsr without its .p7s is in `strays`, in words.
struct Seals {
  std::vector<SealFiles> files;
  std::vector<std::string> strays;
};
Result<Seals> find_signatures(const std::filesystem::path& manifest_file);

}  // namespace exhibit::manifest
