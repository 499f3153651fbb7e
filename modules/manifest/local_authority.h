#pragma once
// A time-stamp authority in this process, by a configuration file of `openssl ts`; for this module's own files.

#include <exhibit/result.h>

#include <filesystem>
#include <string>
#include <string_view>

namespace exhibit::manifest {

// The answer (TimeStampResp, DER) to a question (TimeStampReq, DER). Serial numbers are random, of 128 bits, so that
// the configuration's serial file is neither needed nor changed. The signing key must stand in the clear.
Result<std::string> answer_locally(const std::filesystem::path& configuration, std::string_view question);

}  // namespace exhibit::manifest
