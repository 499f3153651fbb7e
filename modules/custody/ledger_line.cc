#include "custody/ledger_line.h"

#include <algorithm>
#include <array>
#include <initializer_list>

#include "hash/multi_digest.h"

namespace exhibit::custody {
namespace {

using base::Json;

// manifest.md, "Custody ledger".
constexpr std::array events = {"received", "opened",    "photographed", "write-blocker-tested",
                               "acquired", "processed", "matched",      "integrity-checked",
                               "reviewed", "disclosed", "sealed",       "transferred",
                               "accepted", "returned",  "corrected"};

Error bad(std::string what) { return {ErrorCode::corrupt, std::move(what), ledger_name, {}}; }

Result<void> check_texts(const Json& value, std::string_view place, std::initializer_list<const char*> keys) {
  if (!value.is_object()) return bad(std::string(place) + " isn't an object");
  for (const char* key : keys) {
    const auto at = value.find(key);
    if (at == value.end() || !at->is_string())
      return bad(std::string(place) + "\"" + key + "\" is missing or not a string");
  }
  return {};
}

Result<void> check_lists(const Json& record) {
  for (const char* key : {"participants", "evidence"}) {
    const auto at = record.find(key);
    if (at == record.end() || !at->is_array()) return bad(std::string("\"") + key + "\" is missing or not a list");
  }
  for (const Json& participant : record["participants"])
    EXHIBIT_TRY(check_texts(participant, "a participant's ", {"name", "role"}));
  for (const Json& id : record["evidence"]) {
    if (!id.is_string()) return bad("\"evidence\" holds something else than ids");
  }
  return {};
}

Result<void> check_detail(const Json& record) {
  const auto detail = record.find("detail");
  if (detail == record.end() || !(detail->is_string() || detail->is_object()))
    return bad("\"detail\" is missing, or neither text nor an object");
  if (record["event"] != "corrected") return {};
  const auto corrects = detail->is_object() ? detail->find("corrects") : detail->end();
  if (!detail->is_object() || corrects == detail->end() || !corrects->is_number_unsigned())
    return bad("a correction must name in detail.corrects the seq that it corrects");
  const auto seq = corrects->get<std::uint64_t>();
  if (seq == 0 || seq >= record["seq"].get<std::uint64_t>())
    return bad("a correction of an event that isn't before it");
  return {};
}

Result<void> check_form(const Json& record) {
  EXHIBIT_TRY(check_texts(record, "", {"time", "event", "place", "previous", "signature"}));
  if (!manifest::is_utc_time(record["time"].get<std::string>())) return bad("\"time\" isn't RFC 3339 in UTC");
  const auto seq = record.find("seq");
  if (seq == record.end() || !seq->is_number_unsigned()) return bad("\"seq\" is missing or not a whole number");
  const auto actor = record.find("actor");
  if (actor == record.end()) return bad("\"actor\" is missing");
  EXHIBIT_TRY(check_texts(*actor, "the actor's ", {"name", "role", "organisation", "credential"}));
  const bool known =
      std::any_of(events.begin(), events.end(), [&](const char* name) { return record["event"] == name; });
  if (!known) return bad("the event \"" + record["event"].get<std::string>() + "\" is unknown");
  EXHIBIT_TRY(check_lists(record));
  return check_detail(record);
}

// The link and the number of a line, against what stands before it.
std::optional<std::string> broken_link(const Line& line, std::uint64_t expected_seq, const std::string& previous) {
  const std::string here = "line " + std::to_string(expected_seq);
  if (line.seq() != expected_seq) return here + " has seq " + std::to_string(line.seq());
  if (line.previous != previous) return here + " doesn't follow the line before it (previous differs)";
  return {};
}

}  // namespace

std::span<const char* const> event_names() { return events; }

std::string link_of(std::string_view line) { return base::to_hex(hash::digest_of("sha256", line)); }

std::string Line::signed_form() const {
  Json unsigned_record = record;
  unsigned_record.erase("signature");
  return base::canonical(unsigned_record);
}

Result<Line> read_line(std::string_view text) {
  Line line;
  line.text = text;
  line.record = EXHIBIT_TRY(base::parse_json(text));
  if (base::canonical(line.record) != text) return bad("isn't in canonical form (RFC 8785)");
  EXHIBIT_TRY(check_form(line.record));
  line.previous = line.record["previous"].get<std::string>();
  return line;
}

base::Json unsigned_line(const Event& event, std::uint64_t seq, const std::string& previous) {
  Json participants = Json::array();
  for (const Participant& one : event.participants) participants.push_back({{"name", one.name}, {"role", one.role}});
  return {{"seq", seq},
          {"time", event.time},
          {"event", event.event},
          {"actor",
           {{"name", event.actor.name},
            {"role", event.actor.role},
            {"organisation", event.actor.organisation},
            {"credential", event.actor.credential}}},
          {"participants", std::move(participants)},
          {"place", event.place},
          {"evidence", Json(event.evidence)},
          {"detail", event.detail},
          {"previous", previous}};
}

Head Chain::head() const { return texts.empty() ? Head{} : Head{texts.size(), link_of(texts.back())}; }

Chain read_chain(std::string_view bytes) {
  Chain chain;
  std::string previous = manifest::no_digest;
  while (!bytes.empty()) {
    const std::size_t end = bytes.find('\n');
    const std::uint64_t seq = chain.texts.size() + 1;
    if (end == std::string_view::npos)
      chain.form.push_back("line " + std::to_string(seq) + " is unfinished: it isn't ended by a line feed");
    const std::string_view text = bytes.substr(0, end);
    bytes.remove_prefix(end == std::string_view::npos ? bytes.size() : end + 1);
    auto line = read_line(text);
    if (!line.ok()) chain.form.push_back("line " + std::to_string(seq) + ": " + line.error().message);
    if (line.ok()) {
      if (auto broken = broken_link(*line, seq, previous)) chain.links.push_back(*broken);
    }
    previous = link_of(text);
    chain.texts.emplace_back(text);
    chain.lines.push_back(line.ok() ? std::optional(line.take()) : std::nullopt);
  }
  return chain;
}

}  // namespace exhibit::custody
