// A property set (MS-OLEPS 2.21): what a compound file says of its title, author and times. Found where the compound
// file around it is gone: plausible, with its doubt at the beginning.

#include "carve/validator.h"

namespace exhibit::carve {
namespace {

constexpr std::uint64_t header_length = 28;  // bytes before the first set's FMTID
constexpr std::uint32_t most_sets = 2;       // 2.21, NumPropertySets
constexpr std::uint32_t most_properties = 4096, largest = std::uint32_t{1} << 20;

// A set's size and the places of its properties (2.20).
std::optional<std::uint64_t> end_of_set(const Content& content, std::uint64_t offset) {
  Reader reader(content, offset);
  const std::uint32_t size = reader.le32(), count = reader.le32();
  if (!reader.ok() || size > largest || count == 0 || count > most_properties || 8 + 8 * std::uint64_t{count} > size)
    return std::nullopt;
  for (std::uint32_t i = 0; i < count; ++i) {
    reader.le32();
    const std::uint32_t place = reader.le32();
    if (place % 4 != 0 || place < 8 + 8 * std::uint64_t{count} || place >= size) return std::nullopt;
    constexpr std::uint16_t last_type = 0x0048, vector = 0x1000, array = 0x2000;  // 2.2, PropertyType; VT_CLSID
    Reader property(content, offset + place);
    const std::uint16_t type = property.le16();
    const bool is_dictionary = type > last_type && (type & ~(vector | array)) > last_type;
    if (!property.ok() || (is_dictionary && i > 0)) return std::nullopt;
  }
  return reader.ok() ? std::optional(offset + size) : std::nullopt;
}

Verdict validate(const Content& content, Memory&) {
  Reader reader(content);
  const std::uint16_t order = reader.le16(), version = reader.le16();
  reader.seek(24);
  const std::uint32_t sets = reader.le32();
  if (!reader.ok() || order != 0xfffe || version > 1 || sets == 0 || sets > most_sets) return {};
  std::uint64_t end = 0;
  for (std::uint32_t i = 0; i < sets; ++i) {
    reader.seek(header_length + 20 * std::uint64_t{i} + 16);
    const std::uint32_t offset = reader.le32();
    if (!reader.ok() || offset < header_length + 20 * std::uint64_t{sets} || offset > largest) return {};
    const auto set_end = end_of_set(content, offset);
    if (!set_end || *set_end > content.size()) return {};
    end = std::max(end, *set_end);
  }
  Verdict verdict = Verdict::whole(end);
  verdict.tier = Tier::plausible;
  verdict.doubts = {{0, 0, DoubtCause::missing_segment}};
  return verdict;
}

}  // namespace

extern const Validator property_set_validator;
const Validator property_set_validator = {"property-set", validate};

}  // namespace exhibit::carve
