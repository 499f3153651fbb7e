// TIFF (Adobe, TIFF 6.0; BigTIFF) and the raw pictures of cameras that are built like it: the file reaches as far as
// its directories refer. `validated` where the pictures are packed so that their codes or checksums prove them (LZW,
// Deflate, PackBits); other pixels have nothing that could tell.

#include <algorithm>

#include "carve/picture_trailers.h"
#include "carve/tiff_strips.h"
#include "carve/tiff_walk.h"
#include "carve/validator.h"

namespace exhibit::carve {
namespace {

constexpr std::uint64_t most_unproved = std::uint64_t{64} << 10;  // bytes of directories, text and profiles
constexpr std::uint64_t allocation_unit = 4096;                   // bytes
constexpr std::uint64_t farthest_gap = std::uint64_t{1} << 20;    // bytes

Verdict broken_at(const Content& content, std::uint64_t sound, std::uint64_t suspect, std::uint64_t length) {
  Verdict verdict = Verdict::broken(sound, std::min(suspect, content.size()), std::min(length, content.size()),
                                    DoubtCause::missing_segment);
  return verdict;
}

// Where a directory would begin, were there a gap before it: the likeliest gaps.
std::vector<std::uint64_t> gaps_before(const Content& content) {
  std::vector<std::uint64_t> gaps;
  Reader reader(content);
  const bool is_little = reader.u8() == 'I';
  reader.seek(4);
  const std::uint64_t first = is_little ? reader.le32() : reader.be32();
  for (std::uint64_t gap = 0; gap <= farthest_gap; gap += allocation_unit) {
    Reader directory(content, first + gap);
    const auto u16 = [&] { return is_little ? directory.le16() : directory.be16(); };
    const unsigned fields = u16();
    unsigned before = 0;
    bool holds = fields >= 8 && fields <= 64;
    for (unsigned i = 0; i < fields && holds; ++i) {
      const unsigned tag = u16(), type = u16();
      holds = tag > before && type >= 1 && type <= 18 && directory.skip(8);
      before = tag;
    }
    if (holds && directory.ok()) gaps.push_back(gap);
  }
  return gaps;
}

// The content with `gap` left out at `border`.
class WithoutGap : public Content {
 public:
  WithoutGap(const Content& whole, std::uint64_t border, std::uint64_t gap)
      : whole_(whole), border_(border), gap_(gap) {}
  std::uint64_t size() const override { return whole_.size() > gap_ ? whole_.size() - gap_ : 0; }
  ByteSpan at(std::uint64_t offset, std::size_t wanted) const override {
    if (offset >= size()) return {};
    if (offset >= border_) return whole_.at(offset + gap_, wanted);
    const ByteSpan bytes = whole_.at(offset, std::min<std::uint64_t>(wanted, border_ - offset));
    if (bytes.size() < border_ - offset) return bytes;
    joint_.assign(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(border_ - offset));
    if (joint_.size() >= wanted) return joint_;
    const ByteSpan more = whole_.at(border_ + gap_, wanted - joint_.size());
    joint_.insert(joint_.end(), more.begin(), more.end());
    return joint_;
  }

 private:
  const Content& whole_;
  std::uint64_t border_, gap_;
  mutable std::vector<std::uint8_t> joint_;
};

// The first directory isn't where it should be. If it lies further on, the strips tell where the gap begins.
Verdict displaced(const Content& content, std::uint64_t first) {
  const std::uint64_t reach = std::min(first, content.size());
  Verdict verdict = broken_at(content, 8, reach, reach);
  verdict.tier = Tier::header_only;
  for (const std::uint64_t gap : gaps_before(content)) {
    const WithoutGap shifted(content, first / allocation_unit * allocation_unit, gap);
    TiffWalk walk(shifted);
    if (gap == 0 || !walk.run() || walk.pictures().empty()) continue;
    Memory memory;
    const StripsProof proof = prove_strips(shifted, memory, walk, 0);
    if (proof.proof != Proof::fails || proof.bytes < allocation_unit) continue;
    Verdict better = broken_at(content, proof.failed, proof.failed_end, proof.failed);
    return better;
  }
  return verdict;
}

Verdict validate(const Content& content, Memory& memory) {
  TiffWalk walk(content);
  if (!walk.run()) return {};
  if (walk.directories_end() == 0) return displaced(content, walk.broken());
  if (walk.pictures().empty()) return {};
  if (walk.is_cut()) {
    Verdict verdict = broken_at(content, 8, content.size(), walk.directories_end());
    verdict.tier = Tier::header_only;
    return verdict;
  }
  bool is_proved = !walk.is_broken();
  std::uint64_t proved = 0;
  const std::string extension = walk.extension();
  for (std::size_t i = 0; i < walk.pictures().size(); ++i) {
    const StripsProof proof = prove_strips(content, memory, walk, i);
    proved += proof.bytes;
    if (proof.proof == Proof::fails && extension == "tif") {
      return broken_at(content, proved == 0 ? 8 : proof.failed, proof.failed_end, walk.end());
    }
    is_proved &= proof.proof == Proof::holds;
  }
  const std::uint64_t end = end_of_trailers(content, walk.end());
  Verdict verdict = Verdict::whole(end, extension);
  if (!is_proved || (memory.latest() == nullptr && proved + most_unproved < end)) {
    verdict.tier = Tier::plausible;
    verdict.sound = std::min<std::uint64_t>(walk.directories_end(), end);
  }
  return verdict;
}

// A first directory that lies behind the pixels is found where the gap has moved it to.
std::vector<std::uint64_t> gaps(const Content& content, const Verdict&) {
  std::vector<std::uint64_t> gaps = gaps_before(content);
  if (!gaps.empty() && gaps.front() == 0) gaps.clear();  // it is in its place
  return gaps;
}

}  // namespace

extern const Validator tiff_validator;
const Validator tiff_validator = {"tiff", validate, nullptr, nullptr, gaps};

}  // namespace exhibit::carve
