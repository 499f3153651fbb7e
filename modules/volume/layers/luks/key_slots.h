#pragma once
// From what a person knows to the volume's key.

#include <exhibit/byte_source.h>

#include <optional>
#include <string>

#include "volume/layers/luks/header.h"

namespace exhibit::volume::luks {

// The volume key that the slot gives for `secret`; nothing where the slot is another secret's. Error: the slot itself
// can't be used (corrupt, unsupported, memory_limit).
Result<std::optional<std::string>> open_slot(ByteSource& volume, const Header& header, const KeySlot& slot,
                                             const std::string& secret);

}  // namespace exhibit::volume::luks
