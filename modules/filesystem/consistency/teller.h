#pragma once
// Tells damage as problems, at most so many of one kind, and at the end how many more there were.

#include <map>
#include <string>
#include <string_view>

#include "base/reporter.h"

namespace exhibit::filesystem::consistency {

// Bytes of the volume.
struct Place {
  std::uint64_t offset = 0, length = 0;
};

class Teller {
 public:
  // Of one kind; what comes after is only counted.
  static constexpr std::uint64_t most_of_a_kind = 20;

  Teller(std::string volume_id, base::Reporter& reporter) : volume_id_(std::move(volume_id)), reporter_(reporter) {}

  // `kind`: a phrase for the damage in general ("wrong inode checksums"), which the closing count names.
  void corrupt(std::string_view kind, Place place, std::string detail);

  // Something that wasn't checked, and why: `cause` is unsupported, size_limit or io_error.
  void unchecked(ErrorCode cause, Place place, std::string detail);

  // Tells the counts beyond most_of_a_kind. To be called once, at the end.
  void finish();

 private:
  void tell(ErrorCode cause, Place place, std::string detail);

  std::string volume_id_;
  base::Reporter& reporter_;
  std::map<std::string, std::uint64_t, std::less<>> told_;
};

}  // namespace exhibit::filesystem::consistency
