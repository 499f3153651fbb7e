// Over every profile: its form, and that it asks for all that jurisdictions.md 2.5 lists. Then what 'missing' means.

#include "custody/profile.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <regex>
#include <set>

#include "custody/ledger.h"
#include "hash/algorithm.h"
#include "manifest/suite.h"

namespace exhibit::custody {
namespace {

using base::Json;
using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;

// jurisdictions.md 2.5, the column `who`: rows of one state alone. All others are common.
const std::map<std::uint64_t, std::set<std::string>> rows_of_some = {
    {3, {"ru"}}, {4, {"by"}}, {13, {"ru", "by"}}, {20, {"ru", "by"}}, {26, {"ru", "by"}}};
constexpr std::uint64_t rows = 37;

std::vector<std::string> profile_names() {
  std::vector<std::string> names;
  for (const ProfileFile& file : profile_files()) names.emplace_back(file.name);
  return names;
}

class EveryProfile : public testing::TestWithParam<std::string> {
 protected:
  const Profile& it() const { return *profile(GetParam()).value(); }
};

TEST_P(EveryProfile, AsksForEveryRowThatConcernsIt) {
  std::set<std::uint64_t> asked;
  for (const Field& field : it().fields) asked.insert(field.number);
  for (std::uint64_t row = 1; row <= rows; ++row) {
    const auto some = rows_of_some.find(row);
    const bool concerns = some == rows_of_some.end() || some->second.contains(it().name);
    EXPECT_EQ(asked.contains(row), concerns) << "row " << row;
  }
  EXPECT_LE(*asked.rbegin(), rows);
}

TEST_P(EveryProfile, NamesEachFieldOnceAndInOrder) {
  std::set<std::pair<std::string, std::string>> places;
  std::uint64_t last = 0;
  for (const Field& field : it().fields) {
    EXPECT_TRUE(places.emplace(field.where, field.key).second) << field.key << " stands twice at " << field.where;
    EXPECT_TRUE(std::regex_match(field.key, std::regex("[a-z_]+"))) << field.key;
    EXPECT_GE(field.number, last) << field.key;
    last = field.number;
  }
}

TEST_P(EveryProfile, SaysWhereEachFieldIsTold) {
  const auto names = event_names();
  const auto is_known = [&](const std::string& event) {
    return std::any_of(names.begin(), names.end(), [&](const char* name) { return event == name; });
  };
  for (const Field& field : it().fields) {
    const auto event = field.event();
    if (event) {
      EXPECT_TRUE(is_known(*event)) << field.key << ": " << *event;
    } else {
      EXPECT_THAT((std::vector<std::string>{"case", "tool", "manifest"}), Contains(field.where)) << field.key;
    }
    for (const std::string& other : {field.with, field.unless}) {
      const auto stands = [&](const Field& one) { return one.key == other && one.where == field.where; };
      EXPECT_TRUE(other.empty() || std::any_of(it().fields.begin(), it().fields.end(), stands)) << field.key;
    }
  }
  for (const std::string& event : it().events) EXPECT_TRUE(is_known(event)) << event;
}

TEST_P(EveryProfile, NamesASourceAndItsMarkForEachRule) {
  const std::regex marks("-|(RUN|SRC|2ND|K)(/(RUN|SRC|2ND|K))*");
  for (const Field& field : it().fields) {
    EXPECT_TRUE(std::regex_match(field.mark, marks)) << field.key << ": " << field.mark;
    EXPECT_FALSE(field.source.empty()) << field.key;
  }
  EXPECT_TRUE(std::regex_match(it().digests.mark, marks));
  EXPECT_TRUE(std::regex_match(it().time.mark, marks));
}

// Cyrillic for Russian and Belarusian, with the letters that each has; none for English.
TEST_P(EveryProfile, SpeaksThreeLanguages) {
  const auto has_cyrillic = [](const std::string& text) {  // U+0400 to U+04FF in UTF-8
    return std::any_of(text.begin(), text.end(), [](char c) { return (c & 0xFC) == 0xD0; });
  };
  const auto has = [](const std::string& text, const std::vector<std::string>& letters) {
    return std::any_of(letters.begin(), letters.end(),
                       [&](const std::string& letter) { return text.find(letter) != std::string::npos; });
  };
  std::vector<Labels> all = {it().title};
  for (const Field& field : it().fields) all.push_back(field.labels);
  for (const Labels& labels : all) {
    EXPECT_TRUE(has_cyrillic(labels.ru)) << labels.ru;
    EXPECT_TRUE(has_cyrillic(labels.be)) << labels.be;
    EXPECT_FALSE(has_cyrillic(labels.en)) << labels.en;
    EXPECT_FALSE(has(labels.ru, {"і", "ў", "І", "Ў", "’"})) << labels.ru;
    EXPECT_FALSE(has(labels.be, {"и", "щ", "ъ", "И", "Щ"})) << labels.be;
  }
  for (const std::string& language : it().languages)
    EXPECT_THAT((std::vector<std::string>{"ru", "be", "en"}), Contains(language));
}

TEST_P(EveryProfile, DemandsDigestsThatThereAre) {
  std::vector<std::string> known;
  for (const hash::AlgorithmRow* row : hash::algorithm_table()) known.emplace_back(row->name);
  const DigestRules& rules = it().digests;
  for (const auto* list : {&rules.media, &rules.findings, &rules.manifest, &rules.trees}) {
    EXPECT_THAT(*list, Contains("sha256"));
    for (const std::string& name : *list) EXPECT_THAT(known, Contains(name));
  }
}

TEST_P(EveryProfile, AsksForSuitesThatThereAre) {
  std::vector<std::string> known;
  for (const manifest::Suite* suite : manifest::suites()) known.emplace_back(suite->name);
  EXPECT_FALSE(it().signatures.empty());
  for (const std::string& suite : it().signatures) EXPECT_THAT(known, Contains(suite));
}

INSTANTIATE_TEST_SUITE_P(Profiles, EveryProfile, testing::ValuesIn(profile_names()),
                         [](const auto& tested) { return tested.param; });

// The same field has the same row and the same words wherever it stands.
TEST(Profiles, AgreeOnWhatTheyShare) {
  std::map<std::pair<std::string, std::string>, const Field*> first;
  for (const Profile& one : profiles()) {
    for (const Field& field : one.fields) {
      const Field& other = *first.emplace(std::pair(field.where, field.key), &field).first->second;
      EXPECT_EQ(field.number, other.number) << one.name << ": " << field.key;
      EXPECT_EQ(field.labels.ru, other.labels.ru) << one.name;
      EXPECT_EQ(field.labels.be, other.labels.be) << one.name;
      EXPECT_EQ(field.labels.en, other.labels.en) << one.name;
      EXPECT_EQ(field.minimum, other.minimum) << one.name << ": " << field.key;
    }
  }
}

TEST(Profiles, AreThreeAndFoundByName) {
  EXPECT_THAT(profile_names(), ElementsAre("by", "int", "ru"));
  EXPECT_EQ(profiles_named("ru,by").value().size(), 2U);
  EXPECT_EQ(profiles_named("ru,by").value().front()->name, "ru");
  for (const char* wrong : {"", "su", "ru,", "ru,ru", "ru, by"}) EXPECT_FALSE(profiles_named(wrong).ok()) << wrong;
}

TEST(Profiles, ABrokenFileIsRefused) {
  const Json good = base::parse_json(profile_files().front().text).take();
  const auto refused = [](Json changed) { return !parse_profile("by", changed.dump()).ok(); };
  EXPECT_FALSE(refused(good));
  for (const auto& [key, value] : good.items()) {
    Json without = good;
    without.erase(key);
    EXPECT_TRUE(refused(without)) << key;
  }
  Json changed = good;
  changed["more"] = 1;
  EXPECT_TRUE(refused(changed));
  changed = good;
  changed["fields"][0]["requierd"] = true;
  EXPECT_TRUE(refused(changed));
  changed = good;
  changed["fields"][0]["labels"].erase("be");
  EXPECT_TRUE(refused(changed));
}

TEST(Told, EmptyTextIsNoValueAndNoneNeedsAReason) {
  for (const char* value : {R"("x")", "0", "false", R"({"none": "not there"})", R"(["a"])", R"({"make": "T8"})"})
    EXPECT_TRUE(is_told(base::parse_json(value).take())) << value;
  for (const char* value : {R"("")", R"("  ")", "null", "[]", "{}", R"({"none": ""})", R"({"none": true})",
                            R"(["a", ""])", R"({"make": ""})", R"({"none": "x", "make": "T8"})"})
    EXPECT_FALSE(is_told(base::parse_json(value).take())) << value;
}

// A case of one profile with few fields of each kind.
class MissingFields : public testing::Test {
 protected:
  static Field field(const std::string& key, const std::string& where) {
    Field made;
    made.key = key;
    made.number = 1;
    made.where = where;
    made.required = true;
    return made;
  }
  MissingFields() {
    profile_.name = "test";
    profile_.events = {"received"};
    profile_.fields = {field("number", "case"),
                       field("expert", "case"),
                       field("questions", "case"),
                       field("place", "event:received"),
                       field("witnesses", "event:acquired"),
                       field("recording", "event:acquired"),
                       field("software", "tool")};
    profile_.fields[2].with = "expert";
    profile_.fields[4].minimum = 2;
    profile_.fields[5].unless = "witnesses";
  }
  static Json event(std::uint64_t seq, const std::string& name, Json detail, Json evidence = Json::array()) {
    return {{"seq", seq},
            {"event", name},
            {"detail", std::move(detail)},
            {"evidence", std::move(evidence)},
            {"participants", Json::array()},
            {"place", ""}};
  }
  // "key@seq exhibit" of each.
  std::vector<std::string> missing(const Json& fields, const std::vector<Json>& events,
                                   const std::vector<std::string>& evidence = {}) const {
    const Profile* const one[] = {&profile_};
    std::vector<std::string> texts;
    for (const Missing& found : missing_fields(one, fields, events, evidence)) {
      texts.push_back(found.field->key + "@" + std::to_string(found.seq) +
                      (found.evidence.empty() ? "" : " " + found.evidence));
    }
    return texts;
  }

