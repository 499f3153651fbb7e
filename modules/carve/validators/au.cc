// AU (Sun Microsystems, audio_filehdr.h and au(5)): a header that tells the bytes of the sound, and nothing that could
// prove them.

#include <array>

#include "carve/validator.h"

namespace exhibit::carve {
namespace {

constexpr std::string_view signature = ".snd";
constexpr std::uint32_t least_header = 24, most_header = 4096;  // bytes
constexpr std::uint32_t unknown = 0xffffffff;                   // the length of what was written to a pipe
constexpr std::uint32_t least_rate = 1000, most_rate = 768000;  // Hz
constexpr std::uint32_t most_channels = 64;
// Bytes of a sample by encoding (au(5)); 0: not one of those in use.
constexpr std::array<std::uint32_t, 28> sample_bytes = {0, 1, 1, 2, 3, 4, 4, 8, 0, 0, 0, 0, 0, 0,
                                                        0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1};
constexpr std::uint32_t first_packed = 23, last_packed = 26;  // G.721 and G.723: less than a byte a sample

Verdict validate(const Content& content, Memory&) {
  Reader reader(content);
  if (!reader.take(signature)) return {};
  const std::uint32_t begin = reader.be32(), length = reader.be32(), encoding = reader.be32();
  const std::uint32_t rate = reader.be32(), channels = reader.be32();
  if (!reader.ok() || begin < least_header || begin > most_header || begin % 4 != 0 || length == 0 ||
      encoding >= sample_bytes.size() || sample_bytes[encoding] == 0 || rate < least_rate || rate > most_rate ||
      channels == 0 || channels > most_channels) {
    return {};
  }
  const bool is_packed = encoding >= first_packed && encoding <= last_packed;
  if (length == unknown) return {};
  if (!is_packed && length % (channels * sample_bytes[encoding]) != 0) return {};
  const std::uint64_t end = std::uint64_t{begin} + length;
  if (end > content.size()) return {Tier::header_only, begin, begin, 0, {}, 0, {}};
  Verdict verdict = Verdict::whole(end);
  verdict.tier = Tier::plausible;
  return verdict;
}

}  // namespace

extern const Validator au_validator;
const Validator au_validator = {"au", validate};

}  // namespace exhibit::carve
