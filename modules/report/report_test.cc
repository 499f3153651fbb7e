#include <gmock/gmock.h>

#include "report/document.h"
#include "report/escape.h"
#include "report/exporter.h"
#include "report/item_text.h"
#include "report/times.h"
#include "report/words.h"

namespace exhibit::report {
namespace {

using testing::IsEmpty;

std::string csv(std::string_view text) {
  std::string out;
  append_csv(out, text);
  return out;
}

std::string html(std::string_view text) {
  std::string out;
  append_html(out, text);
  return out;
}

TEST(Escape, ShowsWhatCannotBeSeen) {
  EXPECT_EQ(visible("a\tb\n\x7f"), "a\\u{9}b\\u{A}\\u{7F}");
  EXPECT_EQ(visible("gpj.\u202eexe"), "gpj.\\u{202E}exe");
  EXPECT_EQ(visible("\u2066\u200b\ufeff\u00ad\U000e0041"), "\\u{2066}\\u{200B}\\u{FEFF}\\u{AD}\\u{E0041}");
  EXPECT_EQ(visible("\\u{202E}"), "\\u{5C}u{202E}") << "what looks like ours is told apart";
  EXPECT_EQ(visible("C:\\users \u045e\u0456"), "C:\\users \u045e\u0456");
  EXPECT_EQ(visible("bad\xff.txt"), "bad\ufffd.txt");
  EXPECT_EQ(visible("bad\xff.txt", true), "bad\xff.txt");
}

TEST(Escape, KeepsSpreadsheetsFromCalculating) {
  for (const char* formula : {"=1+1", "+1", "-1", "@SUM(A1)", " =1", "\uff1d1", "\uff20x"})
    EXPECT_TRUE(csv(formula).starts_with("\"'")) << formula;
  EXPECT_EQ(csv("a,\"b\""), "\"a,\"\"b\"\"\"");
  EXPECT_EQ(csv("1=1"), "\"1=1\"");
  EXPECT_EQ(csv("\t=1"), "\"\\u{9}=1\"");
}

TEST(Escape, LeavesNoMarkup) {
  EXPECT_EQ(html("</script>&\"'"), "&lt;/script&gt;&amp;&quot;&#39;");
  std::string xml;
  EXPECT_TRUE(append_xml(xml, "a\r\n<&>\"'"));
  EXPECT_EQ(xml, "a&#13;&#10;&lt;&amp;&gt;&quot;&#39;");
  xml.clear();
  EXPECT_FALSE(append_xml(xml, "\x01\ufffe\xff"));
  EXPECT_EQ(xml, "\ufffd\ufffd\ufffd");
}

TEST(Times, AreSecondsOfTheEpochOrNothing) {
  EXPECT_EQ(epoch_seconds("1970-01-01T00:00:00Z"), 0);
  EXPECT_EQ(epoch_seconds("2024-02-29T23:59:59.999Z"), 1709251199);
  EXPECT_EQ(epoch_seconds("1601-01-01T00:00:00Z"), -11644473600);
  EXPECT_EQ(epoch_seconds("2004-02-14T12:00:00"), 1076760000) << "local, as FAT has them";
  for (const char* other : {"", "2023-02-29T00:00:00Z", "2024-13-01T00:00:00Z", "2024-01-01T24:00:00Z",
                            "2024-01-01 00:00:00Z", "2024-01-01T00:00:00+01:00", "2024-01-01T00:00:00.Z", "=1+1"})
    EXPECT_EQ(epoch_seconds(other), std::nullopt) << other;
  EXPECT_FALSE(is_xml_time("0000-01-01T00:00:00Z")) << "XML Schema 1.0 has no such year";
  EXPECT_TRUE(is_xml_time("9999-12-31T23:59:59Z"));
}

TEST(ItemText, FindsTheMetadataAddress) {
  Item item;
  item.volume = "E1/p2";
  item.path = "/a/b.txt";
  item.content = "E1/p2/i36-128-1";
  EXPECT_EQ(address_of(item), "36-128-1");
  EXPECT_EQ(name_of_file(item), "b.txt");
  item.stream = "zone";
  EXPECT_EQ(place_of(item), "E1/p2/a/b.txt:zone");
  item.content = "E1/p2/c512-20";
  EXPECT_THAT(address_of(item), IsEmpty());
}

TEST(Document, GroupsDigestsAndKeepsNamesFromTurningTheLine) {
  Document document;
  document.digest("SHA-256", std::string(64, 'a'));
  document.field("name", "one\ntwo\u202e");
  const std::string json = document.json();
  EXPECT_THAT(json, testing::HasSubstr("aaaa aaaa aaaa aaaa aaaa aaaa aaaa aaaa\\naaaa aaaa"));
  EXPECT_THAT(json, testing::HasSubstr("one\\ntwo\\\\u{202E}"));
}

TEST(Words, HaveAllLanguagesAndLeaveOthersAsTheyAre) {
  EXPECT_EQ(word_for("received", "ru"), "Получено");
  EXPECT_EQ(word_for("received", "be"), "Атрымана");
  EXPECT_EQ(word_for("received", "en"), "Received");
  EXPECT_EQ(word_for("something else", "ru"), "something else");
}

TEST(Exporters, HaveNamesSummariesAndWriters) {
  CaseFacts facts;
  std::string out;
  for (const Exporter* exporter : exporters()) {
    EXPECT_NE(std::string(exporter->summary), "") << exporter->name;
    EXPECT_NE(exporter->open(facts, out), nullptr) << exporter->name;
  }
  EXPECT_THAT(exporters(), testing::SizeIs(7));
}

}  // namespace
}  // namespace exhibit::report
