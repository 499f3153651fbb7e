#include "exhibit/event_prompts.h"

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <functional>
#include <iostream>

#include "exhibit/common.h"
#include "exhibit/local_time.h"
#include "manifest/manifest.h"

namespace exhibit::cmd {
namespace {

using base::Json;
using custody::Field;
using custody::Labels;

// What every event tells, whatever the profile.
const Labels local_time = {"Местное время (ГГГГ-ММ-ДДTчч:мм+чч:мм)", "Мясцовы час (ГГГГ-ММ-ДДTгг:хх+гг:хх)",
                           "Local time (YYYY-MM-DDThh:mm+hh:mm)"};
const Labels zone = {"Часовой пояс (IANA)", "Часавы пояс (IANA)", "Time zone (IANA)"};
const Labels evidence = {"Доказательства (E1 E2 …; пусто: всё дело)", "Доказы (E1 E2 …; пуста: уся справа)",
                         "Evidence (E1 E2 …; empty: the whole case)"};
const Labels place = {"Место", "Месца", "Place"};
const Labels actor_name = {"Кто действует: фамилия, имя, отчество", "Хто дзейнічае: прозвішча, імя, імя па бацьку",
                           "Who acts: full name"};
const Labels actor_role = {"Роль, должность", "Роля, пасада", "Role, post"};
const Labels organisation = {"Организация", "Арганізацыя", "Organisation"};
const Labels participant = {"Ещё участник (пусто: больше нет)", "Яшчэ ўдзельнік (пуста: больш няма)",
                            "One more participant (empty: no more)"};
const Labels participant_role = {"Его роль (понятой: witness)", "Яго роля (паняты: witness)",
                                 "Their role (a witness: witness)"};
const Labels text = {"Что ещё сказать", "Што яшчэ сказаць", "What else there is to say"};
const Labels transfer = {"Номер (seq) передачи, которая принимается", "Нумар (seq) перадачы, якая прымаецца",
                         "Number (seq) of the transfer that is accepted"};
const Labels corrects = {"Номер (seq) записи, которая исправляется", "Нумар (seq) запісу, які выпраўляецца",
                         "Number (seq) of the event that is corrected"};
const Labels again = {"обязательно: значение или «none: потому что …»; пусто — пропустить",
                      "абавязкова: значэнне або «none: таму што …»; пуста — прапусціць",
                      "required: a value, or 'none: because …'; empty leaves it out"};

constexpr std::string_view none_prefix = "none:";

std::string trimmed(const std::string& line) {
  const auto from = line.find_first_not_of(" \t\r");
  return from == std::string::npos ? std::string() : line.substr(from, line.find_last_not_of(" \t\r") - from + 1);
}

Json value_of(const std::string& answer) {
  if (!answer.starts_with(none_prefix)) return answer;
  return {{"none", trimmed(answer.substr(none_prefix.size()))}};
}

// One conversation.
class Questions {
 public:
  explicit Questions(const Asked& asked) : asked_(asked) {}

  // What is wrong with an answer, or nothing.
  using Objection = std::function<Result<void>(const std::string&)>;

  Result<std::string> ask(const Labels& labels, bool required, const std::string& fallback = {},
                          const Objection& objection = {}) {
    const std::string& label = labels.in(asked_.language);
    for (int times = 0;; ++times) {
      std::fprintf(stderr, "%s%s%s: ", label.c_str(), required ? " *" : "",
                   fallback.empty() ? "" : (" [" + fallback + "]").c_str());
      std::string line;
      if (!std::getline(std::cin, line))
        return Error{ErrorCode::invalid_argument, "the answers ended too early", {}, {}};
      line = trimmed(line);
      if (line.empty()) line = fallback;
      const auto fit = objection && !line.empty() ? objection(line) : Result<void>();
      if (!fit.ok()) {
        std::fprintf(stderr, "  (%s)\n", printable(fit.error().message).c_str());
        continue;
      }
      const bool told = !line.empty() && custody::is_told(value_of(line));
      if (told || (times > 0 && line.empty()) || (!required && line.empty())) return line;
      std::fprintf(stderr, "  (%s)\n", again.in(asked_.language).c_str());
    }
  }
  Result<Json> event() {
    Json form = Json::object();
    form["detail"] = EXHIBIT_TRY(times());
    form["evidence"] = EXHIBIT_TRY(exhibits());
    form["place"] = EXHIBIT_TRY(ask(place, asks_for("place")));
    form["actor"] = {{"name", EXHIBIT_TRY(ask(actor_name, true))},
                     {"role", EXHIBIT_TRY(ask(actor_role, true))},
                     {"organisation", EXHIBIT_TRY(ask(organisation, false))}};
    form["participants"] = EXHIBIT_TRY(participants());
    EXHIBIT_TRY(references(form["detail"]));
    EXHIBIT_TRY(fields(form));
    const std::string more = EXHIBIT_TRY(ask(text, false));
    if (!more.empty()) form["detail"]["text"] = more;
    return form;
  }

