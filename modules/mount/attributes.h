#pragma once
// What stat(2) and getxattr(2) say of an entry.

#include <exhibit/item.h>
#include <sys/stat.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace exhibit::mount {

// Of a file or folder that `item` describes; nullopt: a folder that nothing describes. Owner and group are the caller's
// where the item has none. Devices, pipes and sockets are shown as empty files: a mount gives contents, and one that is
// opened by accident must neither wait nor reach a device of the examiner's machine.
struct stat stat_of(const std::optional<Item>& item, bool is_folder, ino_t number);

// Seconds and nanoseconds since 1970 of a record's time (RFC 3339; FAT's, which have no zone, as if they were UTC).
std::optional<timespec> time_of(std::string_view text);

// What is said of an item beside what stat tells: its id, state, kind and birth (docs/mount.md).
struct Attribute {
  std::string name, value;
};
std::vector<Attribute> attributes_of(const Item& item);

}  // namespace exhibit::mount
