// What a case tells of the fields that its profiles ask for, and what it still lacks.

#include <algorithm>

#include "custody/profile.h"

namespace exhibit::custody {
namespace {

using base::Json;

constexpr const char* witness_role = "witness";

const Json* find(const Json& object, const std::string& key) {
  if (!object.is_object()) return nullptr;
  const auto at = object.find(key);
  return at == object.end() ? nullptr : &*at;
}

bool is_event(const Json& event, const std::string& name) {
  const Json* value = find(event, "event");
  return value != nullptr && *value == name;
}

Json participants_of(const Json& event, const char* role) {
  Json found = Json::array();
  const Json* all = find(event, "participants");
  if (all == nullptr || !all->is_array()) return found;
  for (const Json& one : *all) {
    const Json* its_role = find(one, "role");
    if (role == nullptr || (its_role != nullptr && *its_role == role)) found.push_back(one);
  }
  return found;
}

// What an event tells of a key by its own members.
Json by_itself(const Json& event, const std::string& key) {
  if (key == "place") return event.value("place", "");
  if (key == "participants") return participants_of(event, nullptr);
  if (key == "witnesses") return participants_of(event, witness_role);
  return nullptr;
}

// The value of `key` that the last correction of this event gives; else the event's own.
Json value_in(const Json& event, const std::string& key, std::span<const Json> events) {
  const Json* seq = find(event, "seq");
  for (std::size_t i = events.size(); i-- > 0;) {
    if (!is_event(events[i], "corrected") || seq == nullptr) continue;
    const Json* detail = find(events[i], "detail");
    const Json* corrects = detail == nullptr ? nullptr : find(*detail, "corrects");
    if (corrects == nullptr || *corrects != *seq) continue;
    if (const Json* value = find(*detail, key)) return *value;
  }
  if (const Json* detail = find(event, "detail")) {
    if (const Json* value = find(*detail, key)) return *value;
  }
  return by_itself(event, key);
}

Json case_value(const Json& case_fields, const std::string& event, const std::string& key) {
  const Json* fields = find(case_fields, event);
  const Json* value = fields == nullptr ? nullptr : find(*fields, key);
  return value == nullptr ? Json() : *value;
}

bool concerns(const Json& event, const std::string& exhibit) {
  const Json* ids = find(event, "evidence");
  if (ids == nullptr || !ids->is_array() || ids->empty()) return true;  // the whole case
  return std::find(ids->begin(), ids->end(), exhibit) != ids->end();
}

std::uint64_t seq_of(const Json& event) {
  const Json* seq = find(event, "seq");
  return seq != nullptr && seq->is_number_unsigned() ? seq->get<std::uint64_t>() : 0;
}

// Asks one profile's fields of one case.
class Asking {
 public:
  Asking(const Profile& profile, const Json& case_fields, std::span<const Json> events,
         const std::vector<std::string>& evidence)
      : profile_(profile), case_fields_(case_fields), events_(events), evidence_(evidence) {}

  std::vector<Missing> missing() {
    for (const Field& field : profile_.fields) {
      if (!field.required) continue;
      if (field.where == "case") ask_case(field);
      if (const auto event = field.event()) ask_event(field, *event);
    }
    return std::move(missing_);
  }

 private:
  void ask_case(const Field& field) {
    if (!field.with.empty()) {
      const Json* other = find(case_fields_, field.with);
      if (other == nullptr || !is_told(*other) || is_none(*other)) return;
    }
    const Json* value = find(case_fields_, field.key);
    check(field, value == nullptr ? Json() : *value, 0);
  }

  void ask_event(const Field& field, const std::string& name) {
    for (const Json& event : events_) {
      if (is_event(event, name)) ask_one(field, name, event);
    }
    const bool conditional = !field.with.empty() || !field.unless.empty();
    const bool wanted = std::find(profile_.events.begin(), profile_.events.end(), name) != profile_.events.end();
    if (!wanted || conditional || is_told(case_value(case_fields_, name, field.key))) return;
    if (evidence_.empty()) {
      if (std::none_of(events_.begin(), events_.end(), [&](const Json& event) { return is_event(event, name); }))
        add(field, 0, {}, "isn't told: there is no event '" + name + "'");
    }
    for (const std::string& exhibit : evidence_) {
      const bool happened = std::any_of(events_.begin(), events_.end(), [&](const Json& event) {
        return is_event(event, name) && concerns(event, exhibit);
      });
      if (!happened) add(field, 0, exhibit, "isn't told: there is no event '" + name + "' of " + exhibit);
    }
  }

