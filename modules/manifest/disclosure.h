#pragma once
// A disclosure (docs/disclosure.md): chosen records of a sealed case with what proves them, in one canonical JSON file
// that stands without the case folder. It holds records, never content, and nothing of the records' neighbours but
// digests. Bytes here are raw; the file has digests and salts in lower-case hex, signatures in base64.

#include <exhibit/result.h>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "manifest/check.h"
#include "manifest/file.h"
#include "manifest/manifest.h"

namespace exhibit::manifest {

inline constexpr const char* disclosure_format = "exhibit-disclosure/1";

// It is read whole, so there is a bound; a volume that needs more is disclosed as a case folder.
inline constexpr std::uint64_t largest_disclosure = largest_small_file;

// By algorithm: hashes of a tree that prove something (an audit path from the leaf up, or what lies outside a range
// from left to right).
using ProofHashes = std::map<std::string, std::vector<std::string>>;

struct DisclosedSignature {
  std::string name;                      // manifest.json.1.p7s
  std::string cms;                       // DER
  std::optional<std::string> timestamp;  // the .tsr, DER
};

// A line of the findings file without its LF, with the salt of its leaf.
struct SaltedLine {
  std::string line, salt;
};

struct DisclosedRecord {
  std::uint64_t index = 0;  // of the line in the findings file, from 0
  SaltedLine salted;
  ProofHashes paths;
};

// An item's record, then its matches and problems: lines that stand together.
struct DisclosedItem {
  std::string evidence, item;
  std::vector<DisclosedRecord> records;
};

// All lines from the volume's record to its coverage.
struct DisclosedVolume {
  std::string evidence, volume;
  std::uint64_t first = 0;  // index of the first line
  std::vector<SaltedLine> records;
  ProofHashes proofs;
};

// A key of the content tree, with its place.
struct ContentNeighbour {
  std::uint64_t index = 0;
  std::string key;
  ProofHashes paths;
};

// That no content of this digest is in the findings: the keys between which it would stand are neighbours.
struct Absence {
  std::string evidence;
  std::string digest;                         // SHA-256
  std::optional<ContentNeighbour> low, high;  // none where there is no such key
};

struct Disclosure {
  std::string manifest;  // the exact text of manifest.json
  std::vector<DisclosedSignature> signatures;
  std::vector<DisclosedItem> items;
  std::vector<DisclosedVolume> volumes;
  std::vector<Absence> absent;
};

// Whether a file says of itself that it is a disclosure, sound or not.
bool is_disclosure(std::string_view bytes);

// The file's exact bytes: canonical, no LF at the end.
std::string write_disclosure(const Disclosure& disclosure);

// Reads what write_disclosure wrote. Strict: canonical form, every key of the right type and form, none that the format
// doesn't have, something disclosed. What it says isn't believed before check_disclosure.
Result<Disclosure> read_disclosure(std::string_view bytes);

// Adds the checks of what is disclosed against the manifest (whose own signatures are somebody else's to check):
// "disclosed item", "disclosed volume" and "absence", one for each, and 'not checked' for what a disclosure can't show.
void check_disclosure(const Disclosure& disclosure, const Manifest& manifest, Checks& checks);

}  // namespace exhibit::manifest
