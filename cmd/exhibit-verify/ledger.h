#pragma once
// The custody ledger (manifest.md, "Custody ledger"): form, chain, signatures, open transfers, the manifest's head.

#include "findings.h"
#include "signature.h"

namespace exhibit_verify {

inline constexpr const char* ledger_name = "custody.jsonl";

inline void check_event(const Value& record) {
  static const std::set<std::string> events = {"received",     "opened",
                                               "photographed", "write-blocker-tested",
                                               "acquired",     "integrity-checked",
                                               "processed",    "matched",
                                               "reviewed",     "disclosed",
                                               "sealed",       "transferred",
                                               "accepted",     "returned",
                                               "corrected"};
  check_form(
      record,
      "{seq:n,time:t,event:s,actor:{name:s,role:s,organisation:s,credential:s,*},participants:[{name:s,role:s,*}],"
      "place:s,evidence:[s],detail:?,previous:h,signature:s,*}",
      "the event");
  const std::string& event = record.text_at("event");
  const Value& detail = record.at("detail");
  if (events.count(event) == 0) throw Refused{"the event \"" + event + "\" is unknown"};
  if (!std::holds_alternative<Object>(detail.held)) record.text_at("detail");
  if (event == "corrected" &&
      (detail.number_at("corrects") == 0 || detail.number_at("corrects") >= record.number_at("seq")))
    throw Refused{"a correction of an event that isn't before it"};
}

inline void check_event_signature(Value record, const std::string& subject, const Trust* trust, Report& report) {
  SignatureRequest request{"ledger signature",
                           "ledger: ",
                           subject,
                           from_base64(record.text_at("signature"), "\"signature\""),
                           {},
                           {},
                           trust};
  std::erase_if(std::get<Object>(record.held), [](const auto& member) { return member.first == "signature"; });
  request.digest_of_content = [&](View algorithm) { return digest_of(algorithm, canonical(record)); };
  check_signature(request, report);
}

// Which exhibits are handed over and not taken over yet, and since which event. One that names none is about the case.
inline void follow_transfer(const Value& record, std::map<std::string, std::uint64_t>& open) {
  Array ids = record.array_at("evidence");
  if (ids.empty()) ids.push_back({std::string("the case")});
  for (const Value& id : ids) {
    if (record.text_at("event") == "transferred") open.emplace(std::get<std::string>(id.held), record.number_at("seq"));
    if (record.text_at("event") == "accepted") open.erase(std::get<std::string>(id.held));
  }
}

// `claim`: the manifest's `custody`.
inline void check_ledger(View bytes, const Value& claim, const Trust* trust, Report& report) {
  std::vector<std::string> links = {std::string(64, '0')};  // the digest of each line, after that of none
  std::map<std::string, std::uint64_t> open;
  while (!bytes.empty()) {
    const std::size_t end = bytes.find('\n');
    const View text = bytes.substr(0, end);
    const std::string subject = std::string(ledger_name) + " line " + std::to_string(links.size());
    report.guard("ledger form", subject, [&] {
      if (end == View::npos) throw Refused{"the line isn't ended by a line feed"};
      const Value record = parse_canonical(text);
      check_event(record);
      const bool follows = record.number_at("seq") == links.size() && record.text_at("previous") == links.back();
      report.expect(follows, "ledger chain", subject, "follows the line before it",
                    "doesn't follow the line before it");
      follow_transfer(record, open);
      check_event_signature(record, subject, trust, report);
    });
    links.push_back(to_hex(sha256(text)));
    bytes.remove_prefix(std::min(bytes.size(), text.size() + 1));
  }
  for (const auto& [id, seq] : open)
    report.not_checked("open transfers", id,
                       "transferred in seq " + std::to_string(seq) + ", and nobody has accepted yet");
  if (open.empty()) report.ok("open transfers", ledger_name, "none");
  const std::uint64_t seen = claim.number_at("events"), there = links.size() - 1;
  report.expect(
      seen <= there && links[seen] == claim.text_at("head"), "ledger head", ledger_name,
      std::to_string(seen) + " of " + std::to_string(there) + " events are the manifest's",
      "it has " + std::to_string(there) + " events, and not the " + std::to_string(seen) + " that the manifest saw");
}

}  // namespace exhibit_verify
