// The ledger's events in a protocol, each with the fields that the profiles ask of it.

#include <algorithm>
#include <set>

#include "custody/ledger.h"
#include "report/exporter.h"
#include "report/protocol.h"
#include "report/words.h"

namespace exhibit::report {

using base::Json;

namespace {

std::string person_text(const Json& person, const std::string& language) {
  std::string text = text_of(person, "name");
  const auto add = [&](const std::string& part) {
    if (!part.empty()) text += (text.empty() ? "" : ", ") + part;
  };
  add(word_for(text_of(person, "role"), language));
  add(text_of(person, "organisation"));
  if (const std::string credential = text_of(person, "credential"); !credential.empty())
    add(word_for("credential", language) + " " + credential);
  return text;
}

std::string people_text(const Json& people, const std::string& language) {
  std::string lines;
  for (const Json& person : people) lines += (lines.empty() ? "" : "\n") + person_text(person, language);
  return lines;
}

std::string list_text(const Json& list) {
  std::string text;
  for (const Json& one : list) {
    if (one.is_string()) text += (text.empty() ? "" : ", ") + one.get<std::string>();
  }
  return text;
}

// As a shell takes it, each option on a line of its own: a line that ended within one would be read wrong.
std::string command_text(const Json& words) {
  std::string text;
  for (const Json& word : words) {
    if (!word.is_string()) continue;
    std::string quoted = word.get<std::string>();
    if (quoted.empty() || quoted.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                                   "_./=:,@%+-") != std::string::npos) {
      for (std::size_t at = 0; (at = quoted.find('\'', at)) != std::string::npos; at += 4)
        quoted.replace(at, 1, "'\\''");
      quoted = "'" + quoted + "'";
    }
    const char* const gap = text.empty() ? "" : quoted.starts_with("-") ? " \\\n    " : " ";
    text += gap + quoted;
  }
  return text;
}

// What the event itself tells, then the profiles' fields of it, then what else its detail holds.
void add_event(Document& document, const CaseFacts& facts, const Json& event,
               const std::vector<custody::Missing>& missing) {
  const std::string& language = facts.language;
  const std::string name = text_of(event, "event");
  const std::uint64_t seq = size_of(event, "seq");
  document.text("subheading",
                std::to_string(seq) + ". " + word_for(name, language) + (language == "en" ? "" : " (" + name + ")"));
  document.field(words::time.in(language), text_of(event, "time"));
  document.field(words::actor.in(language), person_text(event.value("actor", Json::object()), language));
  // Where no profile asks for it by a label of its own.
  const auto fields = fields_at(facts, "event:" + name);
  const auto asked = [&](const char* key) {
    return std::any_of(fields.begin(), fields.end(), [&](auto* field) { return field->key == key; });
  };
  if (const std::string place = text_of(event, "place"); !place.empty() && !asked("place"))
    document.field(words::place.in(language), place);
  if (const std::string ids = list_text(event.value("evidence", Json::array())); !ids.empty())
    document.field(words::section_evidence.in(language), ids);
  if (const std::string people = people_text(event.value("participants", Json::array()), language);
      !people.empty() && !asked("participants"))
    document.field(words::participants.in(language), people);

  std::set<std::string> shown;
  for (const custody::Field* field : fields) {
    if (!shown.insert(field->key).second) continue;
    Json value;
    for (const custody::Told& told : custody::told(*field, facts.fields, facts.events)) {
      if (told.seq == seq && value.is_null()) value = told.value;
    }
    add_field(document, facts, *field, value, missing, seq);
  }
  const Json detail = event.value("detail", Json());
  if (!detail.is_object()) {
    if (const std::string text = value_text(detail, language); !text.empty())
      document.field(word_for("note", language), text);
    return;
  }
  for (const auto& [key, value] : detail.items()) {
    if (shown.contains(key)) continue;
    const bool is_command = key == "command" && value.is_array();
    document.field(word_for(key, language), is_command ? command_text(value) : value_text(value, language),
                   is_command ? "mono" : "value");
  }
}

bool happened(const CaseFacts& facts, const std::string& name) {
  return std::any_of(facts.events.begin(), facts.events.end(),
                     [&](const Json& event) { return text_of(event, "event") == name; });
}

// What the case tells of an event that isn't in the ledger.
void add_told_without_event(Document& document, const CaseFacts& facts) {
  for (const char* name : custody::event_names()) {
    if (happened(facts, name)) continue;
    bool first = true;
    for (const custody::Field* field : fields_at(facts, std::string("event:") + name)) {
      for (const custody::Told& told : custody::told(*field, facts.fields, facts.events)) {
        if (!custody::is_told(told.value)) continue;
        if (first) {
          document.text("subheading",
                        words::told_without_event.in(facts.language) + (": " + word_for(name, facts.language)));
        }
        first = false;
        document.field(field->labels.in(facts.language), value_text(told.value, facts.language));
      }
    }
  }
}

}  // namespace

void add_custody(Document& document, const CaseFacts& facts) {
  document.text("heading", words::section_custody.in(facts.language));
  if (facts.events.empty()) document.text("text", words::no_events.in(facts.language));
  if (!facts.open_transfers.empty())
    document.field(words::open_transfers.in(facts.language), facts.open_transfers, "missing");
  const auto missing = missing_of(facts);
  for (const Json& event : facts.events) add_event(document, facts, event, missing);
  add_told_without_event(document, facts);
}

}  // namespace exhibit::report
