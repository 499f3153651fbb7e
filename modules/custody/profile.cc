#include "custody/profile.h"

#include <algorithm>
#include <array>

namespace exhibit::custody {
namespace {

using base::Json;

constexpr std::array language_names = {"ru", "be", "en"};

Error broken(std::string_view name, const std::string& what) {
  return {ErrorCode::internal, "profiles/" + std::string(name) + ".json: " + what, {}, {}};
}

// The members of one object, each of the right type; what isn't asked for in the end is unknown.
class Members {
 public:
  Members(std::string_view profile, std::string place, const Json& value)
      : profile_(profile), place_(std::move(place)), value_(value) {}

  Error bad(const std::string& what) const { return broken(profile_, place_ + ": " + what); }

  Result<std::string> text(const char* key) {
    const Json* value = find(key);
    if (value == nullptr || !value->is_string() || value->get_ref<const std::string&>().empty())
      return bad(std::string(key) + " is missing or no text");
    return value->get<std::string>();
  }
  std::string text_or_none(const char* key) {
    const Json* value = find(key);
    return value != nullptr && value->is_string() ? value->get<std::string>() : std::string();
  }
  Result<bool> truth(const char* key) {
    const Json* value = find(key);
    if (value == nullptr || !value->is_boolean())
      return bad(std::string(key) + " is missing, or neither true nor false");
    return value->get<bool>();
  }
  Result<std::uint64_t> number(const char* key) {
    const Json* value = find(key);
    if (value == nullptr || !value->is_number_unsigned()) return bad(std::string(key) + " is missing or no number");
    return value->get<std::uint64_t>();
  }
  std::uint64_t number_or_zero(const char* key) {
    const Json* value = find(key);
    return value != nullptr && value->is_number_unsigned() ? value->get<std::uint64_t>() : 0;
  }
  Result<std::vector<std::string>> texts(const char* key) {
    const Json* value = find(key);
    const auto is_text = [](const Json& one) { return one.is_string() && !one.get_ref<const std::string&>().empty(); };
    if (value == nullptr || !value->is_array() || !std::all_of(value->begin(), value->end(), is_text))
      return bad(std::string(key) + " is missing or no list of texts");
    return value->get<std::vector<std::string>>();
  }
  Result<const Json*> member(const char* key, bool (Json::*is)() const noexcept) {
    const Json* value = find(key);
    if (value == nullptr || !(value->*is)()) return bad(std::string(key) + " is missing or of another kind");
    return value;
  }
  // nullptr: absent, which it may be.
  const Json* member_or_none(const char* key) { return find(key); }
  // Once everything was asked for.
  Result<void> end() const {
    if (!value_.is_object()) return bad("isn't an object");
    for (const auto& [key, value] : value_.items()) {
      if (std::find(asked_.begin(), asked_.end(), key) == asked_.end()) return bad("\"" + key + "\" is unknown");
    }
    return {};
  }

 private:
  const Json* find(const char* key) {
    asked_.emplace_back(key);
    if (!value_.is_object()) return nullptr;
    const auto at = value_.find(key);
    return at == value_.end() ? nullptr : &*at;
  }

