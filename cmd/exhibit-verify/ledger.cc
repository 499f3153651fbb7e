// The custody ledger (manifest.md, "Custody ledger"): form, chain, signatures, open transfers, the manifest's head.

#include <map>
#include <set>

#include "checks.h"

namespace exhibit_verify {
namespace {

struct Event {
  View text;     // the line
  Value record;  // without its signature
  Bytes signature;
};

void check_form(const Value& record) {
  static const std::set<std::string> events = {"received",     "opened",
                                               "photographed", "write-blocker-tested",
                                               "acquired",     "integrity-checked",
                                               "processed",    "matched",
                                               "reviewed",     "disclosed",
                                               "sealed",       "transferred",
                                               "accepted",     "returned",
                                               "corrected"};
  for (const char* key : {"event", "place", "previous", "signature"}) record.text_at(key);
  if (events.count(record.text_at("event")) == 0)
    throw Refused{"the event \"" + record.text_at("event") + "\" is unknown"};
  if (!is_utc_time(record.text_at("time"))) throw Refused{"\"time\" isn't RFC 3339 in UTC"};
  for (const char* key : {"name", "role", "organisation", "credential"}) record.at("actor").text_at(key);
  for (const Value& one : record.array_at("participants")) {
    for (const char* key : {"name", "role"}) one.text_at(key);
  }
  for (const Value& id : record.array_at("evidence")) {
    if (!std::holds_alternative<std::string>(id.held)) throw Refused{"\"evidence\" holds something else than ids"};
  }
  const Value& detail = record.at("detail");
  if (!detail.is_object()) record.text_at("detail");
  if (record.text_at("event") != "corrected") return;
  const std::uint64_t corrects = detail.number_at("corrects");
  if (corrects == 0 || corrects >= record.number_at("seq"))
    throw Refused{"a correction of an event that isn't before it"};
}

Event read_event(View text) {
  Event event{text, parse_canonical(text), {}};
  check_form(event.record);
  event.signature = from_base64(event.record.text_at("signature"), "\"signature\"");
  std::erase_if(std::get<Object>(event.record.held), [](const auto& member) { return member.first == "signature"; });
  return event;
}

// Each exhibit that was handed over and not taken over yet. An event that names none is about the whole case.
void check_transfers(const std::vector<Event>& events, Report& report) {
  std::map<std::string, std::uint64_t> open;
  for (const Event& event : events) {
    Array ids = event.record.array_at("evidence");
    if (ids.empty()) ids.push_back({std::string("the case")});
    for (const Value& id : ids) {
      const auto& name = std::get<std::string>(id.held);
      if (event.record.text_at("event") == "transferred") open.emplace(name, event.record.number_at("seq"));
      if (event.record.text_at("event") == "accepted") open.erase(name);
    }
  }
  if (open.empty()) report.ok("open transfers", ledger_name, "none");
  for (const auto& [id, seq] : open)
    report.not_checked("open transfers", id,
                       "transferred in seq " + std::to_string(seq) + ", and nobody has accepted yet");
}

}  // namespace

void check_ledger(View bytes, const Value& claim, const Trust* trust, Report& report) {
  std::vector<Event> events;
  std::vector<std::string> links = {std::string(64, '0')};  // the digest of each line, after that of none
  while (!bytes.empty()) {
    const std::string subject = std::string(ledger_name) + " line " + std::to_string(links.size());
    const std::size_t end = bytes.find('\n');
    const View text = bytes.substr(0, end);
    report.guard("ledger form", subject, [&] {
      if (end == View::npos) throw Refused{"the line isn't ended by a line feed"};
      events.push_back(read_event(text));
      const Value& record = events.back().record;
      if (record.number_at("seq") != links.size())
        throw Refused{"its seq is " + std::to_string(record.number_at("seq"))};
      report.expect(record.text_at("previous") == links.back(), "ledger chain", subject, "follows the line before it",
                    "doesn't follow the line before it");
    });
    links.push_back(to_hex(sha256(text)));
    bytes.remove_prefix(end == View::npos ? bytes.size() : end + 1);
  }
  for (const Event& event : events) {
    const Bytes content = canonical(event.record);
    SignatureRequest request{"ledger signature",
                             "ledger: ",
                             std::string(ledger_name) + " seq " + std::to_string(event.record.number_at("seq")),
                             event.signature,
                             {},
                             {},
                             trust,
                             false};
    request.digest_of_content = [&](View algorithm) { return digest_of(algorithm, content); };
    check_signature(request, report);
  }
  check_transfers(events, report);
  const std::uint64_t seen = claim.number_at("events"), there = links.size() - 1;
  if (seen > there)
    return report.failed(
        "ledger head", ledger_name,
        "the ledger has " + std::to_string(there) + " events, the manifest saw " + std::to_string(seen));
  report.expect(links[seen] == claim.text_at("head"), "ledger head", ledger_name,
                std::to_string(seen) + " events as in the manifest, " + std::to_string(there - seen) + " after it",
                "event " + std::to_string(seen) + " isn't the one that the manifest saw last");
}

}  // namespace exhibit_verify
