#pragma once
// The vocabulary of findings.md: item, volume, problem, match, coverage. Rendered by base/record.h.

#include <exhibit/byte_source.h>
#include <exhibit/result.h>

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace exhibit {

enum class ItemKind { file, directory, symlink, device, fifo, socket, virtual_file };
enum class ItemState { allocated, deleted, overwritten, orphan, carved, member };
const char* name_of(ItemKind kind);  // `virtual` for virtual_file
const char* name_of(ItemState state);

// A run of a volume's bytes; `offset` is sparse_run where the content is zeros that no byte of the volume holds.
inline constexpr std::int64_t sparse_run = -1;
struct Extent {
  std::int64_t offset = 0;
  std::uint64_t length = 0;
  bool operator==(const Extent&) const = default;
};

// RFC 3339 texts with just the digits that the file system stores (base/time.h makes them); absent where it stores
// none.
struct Times {
  std::optional<std::string> modified, accessed, changed, born;
};

using Digests = std::map<std::string, std::string>;  // algorithm -> lower-case hex

// One stream of content of one directory entry.
struct Item {
  std::string id;                       // content + ":" + path (with ":" + stream name where the stream has one)
  std::string volume;                   // the volume's id
  std::string path;                     // from the volume's root, "/" first; UTF-8, U+FFFD where the name isn't valid
  std::optional<std::string> path_raw;  // the exact bytes, where `path` had to replace some
  std::optional<std::string> stream;
  std::string content;  // volume + "/i" + metadata address [+ "-" + attribute type + "-" + attribute id]
  ItemKind kind = ItemKind::file;
  ItemState state = ItemState::allocated;
  std::uint64_t size = 0;  // logical bytes
  std::optional<std::uint32_t> mode;
  std::optional<std::uint64_t> uid, gid;
  std::optional<std::string> link_target;
  Times times;
  std::optional<std::string> type;
  bool extension_mismatch = false;
  Digests digests;
  std::optional<std::vector<Extent>> extents;
  std::optional<std::string> transform;
  std::vector<Doubt> doubt;
  std::optional<std::string> tier;
  std::optional<std::string> via;  // `journal`: metadata and content of a deleted file as the journal's old copies say
};

struct Problem {
  std::string where;                                   // id of the evidence, volume or item
  std::string stage;                                   // open walk read hash scan carve decode expand
  std::string cause;                                   // a name_of(ErrorCode)
  std::optional<std::array<std::uint64_t, 2>> extent;  // offset, length
  std::string detail;                                  // deterministic text: no address, no time
};

struct MatchPlace {
  std::uint64_t offset = 0, length = 0;
  std::string string;  // the rule's name for the string
};

// A lead for a person, never a finding of fact.
struct Match {
  std::string item;  // the item, or the volume for bytes that belong to no item (then `region` says which)
  std::string by;    // hashset yara feature
  std::string source, source_sha256, rule;
  std::optional<std::string> category, severity, algorithm, region;
  std::optional<std::string> feature;   // of data whose own checksum was found right: which kind it is
  std::optional<std::string> handling;  // `restricted`: what matched is not to be shown or copied without a word
  std::vector<MatchPlace> where;
  bool where_truncated = false;
};

}  // namespace exhibit
