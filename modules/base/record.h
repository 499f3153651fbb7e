#pragma once
// Records (findings.md) from the vocabulary and back. Unknown keys are the caller's to keep: from_record reads
// what it knows of `record` and leaves it as it is.

#include <exhibit/item.h>

#include "base/json.h"
#include "base/record_line.h"

namespace exhibit::base {

// An item's is a line at once, canonical and without LF.
std::string to_line(const Item& item);
// A detail may speak in the evidence's own words: what isn't UTF-8 in it becomes U+FFFD.
Json to_record(const Problem& problem);
Json to_record(const Match& match);
Json to_json(const std::vector<Extent>& extents);
Json to_json(const std::vector<Doubt>& doubts);

// Reads an `item` record; an Error names the key that is missing or of the wrong type.
Result<Item> item_from_record(const RecordLine& record);
Result<Item> item_from_record(const Json& record);
Result<std::vector<Extent>> extents_from_json(const Json& value);
Result<std::vector<Doubt>> doubts_from_json(const Json& value);

// Checks a record that comes from a worker or a pipe: known kind, keys of the right types, offsets and sizes
// within 2^53. An Error names the key.
Result<void> check_record(const RecordLine& record);
Result<void> check_record(const Json& record);

}  // namespace exhibit::base
