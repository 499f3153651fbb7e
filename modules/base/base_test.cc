#include <gtest/gtest.h>

#include <random>

#include "base/json.h"
#include "base/record.h"
#include "base/text.h"

namespace exhibit::base {
namespace {

std::string recanonical(const std::string& text) {
  auto parsed = parse_json(text);
  return parsed.ok() ? canonical(*parsed) : "refused: " + parsed.error().message;
}

// RFC 8785 section 3.2.2 and 3.2.3.
TEST(CanonicalJson, GivesTheExamplesOfRfc8785) {
  EXPECT_EQ(recanonical(R"({"numbers":[333333333.33333329,1E30,4.50,2e-3,0.000000000000000000000000001],)"
                        R"("string":"\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/","literals":[null,true,false]})"),
            R"({"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],)"
            R"("string":"€$\u000f\nA'B\"\\\\\"/"})");
  EXPECT_EQ(
      recanonical(R"({"\u20ac":"Euro Sign","\r":"Carriage Return","\ufb33":"Hebrew Letter Dalet With Dagesh",)"
                  R"("1":"One","\ud83d\ude00":"Emoji: Grinning Face","\u0080":"Control","\u00f6":"O umlaut"})"),
      "{\"\\r\":\"Carriage Return\",\"1\":\"One\",\"\xC2\x80\":\"Control\",\"ö\":\"O umlaut\",\"€\":\"Euro Sign\","
      "\"😀\":\"Emoji: Grinning Face\",\"\xEF\xAC\xB3\":\"Hebrew Letter Dalet With Dagesh\"}");
}

TEST(CanonicalJson, LaysNumbersOutAsEcmaScriptDoes) {
  EXPECT_EQ(recanonical("[1e21,1e20,123456789012345680000,1e-6,1e-7,-0.0,9007199254740992,-1.5e300]"),
            "[1e+21,100000000000000000000,123456789012345680000,0.000001,1e-7,0,9007199254740992,-1.5e+300]");
}

TEST(StrictJson, RefusesWhatASecondReaderCouldReadOtherwise) {
  for (const char* text : {R"({"a":1,"a":2})", R"({"a":1} x)", "[1,]", "\"\\ud800\"", "\"\xC3\x28\"",
                           "9007199254740993", "-9007199254740993", "1e999", "", "{\"a\":NaN}", "[1] [2]"}) {
    EXPECT_FALSE(parse_json(text).ok()) << text;
  }
}

TEST(StrictJson, HoldsItsLimits) {
  EXPECT_FALSE(parse_json(std::string(40, '[') + std::string(40, ']')).ok());
  EXPECT_TRUE(parse_json(std::string(20, '[') + std::string(20, ']')).ok());
  EXPECT_FALSE(parse_json("[1,2,3,4]", {.bytes = 100, .depth = 4, .values = 3}).ok());
  EXPECT_FALSE(parse_json("[1,2,3,4]", {.bytes = 5, .depth = 4, .values = 30}).ok());
}

TEST(StrictJson, AcceptsAtEachLimitAndRefusesPastIt) {
  EXPECT_TRUE(parse_json("[[[1]]]", {.bytes = 7, .depth = 3, .values = 4}).ok());
  EXPECT_FALSE(parse_json("[[[1]]]", {.bytes = 6, .depth = 3, .values = 4}).ok());
  EXPECT_FALSE(parse_json("[[[1]]]", {.bytes = 7, .depth = 2, .values = 4}).ok());
  EXPECT_FALSE(parse_json("[[[1]]]", {.bytes = 7, .depth = 3, .values = 3}).ok());
  EXPECT_FALSE(parse_json(R"({"a":{"b":{}}})", {.bytes = 99, .depth = 2, .values = 9}).ok());
  for (const char* text : {"9007199254740992", "-9007199254740992", "18446744073709551616", "-9223372036854777856",
                           R"("\ud83d\ude00")", R"(["\u0000"])", " \t\r\n1 "}) {
    EXPECT_TRUE(parse_json(text).ok()) << text;
  }
  for (const char* text : {"01",
                           "-",
                           "+1",
                           ".5",
                           "1.",
                           "1e",
                           "1e+",
                           "0x1",
                           "tru",
                           "nulll",
                           "[1 2]",
                           "{\"a\" 1}",
                           "1e19",
                           "9007199254740994.0",
                           "-9.3e15",
                           "{a:1}",
                           "{,}",
                           "[,]",
                           "\"",
                           "\"\\",
                           R"("\x")",
                           R"("\u12")",
                           R"("\u+123")",
                           R"("\ud83d\u0041")",
                           R"("\ud83d")",
                           R"("\ude00")",
                           "\"\x01\"",
                           "\"\xED\xA0\x80\"",
                           "\"\xC0\xAF\"",
                           "\"\xF4\x90\x80\x80\"",
                           "\xEF\xBB\xBF"
                           "1",
                           "\v1",
                           "1\f"}) {
    EXPECT_FALSE(parse_json(text).ok()) << text;
  }
  EXPECT_FALSE(parse_json(std::string_view("1\0", 2)).ok());
}

// A record, changed at random by pieces of JSON's grammar.
std::string mutated(std::mt19937& random) {
  static const std::vector<std::string> pieces = {"{",
                                                  "}",
                                                  "[",
                                                  "]",
                                                  ",",
                                                  ":",
                                                  "\"",
                                                  "\\",
                                                  "\\u",
                                                  "d83d",
                                                  "de00",
                                                  "\\ud83d\\ude00",
                                                  "0",
                                                  "1",
                                                  "-",
                                                  ".",
                                                  "e",
                                                  "E+",
                                                  "12",
                                                  "\\n",
                                                  "\\/",
                                                  "true",
                                                  "null",
                                                  " ",
                                                  "\n",
                                                  "\"a\":",
                                                  "\x7F",
                                                  "é",
                                                  "😀",
                                                  "\x80",
                                                  "\xC3",
                                                  "\xED\xA0",
                                                  "\xF0\x90",
                                                  "\x01",
                                                  "9007199254740993",
                                                  "1e400",
                                                  "1e-400",
                                                  "-0",
                                                  "18446744073709551615",
                                                  "18446744073709551616",
                                                  "-9223372036854775808",
                                                  "0.1",
                                                  "123456.789e-7"};
  std::string text = R"({"extents":[[4096,512],[-1,100]],"id":"E1/p0/i5:/\u00e9\t","size":61.5e1,"times":{"a":null}})";
  const auto pick = [&](std::size_t below) { return std::uniform_int_distribution<std::size_t>(0, below - 1)(random); };
  for (std::size_t changes = 1 + pick(3); changes > 0; --changes)
    text.replace(pick(text.size()), pick(3), pieces[pick(pieces.size())]);
  return text;
}

TEST(StrictJson, ReadsAsNlohmannDoesAndRefusesMore) {
  std::mt19937 random(1);
  int accepted = 0, stricter = 0;
  for (int i = 0; i < 100000; ++i) {
    const std::string text = mutated(random);
    const auto ours = parse_json(text);
    const Json theirs = Json::parse(text, nullptr, false);
    if (ours.ok()) {
      ++accepted;
      ASSERT_FALSE(theirs.is_discarded()) << text;
      ASSERT_EQ(ours->dump(), theirs.dump()) << text;
      ASSERT_EQ(canonical(*ours), canonical(*parse_json(canonical(*ours)))) << text;
    } else if (!theirs.is_discarded()) {
      ++stricter;
      const std::string& why = ours.error().message;
      ASSERT_TRUE(why.ends_with("stands twice") || why.ends_with("2^53") || why.ends_with("no double holds"))
          << why << ": " << text;
    }
  }
  EXPECT_GT(accepted, 10000);
  EXPECT_GT(stricter, 100);
}

TEST(Base64, RoundTripsAndRefusesOtherSpellings) {
  for (const std::string& bytes :
       {std::string(), std::string("f"), std::string("fo"), std::string("foo"), std::string(300, '\xFF')}) {
    EXPECT_EQ(*base64_decode(base64_encode(bytes)), bytes);
  }
  for (const char* text : {"Zg=", "Zh==", "Zm9v\n", "Z===", "=m9v", "Zm=v"})
    EXPECT_FALSE(base64_decode(text).ok()) << text;
}

TEST(CleanUtf8, ReplacesEachWrongByteAndSaysSo) {
  EXPECT_EQ(clean_utf8("глубоко").text, "глубоко");
  EXPECT_TRUE(clean_utf8("глубоко").exact);
  const CleanText latin = clean_utf8("caf\xE9.txt");
  EXPECT_EQ(latin.text, "caf\xEF\xBF\xBD.txt");
  EXPECT_FALSE(latin.exact);
  EXPECT_FALSE(clean_utf8("\xED\xA0\x80").exact) << "a surrogate";
  EXPECT_FALSE(clean_utf8("\xC0\xAF").exact) << "an overlong form";
}

TEST(FromUtf16, ReadsPairsDropsTheMarkAndReplacesWhatIsAlone) {
  using namespace std::string_literals;
  EXPECT_EQ(from_utf16le("\xFF\xFE\x44\x04\x3D\xD8\x00\xDE\x61\x00\x00\x00\x62\x00"s), "ф😀a");
  EXPECT_EQ(from_utf16le("\x00\xD8\x61\x00\x00\xDC"s), "\xEF\xBF\xBD\x61\xEF\xBF\xBD");
  EXPECT_EQ(from_utf16le("\x61\x00\x62"s), "a") << "half a unit";
}

TEST(Rfc3339, WritesTheDigitsThatAreStored) {
  EXPECT_EQ(rfc3339(1714564800, 123456789, 9), "2024-05-01T12:00:00.123456789Z");
  EXPECT_EQ(rfc3339(1714564800, 123456700, 7), "2024-05-01T12:00:00.1234567Z");
  EXPECT_EQ(rfc3339(1714564800, 0, 0, true), "2024-05-01T12:00:00");
  EXPECT_EQ(rfc3339(-1, 0, 0), "1969-12-31T23:59:59Z");
  EXPECT_EQ(rfc3339(-11644473600, 0, 0), "1601-01-01T00:00:00Z");
  EXPECT_EQ(rfc3339(951782400, 0, 0), "2000-02-29T00:00:00Z");
  EXPECT_FALSE(rfc3339(253402300800, 0, 0).has_value()) << "the year 10000";
}

TEST(Record, AnItemComesBackAsItWent) {
  const std::string line =
      R"({"content":"E1/p0/i5","digests":{"md5":"00"},"doubt":[{"cause":"crc-error","length":512,"offset":0}],)"
      R"("extents":[[4096,512],[-1,100]],"id":"E1/p0/i5:/a","kind":"file","path":"/a","record":"item","size":612,)"
      R"("state":"deleted","times":{"modified":"2024-05-01T12:00:00Z"},"volume":"E1/p0"})";
  auto item = item_from_record(*parse_json(line));
  ASSERT_TRUE(item.ok()) << item.error().message;
  EXPECT_EQ(to_line(*item), line);
}

TEST(Record, ARecordOfTheWrongShapeIsRefusedByItsKey) {
  const auto refused = [](const char* text) {
    auto checked = check_record(*parse_json(text));
    return checked.ok() ? std::string("accepted") : checked.error().message;
  };
  EXPECT_NE(refused(R"({"record":"item","id":"x"})").find("content"), std::string::npos);
  EXPECT_EQ(refused(R"({"record":"gossip"})"), "record: \"record\" is of an unknown kind");
  EXPECT_NE(refused(R"({"record":"problem","where":"E1","stage":"read","cause":3,"detail":""})").find("cause"),
            std::string::npos);
  EXPECT_NE(refused(R"({"record":"problem","where":"E1","stage":"read","cause":"corrupt","detail":"","extent":["x"]})")
                .find("extent"),
            std::string::npos);
  EXPECT_NE(refused(R"({"record":"coverage","where":"E1","bytes":{"gap":"x"},"examined":{}})").find("bytes"),
            std::string::npos);
}

}  // namespace
}  // namespace exhibit::base
