#pragma once
#include "hash/multi_digest.h"
namespace exhibit::hash {
struct BatchContent { std::vector<std::span<const std::byte>> pieces; };
inline Result<std::vector<Digests>> digest_batch(std::span<const std::string> algorithms, std::span<const BatchContent> contents) {
  std::vector<Digests> all;
  auto multi = EXHIBIT_TRY(MultiDigest::create(algorithms));
  for (const auto& content : contents) { for (auto piece : content.pieces) multi.update(piece); all.push_back(multi.finish()); }
  return all;
}
inline std::vector<std::string> block_digests(std::span<const std::byte> media) {
  std::vector<std::string> all;
  while (!media.empty()) { auto piece = media.first(std::min<std::size_t>(media.size(), 1 << 20)); all.push_back(digest_of("sha256", {reinterpret_cast<const char*>(piece.data()), piece.size()})); media = media.subspan(piece.size()); }
  return all;
}
}
