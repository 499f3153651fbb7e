// PCX (ZSoft, Technical Reference Manual, 1991): rows that must unpack exactly, and a palette behind them.

#include "carve/validator.h"

namespace exhibit::carve {
namespace {

constexpr std::uint64_t header_length = 128, palette_length = 769;
constexpr unsigned palette_mark = 12;

unsigned le16(ByteSpan head, std::size_t at) { return static_cast<unsigned>(head[at] | head[at + 1] << 8); }

bool glance(ByteSpan head) {
  if (head.size() < 64) return false;
  const unsigned bits = head[3];
  const bool has_sides = le16(head, 8) >= le16(head, 4) && le16(head, 10) >= le16(head, 6);
  return head[1] <= 5 && head[2] == 1 && (bits == 1 || bits == 2 || bits == 4 || bits == 8) && has_sides;
}

Verdict validate(const Content& content, Memory&) {
  const ByteSpan head = content.at(0, header_length);
  if (head.size() < header_length || head[0] != 10 || !glance(head) || head[64] != 0) return {};
  const std::uint64_t width = le16(head, 8) - le16(head, 4) + 1, height = le16(head, 10) - le16(head, 6) + 1;
  const std::uint64_t bits = head[3], planes = head[65], row = le16(head, 66);
  if (planes < 1 || planes > 4 || row % 2 != 0 || row < (width * bits + 7) / 8 || row > (width * bits + 7) / 8 + 2)
    return {};
  for (std::size_t i = 74; i < header_length; ++i) {
    if (head[i] != 0) return {};
  }
  Reader reader(content, header_length);
  // Programs don't let a run go from a line of all planes into the next.
  for (std::uint64_t line = 0; line < height; ++line) {
    for (std::uint64_t given = 0; given < row * planes;) {
      const unsigned code = reader.u8();
      const unsigned run = code >= 0xc0 ? code & 0x3f : 1;
      if (code >= 0xc0) reader.u8();
      given += run;
      if (!reader.ok() || given > row * planes) return {};
    }
  }
  std::uint64_t end = reader.position();
  const bool has_palette = bits == 8 && planes == 1;
  if (has_palette) {
    if (reader.u8() != palette_mark || !reader.skip(palette_length - 1)) return {};
    end = reader.position();
  }
  Verdict verdict = Verdict::whole(end);
  verdict.tier = Tier::plausible;
  return verdict;
}

}  // namespace

extern const Validator pcx_validator;
const Validator pcx_validator = {"pcx", validate, glance};

}  // namespace exhibit::carve
