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

Verdict validate(const Content& content, Memory&) {
  TiffWalk walk(content);
  if (!walk.run()) return {};
  const bool has_first = walk.directories_end() > 0;
  if (!has_first) {
    // The first directory lies where something else is: worth a search, no more.
    Verdict verdict = broken_at(content, 8, walk.broken(), walk.broken());
    verdict.tier = Tier::header_only;
    return verdict;
  }
  if (walk.pictures().empty()) return {};
  if (walk.is_cut()) {
    Verdict verdict = broken_at(content, 8, content.size(), walk.directories_end());
    verdict.tier = Tier::header_only;
    return verdict;
  }
  std::uint64_t end = walk.end();
  bool is_proved = !walk.is_broken();
  std::uint64_t proved = 0;
  for (const TiffPicture& picture : walk.pictures()) {
    const StripsProof proof = prove_strips(content, walk, picture);
    proved += proof.bytes;
    if (proof.proof == Proof::fails && walk.extension() == "tif") {
      Verdict verdict = broken_at(content, std::max<std::uint64_t>(proof.failed, 8), proof.failed_end, end);
      if (proof.bytes == 0) verdict.sound = 8;
      return verdict;
    }
    is_proved &= proof.proof == Proof::holds;
  }
  end = end_of_trailers(content, end);
  Verdict verdict = Verdict::whole(end, walk.extension());
  if (!is_proved || proved + most_unproved < end) {
    verdict.tier = Tier::plausible;
    verdict.sound = std::min<std::uint64_t>(walk.directories_end(), end);
  }
  return verdict;
}

// A first directory that lies behind the pixels is found where the gap has moved it to.
std::vector<std::uint64_t> gaps(const Content& content, const Verdict& verdict) {
  std::vector<std::uint64_t> gaps;
  if (verdict.tier != Tier::header_only) return gaps;
  Reader reader(content);
  const bool is_little = reader.u8() == 'I';
  reader.seek(4);
  const std::uint64_t first = is_little ? reader.le32() : reader.be32();
  for (std::uint64_t gap = allocation_unit; gap <= farthest_gap; gap += allocation_unit) {
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

}  // namespace

extern const Validator tiff_validator;
const Validator tiff_validator = {"tiff", validate, nullptr, nullptr, gaps};

}  // namespace exhibit::carve
