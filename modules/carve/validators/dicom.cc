// DICOM (NEMA PS3.10, 7.1; PS3.5, 7.1): a preamble, then elements in the order of their tags, each with its length, to
// the last that can be one. Nothing tells whether the samples are the picture's.

#include <algorithm>

#include "carve/validator.h"

namespace exhibit::carve {
namespace {

constexpr std::uint64_t preamble = 128;
constexpr unsigned most_elements = 100'000, deepest = 16;
constexpr std::uint32_t undefined = 0xffffffff;
constexpr std::uint32_t item = 0xfffee000, item_end = 0xfffee00d, sequence_end = 0xfffee0dd;  // PS3.5, 7.5

// PS3.5, 7.1.2: those whose length has 32 bits.
bool has_long_length(std::string_view kind) {
  return kind == "OB" || kind == "OW" || kind == "OF" || kind == "OD" || kind == "OL" || kind == "OV" || kind == "SQ" ||
         kind == "UC" || kind == "UR" || kind == "UT" || kind == "UN" || kind == "SV" || kind == "UV";
}

bool is_kind(std::string_view kind) {
  constexpr std::string_view kinds = "AEASATCSDADSDTFLFDISLOLTOBODOFOLOVOWPNSHSLSQSSSTSVTMUCUIULUNURUSUTUV";
  for (std::size_t i = 0; i < kinds.size(); i += 2) {
    if (kinds.substr(i, 2) == kind) return true;
  }
  return false;
}

class Walk {
 public:
  explicit Walk(const Content& content) : content_(content) {}

  Verdict run() {
    std::uint64_t at = preamble + 4, end = 0;
    std::uint32_t before = 0;
    bool has_picture = false;
    for (; elements_ < most_elements; ++elements_) {
      Element element;
      if (!read(at, element) || element.tag <= before) break;
      // The meta information is explicit and little; big-endian data was retired with PS3.5-2006.
      const bool is_meta = element.tag >> 16 == 2;
      if (elements_ == 0 && !is_meta) return {};
      before = element.tag;
      has_picture |= element.tag == 0x7fe00010;
      at = element.length == undefined ? skip_items(element.data, 0) : element.data + element.length;
      if (at == 0 || at > content_.size()) break;
      end = at;
    }
    if (elements_ < 8 || end == 0) return {};
    Verdict verdict = Verdict::whole(end);
    verdict.tier = Tier::plausible;
    verdict.sound = has_picture ? std::min<std::uint64_t>(end, preamble) : end;
    return verdict;
  }

 private:
  struct Element {
    std::uint32_t tag = 0, length = 0;
    std::uint64_t data = 0;
  };

  bool read(std::uint64_t at, Element& element) {
    Reader reader(content_, at);
    element.tag = reader.le16() << 16U;
    element.tag |= reader.le16();
    if (element.tag == item || element.tag == item_end || element.tag == sequence_end) {
      element.length = reader.le32();
    } else {
      const ByteSpan bytes = reader.bytes(2);
      const std::string kind(bytes.begin(), bytes.end());
      is_implicit_ |= elements_ > 0 && element.tag >> 16 > 2 && !is_kind(kind) && !seen_explicit_;
      if (is_implicit_ && element.tag >> 16 > 2) {
        reader.seek(at + 4);
        element.length = reader.le32();
      } else if (!is_kind(kind)) {
        return false;
      } else {
        seen_explicit_ |= element.tag >> 16 > 2;
        element.length = has_long_length(kind) ? (reader.le16(), reader.le32()) : reader.le16();
      }
    }
    element.data = reader.position();
    return reader.ok() && (element.length == undefined || element.length % 2 == 0);
  }

  // Where a sequence of undefined length that begins at `at` ends; 0: nowhere.
  std::uint64_t skip_items(std::uint64_t at, unsigned depth) {
    while (depth < deepest && ++elements_ < most_elements) {
      Element element;
      if (!read(at, element)) return 0;
      if (element.tag == sequence_end || element.tag == item_end) return element.data;
      at = element.length == undefined ? skip_items(element.data, depth + 1) : element.data + element.length;
      if (at == 0 || at > content_.size()) return 0;
    }
    return 0;
  }

  const Content& content_;
  unsigned elements_ = 0;
  bool is_implicit_ = false, seen_explicit_ = false;
};

Verdict validate(const Content& content, Memory&) {
  if (!starts_with(content.at(preamble, 4), "DICM")) return {};
  return Walk(content).run();
}

}  // namespace

extern const Validator dicom_validator;
const Validator dicom_validator = {"dicom", validate};

}  // namespace exhibit::carve
