#include "manifest/content.h"

#include "hash/multi_digest.h"

namespace exhibit::manifest {
namespace {

using base::Json;

constexpr std::string_view key_label = "exhibit-content";

// Half a million keys are sorted in memory; beyond that, they are sorted on the disk.
constexpr std::uint64_t sort_memory = std::uint64_t{64} << 20;

std::string text(const Json& record, const char* key) {
  const auto at = record.find(key);
  return at != record.end() && at->is_string() ? at->get<std::string>() : std::string();
}

// The raw SHA-256 of an item's content; empty where it has none.
std::string sha256_of(const Json& item) {
  const auto digests = item.find("digests");
  if (digests == item.end() || !digests->is_object()) return {};
  auto digest = base::from_hex(text(*digests, "sha256"));
  return digest.ok() && digest->size() == content_key_size ? digest.take() : std::string();
}

bool has_content(const Json& item) {
  const std::string kind = text(item, "kind");
  const auto size = item.find("size");
  return (kind == "file" || kind == "virtual") && size != item.end() && size->is_number_unsigned() &&
         size->get<std::uint64_t>() > 0;
}

}  // namespace

std::string content_key(std::string_view sha256) {
  return hash::digest_of("sha256", std::string(key_label).append(sha256));
}

ContentKeys::ContentKeys(const std::filesystem::path& scratch) : sorter_(scratch.string(), sort_memory) {}

Result<void> ContentKeys::take(const Json& record) {
  if (!record.is_object() || text(record, "record") != "item") return {};
  if (const std::string sha256 = sha256_of(record); !sha256.empty()) return sorter_.add(0, content_key(sha256), {});
  without_ += has_content(record);
  return {};
}

Result<void> ContentKeys::for_each(const Call& call) {
  std::uint64_t index = 0;
  return sorter_.for_each(0, [&](std::string_view key, std::string_view) { return call(index++, key); });
}

Result<ContentSummary> ContentKeys::summary(const std::vector<std::string>& algorithms) {
  std::vector<hash::Tree> trees;
  for (const std::string& algorithm : algorithms) trees.push_back(EXHIBIT_TRY(hash::Tree::create(algorithm)));
  ContentSummary summary;
  summary.without = without_;
  EXHIBIT_TRY(for_each([&](std::uint64_t, std::string_view key) -> Result<void> {
    for (hash::Tree& tree : trees) tree.append(tree.hasher().leaf({}, key));
    ++summary.entries;
    return {};
  }));
  for (std::size_t i = 0; i < trees.size(); ++i) summary.trees[algorithms[i]] = base::to_hex(trees[i].root());
  return summary;
}

}  // namespace exhibit::manifest
