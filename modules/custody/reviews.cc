#include "custody/reviews.h"

#include <algorithm>
#include <array>
#include <set>

namespace exhibit::custody {
namespace {

using base::Json;

constexpr std::array verdict_names = {"confirmed", "dismissed", "needs expert"};

bool is_lead(const Json& value) {
  if (!value.is_string() || value.get_ref<const std::string&>().size() != 64) return false;
  const auto& text = value.get_ref<const std::string&>();
  return text.find_first_not_of("0123456789abcdef") == std::string::npos;
}

std::string text_in(const Json& object, const char* key) {
  const auto at = object.find(key);
  return at != object.end() && at->is_string() ? at->get<std::string>() : std::string();
}

// What is wrong with one entry of "reviews"; empty: nothing.
std::string wrong_with(const Json& review) {
  if (!review.is_object() || review.size() != 3) return "a review has a lead, a verdict and a why, nothing else";
  if (!is_lead(review.value("lead", Json()))) return "\"lead\" isn't a lead's 64 digits";
  const std::string verdict = text_in(review, "verdict");
  if (std::find(verdict_names.begin(), verdict_names.end(), verdict) == verdict_names.end())
    return "\"verdict\" is \"confirmed\", \"dismissed\" or \"needs expert\"";
  const std::string why = text_in(review, "why");
  if (why.find_first_not_of(" \t\r\n") == std::string::npos) return "\"why\" is missing: a verdict has a reason";
  return {};
}

const Json* list_in(const Json& event, const char* key) {
  const auto detail = event.find("detail");
  if (detail == event.end() || !detail->is_object()) return nullptr;
  const auto list = detail->find(key);
  return list != detail->end() && list->is_array() ? &*list : nullptr;
}

// The `reviewed` events that no correction names.
std::vector<const Json*> standing(std::span<const Json> events) {
  std::set<std::uint64_t> corrected;
  for (const Json& event : events) {
    const auto detail = event.find("detail");
    if (text_in(event, "event") != "corrected" || detail == event.end() || !detail->is_object()) continue;
    const auto seq = detail->find("corrects");
    if (seq != detail->end() && seq->is_number_unsigned()) corrected.insert(seq->get<std::uint64_t>());
  }
  std::vector<const Json*> found;
  for (const Json& event : events) {
    if (text_in(event, "event") == "reviewed" && !corrected.contains(event.value("seq", std::uint64_t{0})))
      found.push_back(&event);
  }
  return found;
}

}  // namespace

std::span<const char* const> verdicts() { return verdict_names; }

Result<void> check_reviews(const Json& detail) {
  const Json reviews = detail.is_object() ? detail.value("reviews", Json::array()) : Json::array();
  if (!reviews.is_array()) return Error{ErrorCode::corrupt, "\"reviews\" isn't a list", {}, {}};
  for (const Json& review : reviews) {
    if (const std::string wrong = wrong_with(review); !wrong.empty())
      return Error{ErrorCode::corrupt, wrong + ": " + review.dump(), {}, {}};
  }
  return {};
}

std::map<std::string, std::vector<Review>> reviews_of(std::span<const Json> events) {
  std::map<std::string, std::vector<Review>> found;
  for (const Json* event : standing(events)) {
    const Json* reviews = list_in(*event, "reviews");
    if (reviews == nullptr) continue;
    const Json actor = event->value("actor", Json::object());
    for (const Json& one : *reviews) {
      if (!wrong_with(one).empty()) continue;
      found[one.at("lead")].push_back({one.at("lead"), one.at("verdict"), one.at("why"), text_in(actor, "name"),
                                       text_in(actor, "credential"), text_in(*event, "time"),
                                       event->value("seq", std::uint64_t{0})});
    }
  }
  return found;
}

std::vector<std::string> acknowledged(std::span<const Json> events) {
  std::vector<std::string> found;
  for (const Json* event : standing(events)) {
    const Json* leads = list_in(*event, "acknowledged");
    if (leads == nullptr) continue;
    for (const Json& lead : *leads) {
      if (is_lead(lead)) found.push_back(lead);
    }
  }
  return found;
}

LeadState state_of_lead(std::span<const Review> reviews, std::uint64_t persons) {
  std::map<std::string, std::string> latest;  // verdict by credential
  for (const Review& review : reviews) latest[review.credential] = review.verdict;
  if (latest.empty()) return {"open", false};
  std::set<std::string> words;
  for (const auto& [credential, verdict] : latest) words.insert(verdict);
  if (words.contains(verdict_names[2])) return {verdict_names[2], false};
  if (words.size() > 1) return {"disputed", false};
  return {*words.begin(), latest.size() >= persons};
}

}  // namespace exhibit::custody
