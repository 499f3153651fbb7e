// Netpbm's raw formats (netpbm.sourceforge.net, pbm(5), pgm(5), ppm(5)): a header in text and exactly so many samples
// as it says. Nothing tells whether the samples are the picture's.

#include <array>

#include "carve/validator.h"

namespace exhibit::carve {
namespace {

constexpr std::uint64_t longest_header = 4096;  // bytes, comments included
constexpr std::uint64_t longest_side = 1 << 20, most_value = 65535;

bool is_space(std::uint8_t byte) { return byte == ' ' || (byte >= '\t' && byte <= '\r'); }

// The number at `at` behind white space and comments; 0: there is none.
std::uint64_t take_number(ByteSpan head, std::size_t& at) {
  const std::size_t begin = at;
  while (at < head.size() && (is_space(head[at]) || head[at] == '#')) {
    if (head[at] == '#') {
      while (at < head.size() && head[at] != '\n') ++at;
    } else {
      ++at;
    }
  }
  if (at == begin) return 0;
  std::uint64_t number = 0;
  for (; at < head.size() && head[at] >= '0' && head[at] <= '9' && number <= longest_side; ++at) {
    number = number * 10 + (head[at] - '0');
  }
  return number;
}

bool glance(ByteSpan head) {
  return head.size() >= 4 && (head[3] == '#' || is_space(head[3]) || (head[3] >= '0' && head[3] <= '9'));
}

Verdict validate(const Content& content, Memory&) {
  const ByteSpan all = content.at(0, longest_header);
  const ByteSpan head = all.first(std::min<std::size_t>(all.size(), longest_header));
  if (head.size() < 8 || head[0] != 'P' || head[1] < '4' || head[1] > '6' || !glance(head)) return {};
  std::size_t at = 2;
  const std::uint64_t width = take_number(head, at), height = take_number(head, at);
  const std::uint64_t value = head[1] == '4' ? 1 : take_number(head, at);
  if (width == 0 || height == 0 || width > longest_side || height > longest_side || value == 0 || value > most_value) {
    return {};
  }
  if (at >= head.size() || !is_space(head[at])) return {};
  const std::uint64_t samples = head[1] == '6' ? 3 : 1, bytes = value > 255 ? 2 : 1;
  const std::uint64_t row = head[1] == '4' ? (width + 7) / 8 : width * samples * bytes;
  const std::uint64_t begin = at + 1, end = begin + row * height;
  constexpr std::array<const char*, 3> extensions = {"pbm", "pgm", "ppm"};
  if (end > content.size()) return {};
  Verdict verdict = Verdict::whole(end, extensions[head[1] - '4']);
  verdict.tier = Tier::plausible;
  verdict.sound = begin;
  return verdict;
}

}  // namespace

extern const Validator pnm_validator;
const Validator pnm_validator = {"pnm", validate, glance};

}  // namespace exhibit::carve
