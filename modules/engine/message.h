#pragma once
// The shape of a worker's messages (docs/protocol.md), checked before anything is read of one: whoever has taken a
// worker over may lose the records of its evidence, never the coordinator.

#include <optional>
#include <string>
#include <string_view>

#include "base/json.h"

namespace exhibit::engine {

// Whether an id is the task's subject or lies in it: a worker has nothing to say of anything else.
bool lies_in(std::string_view id, std::string_view subject);

// What is wrong with the message of a worker whose task is about `subject`: a key that is missing or of another type,
// or something that it wasn't asked about. Messages that aren't listed here are taken as they are. Not for touch and
// done.
std::optional<std::string> wrong_with(const base::Json& message, const std::string& subject);

}  // namespace exhibit::engine