  Profile profile_;
  const Json fields_ = {{"number", "7"}, {"expert", {{"none", "not an expertise"}}}};
  const Json received_ = event(1, "received", {{"place", "Minsk"}});
};

TEST_F(MissingFields, AreTheCasesOwn) {
  EXPECT_THAT(missing(fields_, {received_}), IsEmpty());
  EXPECT_THAT(missing(Json::object(), {received_}), ElementsAre("number@0", "expert@0"));
  EXPECT_THAT(missing({{"number", " "}, {"expert", {{"none", ""}}}}, {received_}), ElementsAre("number@0", "expert@0"));
  EXPECT_THAT(missing({{"number", "7"}, {"expert", "Dr. A"}}, {received_}), ElementsAre("questions@0"));
}

TEST_F(MissingFields, AreThoseOfEachEvent) {
  EXPECT_THAT(missing(fields_, {}), ElementsAre("place@0"));
  EXPECT_THAT(missing(fields_, {received_, event(2, "received", "by post")}), ElementsAre("place@2"));
  Json by_itself = event(1, "received", "by hand");
  by_itself["place"] = "Minsk";
  EXPECT_THAT(missing(fields_, {by_itself}), IsEmpty());
}

TEST_F(MissingFields, OfADemandedEventAreAskedForEachExhibit) {
  const Json first = event(1, "received", {{"place", "Minsk"}}, {"E1"});
  EXPECT_THAT(missing(fields_, {first}, {"E1", "E2"}), ElementsAre("place@0 E2"));
  EXPECT_THAT(missing(fields_, {received_}, {"E1", "E2"}), IsEmpty()) << "about the whole case";
}

TEST_F(MissingFields, MayBeToldOnceForTheWholeCase) {
  Json fields = fields_;
  fields["received"] = {{"place", "Minsk"}};
  EXPECT_THAT(missing(fields, {}, {"E1"}), IsEmpty());
  EXPECT_THAT(missing(fields, {event(1, "received", "by post")}), IsEmpty());
}

TEST_F(MissingFields, ACorrectionTellsWhatTheEventDidNot) {
  const Json corrected = event(3, "corrected", {{"corrects", 2}, {"place", "Brest"}});
  EXPECT_THAT(missing(fields_, {received_, event(2, "received", "by post"), corrected}), IsEmpty());
  const auto values =
      told(profile_.fields[3], fields_, std::vector<Json>{event(2, "received", {{"place", "Minsk"}}), corrected});
  ASSERT_EQ(values.size(), 1U);
  EXPECT_EQ(values[0].value, "Brest");
}

TEST_F(MissingFields, TwoWitnessesOrARecordingInTheirPlace) {
  Json acquired = event(2, "acquired", "at the office");
  acquired["participants"] = {{{"name", "A"}, {"role", "witness"}}, {{"name", "B"}, {"role", "specialist"}}};
  EXPECT_THAT(missing(fields_, {received_, acquired}), ElementsAre("witnesses@2"));
  acquired["participants"].push_back({{"name", "C"}, {"role", "witness"}});
  EXPECT_THAT(missing(fields_, {received_, acquired}), IsEmpty());
  acquired = event(2, "acquired", {{"witnesses", {{"none", "urgent"}}}});
  EXPECT_THAT(missing(fields_, {received_, acquired}), ElementsAre("recording@2"));
  acquired["detail"]["recording"] = "video.mp4";
  EXPECT_THAT(missing(fields_, {received_, acquired}), IsEmpty());
}

TEST_F(MissingFields, OfTwoProfilesAreNamedOnce) {
  Profile other = profile_;
  other.name = "other";
  const Profile* const both[] = {&profile_, &other};
  const auto found = missing_fields(both, Json::object(), std::vector<Json>{received_});
  ASSERT_EQ(found.size(), 2U);
  EXPECT_THAT(found[0].profiles, ElementsAre("test", "other"));
}

}  // namespace
}  // namespace exhibit::custody
