#pragma once
// The content tree (docs/disclosure.md): which contents a findings file has digests of, as a sorted set, so that it can
// be proved that one is not among them. Its entries are keys, SHA-256("exhibit-content" || d) of the raw SHA-256 d of a
// content: a proof of absence shows two neighbours, and they shouldn't be digests of content in the clear. Leaf i =
// H(0x00 || key i), nodes as in RFC 9162 section 2.1, keys ascending as bytes, each once.

#include <exhibit/result.h>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/external_sorter.h"
#include "base/json.h"
#include "hash/merkle.h"

namespace exhibit::manifest {

// What the manifest says of it.
struct ContentSummary {
  std::uint64_t entries = 0;
  // Items with content of which there is no SHA-256 (a file or virtual file of more than 0 bytes): of these absence
  // says nothing.
  std::uint64_t without = 0;
  std::map<std::string, std::string> trees;  // algorithm -> root, lower-case hex
  bool operator==(const ContentSummary&) const = default;
};

// 32 raw bytes; `sha256`: of the content, raw.
std::string content_key(std::string_view sha256);
inline constexpr std::size_t content_key_size = 32;

// Gathers the keys of a findings file; what memory doesn't hold stands in a file without a name.
class ContentKeys {
 public:
  // `scratch`: the folder for that file, which isn't touched while memory suffices.
  explicit ContentKeys(const std::filesystem::path& scratch);

  // Takes any record of a findings file; only items count. Error: where the disk is full.
  Result<void> take(const base::Json& record);
  std::uint64_t without() const { return without_; }

  // Each key once, ascending, with its index. May be called again.
  using Call = std::function<Result<void>(std::uint64_t index, std::string_view key)>;
  Result<void> for_each(const Call& call);

  // The trees by these algorithms (hash::algorithms()).
  Result<ContentSummary> summary(const std::vector<std::string>& algorithms);

 private:
  base::ExternalSorter sorter_;
  std::uint64_t without_ = 0;
};

}  // namespace exhibit::manifest
