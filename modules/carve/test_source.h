#pragma once
// Bytes in memory as a volume, and the whole carver over them.

#include <algorithm>
#include <cstring>
#include <vector>

#include "carve/carver.h"
#include "carve/resolve.h"

namespace exhibit::carve {

class BytesSource : public ByteSource {
 public:
  explicit BytesSource(const std::vector<std::uint8_t>& bytes) : bytes_(bytes) {}
  std::uint64_t size() const override { return bytes_.size(); }
  Result<std::size_t> read_at(std::uint64_t offset, std::span<std::byte> buffer) override {
    if (offset >= bytes_.size()) return std::size_t{0};
    const std::size_t length = std::min<std::uint64_t>(buffer.size(), bytes_.size() - offset);
    std::memcpy(buffer.data(), bytes_.data() + offset, length);
    return length;
  }
  std::vector<Doubt> doubts(std::uint64_t, std::uint64_t) const override { return {}; }
  std::uint64_t damaged_reads() const override { return 0; }

 private:
  const std::vector<std::uint8_t>& bytes_;
};

// All groups of what stands one behind the other; parents are indexes in the whole list.
inline std::vector<Standing> carve_everything(const std::vector<Signature>& all, const std::vector<bool>& wanted,
                                              const std::vector<std::uint8_t>& bytes, Tier least = Tier::plausible,
                                              std::uint64_t block = 4096) {
  auto search = CandidateSearch::compile(all, wanted).take();
  std::vector<Candidate> candidates;
  search.search(bytes, bytes.size(), 0, [&](Candidate found) { candidates.push_back(found); });
  std::stable_sort(candidates.begin(), candidates.end(),
                   [](const Candidate& a, const Candidate& b) { return a.offset < b.offset; });
  BytesSource source(bytes);
  const Space space(source, {{0, bytes.size()}});
  Carver carver(all, block);
  std::vector<Found> found;
  for (const Candidate& candidate : candidates) {
    for (Found& object : carver.carve(space, candidate)) found.push_back(std::move(object));
  }
  std::stable_sort(found.begin(), found.end(),
                   [](const Found& a, const Found& b) { return Resolver::place(a) < Resolver::place(b); });
  std::vector<Standing> standing;
  const auto gather = [&](std::vector<Standing> group) {
    const std::size_t before = standing.size();
    for (Standing& one : group) {
      if (one.parent) *one.parent += before;
      standing.push_back(std::move(one));
    }
  };
  Resolver resolver(all, least);
  for (Found& object : found) resolver.take(std::move(object), gather);
  resolver.finish(gather);
  return standing;
}

}  // namespace exhibit::carve
