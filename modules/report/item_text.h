#pragma once
// What several formats say of an item in the same way.

#include <exhibit/item.h>

#include <string>

namespace exhibit::report {

// `E1/p2/Users/ann/a.txt`, with `:STREAM` behind it where the item is an alternate stream: unique within a case but
// for several entries of one name (a deleted one beside its successor).
std::string place_of(const Item& item);

// The same with the exact bytes of a name that isn't UTF-8.
std::string raw_place_of(const Item& item);

// The metadata address with type and id of the attribute (`36-128-1`), from the item's content id; empty where the item
// has none (carved ones, members).
std::string address_of(const Item& item);

// The last part of its path.
std::string name_of_file(const Item& item);

}  // namespace exhibit::report
