#pragma once
// What the tasks of a sweep say of the whole medium, put together: digests, block_root, what is damaged.

#include <exhibit/byte_source.h>
#include <exhibit/result.h>

#include <string>
#include <vector>

#include "base/json.h"
#include "base/unique_fd.h"

namespace exhibit::engine {

class Medium {
 public:
  // `blocks_file` takes the SHA-256 of each block, 32 bytes each in order: too many for memory.
  static Result<Medium> create(std::string blocks_file, std::string evidence_id, std::uint64_t bytes);

  // The message `chain` of the stretch at `offset`; in any order. What doesn't fit the stretch counts as lost.
  Result<void> take(std::uint64_t offset, std::uint64_t length, const base::Json& link);
  // A stretch that gave none.
  void lose() { lost_ = true; }

  // After the last stretch: `digests`, `integrity`, `block_root` and `block_size` go into the evidence's record, and
  // what is wrong with the medium becomes problems. Of a medium that isn't read whole and without a doubt nothing is
  // claimed (docs/decisions/0003).
  Result<void> finish(base::Json& evidence, const std::vector<std::string>& wanted);

  const std::vector<base::Json>& problems() const { return problems_; }
  // Sorted; neighbours of one cause are one.
  base::Json doubts() const;
  // Empty where no block_root is claimed.
  const std::string& blocks_file() const { return blocks_file_; }

 private:
  Result<std::string> block_root() const;
  void tell(const char* cause, std::vector<std::uint64_t> extent, std::string detail);

  std::string blocks_file_, evidence_;
  std::uint64_t bytes_ = 0, seen_ = 0;
  base::UniqueFd blocks_;
  bool lost_ = false;
  std::vector<Doubt> doubts_;
  base::Json digests_, stored_;  // of the medium; of what the container's digests are over
  std::vector<base::Json> problems_;
};

}  // namespace exhibit::engine
