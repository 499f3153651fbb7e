#pragma once
// Where a file's bytes come from, as a sealed worker is asked for them (role `read`).

#include <exhibit/item.h>

#include <vector>

#include "engine/reader.h"
#include "mount/tree.h"

namespace exhibit::mount {

class Content {
 public:
  Content(Item item, const Space& space);

  std::uint64_t size() const { return item_.size; }
  // The request for bytes that lie within the size. Error: nobody vouches for them, or nobody can say where they lie.
  Result<engine::ReadRequest> request(std::uint64_t offset, std::size_t length) const;
  // The request for the extended attributes that are stored with it: for their names, with `prefix` before each, or for
  // the value of the one called `name`. nullopt: none can be.
  std::optional<engine::ReadRequest> attributes(const char* prefix) const;
  std::optional<engine::ReadRequest> attribute(std::string_view name) const;

 private:
  Result<engine::ReadRequest> pieces(std::uint64_t offset, std::size_t length) const;
  std::optional<base::Json> at_address() const;
  base::Json volume() const;

  Item item_;
  Space space_;
  std::vector<std::uint64_t> starts_;  // of each extent in the content
};

}  // namespace exhibit::mount
