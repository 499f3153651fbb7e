#pragma once
// One member of a container, by the id that it is told by.

#include <functional>

#include "worker/expansion.h"

namespace exhibit::worker {

// Opens the member whose id is `item`'s, "!/", and `path`; goes through containers within each other by their types, as
// expanding them does. `use` gets its content, which lasts as long as the call. Error (not_found): there is none.
Result<void> use_member(Context& context, const Item& item, ByteSource& content, std::string_view path,
                        const ExpandLimits& limits, const std::function<Result<void>(ByteSource&)>& use);

}  // namespace exhibit::worker
