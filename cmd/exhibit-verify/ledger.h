#pragma once
// The custody ledger (manifest.md, "Custody ledger"): form, chain, signatures, open transfers, the manifest's head.

#include "findings.h"
#include "signature.h"

namespace exhibit_verify {

inline constexpr const char* ledger_name = "custody.jsonl";

inline void check_event(const Value& record) {
  constexpr View events =
      "received opened photographed write-blocker-tested acquired integrity-checked processed matched "
      "reviewed disclosed sealed transferred accepted returned corrected";
  check_form(
      record,
      "{seq:n,time:t,event:s,actor:{name:s,role:s,organisation:s,credential:s,*},participants:[{name:s,role:s,*}],"
      "place:s,evidence:[s],detail:?,previous:h,signature:s,*}",
      "the event");
  const std::string& event = record.text_at("event");
  const Value& detail = record.at("detail");
  bool known = false;
  for (View rest = events; !rest.empty();) known |= split(rest, ' ') == event;
  if (!known) throw Refused{"the event \"" + event + "\" is unknown"};
  if (!std::holds_alternative<Object>(detail.held)) record.text_at("detail");
  if (event == "corrected" &&
      (detail.number_at("corrects") == 0 || detail.number_at("corrects") >= record.number_at("seq")))
    throw Refused{"a correction of an event that isn't before it"};
}

inline bool check_event_signature(Value record, View cms, const std::string& subject, const Trust* trust,
                                  Report& report) {
  SignatureRequest request{"ledger signature", "ledger: ", subject, Bytes(cms), {}, {}, trust};
  std::erase_if(std::get<Object>(record.held), [](const auto& member) { return member.first == "signature"; });
  request.digest_of_content = [&](View algorithm) { return digest_of(algorithm, canonical(record)); };
  return check_signature(request, report);
}

// What the events must agree on: `accepted` names in detail.transfer what it accepts, and is the other side's; no
// signature is older than the one before it, and no event later than its signature; the credential is the signer's.
class LedgerRules {
 public:
  void next(const Value& record, const SignedData& signature, const std::string& subject, Report& report) {
    const Certificate& by = signature.certificate();
    const Side side{Bytes(by.key_info), Bytes(by.issuer) + Bytes(by.subject)};
    const std::string name = by.subject_text(), &event = record.text_at("event");
    if (name.empty()) report.not_checked("ledger credentials", subject, "this program can't write the signer's name");
    good_ &= report.guard("ledger credentials", subject, [&] {
      if (!name.empty() && name != record.at("actor").text_at("credential"))
        throw Refused{"the credential is told as another than \"" + name + "\", which signed"};
    });
    good_ &=
        report.guard("ledger times", subject, [&] { check_times(record.text_at("time"), signature.signing_time()); });
    if (event == "transferred")
      transfers_[record.number_at("seq")] = {record.text_at("time"), side, exhibits_of(record)};
    if (event == "accepted") good_ &= report.guard("ledger transfers", subject, [&] { accept(record, side); });
  }

  void tell(Report& report) const {
    if (good_) report.ok("ledger agreement", ledger_name, "credentials, times, and who accepted what");
    for (const auto& [seq, transfer] : transfers_) {
      const std::string since = "transferred in seq " + std::to_string(seq) + ", and nobody has accepted yet";
      for (const std::string& id : transfer.open) report.not_checked("open transfers", id, since);
    }
  }

 private:
  struct Side {
    Bytes key, name;
  };
  struct Transfer {
    std::string time;
    Side side;
    std::set<std::string> open;  // exhibits that nobody has accepted yet
  };

  // An event that names no exhibit is about the whole case.
  static std::set<std::string> exhibits_of(const Value& record) {
    std::set<std::string> ids;
    for (const Value& id : record.array_at("evidence")) ids.insert(std::get<std::string>(id.held));
    return ids.empty() ? std::set<std::string>{"the case"} : ids;
  }

  void check_times(const std::string& time, std::int64_t signed_at) {
    constexpr std::size_t to_the_second = 19;  // characters; times in UTC sort as text
    const std::int64_t before = last_signed_;
    last_signed_ = std::max(before, signed_at);
    if (signed_at < before - clock_tolerance) throw Refused{"its signature is older than the one before it"};
    if (time.substr(0, to_the_second) > time_text(signed_at + clock_tolerance).substr(0, to_the_second))
      throw Refused{"it tells of " + time + ", and was signed before that, at " + time_text(signed_at)};
  }

  void accept(const Value& record, const Side& side) {
    constexpr std::size_t to_the_minute = 16;  // as people write handing over down
    const auto at = transfers_.find(record.at("detail").number_at("transfer"));
    if (at == transfers_.end()) throw Refused{"it accepts what isn't a transfer before it"};
    Transfer& transfer = at->second;
    if (record.text_at("time").substr(0, to_the_minute) < transfer.time.substr(0, to_the_minute))
      throw Refused{"it accepts before it was handed over"};
    if (side.key == transfer.side.key || side.name == transfer.side.name)
      throw Refused{"it is signed by the side that handed over"};
    const auto ids = record.array_at("evidence").empty() ? transfer.open : exhibits_of(record);
    if (ids.empty() || !std::includes(transfer.open.begin(), transfer.open.end(), ids.begin(), ids.end()))
      throw Refused{"it accepts what wasn't handed over, or was accepted already"};
    for (const std::string& id : ids) transfer.open.erase(id);
  }

  std::map<std::uint64_t, Transfer> transfers_;  // by seq
  std::int64_t last_signed_ = 0;
  bool good_ = true;
};

// `claim`: the manifest's `custody`.
inline void check_ledger(View bytes, const Value& claim, const Trust* trust, Report& report) {
  std::vector<std::string> links = {std::string(64, '0')};  // the digest of each line, after that of none
  LedgerRules rules;
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
      const Bytes cms = from_base64(record.text_at("signature"), "\"signature\"");
      const bool known = check_event_signature(record, cms, subject, trust, report);
      if (!known && links.size() > claim.number_at("events"))
        throw Refused{"the event is neither under the manifest nor signed in a suite that is known"};
      rules.next(record, SignedData(cms), subject, report);
    });
    links.push_back(to_hex(sha256(text)));
    bytes.remove_prefix(std::min(bytes.size(), text.size() + 1));
  }
  rules.tell(report);
  const std::uint64_t seen = claim.number_at("events"), there = links.size() - 1;
  report.expect(
      seen <= there && links[seen] == claim.text_at("head"), "ledger head", ledger_name,
      std::to_string(seen) + " of " + std::to_string(there) + " events are the manifest's",
      "it has " + std::to_string(there) + " events, and not the " + std::to_string(seen) + " that the manifest saw");
}

}  // namespace exhibit_verify