  void ask_one(const Field& field, const std::string& name, const Json& event) {
    const auto value_of = [&](const std::string& key) {
      Json value = value_in(event, key, events_);
      return is_told(value) ? value : case_value(case_fields_, name, key);
    };
    if (!field.with.empty()) {
      const Json other = value_of(field.with);
      if (!is_told(other) || is_none(other)) return;
    }
    if (!field.unless.empty() && !is_none(value_of(field.unless))) return;
    check(field, value_of(field.key), seq_of(event));
  }

  void check(const Field& field, const Json& value, std::uint64_t seq) {
    if (!is_told(value)) {
      add(field, seq, {}, "isn't told");
    } else if (value.is_array() && value.size() < field.minimum) {
      add(field, seq, {}, "has " + std::to_string(value.size()) + " of " + std::to_string(field.minimum));
    }
  }

  void add(const Field& field, std::uint64_t seq, std::string exhibit, std::string why) {
    missing_.push_back({&field, {profile_.name}, seq, std::move(exhibit), std::move(why)});
  }

  const Profile& profile_;
  const Json& case_fields_;
  std::span<const Json> events_;
  const std::vector<std::string>& evidence_;
  std::vector<Missing> missing_;
};

bool same_place(const Missing& a, const Missing& b) {
  return a.field->key == b.field->key && a.field->where == b.field->where && a.seq == b.seq && a.evidence == b.evidence;
}

}  // namespace

bool is_none(const Json& value) {
  if (!value.is_object() || value.size() != 1) return false;
  const Json* reason = find(value, "none");
  return reason != nullptr && reason->is_string() && is_told(*reason);
}

bool is_told(const Json& value) {
  const auto all_told = [](const Json& list) {
    return !list.empty() && std::all_of(list.begin(), list.end(), [](const Json& one) { return is_told(one); });
  };
  if (value.is_string()) return value.get_ref<const std::string&>().find_first_not_of(" \t\r\n") != std::string::npos;
  if (value.is_object() && value.contains("none")) return is_none(value);
  if (value.is_structured()) return all_told(value);
  return value.is_boolean() || value.is_number();
}

std::vector<Told> told(const Field& field, const Json& case_fields, std::span<const Json> events) {
  std::vector<Told> all;
  if (field.where == "case") {
    const Json* value = find(case_fields, field.key);
    if (value != nullptr && is_told(*value)) all.push_back({0, *value});
  }
  const auto name = field.event();
  if (!name) return all;
  const Json common = case_value(case_fields, *name, field.key);
  bool happened = false;
  for (const Json& event : events) {
    if (!is_event(event, *name)) continue;
    happened = true;
    Json value = value_in(event, field.key, events);
    if (!is_told(value)) value = common;
    if (is_told(value)) all.push_back({seq_of(event), std::move(value)});
  }
  if (!happened && is_told(common)) all.push_back({0, common});
  return all;
}

std::vector<Missing> missing_fields(std::span<const Profile* const> profiles, const Json& case_fields,
                                    std::span<const Json> events, const std::vector<std::string>& evidence) {
  std::vector<Missing> all;
  for (const Profile* profile : profiles) {
    for (Missing& one : Asking(*profile, case_fields, events, evidence).missing()) {
      const auto before =
          std::find_if(all.begin(), all.end(), [&](const Missing& other) { return same_place(one, other); });
      if (before == all.end()) {
        all.push_back(std::move(one));
      } else {
        before->profiles.push_back(profile->name);
      }
    }
  }
  std::stable_sort(all.begin(), all.end(), [](const Missing& a, const Missing& b) {
    return std::pair(a.field->number, a.seq) < std::pair(b.field->number, b.seq);
  });
  return all;
}

}  // namespace exhibit::custody
