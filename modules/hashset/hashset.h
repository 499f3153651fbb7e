#pragma once
// Hash sets: is this digest known? Text formats are read into memory: one digest a line, md5sum/sha256sum style,
// hashdeep, NSRL RDSv2 CSV. One folder a format under formats/.

#include <exhibit/item.h>
#include <exhibit/result.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/unique_fd.h"

namespace exhibit::hashset {

// What was not taken, so that nobody believes in a set that was half read.
struct Refused {
  std::uint64_t line = 0;
  std::string why;
};

class HashSet {
 public:
  virtual ~HashSet() = default;
  virtual const std::string& name() const = 0;         // the file's base name
  virtual const std::string& file_sha256() const = 0;  // of the exact file
  virtual const std::string& format() const = 0;       // md5sum, hashdeep, nsrl-rds2, plain
  virtual std::uint64_t entries() const = 0;
  // The first refused_listed of them, and how many they are in all. Blank lines and comments aren't among them.
  virtual const std::vector<Refused>& refused() const = 0;
  virtual std::uint64_t refused_total() const = 0;
  static constexpr std::size_t refused_listed = 1000;

  // A match record's rule (the set's entry: its file name where the set has one, else the digest) for each of the
  // item's digests that the set holds; strongest algorithm first. Empty content (size 0) never matches.
  virtual std::vector<Match> look_up(const Item& item) const = 0;
};

// Reads a set from a regular file; recognises its format by content. Error when no line of it was taken, or when the
// file can't be read to its end.
Result<std::unique_ptr<HashSet>> load(const std::string& path);

}  // namespace exhibit::hashset
