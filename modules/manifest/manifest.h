#pragma once
// manifest.json (manifest.md): what is claimed of a case, canonical and then signed.

#include <exhibit/item.h>
#include <exhibit/result.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "manifest/findings.h"

namespace exhibit::manifest {

inline constexpr const char* manifest_format = "exhibit-manifest/1";
inline constexpr const char* manifest_name = "manifest.json";

// `previous` of a ledger's first line, and `head` of a ledger without events: 64 zeros.
inline constexpr const char* no_digest = "0000000000000000000000000000000000000000000000000000000000000000";

// A file that the findings depend on.
struct Input {
  std::string kind;  // hashset, yara, carver, config
  std::string name;
  std::string version;
  std::uint64_t entries = 0;
  Digests digests;  // of the exact file; sha256 among them
};

// The `integrity` of media that can't be read whole: then neither digests nor block_root are claimed, nor written.
inline constexpr const char* unreadable = "unreadable";

struct EvidenceClaim {
  std::string id;
  std::uint64_t size = 0;  // of the media, bytes
  Digests digests;         // of the media
  std::string integrity;
  std::string block_root;
  FindingsSummary findings;  // its file is findings_file(id)
};

// What it says of the media, keyed as in the manifest and in the evidence record.
base::Json media_claims(const EvidenceClaim& claim);

struct CustodyClaim {
  std::uint64_t events = 0;
  std::string head = no_digest;  // SHA-256 of the ledger's last line
};

struct Manifest {
  base::Json case_fields = base::Json::object();  // number, title, authority, profile, and the profile's own
  base::Json tool = base::Json::object();         // name, version, source_revision, build_sha256, libraries
  std::vector<Input> inputs;
  std::vector<EvidenceClaim> evidence;
  CustodyClaim custody;
  std::optional<std::string> previous;  // SHA-256 of the manifest that this one replaces, lower-case hex
  std::string created;                  // RFC 3339, UTC
};

// `findings/E1.jsonl`
std::string findings_file(const std::string& evidence_id);
// `secret/E1.salts`
std::string salts_file(const std::string& evidence_id);

// Letters, digits, `.`, `_`, `-`, no dot first: what may be part of a file's name.
bool is_evidence_id(std::string_view id);

// RFC 3339 in UTC: 2024-05-01T12:00:00Z, with up to nine fractional digits.
bool is_utc_time(std::string_view text);

// The exact bytes of manifest.json: canonical, no LF at the end. Error where read_manifest would refuse them.
Result<std::string> write_manifest(const Manifest& manifest);

// Reads what write_manifest wrote. Strict: canonical form, every key of the right type and form, no key that the
// format doesn't have (but in `case` and `tool`), ids unique, files where they must be. The Error says what is wrong.
Result<Manifest> read_manifest(std::string_view bytes);

}  // namespace exhibit::manifest
