#include "match/byte_runs.h"

#include <algorithm>
#include <cctype>
#include <cstring>
#include <string_view>

#include "match/regex_runs.h"

namespace exhibit::match {
namespace {

constexpr std::size_t unlimited = std::numeric_limits<std::size_t>::max();

bool is_blank(unsigned char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

// A guess at how often content, text above all, has a byte.
std::uint64_t frequency(std::size_t byte) {
  constexpr std::string_view by_frequency = " etaoinsrhldcumfpgwybvkxjqz";  // in English text
  const std::size_t rank = by_frequency.find(static_cast<char>(byte));
  if (rank != std::string_view::npos) return 14 - rank / 2;
  if (byte == '\n') return 6;
  return std::isalnum(static_cast<int>(byte)) != 0 ? 2 : 1;
}

std::uint64_t frequency(const ByteSet& set) {
  std::uint64_t sum = 0;
  for (std::size_t byte = 0; byte < set.size(); ++byte) sum += set[byte] ? frequency(byte) : 0;
  return sum;
}

std::uint64_t pair_frequency(const ByteRun& run, std::size_t at) { return frequency(run[at]) * frequency(run[at + 1]); }

std::size_t rarest_pair(const ByteRun& run) {
  std::size_t best = 0;
  for (std::size_t at = 1; at + 1 < run.size(); ++at) {
    if (pair_frequency(run, at) < pair_frequency(run, best)) best = at;
  }
  return best;
}

std::vector<std::size_t> pairs_of(const ByteSet& first, const ByteSet& second) {
  std::vector<std::size_t> out;
  for (std::size_t low = 0; low < first.size(); ++low) {
    for (std::size_t high = 0; first[low] && high < second.size(); ++high) {
      if (second[high]) out.push_back(low | high << 8);
    }
  }
  return out;
}

std::size_t end_of_regex(const MagicRecord& test, std::size_t regex_limit) {
  // softmagic.c, mcopy(): lines count as 80 bytes each; no count means the limit.
  constexpr std::uint64_t line = 80;
  const bool lines = (test.string_flags & magic_string::regex_lines) != 0;
  std::uint64_t bytes = lines ? test.range * line : test.range;
  if (bytes == 0 || bytes > regex_limit) bytes = regex_limit;
  return static_cast<std::size_t>(static_cast<std::uint64_t>(test.offset) + bytes);
}

}  // namespace

ByteSet both_cases(ByteSet set) {
  for (std::size_t letter = 'a'; letter <= 'z'; ++letter) {
    const std::size_t capital = letter - 'a' + 'A';
    if (set[letter] || set[capital]) set.set(letter).set(capital);
  }
  return set;
}

std::uint64_t run_frequency(const ByteRun& run) { return pair_frequency(run, rarest_pair(run)); }

std::optional<RequiredRuns> runs_of_search(const MagicRecord& test) {
  const auto pattern = std::span(test.value).first(std::min<std::size_t>(test.value_size, test.value.size()));
  const bool blanks_vary = (test.string_flags & (magic_string::compact_blanks | magic_string::optional_blanks)) != 0;
  const bool cases_vary = (test.string_flags & (magic_string::ignore_lower | magic_string::ignore_upper)) != 0;
  std::vector<ByteRun> pieces(1);
  for (const unsigned char c : pattern) {
    if (blanks_vary && is_blank(c)) {
      pieces.emplace_back();
      continue;
    }
    const ByteSet one = ByteSet().set(c);
    pieces.back().push_back(cases_vary ? both_cases(one) : one);
  }
  if (test.offset < 0) return std::nullopt;
  // A match begins at most `range` bytes behind the offset. What comes behind a blank, content's blanks may move away.
  if (pieces[0].size() >= 2) {
    const std::size_t end = static_cast<std::size_t>(test.offset) + test.range + pieces[0].size();
    return RequiredRuns{{pieces[0]}, test.range == 0 ? unlimited : end, {}};
  }
  std::erase_if(pieces, [](const ByteRun& piece) { return piece.size() < 2; });
  if (pieces.empty()) return std::nullopt;
  return RequiredRuns{{pieces[0]}, unlimited, {}};
}

std::optional<RequiredRuns> runs_of_regex(const MagicRecord& test, std::size_t regex_limit) {
  if (test.offset < 0) return std::nullopt;
  const auto* text = reinterpret_cast<const char*>(test.value.data());
  const bool cases_vary = (test.string_flags & (magic_string::ignore_lower | magic_string::ignore_upper)) != 0;
  const std::string_view expression(text, strnlen(text, test.value.size()));
  const std::size_t end = end_of_regex(test, regex_limit);
  std::vector<ByteRun> runs = runs_of_expression(expression, test.offset == 0, cases_vary);
  if (!runs.empty()) return RequiredRuns{std::move(runs), end, {}};
  const auto line = test.offset == 0 && !cases_vary ? line_start_of(expression) : std::nullopt;
  if (!line) return std::nullopt;
  return RequiredRuns{{{ByteSet().set('\n'), line->skipped | line->then}}, end, line};
}

void RunScanner::add(std::uint32_t owner, const RequiredRuns& required) {
  seen_.resize(std::max<std::size_t>(seen_.size(), owner + 1));
  end_ = std::max(end_, required.end);
  for (const ByteRun& run : required.runs) {
    const std::size_t at = rarest_pair(run);
    for (const std::size_t pair : pairs_of(run[at], run[at + 1])) {
      near_[pair / 64] |= std::uint64_t{1} << pair % 64;
      if (required.end > near_end) far_[pair / 64] |= std::uint64_t{1} << pair % 64;
      if (list_of_pair_[pair] == 0) {
        list_of_pair_[pair] = static_cast<std::uint16_t>(lists_.size());
        lists_.emplace_back();
      }
      lists_[list_of_pair_[pair]].push_back(static_cast<std::uint16_t>(needles_.size()));
    }
    needles_.push_back({owner, at, required.end, run, required.line});
  }
}

void RunScanner::scan(std::span<const std::byte> content, std::vector<std::uint32_t>& owners) {
  std::fill(seen_.begin(), seen_.end(), false);
  std::size_t before = '\n';  // comes before the content
  const auto look = [&](const std::vector<std::uint64_t>& wanted, std::size_t begin, std::size_t end) {
    const std::byte* bytes = content.data();
    const std::uint64_t* bits = wanted.data();
    std::size_t last = before;
    for (std::size_t at = begin; at < end; ++at) {
      const std::size_t pair = last | std::to_integer<std::size_t>(bytes[at]) << 8;
      last = pair >> 8;
      if ((bits[pair / 64] >> pair % 64 & 1) != 0) [[unlikely]]
        compare_at(content, at, owners);
    }
    before = last;
  };
  const std::size_t end = std::min(content.size(), end_);
  const std::size_t border = std::min(end, near_end);
  look(near_, 0, border);
  look(far_, border, end);
}

// `second`: where the pair's second byte is.
void RunScanner::compare_at(std::span<const std::byte> content, std::size_t second,
                            std::vector<std::uint32_t>& owners) {
  const std::size_t first = second == 0 ? '\n' : std::to_integer<std::size_t>(content[second - 1]);
  for (const std::uint16_t index : lists_[list_of_pair_[first | std::to_integer<std::size_t>(content[second]) << 8]]) {
    const Needle& needle = needles_[index];
    if (seen_[needle.owner] || !holds(needle, content, second)) continue;
    seen_[needle.owner] = true;
    owners.push_back(needle.owner);
  }
}

bool RunScanner::holds(const Needle& needle, std::span<const std::byte> content, std::size_t second) const {
  // Places are counted with the '\n' before the content, which so is at 0, and the pair's first byte at `second`.
  const auto at = [&](std::size_t place) {
    return place == 0 ? std::size_t{'\n'} : std::to_integer<std::size_t>(content[place - 1]);
  };
  const std::size_t places = content.size() + 1;
  if (second < needle.pair_at) return false;
  const std::size_t begin = second - needle.pair_at;
  if (needle.run.size() > places - begin || begin + needle.run.size() - 1 > needle.end) return false;
  for (std::size_t i = 0; i < needle.run.size(); ++i) {
    if (!needle.run[i][at(begin + i)]) return false;
  }
  if (!needle.line) return true;
  std::size_t place = begin + 1;
  while (place < places && needle.line->skipped[at(place)]) ++place;
  return place < places && needle.line->then[at(place)];
}

}  // namespace exhibit::match