 private:
  Result<Json> times() {
    const auto known = [](const std::string& answer) -> Result<void> {
      EXHIBIT_TRY(local_time_of(now_seconds(), answer));
      return {};
    };
    const std::string in_zone = EXHIBIT_TRY(ask(zone, true, host_zone(), known));
    const std::string now = EXHIBIT_TRY(local_time_of(now_seconds(), in_zone));
    const auto fits = [&](const std::string& answer) { return check_local_time(answer, in_zone); };
    return Json{{"time_zone", in_zone}, {"local_time", EXHIBIT_TRY(ask(local_time, true, now, fits))}};
  }

  static std::vector<std::string> words_of(const std::string& line) {
    std::vector<std::string> words;
    for (std::size_t from = 0; from < line.size();) {
      const std::size_t end = std::min(line.find_first_of(" ,", from), line.size());
      if (end > from) words.push_back(line.substr(from, end - from));
      from = end + 1;
    }
    return words;
  }

  Result<Json> exhibits() {
    const auto are_ids = [](const std::string& answer) -> Result<void> {
      for (const std::string& word : words_of(answer)) {
        if (!manifest::is_evidence_id(word))
          return Error{ErrorCode::invalid_argument, "no id like E1: " + word, {}, {}};
      }
      return {};
    };
    return Json(words_of(EXHIBIT_TRY(ask(evidence, false, {}, are_ids))));
  }

  Result<Json> participants() {
    Json found = Json::array();
    while (true) {
      const std::string name = EXHIBIT_TRY(ask(participant, false));
      if (name.empty()) return found;
      found.push_back({{"name", name}, {"role", EXHIBIT_TRY(ask(participant_role, true))}});
    }
  }

  // The seq that an acceptance or a correction names.
  Result<void> references(Json& detail) {
    if (asked_.event != "accepted" && asked_.event != "corrected") return {};
    const bool accepts = asked_.event == "accepted";
    const std::string only = accepts && asked_.open.size() == 1 ? std::to_string(asked_.open.front().seq) : "";
    std::uint64_t seq = 0;
    const auto is_number = [&](const std::string& answer) -> Result<void> {
      const auto read = std::from_chars(answer.data(), answer.data() + answer.size(), seq);
      if (read.ec == std::errc() && read.ptr == answer.data() + answer.size()) return {};
      return Error{ErrorCode::invalid_argument, "no number of an event: " + answer, {}, {}};
    };
    EXHIBIT_TRY(ask(accepts ? transfer : corrects, true, only, is_number));
    detail[accepts ? "transfer" : "corrects"] = seq;
    return {};
  }

  // The profiles' fields of this event, each once; what was told already isn't asked again.
  Result<void> fields(Json& form) {
    std::vector<std::string> done = {"place", "local_time", "time_zone"};
    if (!form["participants"].empty()) done.emplace_back("participants");
    if (count_witnesses(form["participants"]) >= 2) done.emplace_back("witnesses");
    for (const custody::Profile* profile : asked_.profiles) {
      for (const Field& field : profile->fields) {
        if (field.event() != asked_.event || std::find(done.begin(), done.end(), field.key) != done.end()) continue;
        done.push_back(field.key);
        if (depends_on_nothing(field, form["detail"])) continue;
        const std::string answer = EXHIBIT_TRY(ask(field.labels, asks_for(field.key)));
        if (!answer.empty()) form["detail"][field.key] = value_of(answer);
      }
    }
    return {};
  }

  static std::ptrdiff_t count_witnesses(const Json& participants) {
    return std::count_if(participants.begin(), participants.end(),
                         [](const Json& one) { return one.at("role") == "witness"; });
  }

  // A field that goes with one which is 'none', or that stands in for one which there is.
  static bool depends_on_nothing(const Field& field, const Json& detail) {
    const auto is_none = [&](const std::string& key) {
      return detail.contains(key) && custody::is_none(detail.at(key));
    };
    return (!field.with.empty() && is_none(field.with)) || (!field.unless.empty() && !is_none(field.unless));
  }

  bool asks_for(const std::string& key) const {
    return std::any_of(asked_.profiles.begin(), asked_.profiles.end(), [&](const custody::Profile* profile) {
      return std::any_of(profile->fields.begin(), profile->fields.end(), [&](const Field& field) {
        return field.required && field.key == key && field.event() == asked_.event;
      });
    });
  }

  const Asked& asked_;
};

}  // namespace

Result<Json> ask_for_event(const Asked& asked) { return Questions(asked).event(); }

}  // namespace exhibit::cmd
