// ar archives and Debian packages (deb-old ar(5), deb(5)): headers of 60 bytes, each telling its member's length.
// Nothing ends an archive but the lack of another header.

#include "carve/validator.h"

namespace exhibit::carve {
namespace {

constexpr std::string_view mark = "!<arch>\n", end_of_header = "`\n";
constexpr std::uint64_t header_length = 60;
constexpr std::size_t size_at = 48, size_length = 10;

std::optional<std::uint64_t> length_of(ByteSpan header) {
  if (header.size() < header_length || !starts_with(header.subspan(58), end_of_header)) return std::nullopt;
  std::uint64_t value = 0;
  bool is_over = false, any = false;
  for (const std::uint8_t c : header.subspan(size_at, size_length)) {
    const bool is_digit = c >= '0' && c <= '9';
    if ((!is_digit && c != ' ') || (is_digit && is_over)) return std::nullopt;
    is_over |= !is_digit;
    any |= is_digit;
    if (is_digit) value = value * 10 + (c - '0');
  }
  return any ? std::optional(value) : std::nullopt;
}

Verdict validate(const Content& content, Memory&) {
  if (!starts_with(content.at(0, mark.size()), mark)) return {};
  const bool is_package = starts_with(content.at(mark.size(), 16), "debian-binary");
  std::uint64_t position = mark.size(), members = 0;
  bool has_data = false;
  for (;;) {
    const ByteSpan header = content.at(position, header_length);
    const auto length = length_of(header);
    if (!length) break;
    has_data |= starts_with(header, "data.tar");
    const std::uint64_t next = position + header_length + *length;
    if (next > content.size()) {
      if (members == 0) return {};
      return Verdict::broken(position, content.size(), position, DoubtCause::missing_segment);
    }
    ++members;
    position = next;
    const ByteSpan padding = content.at(position, 1);  // to an even length
    if ((position & 1) != 0 && !padding.empty() && padding[0] == '\n') ++position;
  }
  if (members == 0) return {};
  Verdict verdict = Verdict::whole(position, is_package ? "deb" : "");
  // A package's last member is its data; of other archives nobody can say that none is missing.
  if (!is_package || !has_data) verdict.tier = Tier::plausible;
  return verdict;
}

}  // namespace

extern const Validator ar_validator;
const Validator ar_validator = {"ar", validate};

}  // namespace exhibit::carve
