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

namespace exhibit::manifest {

struct SealFiles {
  std::uint64_t number = 0;
  std::filesystem::path signature;
  std::optional<std::filesystem::path> timestamp;
};

// Signs the file's exact bytes and writes the signature under the next free number; with `authority`
// (timestamp.h) time-stamped, the answer beside it. What was made is checked before it is written. `time`: seconds
// since 1970.
Result<SealFiles> add_signature(const std::filesystem::path& manifest_file, const Signer& signer, std::int64_t time,
                                const std::optional<std::string>& authority);

// Takes a signature (CMS, DER) that another product made over the file's bytes, under the next free number. One that
// fails is refused; one of a suite that isn't known here is taken, as it is.
Result<SealFiles> import_signature(const std::filesystem::path& manifest_file, std::string_view signature);

// What is there, by number. A gap or a .tsr without its .p7s is in `strays`, in words.
struct Seals {
  std::vector<SealFiles> files;
  std::vector<std::string> strays;
};
Result<Seals> find_signatures(const std::filesystem::path& manifest_file);

}  // namespace exhibit::manifest
