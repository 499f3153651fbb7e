// The prefilter gives what libyara alone gives: here for hand-written rules, each with a content that it matches.
// tests/prefilter compares on the packs and on contents made from their strings.
#include "match/prefilter.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <random>
#include <set>

#include "match/content.h"
#include "support/memory_source.h"
#include "support/test_support.h"

namespace exhibit::match {
namespace {

using test::TemporaryDirectory;
using testing::Contains;
using testing::IsEmpty;
using testing::Not;

std::string testdata(const std::string& name) { return std::string(MATCH_TESTDATA) + "/" + name; }

std::string with_zeros(const std::string& text) {
  std::string wide;
  for (const char c : text) wide.append({c, '\0'});
  return wide;
}

std::string with_key(std::string text, int key) {
  for (char& c : text) c = static_cast<char>(c ^ key);
  return text;
}

struct Told {
  std::map<std::string, std::vector<std::tuple<std::uint64_t, std::uint64_t, std::string>>> rules;
  std::vector<std::string> troubles;
  bool operator==(const Told&) const = default;
};

void PrintTo(const Told& told, std::ostream* out) {
  for (const auto& [rule, places] : told.rules) *out << rule << " (" << places.size() << ") ";
  for (const std::string& trouble : told.troubles) *out << trouble << "; ";
}

class Pair {
 public:
  explicit Pair(const std::vector<std::string>& rules) : with_(load(rules, true)), without_(load(rules, false)) {}

  // What both tell.
  Told scan(const std::string& bytes) {
    const Told without = told(*without_, bytes, nullptr);
    EXPECT_EQ(told(*with_, bytes, &judged_), without) << bytes.substr(0, 100);
    return without;
  }
  // By libyara, of the content scanned last.
  std::uint64_t judged() const { return judged_; }

 private:
  static std::unique_ptr<RuleScanner> load(const std::vector<std::string>& rules, bool prefilter) {
    auto scanner = RuleScanner::load(rules, {.prefilter = prefilter});
    EXPECT_TRUE(scanner.ok()) << scanner.error().message;
    return scanner.take();
  }
  static Told told(RuleScanner& scanner, const std::string& bytes, std::uint64_t* judged) {
    test::MemorySource content(bytes);
    std::string read;
    const auto result = scanner.scan(content, [&](std::span<const std::byte> piece) {
      read.append(reinterpret_cast<const char*>(piece.data()), piece.size());
    });
    EXPECT_TRUE(read == bytes) << "each byte is given once and in order";
    Told told;
    for (const Match& match : result.value().matches) {
      auto& places = told.rules[match.source + " " + match.rule];
      for (const MatchPlace& place : match.where) places.emplace_back(place.offset, place.length, place.string);
    }
    for (const ScanTrouble& trouble : result.value().troubles) {
      told.troubles.push_back(trouble.cause + ": " + trouble.detail);
    }
    if (judged != nullptr) *judged = result.value().rules_judged;
    return told;
  }

