#pragma once
// The checks of a case folder and of a disclosure.

#include "json.h"
#include "signature.h"
#include "tree.h"

namespace exhibit_verify {

namespace fs = std::filesystem;

inline constexpr const char *manifest_name = "manifest.json", *ledger_name = "custody.jsonl";

// Refused where it isn't as manifest.md describes it.
Value read_manifest(View text);
bool is_utc_time(View text);  // RFC 3339 with Z, and no more than nine digits of a second's fraction

// One findings file against its claim, an element of the manifest's `evidence`.
void check_findings(const fs::path& folder, const Value& claim, Report& report);
void check_ledger(View bytes, const Value& claim, const Trust* trust, Report& report);
void check_case(const fs::path& target, const Trust* trust, Report& report);
void check_disclosure(const Value& disclosure, const Trust* trust, Report& report);
// One signature over a file; `answer` may be empty: no path.
void check_file(const fs::path& content, const fs::path& signature, const fs::path& answer, const Trust* trust,
                Report& report);

// The signatures over a manifest: each its name, its CMS, and the time-stamp authority's answer.
struct Seal {
  std::string name;
  Bytes cms;
  std::optional<Bytes> answer;
};
void check_seals(View manifest, const std::vector<Seal>& seals, const Trust* trust, Report& report);

// SHA-256("exhibit-content" || the raw SHA-256 of a content): an entry of a content tree.
Bytes content_key(View sha256_of_content);
// What the formats say of a coverage record: classes that are known, adding up to `size`.
void check_coverage(const Value& record, std::uint64_t size);

}  // namespace exhibit_verify
