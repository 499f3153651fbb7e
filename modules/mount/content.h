#pragma once
// Where a file's bytes come from, as a sealed worker is asked for them (role `read`).

#include <exhibit/item.h>

#include <vector>

#include "base/json.h"
#include "mount/tree.h"

namespace exhibit::mount {

class Content {
 public:
  Content(Item item, const Space& space);

  std::uint64_t size() const { return item_.size; }
  // The request for bytes that lie within the size. Error: nobody vouches for them, or nobody can say where they lie.
  Result<base::Json> request(std::uint64_t offset, std::uint64_t length) const;

 private:
  Result<base::Json> pieces(std::uint64_t offset, std::uint64_t length) const;

  Item item_;
  Space space_;
  std::vector<std::uint64_t> starts_;  // of each extent in the content
};

}  // namespace exhibit::mount
