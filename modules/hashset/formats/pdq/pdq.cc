// Lists of PDQ hashes: `hash,quality,name` a line, as ThreatExchange's pdq-photo-hasher writes it, with or without a
// header that says so; and, where it's told that they are PDQ (--format pdq), bare hashes, which nothing tells from
// SHA-256. A hash of a low quality is refused: it's near those of pictures that have nothing to do with it.

#include <algorithm>

#include "hashset/digest.h"
#include "hashset/index.h"

namespace exhibit::hashset {
namespace {

constexpr std::string_view header = "hash,quality";
constexpr unsigned best_quality = 100;

std::string_view without_blanks(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(" \t"), end = text.find_last_not_of(" \t");
  return begin == std::string_view::npos ? std::string_view() : text.substr(begin, end - begin + 1);
}

// Up to the next comma; takes it from the line.
std::string_view take_field(std::string_view& line) {
  const std::size_t comma = std::min(line.find(','), line.size());
  const std::string_view field = without_blanks(line.substr(0, comma));
  line.remove_prefix(std::min(comma + 1, line.size()));
  return field;
}

std::optional<unsigned> quality_of(std::string_view text) {
  const bool digits = std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
  if (text.empty() || text.size() > 3 || !digits) return {};
  unsigned value = 0;
  for (const char c : text) value = value * 10 + static_cast<unsigned>(c - '0');
  return value <= best_quality ? std::optional(value) : std::nullopt;
}

bool is_hash(std::string_view text) {
  RawDigest raw;
  return decode_digest(text, Algorithm::pdq, raw);
}

bool begins_with(std::string_view line) {
  if (without_blanks(line).starts_with(header)) return true;
  const std::string_view hash = take_field(line);
  return is_hash(hash) && quality_of(take_field(line)).has_value();
}

class PdqParser final : public Parser {
 public:
  Result<Line> parse(std::string_view line) override {
    line = without_blanks(line);
    if (line.starts_with('#') || line.starts_with(header)) return Line(NoEntry{});
    Entry& entry = new_entry();
    entry[Algorithm::pdq] = take_field(line);
    if (!is_hash(entry[Algorithm::pdq]))
      return Line(Refusal{"it doesn't begin with a PDQ hash, 64 hexadecimal digits"});
    if (line.empty()) return Line(&entry);
    const auto quality = quality_of(take_field(line));
    if (!quality) return Line(Refusal{"behind its hash stands no quality from 0 to 100"});
    if (*quality < least_pdq_quality) {
      return Line(
          Refusal{"its quality, " + std::to_string(*quality) + ", is below " + std::to_string(least_pdq_quality)});
    }
    entry.name = without_blanks(line);
    return Line(&entry);
  }
};

constexpr ExpectedEntry expected[] = {
    {"pdq", "f8f8f0cee0f4a84f06370a22038f63f0b36e2ed596621e1d33e6b39c4e9c9b22", "bridge, and more.jpg"},
    {"pdq", "992d44af36d69e6ca6b812585928bac11def254ef5398c6d07466c9abcc65b92",
     "992d44af36d69e6ca6b812585928bac11def254ef5398c6d07466c9abcc65b92"},
};

}  // namespace

extern constinit const FormatRow pdq_row = {
    .name = "pdq",
    .begins_with = begins_with,
    .parser = []() -> std::unique_ptr<Parser> { return std::make_unique<PdqParser>(); },
    .sample = []() -> std::string {
      return "hash,quality,filename\r\n"
             "F8F8F0CEE0F4A84F06370A22038F63F0B36E2ED596621E1D33E6B39C4E9C9B22,100,bridge, and more.jpg\r\n"
             "# a comment\n"
             "992d44af36d69e6ca6b812585928bac11def254ef5398c6d07466c9abcc65b92,75\n"
             "54a977c221d14c1c43ba5e4e21d4a13989a3553f1462611cbb87fda7be83b677,3,q0003.jpg\n"
             "0000000000000000000000000000000000000000000000000000000000000000,100,nothing.jpg\n"
             "not a hash,100,x\n";
    },
    .expected = expected,
    .sample_refused = 3};

}  // namespace exhibit::hashset