  std::string_view profile_;
  std::string place_;
  const Json& value_;
  std::vector<std::string> asked_;
};

Result<Labels> labels_of(std::string_view profile, const std::string& place, const Json& value) {
  Members members(profile, place, value);
  Labels labels{EXHIBIT_TRY(members.text("ru")), EXHIBIT_TRY(members.text("be")), EXHIBIT_TRY(members.text("en"))};
  EXHIBIT_TRY(members.end());
  return labels;
}

Result<Field> field_of(std::string_view profile, const Json& value) {
  Members members(profile, "the field " + value.value("key", ""), value);
  Field field;
  field.key = EXHIBIT_TRY(members.text("key"));
  field.number = EXHIBIT_TRY(members.number("number"));
  field.labels = EXHIBIT_TRY(
      labels_of(profile, "the labels of " + field.key, *EXHIBIT_TRY(members.member("labels", &Json::is_object))));
  field.where = EXHIBIT_TRY(members.text("where"));
  field.required = EXHIBIT_TRY(members.truth("required"));
  field.with = members.text_or_none("with");
  field.unless = members.text_or_none("unless");
  field.minimum = members.number_or_zero("minimum");
  field.source = EXHIBIT_TRY(members.text("source"));
  field.mark = EXHIBIT_TRY(members.text("mark"));
  EXHIBIT_TRY(members.end());
  return field;
}

Result<DigestRules> digests_of(std::string_view profile, const Json& value) {
  Members members(profile, "digests", value);
  DigestRules rules{EXHIBIT_TRY(members.texts("media")),    EXHIBIT_TRY(members.texts("findings")),
                    EXHIBIT_TRY(members.texts("manifest")), EXHIBIT_TRY(members.texts("trees")),
                    EXHIBIT_TRY(members.text("source")),    EXHIBIT_TRY(members.text("mark"))};
  EXHIBIT_TRY(members.end());
  return rules;
}

Result<TimeRules> time_of(std::string_view profile, const Json& value) {
  Members members(profile, "time", value);
  TimeRules rules{EXHIBIT_TRY(members.text("precision")), EXHIBIT_TRY(members.truth("offset")),
                  EXHIBIT_TRY(members.truth("zone")),     EXHIBIT_TRY(members.truth("clock_offset")),
                  EXHIBIT_TRY(members.text("source")),    EXHIBIT_TRY(members.text("mark"))};
  EXHIBIT_TRY(members.end());
  return rules;
}

// Absent: one person is enough.
Result<ReviewRules> review_of(std::string_view profile, const Json* value) {
  if (value == nullptr) return ReviewRules{};
  Members members(profile, "review", *value);
  ReviewRules rules{EXHIBIT_TRY(members.number("persons")), EXHIBIT_TRY(members.number("restricted")),
                    EXHIBIT_TRY(members.text("source")), EXHIBIT_TRY(members.text("mark"))};
  EXHIBIT_TRY(members.end());
  return rules;
}

}  // namespace

const std::string& Labels::in(std::string_view language) const {
  return language == "ru" ? ru : language == "be" ? be : en;
}

std::span<const char* const> languages() { return language_names; }

std::optional<std::string> Field::event() const {
  constexpr std::string_view prefix = "event:";
  if (!where.starts_with(prefix)) return {};
  return where.substr(prefix.size());
}

Result<Profile> parse_profile(std::string_view name, std::string_view json) {
  const Json value = EXHIBIT_TRY(base::parse_json(json));
  Members members(name, "the profile", value);
  Profile profile;
  profile.name = EXHIBIT_TRY(members.text("name"));
  if (profile.name != name) return members.bad("its name is that of another file: " + profile.name);
  profile.version = EXHIBIT_TRY(members.text("version"));
  profile.title = EXHIBIT_TRY(labels_of(name, "title", *EXHIBIT_TRY(members.member("title", &Json::is_object))));
  profile.languages = EXHIBIT_TRY(members.texts("languages"));
  profile.digests = EXHIBIT_TRY(digests_of(name, *EXHIBIT_TRY(members.member("digests", &Json::is_object))));
  profile.signatures = EXHIBIT_TRY(members.texts("signatures"));
  profile.time = EXHIBIT_TRY(time_of(name, *EXHIBIT_TRY(members.member("time", &Json::is_object))));
  profile.review = EXHIBIT_TRY(review_of(name, members.member_or_none("review")));
  profile.events = EXHIBIT_TRY(members.texts("events"));
  for (const Json& field : *EXHIBIT_TRY(members.member("fields", &Json::is_array)))
    profile.fields.push_back(EXHIBIT_TRY(field_of(name, field)));
  EXHIBIT_TRY(members.end());
  return profile;
}

std::span<const Profile> profiles() {
  static const std::vector<Profile> all = [] {
    std::vector<Profile> made;
    for (const ProfileFile& file : profile_files()) {
      auto parsed = parse_profile(file.name, file.text);
      EXHIBIT_CHECK(parsed.ok());  // what is built in was tested
      made.push_back(parsed.take());
    }
    return made;
  }();
  return all;
}

Result<const Profile*> profile(std::string_view name) {
  std::string names;
  for (const Profile& one : profiles()) {
    if (one.name == name) return &one;
    names += (names.empty() ? "" : ", ") + one.name;
  }
  return Error{
      ErrorCode::invalid_argument, "there is no profile '" + std::string(name) + "'; there are " + names, {}, {}};
}

Result<std::vector<const Profile*>> profiles_named(std::string_view names) {
  std::vector<const Profile*> found;
  while (true) {
    const std::size_t end = names.find(',');
    const Profile* one = EXHIBIT_TRY(profile(names.substr(0, end)));
    if (std::find(found.begin(), found.end(), one) != found.end())
      return Error{ErrorCode::invalid_argument, "the profile '" + one->name + "' is named twice", {}, {}};
    found.push_back(one);
    if (end == std::string_view::npos) return found;
    names.remove_prefix(end + 1);
  }
}

}  // namespace exhibit::custody