  std::unique_ptr<RuleScanner> with_, without_;
  std::uint64_t judged_ = 0;
};

const std::string eleven = "eleven byte", thirteen = "thirteen byte";

const std::vector<std::pair<std::string, std::string>> contents_of_traps{
    {"size_only", "seven b"},
    {"header_only", std::string("PK\x03\x04\x14\0\0\0", 8)},
    {"signed_header", "\xff\xfe\xff\xff"},
    {"past_the_end", "nine byte"},
    {"not_a", eleven},
    {"none_of", eleven},
    {"not_any_of", eleven},
    {"zero_of", eleven},
    {"count_zero", eleven},
    {"for_all_zero", eleven},
    {"for_none", eleven},
    {"undefined_offset", eleven},
    {"undefined_length", eleven},
    {"sum_of_counts", eleven},
    {"count_in_none", eleven},
    {"or_size", eleven},
    {"or_size", "long with absent-needle in it"},
    {"empty_loop", eleven},
    {"loop_of_numbers", "baaab"},
    {"range_loop", "abab"},
    {"hashes", "abc"},
    {"entropy", "zzzzz"},
    {"not_a_program", thirteen},
    {"program_undefined", thirteen},
    {"no_exports", thirteen},
    {"no_sections", thirteen},
    {"variable_empty", thirteen},
    {"starts_of_variable", thirteen},
    {"plain", "with plain-literal inside"},
    {"short_string", "abc#~"},
    {"no_case", "..mIxEd-CaSe.."},
    {"wide_no_case", ".." + with_zeros("wIDEcASE") + ".."},
    {"ascii_or_wide", "both-forms"},
    {"ascii_or_wide", "x" + with_zeros("both-forms")},
    {"keyed", ".." + with_key("keyed-secret", 0x80) + ".."},
    {"keyed", "keyed-secret"},
    {"keyed_range", with_key("ranged-secret", 7)},
    {"keyed_wide", ".." + with_key(with_zeros("broad-secret"), 0x21)},
    {"keyed_to_zeros", "x" + std::string(8, '\0') + "x"},
    {"encoded", "..YmFzZWQtb24tc2l4dHktZm91cg==.."},
    {"encoded", "eGJhc2VkLW9uLXNpeHR5LWZvdXI="},
    {"encoded_wide", with_zeros("YmFzZWQtb24tc2l4dHktdHdv")},
    {"whole_word", "wholeword"},
    {"whole_word", "a wholeword,b"},
    {"hex_jump", "hex-12345jump"},
    {"hex_long_jump", "firstpart" + std::string(400, '.') + "lastpart"},
    {"hex_alternatives", "alt12end"},
    {"hex_alternatives", "alt3x4end"},
    {"hex_alternatives", "alt5xy6end"},
    {"hex_nibbles", "aaabacz"},
    {"hex_zeros", std::string("abc\0\0\0\0*\0\0\0\0d", 13)},
    {"expression", "an expression123!"},
    {"expression", "an expansion12!"},
    {"expression_no_case", "rEgUlAr-THING"},
    {"expression_wide", with_zeros("widening known")},
    {"expression_without_literal", "at 123:456:789 sharp"},
    {"expression_optional", "o^pt^ion"},
    {"expression_any", "abcbird..end"},
    {"expression_any", "dogend"},
    {"anchored", "anchored here"},
    {"at_start", "at-the-start"},
    {"in_range", ".........in-the-range"},
    {"near_end", "something%%"},
    {"many", "repeated repeated repeated"},
    {"second_place", "twice-there ......... twice-there"},
    {"length_of", "lengthxyz"},
    {"each_place", "....each-place each-place"},
    {"any_place", "any-place any-place!"},
    {"all_strings", "all-two all-one"},
    {"two_of", "set-three set-one"},
    {"per_cent", "cent-one cent-three"},
    {"of_in_range", "range-two range-one"},
    {"for_any_at", "....for-two"},
    {"anonymous", "nameless-three"},
    {"anonymous", "nameless-one"},
    {"xor_of_numbers", "..xor-base.."},
    {"pointed_to", "\x05....pointed"},
    {"distance", "near-one near-two"},
    {"asks_hidden", "visible-string hidden-string"},
    {"asks_hidden_alone", "here: a hidden-string"},
    {"asks_not_hidden", eleven},
    {"asks_included", "asks-included from-the-include"},
    {"from_include", "from-the-include"},
    {"any_rule", "plain-literal"},
};

TEST(Prefilter, LosesNoRuleThatIsEasilyLost) {
  Pair scanners({testdata("prefilter.yar"), testdata("prefilter_global.yar")});
  for (const auto& [rule, bytes] : contents_of_traps) {
    EXPECT_THAT(scanners.scan(bytes).rules, Contains(testing::Key("prefilter.yar " + rule))) << rule;
    // The same, far inside another content, and cut short: whatever matches then.
    scanners.scan(std::string(300, '-') + bytes + std::string(300, '-'));
    scanners.scan(bytes.substr(0, bytes.size() - 1));
    scanners.scan(bytes.substr(1));
    scanners.scan("MZ" + bytes);
  }
}

TEST(Prefilter, GlobalRulesStillHold) {
  Pair scanners({testdata("prefilter_global.yar")});
  EXPECT_THAT(scanners.scan("behind-the-globals").rules, IsEmpty());
  EXPECT_THAT(scanners.scan("behind-the-globals mark-global").rules,
              Contains(testing::Key("prefilter_global.yar behind_globals")));
  EXPECT_THAT(scanners.scan("behind-the-globals mark-global" + std::string(1000, ' ')).rules, IsEmpty());
  EXPECT_THAT(scanners.scan("global-mark").rules, Contains(testing::Key("prefilter_global.yar behind_globals_always")));
}

TEST(Prefilter, AProgramsModuleIsAskedOnlyOfPrograms) {
  const TemporaryDirectory scratch;
  test::write_file(scratch / "r.yar",
                   "import \"pe\"\n"
                   "rule machine { condition: pe.machine == pe.MACHINE_I386 }\n"
                   "rule stamp { condition: pe.timestamp == 0x01020304 and not pe.is_dll() }\n"
                   "rule undefined { strings: $a = \"find-me\" condition: $a and not defined pe.imphash() }\n");
  std::string program = std::string("MZ").append(58, '\0') + std::string("\x40\0\0\0", 4);
  program += std::string("PE\0\0\x4c\x01\x01\0\x04\x03\x02\x01", 12).append(400, '\0');
  program[0x40 + 20] = '\xe0';  // size of the optional header
  program[0x40 + 24] = '\x0b';
  program[0x40 + 25] = '\x01';
  Pair scanners({(scratch / "r.yar").string()});
  EXPECT_THAT(scanners.scan(program).rules, Contains(testing::Key("r.yar machine")));
  EXPECT_THAT(scanners.scan(program).rules, Contains(testing::Key("r.yar stamp")));
  scanners.scan(program + "find-me");
  EXPECT_THAT(scanners.scan("find-me").rules, Contains(testing::Key("r.yar undefined")));
  program[0] = 'm';
  EXPECT_THAT(scanners.scan(program).rules, IsEmpty());
  EXPECT_EQ(scanners.judged(), 0u);
}

TEST(Prefilter, GivesLibyaraWhatCanMatchAlone) {
  const TemporaryDirectory scratch;
  std::string rules;
  for (int i = 0; i < 100; ++i) {
    const std::string n = std::to_string(i);
    rules += "rule r" + n + " { strings: $a = \"needle-" + n + "-\" $b = \"common-word\" condition: all of them }\n";
  }
  test::write_file(scratch / "r.yar", rules);
  Pair scanners({(scratch / "r.yar").string()});
  EXPECT_THAT(scanners.scan("nothing of the kind, though a common-word").rules, IsEmpty());
  EXPECT_EQ(scanners.judged(), 0u);
  EXPECT_EQ(scanners.scan("common-word needle-7- needle-93-").rules.size(), 2u);
  EXPECT_EQ(scanners.judged(), 2u);
}

// A rule that fails is told of and left out, whoever refers to it, and the others are judged.
TEST(Prefilter, TroublesStayTheSame) {
  const TemporaryDirectory scratch;
  test::write_file(scratch / "r.yar",
                   "rule hard { strings: $a = /aaaa(.?){900}b/ condition: $a }\n"
                   "rule easy { strings: $a = \"easily-found\" condition: $a }\n"
                   "rule other { strings: $a = \"never-found\" condition: $a }\n"
                   "rule asks { condition: easy and not hard }\n"
                   "rule flood { strings: $a = \"zz\" condition: $a }\n");
  Pair scanners({(scratch / "r.yar").string()});
  EXPECT_THAT(scanners.scan(std::string(5000, 'a') + " easily-found").troubles, Not(IsEmpty()));
  EXPECT_THAT(scanners.scan(std::string(1100000, 'z')).troubles, Not(IsEmpty()));
  EXPECT_THAT(scanners.scan("easily-found").troubles, IsEmpty());
  test::write_file(scratch / "r.yar",
                   "rule easy { strings: $a = \"easily-found\" condition: $a }\n"
                   "rule fails { strings: $a = \"before\" condition: #a in (50..60) > 0 and uint16(0) == 0x5a4d }\n");
  Pair failing({(scratch / "r.yar").string()});
  EXPECT_THAT(failing.scan("before easily-found").troubles, Not(IsEmpty()));
  failing.scan("easily-found");
}

TEST(Prefilter, FindsWhatLiesAcrossWindows) {
  constexpr std::size_t window = RuleScanner::window_size, overlap = RuleScanner::overlap;
  std::string bytes(window * 2 + overlap * 3, '\0');
  std::mt19937_64 noise(7);
  for (std::size_t i = 0; i + 8 <= bytes.size(); i += 8) {
    const std::uint64_t value = noise();
    std::memcpy(&bytes[i], &value, 8);
  }
  const auto put = [&](std::size_t at, const std::string& text) { bytes.replace(at, text.size(), text); };
  put(window - 5, "plain-literal");
  put(window + overlap - 5, "repeated");
  put(window * 2, "repeated");
  put(100, "repeated");
  put(50, "all-one");
  put(window * 2 + overlap + 5, "all-two");
  Pair scanners({testdata("prefilter.yar")});
  const Told told = scanners.scan(bytes);
  for (const char* rule : {"plain", "many", "all_strings"}) {
    EXPECT_THAT(told.rules, Contains(testing::Key(std::string("prefilter.yar ") + rule)));
  }
}

}  // namespace
}  // namespace exhibit::match
