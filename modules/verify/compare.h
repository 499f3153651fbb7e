#pragma once
// Digests that a manifest claims against those that were computed; for this module's own files.

#include <exhibit/item.h>

#include <string>

#include "manifest/check.h"

namespace exhibit::verify {

// A check `name` for each claimed digest; an algorithm that we don't have is never ok. `whose`: what was hashed.
void compare_digests(const std::string& name, const std::string& whose, const Digests& claimed, const Digests& computed,
                     manifest::CheckList& list);

}  // namespace exhibit::verify
