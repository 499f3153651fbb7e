#pragma once
// Keys of encrypted volumes: read from files, handed to workers, and named nowhere but by their kind.

#include "engine/segments.h"
#include "exhibit/common.h"

namespace exhibit::cmd {

// --unlock VOLUME=KIND:file:PATH
struct Unlock {
  std::string volume, kind, path;
};

void add_unlock_option(options::options_description& described);
std::vector<Unlock> unlock_settings(const options::variables_map& values);

// What the file holds, in memory of its own: of a password or a recovery key without the end of its line. Error where
// it can't be read or holds nothing.
Result<engine::VolumeKey> open_key(const Unlock& unlock);

}  // namespace exhibit::cmd
