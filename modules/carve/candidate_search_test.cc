#include "carve/candidate_search.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string_view>

namespace exhibit::carve {
namespace {

using Part = CandidateSearch::Part;

constexpr std::uint64_t base = std::uint64_t{7} << 20;  // of the bytes, in some medium

// Blocks of noise, zeros and text by turns, with the patterns of all signatures strewn over them.
std::vector<std::uint8_t> strewn(const std::vector<Signature>& all, std::uint32_t seed) {
  std::mt19937 random(seed);
  std::vector<std::uint8_t> bytes(std::size_t{1} << 20);
  for (std::size_t at = 0; at < bytes.size(); at += text_block) {
    const unsigned kind = random() % 4;
    for (std::size_t i = 0; i < text_block; ++i) {
      bytes[at + i] = static_cast<std::uint8_t>(kind == 0 ? 0 : kind == 1 ? 'a' + random() % 26 : random());
    }
  }
  for (const Signature& signature : all) {
    for (const Pattern& pattern : signature.patterns) {
      for (unsigned i = 0; i < (pattern.offset > 0 ? 16U : 1U); ++i) {
        const std::size_t at = random() % (bytes.size() - longest_pattern);
        std::copy(pattern.bytes.begin(), pattern.bytes.end(), bytes.begin() + static_cast<std::ptrdiff_t>(at));
      }
    }
  }
  return bytes;
}

std::vector<Part> some_parts(std::size_t size, std::mt19937& random) {
  std::vector<Part> parts;
  for (std::size_t at = random() % 4096; at < size;) {
    std::size_t end = std::min<std::size_t>(size, at + 1 + random() % (random() % 2 == 0 ? 700 : 20000));
    if (random() % 2 == 0) end = std::max(at + 1, end / text_block * text_block);  // as files mostly end
    parts.push_back({at, end});
    at = end + 1 + random() % 9000;
  }
  return parts;
}

bool is_in(const std::vector<Part>& parts, std::uint64_t offset) {
  return std::any_of(parts.begin(), parts.end(),
                     [&](const Part& part) { return offset >= base + part.begin && offset < base + part.end; });
}

// What lies beside the unwanted parts is found as if all were searched, whatever lies in them.
TEST(CandidateSearch, NothingWantedIsMissedBesideWhatIsNot) {
  const auto all = signatures();
  ASSERT_TRUE(all.ok());
  auto search = CandidateSearch::compile(*all, std::vector<bool>(all->size(), true)).take();
  for (std::uint32_t seed = 1; seed <= 4; ++seed) {
    const auto bytes = strewn(*all, seed);
    std::mt19937 random(seed);
    const std::size_t owned = bytes.size() - CandidateSearch::lookahead;
    const auto unwanted = some_parts(bytes.size(), random);
    std::vector<Candidate> expected, found;
    ASSERT_TRUE(search.search(bytes, owned, base, [&](const Candidate& candidate) {
      if (!is_in(unwanted, candidate.offset)) expected.push_back(candidate);
    }));
    std::size_t passed_over = 0;
    ASSERT_TRUE(search.search_beside(bytes, owned, base, unwanted, [&](const Candidate& candidate) {
      is_in(unwanted, candidate.offset) ? void(++passed_over) : found.push_back(candidate);
    }));
    std::sort(expected.begin(), expected.end());
    std::sort(found.begin(), found.end());
    EXPECT_EQ(found, expected) << seed;
    EXPECT_GT(expected.size(), 50u);
    EXPECT_LT(passed_over, expected.size());
  }
}

}  // namespace
}  // namespace exhibit::carve
