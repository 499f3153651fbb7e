#include "worker/found_batch.h"

#include "hash/batch_digest.h"

namespace exhibit::worker {

std::span<std::byte> FoundBatch::room(std::uint64_t bytes) {
  if (bytes > room_.size()) return {};
  if (bytes > room_.size() - used_) finish();
  return room_.subspan(used_, static_cast<std::size_t>(bytes));
}

void FoundBatch::add(carve::Found found, std::span<const std::byte> content) {
  used_ += content.size();
  held_.push_back({std::move(found), content});
}

void FoundBatch::finish() {
  std::vector<hash::BatchContent> contents;
  for (const Held& held : held_) {
    if (!held.content.empty()) contents.push_back({{held.content}});
  }
  auto digests = hash::digest_batch(wanted_, contents);
  std::size_t next = 0;
  for (Held& held : held_) {
    // Without digests it is examined as any other item.
    if (!held.content.empty() && digests.ok()) held.found.digests = std::move((*digests)[next++]);
    tell_(held.found);
  }
  held_.clear();
  used_ = 0;
}

}  // namespace exhibit::worker
