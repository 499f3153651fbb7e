#include "exhibit/unlock.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

namespace exhibit::cmd {
namespace {

constexpr std::array<std::string_view, 4> kinds = {"password", "recovery-key", "startup-key", "key-file"};
constexpr std::size_t longest = std::size_t{8} << 20;  // what cryptsetup takes of a key file

Error cannot(const std::string& path, const std::string& why) {
  return {ErrorCode::not_found, path + ": the key can't be read: " + why, path, {}};
}

Result<std::string> read_all(const std::string& path) {
  const base::UniqueFd file(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY));
  if (!file) return cannot(path, std::strerror(errno));
  std::string bytes;
  std::array<char, 65536> piece;
  ssize_t got = 0;
  while ((got = read(file.get(), piece.data(), piece.size())) > 0 && bytes.size() <= longest)
    bytes.append(piece.data(), static_cast<std::size_t>(got));
  explicit_bzero(piece.data(), piece.size());
  if (got < 0) return cannot(path, std::strerror(errno));
  if (bytes.size() > longest) return cannot(path, "it is larger than any key");
  return bytes;
}

// Windows writes its recovery keys into texts of UTF-16, and a sentence around each: eight groups of six digits.
std::string recovery_key_in(const std::string& given) {
  std::string text;
  std::copy_if(given.begin(), given.end(), std::back_inserter(text), [](char c) { return c != '\0'; });
  constexpr std::string_view shape = "dddddd-dddddd-dddddd-dddddd-dddddd-dddddd-dddddd-dddddd";
  for (std::size_t at = 0; at + shape.size() <= text.size(); ++at) {
    const bool fits =
        std::equal(shape.begin(), shape.end(), text.begin() + static_cast<std::ptrdiff_t>(at),
                   [](char wanted, char is) { return wanted == 'd' ? is >= '0' && is <= '9' : is == '-'; });
    if (fits) return text.substr(at, shape.size());
  }
  return given;
}

std::string secret_of(const Unlock& unlock, std::string bytes) {
  if (unlock.kind == "recovery-key") bytes = recovery_key_in(bytes);
  if (unlock.kind != "password" && unlock.kind != "recovery-key") return bytes;
  if (bytes.ends_with('\n')) bytes.pop_back();
  if (bytes.ends_with('\r')) bytes.pop_back();
  return bytes;
}

}  // namespace

void add_unlock_option(options::options_description& described) {
  described.add_options()("unlock", options::value<std::vector<std::string>>()->composing(),
                          "VOLUME=KIND:file:PATH, as E1/p2=password:file:p.txt: its key; password, recovery-key, "
                          "startup-key or key-file");
}

std::vector<Unlock> unlock_settings(const options::variables_map& values) {
  std::vector<Unlock> settings;
  if (values.count("unlock") == 0) return settings;
  for (const std::string& word : values["unlock"].as<std::vector<std::string>>()) {
    constexpr std::string_view from = ":file:";
    const std::size_t equals = word.find('='), file = word.find(from);
    const bool fits = equals != std::string::npos && file != std::string::npos && equals < file &&
                      word.substr(0, equals).find('/') != std::string::npos && file + from.size() < word.size();
    if (!fits) throw Usage{"--unlock takes VOLUME=KIND:file:PATH, as E1/p2=password:file:p.txt"};
    Unlock unlock{word.substr(0, equals), word.substr(equals + 1, file - equals - 1), word.substr(file + from.size())};
    if (std::find(kinds.begin(), kinds.end(), unlock.kind) == kinds.end())
      throw Usage{"--unlock: no such kind of key: " + unlock.kind +
                  "; password, recovery-key, startup-key or key-file"};
    settings.push_back(std::move(unlock));
  }
  return settings;
}

Result<engine::VolumeKey> open_key(const Unlock& unlock) {
  std::string secret = secret_of(unlock, EXHIBIT_TRY(read_all(unlock.path)));
  if (secret.empty()) return cannot(unlock.path, "it is empty");
  engine::VolumeKey key{unlock.volume, unlock.kind,
                        base::UniqueFd(memfd_create("exhibit-key", MFD_CLOEXEC | MFD_ALLOW_SEALING))};
  const bool is_held = key.fd &&
                       write(key.fd.get(), secret.data(), secret.size()) == static_cast<ssize_t>(secret.size()) &&
                       fcntl(key.fd.get(), F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL) == 0;
  explicit_bzero(secret.data(), secret.size());
  if (!is_held) return Error{ErrorCode::internal, "no memory for a key", {}, {}};
  return key;
}

}  // namespace exhibit::cmd
