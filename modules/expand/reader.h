#pragma once
// A container's members, one after the other: what every kind of container comes to.

#include <exhibit/byte_source.h>
#include <exhibit/item.h>

#include <memory>
#include <optional>
#include <span>
#include <string>

#include "base/container_types.h"

namespace exhibit::expand {

// What a container says of one member.
struct Entry {
  std::string path;  // its bytes as the container has them
  ItemKind kind = ItemKind::file;
  std::optional<std::uint64_t> size;  // bytes, where it is said
  std::optional<std::uint32_t> mode;  // permissions
  std::optional<std::uint64_t> uid, gid;
  std::optional<std::string> link_target;
  Times times;
  bool is_encrypted = false;  // its content can't be had
  bool has_content = true;    // false: a link, to another member's content
};

class Reader {
 public:
  virtual ~Reader() = default;

  // The next member; nothing behind the last. Error: what follows can't be told.
  virtual Result<std::optional<Entry>> next() = 0;

  // The content of the member that next() gave, from its beginning on: fills `buffer`, less only where the content
  // ends; 0 behind its end. Error: the content can't be had further, or what was delivered contradicts its checksum or
  // its size: none of it is vouched for then.
  virtual Result<std::size_t> read(std::span<std::byte> buffer) = 0;

  // What was wrong with the container where it could be gone on; nothing where nothing was since the last call.
  virtual std::optional<Error> take_trouble() { return std::nullopt; }
};

// Called before anything is sealed: what the libraries would look for later.
void prepare();

// `content` must outlive the reader; `name` is the container's own, for members that have none.
Result<std::unique_ptr<Reader>> open(base::Container kind, ByteSource& content, std::string_view name);

}  // namespace exhibit::expand
