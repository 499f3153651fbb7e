// An object of one format, as the carver meets it: the first byte picks the signature, the rest is a medium that begins
// with the object. The whole of Carver::carve, with the search for a second fragment.

#include "carve/carver.h"
#include "fuzz/fuzz.h"

using namespace exhibit;

namespace {

constexpr std::uint64_t behind = 4096;  // zero bytes after the input
constexpr std::uint64_t block = 512;    // small, so that small inputs have fragments
constexpr std::size_t most_anchors = 4;

const std::vector<carve::Signature>& signatures() {
  static const std::vector<carve::Signature> all = carve::signatures().take();
  return all;
}

void check(const carve::Found& found, std::uint64_t size) {
  FUZZ_CHECK(found.tier != carve::Tier::none);
  FUZZ_CHECK(!found.extents.empty());
  FUZZ_CHECK(found.sound <= found.size);
  std::uint64_t sum = 0;
  for (const Extent& extent : found.extents) {
    FUZZ_CHECK(extent.offset >= 0 && extent.length <= size &&
               static_cast<std::uint64_t>(extent.offset) <= size - extent.length);
    sum += extent.length;
  }
  FUZZ_CHECK(sum == found.size);
  FUZZ_CHECK(found.tier != carve::Tier::validated || found.doubts.empty());
  for (const Doubt& doubt : found.doubts) {
    FUZZ_CHECK(doubt.offset <= found.size && doubt.length <= found.size - doubt.offset);
  }
}

// Where the signature's objects could begin or be known by in `text`.
std::vector<carve::Candidate> candidates(std::uint32_t index, std::string_view text) {
  std::vector<carve::Candidate> all = {{index, 0, false}};
  for (const carve::Pattern& pattern : signatures()[index].patterns) {
    if (!pattern.is_anchor) continue;
    std::size_t at = text.find(pattern.bytes);
    for (std::size_t i = 0; at != text.npos && i < most_anchors; ++i, at = text.find(pattern.bytes, at + 1)) {
      all.push_back({index, at, true});
    }
  }
  return all;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const auto index = static_cast<std::uint32_t>(data[0] % signatures().size());
  const std::string_view text = fuzz::text_of(data + 1, size - 1);
  fuzz::MemorySource medium(text, text.size() + behind);
  const carve::Space space(medium, {{0, medium.size()}});
  carve::Carver carver(signatures(), block);
  for (const carve::Candidate& candidate : candidates(index, text)) {
    for (const carve::Found& found : carver.carve(space, candidate)) check(found, medium.size());
  }
  // What glance refuses, validate refuses.
  const carve::Validator& validator = *signatures()[index].validator;
  const carve::ByteSpan bytes(data + 1, size - 1);
  if (validator.glance != nullptr && bytes.size() >= 64 && !validator.glance(bytes)) {
    carve::Memory memory;
    const carve::MemoryContent content(bytes);
    FUZZ_CHECK(validator.validate(content, memory).tier == carve::Tier::none);
  }
  return 0;
}
