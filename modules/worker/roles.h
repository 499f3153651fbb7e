#pragma once
// The table of roles, made by CMake from the files in roles/, sorted by name.

#include <span>

#include "worker/task.h"

namespace exhibit::worker {

std::span<const Role* const> roles();

}  // namespace exhibit::worker
