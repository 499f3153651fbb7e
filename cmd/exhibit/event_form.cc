#include "exhibit/event_form.h"

#include <algorithm>

#include "base/text.h"
#include "custody/profile.h"
#include "exhibit/case_fields.h"
#include "exhibit/common.h"
#include "exhibit/local_time.h"
#include "manifest/manifest.h"

namespace exhibit::cmd {
namespace {

using base::Json;

constexpr const char* local_time_key = "local_time";
constexpr const char* zone_key = "time_zone";
constexpr std::size_t to_the_minute = std::string_view("2026-01-15T08:00").size();

Error unfit(std::string what) { return {ErrorCode::corrupt, "the event: " + std::move(what), {}, {}}; }

Result<std::string> text_in(const Json& object, const char* key, bool required) {
  const auto at = object.find(key);
  if (at == object.end() && !required) return std::string();
  if (at == object.end() || !at->is_string()) return unfit("\"" + std::string(key) + "\" is missing or no text");
  if (required && !custody::is_told(*at)) return unfit("\"" + std::string(key) + "\" is empty");
  return at->get<std::string>();
}

Result<void> only_keys(const Json& object, std::initializer_list<const char*> keys, const std::string& place) {
  if (!object.is_object()) return unfit(place + " isn't an object");
  for (const auto& [key, value] : object.items()) {
    if (std::none_of(keys.begin(), keys.end(), [&](const char* one) { return key == one; }))
      return unfit(place + " has the unknown key \"" + key + "\"; the profile's fields stand in \"detail\"");
  }
  return {};
}

Result<custody::Actor> actor_of(const Json& form, const std::string& credential) {
  const Json actor = form.value("actor", Json::object());
  EXHIBIT_TRY(only_keys(actor, {"name", "role", "organisation"}, "\"actor\""));
  return custody::Actor{EXHIBIT_TRY(text_in(actor, "name", true)), EXHIBIT_TRY(text_in(actor, "role", true)),
                        EXHIBIT_TRY(text_in(actor, "organisation", false)), credential};
}

Result<std::vector<custody::Participant>> participants_of(const Json& form) {
  std::vector<custody::Participant> made;
  const Json participants = form.value("participants", Json::array());
  if (!participants.is_array()) return unfit("\"participants\" isn't a list");
  for (const Json& one : participants) {
    EXHIBIT_TRY(only_keys(one, {"name", "role"}, "a participant"));
    made.push_back({EXHIBIT_TRY(text_in(one, "name", true)), EXHIBIT_TRY(text_in(one, "role", true))});
  }
  return made;
}

Result<std::vector<std::string>> evidence_of(const Json& form) {
  std::vector<std::string> ids;
  const Json evidence = form.value("evidence", Json::array());
  if (!evidence.is_array()) return unfit("\"evidence\" isn't a list");
  for (const Json& one : evidence) {
    if (!one.is_string() || !manifest::is_evidence_id(one.get<std::string>()))
      return unfit("\"evidence\" holds what is no id like E1: " + one.dump());
    ids.push_back(one.get<std::string>());
  }
  return ids;
}

Result<Json> detail_of(const Json& form) {
  const Json detail = form.value("detail", Json::object());
  if (detail.is_string()) return Json{{"text", detail}};
  if (!detail.is_object()) return unfit("\"detail\" is neither a text nor an object");
  for (const auto& [key, value] : detail.items()) {
    if (!custody::is_told(value))
      return unfit("\"" + key + "\" has no value; what there isn't is {\"none\": \"because …\"}");
  }
  for (const char* key : {local_time_key, zone_key, "begun", "ended"}) {
    if (detail.contains(key) && !detail.at(key).is_string()) return unfit("\"" + std::string(key) + "\" is no text");
  }
  return detail;
}

// The local time and `time` from each other; nothing told: now, in this machine's zone.
Result<std::string> complete_times(const Json& form, Json& detail) {
  std::string time = EXHIBIT_TRY(text_in(form, "time", false));
  if (!time.empty() && !manifest::is_utc_time(time)) return unfit("\"time\" isn't RFC 3339 in UTC");
  if (!detail.contains(local_time_key)) {
    if (time.empty()) time = now_text();
    if (!detail.contains(zone_key)) detail[zone_key] = host_zone();
    detail[local_time_key] = EXHIBIT_TRY(local_time_of(time, detail[zone_key].get<std::string>()));
  }
  if (!detail.contains(zone_key)) return unfit("a local time stands with its \"time_zone\", say Europe/Minsk");
  const auto zone = detail[zone_key].get<std::string>();
  for (const char* key : {local_time_key, "begun", "ended"}) {
    if (detail.contains(key)) EXHIBIT_TRY(check_local_time(detail[key].get<std::string>(), zone));
  }
  const auto local = EXHIBIT_TRY(utc_seconds(detail[local_time_key].get<std::string>()));
  const std::string utc = base::rfc3339(local, 0, 0).value_or("");
  if (!time.empty() && time.substr(0, to_the_minute) != utc.substr(0, to_the_minute))
    return unfit("\"time\" is " + time + ", and the local time is " + utc);
  return time.empty() ? utc : time;
}

}  // namespace

Result<custody::Event> event_of(const std::string& name, const Json& form, const std::string& credential) {
  EXHIBIT_TRY(only_keys(form, {"time", "actor", "participants", "place", "evidence", "detail"}, "what is told"));
  if (has_fraction(form)) return unfit("a number isn't whole; write it as a text, or in a smaller unit");
  custody::Event event;
  event.event = name;
  event.actor = EXHIBIT_TRY(actor_of(form, credential));
  event.participants = EXHIBIT_TRY(participants_of(form));
  event.place = EXHIBIT_TRY(text_in(form, "place", false));
  event.evidence = EXHIBIT_TRY(evidence_of(form));
  event.detail = EXHIBIT_TRY(detail_of(form));
  event.time = EXHIBIT_TRY(complete_times(form, event.detail));
  return event;
}

}  // namespace exhibit::cmd
