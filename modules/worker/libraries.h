#pragma once
// The versions of what parses evidence, as the libraries themselves say.

#include "base/json.h"

namespace exhibit::worker {

base::Json library_versions();

}  // namespace exhibit::worker
