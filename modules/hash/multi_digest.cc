#include "hash/multi_digest.h"

#include <algorithm>
#include <bit>

#include "base/json.h"
#include "hash/algorithm.h"
#include "hash/openssl.h"

namespace exhibit::hash {
namespace {

// Each hasher takes a piece while it's still in the second-level cache.
constexpr std::size_t piece_bytes = std::size_t{64} << 10;

std::string known_names() {
  std::string names;
  for (const AlgorithmRow* row : algorithm_table()) names += (names.empty() ? "" : ", ") + std::string(row->name);
  return names;
}

}  // namespace

std::vector<std::string> algorithms() {
  std::vector<std::string> names;
  for (const AlgorithmRow* row : algorithm_table()) names.emplace_back(row->name);
  return names;
}

void prepare() {
  // Fetching isn't enough: OpenSSL opens its configuration when a digest is first used.
  for (const AlgorithmRow* row : algorithm_table()) {
    if (auto hasher = row->create(); hasher.ok()) (*hasher)->finish();
  }
  if (auto hmac = HmacSha256::create("any key"); hmac.ok()) hmac->of("");
}

Result<std::unique_ptr<Hasher>> create(std::string_view algorithm) {
  const auto table = algorithm_table();
  const auto row = std::ranges::lower_bound(table, algorithm, {}, &AlgorithmRow::name);
  if (row == table.end() || (*row)->name != algorithm) {
    return Error{ErrorCode::invalid_argument,
                 "no digest algorithm is called '" + std::string(algorithm) + "'; there are " + known_names(),
                 std::string(algorithm),
                 {}};
  }
  return (*row)->create();
}

std::string digest_of(std::string_view algorithm, std::string_view bytes) {
  auto hasher = create(algorithm);
  EXHIBIT_CHECK(hasher.ok());
  (*hasher)->update(std::as_bytes(std::span(bytes)));
  return (*hasher)->finish();
}

Result<MultiDigest> MultiDigest::create(std::span<const std::string> algorithms) {
  DigestSet together = 0;
  for (const std::string& name : algorithms) together |= kernel_set(name);
  // One alone has nothing to run beside, and OpenSSL is as fast.
  if (!(*stream_kernels())->fast || std::has_single_bit(together)) together = 0;
  MultiDigest digest;
  if (together != 0) digest.interleaved_.emplace(together);
  for (const std::string& name : algorithms) {
    const bool twice = std::ranges::any_of(digest.hashers_, [&](const auto& hasher) { return hasher.first == name; });
    if (twice || (together & kernel_set(name)) != 0) continue;
    digest.hashers_.emplace_back(name, EXHIBIT_TRY(hash::create(name)));
  }
  return digest;
}

void MultiDigest::update(std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const auto piece = bytes.first(std::min(bytes.size(), piece_bytes));
    if (interleaved_) interleaved_->update(piece);
    for (auto& [name, hasher] : hashers_) hasher->update(piece);
    bytes = bytes.subspan(piece.size());
  }
}

Digests MultiDigest::finish() {
  Digests digests;
  if (interleaved_) interleaved_->finish(digests);
  for (auto& [name, hasher] : hashers_) digests[name] = base::to_hex(hasher->finish());
  return digests;
}

}  // namespace exhibit::hash
