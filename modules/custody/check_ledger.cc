// Everything that a ledger's bytes can be asked, none of it stopping at the first failure.

#include <map>
#include <set>

#include "custody/ledger.h"
#include "custody/ledger_line.h"
#include "custody/ledger_rules.h"
#include "manifest/signature.h"

namespace exhibit::custody {
namespace {

using manifest::Check;
using manifest::CheckList;
using manifest::Checks;
using manifest::Status;

constexpr const char* ledger_signature = "ledger signature";
constexpr std::size_t most_named = 10;  // seq numbers or complaints in one detail

std::string joined(const std::vector<std::string>& texts, const char* between) {
  std::string out;
  for (std::size_t i = 0; i < texts.size() && i < most_named; ++i) out += (i == 0 ? "" : between) + texts[i];
  if (texts.size() > most_named) out += " (" + std::to_string(texts.size()) + " in all)";
  return out;
}

// The checks of many signatures told once for each (name, status, detail), naming the events that they are about.
class Merged {
 public:
  void add(const Check& check, std::uint64_t seq) {
    // Of the good ones it is enough to know how many; each names its own signer and time.
    const std::string detail = check.status == Status::ok ? std::string() : check.detail;
    events_[{check.name, check.status, detail}].push_back(std::to_string(seq));
  }
  void tell(Checks& checks) const {
    for (const auto& [key, seqs] : events_) {
      const auto& [name, status, detail] = key;
      const std::string subject = "seq " + joined(seqs, ", ");
      checks.push_back({name, std::string(ledger_name) + " " + subject, status,
                        detail.empty() ? std::to_string(seqs.size()) + " of the events" : detail});
    }
  }

 private:
  std::map<std::tuple<std::string, Status, std::string>, std::vector<std::string>> events_;
};

// Names as the ledger's own: a signature in the ledger is no signature over the manifest.
std::string ledger_name_of(const std::string& check) { return check == ledger_signature ? check : "ledger: " + check; }

// What nobody could check of an event's signature here: its bytes, or the path to who is trusted.
bool is_open(const Check& check) {
  return check.status == Status::not_checked && (check.name == ledger_signature || check.needed);
}

// The events of which something is_open().
std::set<std::uint64_t> check_signatures(const Chain& chain, const manifest::Trust* trust, Checks& checks) {
  Merged merged;
  std::set<std::uint64_t> open;
  for (const auto& line : chain.lines) {
    if (!line) continue;
    const auto der = base::base64_decode(line->record["signature"].get<std::string>());
    if (!der.ok()) {
      merged.add({ledger_signature, {}, Status::failed, "isn't base64"}, line->seq());
      continue;
    }
    manifest::SignatureRequest request;
    request.name = ledger_signature;
    request.signature = *der;
    request.trust = trust;
    request.mention_no_timestamp = false;
    const std::string content = line->signed_form();
    Checks found;
    manifest::check_signature(manifest::Content::of(content), request, found);
    for (Check& check : found) {
      if (is_open(check)) open.insert(line->seq());
      check.name = ledger_name_of(check.name);
      merged.add(check, line->seq());
    }
  }
  merged.tell(checks);
  return open;
}

// The manifest vouches for the events that it saw; for a later one its own signature must.
void check_later(const std::set<std::uint64_t>& open, const manifest::CustodyClaim& claim, CheckList& list) {
  std::vector<std::string> seqs;
  for (auto seq = open.upper_bound(claim.events); seq != open.end(); ++seq) seqs.push_back(std::to_string(*seq));
  if (!seqs.empty())
    list.failed("ledger events",
                "neither seen by the manifest nor signed so that it can be checked here: seq " + joined(seqs, ", "));
}

// What ledger_rules.h asks, each question answered once; then what is still under way.
void check_rules(const Chain& chain, CheckList& list) {
  LedgerRules rules;
  std::map<std::string, std::vector<std::string>> complaints;
  for (const auto& line : chain.lines) {
    if (!line) continue;
    for (const auto& complaint : rules.next(*line))
      complaints[complaint.check].push_back("seq " + std::to_string(line->seq()) + " " + complaint.what);
  }
  const std::pair<const char*, const char*> questions[] = {
      {transfers_check, "each acceptance is the other side's, of what was handed over"},
      {times_check, "in order"},
      {credentials_check, "each event was signed by the credential that it names"}};
  for (const auto& [name, right] : questions) {
    const auto& wrong = complaints[name];
    list.expect(wrong.empty(), name, right, joined(wrong, "; "));
  }
  std::vector<std::string> open;
  for (const auto& [seq, ids] : rules.open_transfers()) {
    for (const std::string& id : ids) open.push_back(id + " since seq " + std::to_string(seq));
  }
  if (open.empty()) {
    list.ok("open transfers", "none");
  } else {
    list.not_checked("open transfers", "transferred, and nobody has accepted yet: " + joined(open, ", "));
  }
}

// A head that somebody noted: what was cut off or written anew since doesn't have it.
void check_receipt(const Chain& chain, const std::string& receipt, CheckList& list) {
  for (std::size_t i = 0; i < chain.texts.size(); ++i) {
    if (link_of(chain.texts[i]) != receipt) continue;
    const std::size_t later = chain.texts.size() - i - 1;
    list.ok("ledger receipt", receipt + " is event " + std::to_string(i + 1) +
                                  (later == 0 ? ", the last" : ", " + std::to_string(later) + " after it"));
    return;
  }
  list.failed("ledger receipt", "no event has the head " + receipt + ": the ledger was cut off or written anew");
}

void check_head(const Chain& chain, const manifest::CustodyClaim& claim, CheckList& list) {
  const std::string name = "ledger head";
  const std::uint64_t there = chain.texts.size();
  if (there < claim.events) {
    list.failed(
        name, "the ledger has " + std::to_string(there) + " events, the manifest saw " + std::to_string(claim.events));
    return;
  }
  const std::string head = claim.events == 0 ? manifest::no_digest : link_of(chain.texts[claim.events - 1]);
  if (head != claim.head) {
    list.failed(name, "event " + std::to_string(claim.events) + " isn't the one that the manifest saw last");
    return;
  }
  const std::uint64_t later = there - claim.events;
  list.ok(name, std::to_string(claim.events) + " events as in the manifest" +
                    (later == 0 ? "" : ", " + std::to_string(later) + " after it"));
}

}  // namespace

void check_ledger(std::string_view bytes, const manifest::CustodyClaim* claim, const manifest::Trust* trust,
                  Checks& checks, const std::vector<std::string>& receipts) {
  const Chain chain = read_chain(bytes);
  CheckList list(checks, ledger_name);
  list.expect(chain.form.empty(), "ledger form", std::to_string(chain.texts.size()) + " events",
              joined(chain.form, "; "));
  list.expect(chain.links.empty(), "ledger chain", "every event follows the one before it", joined(chain.links, "; "));
  const std::set<std::uint64_t> open = check_signatures(chain, trust, checks);
  check_rules(chain, list);
  if (claim != nullptr) check_head(chain, *claim, list);
  if (claim != nullptr) check_later(open, *claim, list);
  for (const std::string& receipt : receipts) check_receipt(chain, receipt, list);
}

}  // namespace exhibit::custody
