#include "base/record_line.h"

#include <gtest/gtest.h>

#include <random>

#include "base/record.h"

namespace exhibit::base {
namespace {

// What read() says in short.
bool is_canonical_object(const std::string& text) {
  const auto value = parse_json(text);
  return value.ok() && value->is_object() && canonical(*value) == text;
}

const std::vector<std::string> lines = {
    R"({"content":"E1/p0/i5","digests":{"md5":"00","sha1":"a\"b"},"doubt":[{"cause":"crc-error","length":512,"offset":0}],)"
    R"("extents":[[4096,512],[-1,100]],"id":"E1/p0/i5:/\u001fä\\","kind":"file","path":"/a\n","record":"item",)"
    R"("size":9007199254740992,"state":"deleted","times":{"modified":"2024-05-01T12:00:00Z"},"volume":"E1/p0"})",
    R"({"by":"yara","item":"E1/p1/i7","record":"match","rule":"r","source":"s","source_sha256":"00",)"
    R"("where":[{"length":1,"offset":5,"string":"$a"}]})",
    "{\"1\":[1.5,1e+21,100000000000000000000,0.000001,1e-7,-5,0,true,false,null],\"\xC2\x80\":{},\"ö\":[],\"€\":[[{}]],"
    "\"😀\":\"\xF0\x9F\x98\x80\",\"\xEF\xAC\xB3\":\"\\b\\t\\n\\f\\r\\u0000\\u000b\"}",
    "{}"};

TEST(RecordLine, ReadsWhatIsCanonicalAndNothingElse) {
  for (const std::string& line : lines) {
    EXPECT_TRUE(is_canonical_object(line)) << line;
    EXPECT_TRUE(RecordLine().read(line)) << line;
  }
  for (const char* text : {"",
                           "[]",
                           "1",
                           "{",
                           "{} ",
                           " {}",
                           R"({"a":1,})",
                           R"({"a": 1})",
                           R"({"b":1,"a":2})",
                           R"({"a":1,"a":2})",
                           R"({"a":01})",
                           R"({"a":-0})",
                           R"({"a":1.0})",
                           R"({"a":1e5})",
                           R"({"a":9007199254740993})",
                           R"({"a":"\/"})",
                           R"({"a":"\u000a"})",
                           R"({"a":"\u001F"})",
                           R"({"a":"\u0041"})",
                           "{\"a\":\"\xC3\"}",
                           "{\"a\":\"\n\"}",
                           R"({"ä":1,"z":2})",
                           R"({"a":tru})",
                           R"({"a":-})",
                           R"({"a":})",
                           R"({"a"})",
                           R"({"\u0061":1})"}) {
    EXPECT_FALSE(is_canonical_object(text)) << text;
    EXPECT_FALSE(RecordLine().read(text)) << text;
  }
  const std::string deep = R"({"a":)" + std::string(31, '[') + std::string(31, ']') + "}";
  EXPECT_TRUE(RecordLine().read(deep));
  EXPECT_FALSE(RecordLine().read(R"({"a":)" + std::string(32, '[') + std::string(32, ']') + "}"));
}

TEST(RecordLine, AgreesWithTheReaderAndTheWriterOnMutatedLines) {
  static constexpr std::string_view bytes = "{}[]\",:\\u0019afe+-. \nbtrz\x80\xC3\xA4\xED";
  std::mt19937 random(7);
  RecordLine read;
  std::size_t accepted = 0;
  for (int round = 0; round < 200000; ++round) {
    std::string line = lines[random() % lines.size()];
    for (auto change = random() % 3; change > 0 && !line.empty(); --change) {
      const std::size_t at = random() % line.size();
      const char byte = bytes[random() % bytes.size()];
      switch (random() % 4) {
        case 0:
          line[at] = byte;
          break;
        case 1:
          line.insert(at, 1, byte);
          break;
        case 2:
          line.erase(at, 1 + random() % 3);
          break;
        default:
          line.insert(random() % line.size(), line.substr(at, random() % 20));
      }
    }
    const bool is_canonical = is_canonical_object(line);
    ASSERT_EQ(read.read(line), is_canonical) << line;
    accepted += is_canonical;
    const auto value = parse_json(line);
    const bool is_object = value.ok() && value->is_object();
    ASSERT_EQ(read.read_any(line).ok(), is_object) << line;
    if (is_object) {
      ASSERT_EQ(read.text(), canonical(*value));
    }
  }
  EXPECT_GT(accepted, 1000U);
}

TEST(RecordLine, GivesTheValuesThatTheReaderGives) {
  for (const std::string& line : lines) {
    RecordLine record;
    ASSERT_TRUE(record.read(line));
    const Json value = *parse_json(line);
    ASSERT_EQ(record.members().size(), value.size());
    for (const RecordLine::Member& member : record.members()) {
      const Json& same = value.at(parse_json('"' + std::string(member.key) + '"')->get<std::string>());
      EXPECT_EQ(member.value.canonical(), canonical(same));
      EXPECT_EQ(member.value.is_size(), same.is_number_unsigned());
      if (same.is_string()) {
        EXPECT_EQ(member.value.string(), same.get<std::string>());
      } else if (same.is_number_unsigned()) {
        EXPECT_EQ(member.value.size(), same.get<std::uint64_t>());
      }
      std::size_t elements = 0;
      if (same.is_array()) {
        member.value.each_element([&](const TextValue& element) {
          EXPECT_EQ(element.canonical(), canonical(same[elements]));
          EXPECT_EQ(element.is_integer(), same[elements].is_number_integer());
          return ++elements > 0;
        });
        EXPECT_EQ(elements, same.size());
      }
    }
  }
  RecordLine record;
  ASSERT_TRUE(record.read(lines.front()));
  EXPECT_EQ(record.string("id"), "E1/p0/i5:/\x1F\xC3\xA4\\");
  EXPECT_EQ(record.string("size"), "") << "no string";
  EXPECT_EQ(record.find("gid"), nullptr);
  EXPECT_EQ(record.find("times")->find("modified")->string(), "2024-05-01T12:00:00Z");
  EXPECT_EQ(record.find("digests")->find("sha1")->string(), "a\"b");
  EXPECT_FALSE(record.find("digests")->find("sha256"));
}

TEST(RecordLine, TakesMembersInAtTheirPlaces) {
  RecordLine record;
  ASSERT_TRUE(record.read(R"({"b":1,"d":[2],"é":3})"));
  EXPECT_EQ(with_members(record, {{"a", "0"}, {"d", "{}"}, {"e", "\"x\""}}), R"({"a":0,"b":1,"d":{},"e":"x","é":3})");
  EXPECT_EQ(with_members(record, {}), record.text());
  ASSERT_TRUE(record.read("{}"));
  EXPECT_EQ(with_members(record, {{"a", "0"}, {"b", "1"}}), R"({"a":0,"b":1})");
}

}  // namespace
}  // namespace exhibit::base
