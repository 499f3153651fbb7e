#pragma once
// The JSON in an .xhs file that says what the set is and where its parts lie.

#include <exhibit/result.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "hashset/format.h"

namespace exhibit::hashset {

// `known` content may be passed over in a view; `notable` content is a lead. Whoever builds the set says which.
enum class SetClass : std::uint8_t { known, notable };
const char* name_of(SetClass set_class);

// What its builder says of a set.
struct Description {
  std::string name;
  std::string source;   // who publishes it
  std::string version;  // of the publication
  std::string licence;
  SetClass set_class = SetClass::notable;
  std::string category_profile;  // whose meaning the categories have (US, UK, …); empty where nobody said
  bool restricted = false;       // what matches is not to be shown or copied without a word (docs/rules.md)
};

// A file that the set was built from.
struct InputFacts {
  std::string name;    // base name
  std::string format;  // a name of format_table()
  std::uint64_t bytes = 0;
  std::string sha256;
  std::uint64_t entries = 0, refused = 0, trivial = 0, passed_over = 0;  // passed over: of categories not wanted
};

// What an entry carries besides its digest and name; a digest's label is its place in the list.
struct Label {
  std::string category;  // as the input wrote it
  std::string source;    // base name of the input
  auto operator<=>(const Label&) const = default;
};

struct Section {
  std::uint64_t offset = 0, bytes = 0;
};

struct TableFacts {
  Algorithm algorithm = Algorithm::md5;
  std::uint64_t digests = 0;  // rows: a digest stands once for each of its labels
  unsigned prefix_bits = 0, dropped_bytes = 0, label_bits = 0;
  Section rows, buckets, labels, names, name_blocks;  // the last two are empty where no entry has a name
  Section slots;                                      // of pdq alone
};

struct IndexHeader {
  Description description;
  std::vector<InputFacts> inputs;  // by name, then digest
  std::vector<Label> labels;       // sorted
  std::vector<TableFacts> tables;  // by algorithm
  std::uint64_t entries = 0;       // taken of all inputs; a digest may have several
};

base::Json to_json(const IndexHeader& header);
// Error (corrupt): it isn't one, or its parts don't fit into a file of `body_bytes` before the header.
Result<IndexHeader> header_from(const base::Json& json, std::uint64_t body_bytes);

}  // namespace exhibit::hashset
