#pragma once
// Finding and opening the files of one image by their names alone: nothing of their content is looked at here.

#include <exhibit/result.h>

#include <string>
#include <vector>

#include "base/unique_fd.h"

namespace exhibit::engine {

struct Segment {
  std::string name;  // base name
  std::uint64_t size = 0;
  base::UniqueFd fd;  // read-only
};

// A key for one of the volumes, in memory that nobody can change. Nobody but a worker reads it.
struct VolumeKey {
  std::string volume;  // E1/p2
  std::string kind;    // password, recovery-key, startup-key, key-file
  base::UniqueFd fd;
};

struct Evidence {
  std::string id;    // E1
  std::string path;  // as the user gave it
  std::string as;    // a format's name, or empty
  std::vector<Segment> segments;
  std::vector<VolumeKey> keys;
};

// Opens `path` and the segment files beside it: NAME.E01 E02 … E99 EAA … (the EWF naming scheme, also s01),
// NAME.001 002 … and NAME.000 001 …; of a NAME.vmdk its extents NAME-flat.vmdk, NAME-delta.vmdk, NAME-s001.vmdk …,
// NAME-f001.vmdk …. A hole in a numbered row is an Error (not_found) that names the missing file. Symbolic links are
// followed, since a laboratory may keep evidence behind them; anything but a regular file or a block device is refused.
// `others`: files that the user says belong to it, too (--segments): what it is a difference to, say. They come behind.
Result<Evidence> open_evidence(const std::string& id, const std::string& path, const std::string& as = {},
                               const std::vector<std::string>& others = {});

}  // namespace exhibit::engine
