#pragma once
// The custody ledger (manifest.md): append-only, hash-chained, each event signed. One canonical JSON line an event;
// `seq` counts from 1; `previous` is the SHA-256 of the line before without its LF; `signature` is base64 CMS over
// the line's canonical form without `signature`.

#include <exhibit/result.h>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "manifest/check.h"
#include "manifest/manifest.h"
#include "manifest/signer.h"
#include "manifest/trust.h"

namespace exhibit::custody {

inline constexpr const char* ledger_name = "custody.jsonl";

// The events that there are, as manifest.md lists them.
std::span<const char* const> event_names();

struct Actor {
  std::string name, role, organisation, credential;
};
struct Participant {
  std::string name, role;
};

// What is told of an event; seq, previous and signature are the ledger's.
struct Event {
  std::string time;   // RFC 3339, UTC
  std::string event;  // of event_names()
  Actor actor;
  std::vector<Participant> participants;
  std::string place;
  std::vector<std::string> evidence;  // ids; none where the event is about the whole case
  base::Json detail;                  // text or an object; for `corrected` an object with "corrects": the seq
};

// The state of a ledger: what the manifest says of it.
struct Head {
  std::uint64_t events = 0;
  std::string digest = manifest::no_digest;  // SHA-256 of the last line, lower-case hex
};

// Appends one event, signed, and returns the new head; the line is on the disk when this returns. Makes the file where
// there is none (mode 0644). Others who append wait (flock). Refused: a ledger whose chain is broken or whose last
// line is unfinished, an unknown event, a correction of what isn't there, what breaks a rule of ledger_rules.h (say an
// acceptance by the side that handed over). A write that fails leaves the ledger as it was. `now`: seconds since 1970,
// the signing time.
Result<Head> append(const std::filesystem::path& ledger, const Event& event, const manifest::Signer& signer,
                    std::int64_t now);

// The head, for the manifest. A missing file is an empty ledger. Error where the chain is broken.
Result<Head> head_of(const std::filesystem::path& ledger);

// The events as they stand (the lines parsed), for display. Error where a line can't be read.
Result<std::vector<base::Json>> read_events(const std::filesystem::path& ledger);

// Exhibits that were handed over and that nobody has accepted yet.
struct OpenTransfer {
  std::uint64_t seq = 0;
  std::vector<std::string> evidence;  // "the case": all of it
};
// Error where a line can't be read.
Result<std::vector<OpenTransfer>> open_transfers(const std::filesystem::path& ledger);

// Adds the checks of a ledger's bytes: "ledger form", "ledger chain", "ledger signature" (and the certificates behind
// it), "ledger transfers", "ledger times" and "ledger credentials" (ledger_rules.h), "open transfers"; where `claim` is
// given "ledger head": that the first claim->events events are those that the manifest saw; and for each of `receipts`
// "ledger receipt": that it is the SHA-256 of one of the events, as somebody noted it when that event was the last.
// Later events are allowed and counted.
void check_ledger(std::string_view bytes, const manifest::CustodyClaim* claim, const manifest::Trust* trust,
                  manifest::Checks& checks, const std::vector<std::string>& receipts = {});

}  // namespace exhibit::custody
