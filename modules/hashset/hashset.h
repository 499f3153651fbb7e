#pragma once
// Hash sets: is this digest known? An index (.xhs) is mapped as it lies; any other known format is read and becomes an
// index in memory.

#include <exhibit/item.h>
#include <exhibit/result.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/record_line.h"
#include "hashset/digest.h"
#include "hashset/import.h"

namespace exhibit::hashset {

// What the record of a match with an index has besides (nothing of it where a list was used as it is).
struct SetMatch : Match {
  std::optional<std::string> set_class;         // `known`: may be passed over in a view; `notable`
  std::optional<std::string> category_profile;  // whose meaning the category has
  std::optional<std::string> entry_source;      // which of the set's inputs has the entry
};
base::Json to_record(const SetMatch& match);

// A picture by its PDQ hash, as a record tells it.
struct PictureHashes {
  std::string item;                 // its id
  std::vector<RawDigest> variants;  // as it is, then turned and mirrored
  std::uint64_t quality = 0;
};
// Nothing where the record has none that can be matched: no hash, or one of too low a quality.
std::optional<PictureHashes> picture_of(const base::RecordLine& item);

// A picture that is like one of a set's: a lead for a person, who must compare; never that it is the same.
struct LikenessMatch : SetMatch {
  unsigned distance = 0;  // bits of 256
  std::uint64_t quality = 0;
  std::size_t variant = 0;  // of PictureHashes::variants
};
base::Json to_record(const LikenessMatch& match);

class HashSet {
 public:
  virtual ~HashSet() = default;
  virtual const std::string& name() const = 0;     // the file's base name, or what the index says
  virtual const std::string& version() const = 0;  // what the index says; else empty
  virtual const std::string& format() const = 0;   // xhs, or a name of format_table()
  virtual std::uint64_t entries() const = 0;
  // What tells this file from others without reading all of it: its size and an index's own checksum, or its SHA-256.
  virtual const std::string& identity() const = 0;
  // Of the exact file, lower-case hex. An index is read whole for it, once, beside whatever else goes on; this waits
  // until that is done. Error (corrupt): the index isn't what its checksum says.
  virtual Result<std::string> file_sha256() const = 0;
  // The first refused_listed of them, and how many they are in all. Blank lines and comments aren't among them.
  virtual const std::vector<Refused>& refused() const = 0;
  virtual std::uint64_t refused_total() const = 0;

  // For each of the item's digests that the set holds, strongest algorithm first, a record for each of its labels. The
  // rule is the set's entry: what the set calls it, else the digest. Empty content (size 0) never matches.
  virtual Result<std::vector<SetMatch>> look_up(const Item& item) const = 0;

  // Whether it has hashes by which pictures are looked up. A set of `known` content never does: what merely looks like
  // it must not be passed over.
  virtual bool has_pictures() const = 0;
  // A record for each entry and label within most_pdq_distance of the nearest of the picture's variants, nearest first.
  virtual Result<std::vector<LikenessMatch>> look_up_alike(const PictureHashes& picture) const = 0;
};

// Opens a set, a regular file; recognises its format by content. Error when no line of it was taken, or when the file
// can't be read to its end.
Result<std::unique_ptr<HashSet>> load(const std::string& path);

}  // namespace exhibit::hashset
