#include "exhibit/signing.h"

#include <unistd.h>

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace exhibit::cmd {
namespace {

std::vector<std::string> token_environment() {
  std::vector<std::string> kept;
  for (char** at = environ; *at != nullptr; ++at) {
    const std::string_view one = *at;
    if (!one.starts_with("OPENSSL_") && !one.starts_with("LD_")) kept.emplace_back(one);
  }
  return kept;
}

}  // namespace

Result<std::unique_ptr<manifest::Signer>> open_signer(const options::variables_map& values) {
  std::vector<std::filesystem::path> certificates;
  for (const auto& path : values["cert"].as<std::vector<std::string>>()) certificates.emplace_back(path);
  return manifest::open_signer(values["key"].as<std::string>(), certificates, token_environment());
}

}  // namespace exhibit::cmd
