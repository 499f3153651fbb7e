// JPEG XL in its container (ISO/IEC 18181-2): boxes that tell their lengths. A codestream alone tells no end; the codes
// within have nothing that could contradict.

#include "carve/validator.h"

namespace exhibit::carve {
namespace {

constexpr std::uint64_t signature_length = 12;
constexpr unsigned most_boxes = 1000;

bool is_box(ByteSpan name) {
  for (const char* known : {"ftyp", "jxlc", "jxlp", "jxll", "jxli", "jbrd", "brob", "Exif", "xml ", "jumb"}) {
    if (starts_with(name, known)) return true;
  }
  return false;
}

Verdict validate(const Content& content, Memory&) {
  std::uint64_t at = signature_length;
  bool has_picture = false;
  for (unsigned i = 0; i < most_boxes; ++i) {
    Reader reader(content, at);
    std::uint64_t length = reader.be32();
    const ByteSpan name = reader.bytes(4);
    if (!reader.ok() || !is_box(name) || (i == 0) != starts_with(name, "ftyp")) break;
    has_picture |= starts_with(name, "jxlc") || starts_with(name, "jxlp");
    if (length == 1) length = reader.be64();
    // 0: to the file's end, which nothing tells.
    if (length < 8 || length > content.size() - at) {
      const std::uint64_t end = at;
      if (i < 2) return {};
      Verdict verdict = Verdict::broken(end, end, end, DoubtCause::missing_segment);
      verdict.tier = Tier::header_only;
      return verdict;
    }
    at += length;
  }
  if (!has_picture) return {};
  Verdict verdict = Verdict::whole(at);
  verdict.tier = Tier::plausible;
  return verdict;
}

}  // namespace

extern const Validator jxl_validator;
const Validator jxl_validator = {"jxl", validate};

}  // namespace exhibit::carve
