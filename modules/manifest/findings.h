#pragma once
// A findings file read once from end to end: its digests, trees and counts, and whatever isn't canonical in it.

#include <exhibit/item.h>
#include <exhibit/result.h>

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "hash/merkle.h"
#include "manifest/content.h"

namespace exhibit::manifest {

// The salt key of a case: this many raw bytes in secret/E1.salts (manifest.md, "The tree").
inline constexpr std::size_t salt_key_size = hash::Salts::key_bytes;

struct Counts {
  std::uint64_t items = 0, matches = 0, problems = 0;
  bool operator==(const Counts&) const = default;
};

// What the manifest says of a findings file.
struct FindingsSummary {
  std::uint64_t records = 0, bytes = 0;
  Digests digests;
  std::map<std::string, std::string> trees;  // algorithm -> root, lower-case hex
  Counts counts;
  std::optional<std::string> salt_commitment;  // lower-case hex; absent where no key was given
  std::optional<ContentSummary> content;       // absent where no folder for scratch was given
  bool operator==(const FindingsSummary&) const = default;
};

struct FindingsRequest {
  std::vector<std::string> digests = {"sha256"};      // hash::algorithms()
  std::vector<std::string> trees = {"sha256"};        // computed only with a key
  std::optional<std::string> salt_key = {};           // raw bytes
  std::optional<std::filesystem::path> scratch = {};  // for the content tree (content.h), which isn't made without
};

// What is wrong, by line (the first is 1): the first few, and how many there are.
struct Complaints {
  static constexpr std::size_t most_kept = 10;
  struct One {
    std::uint64_t line = 0;
    std::string text;
  };
  std::vector<One> first;
  std::uint64_t count = 0;

  void add(std::uint64_t line, std::string text);
  bool empty() const { return count == 0; }
  std::string summary() const;  // "line 7: …; line 9: … (12 in all)"
};

struct FindingsReading {
  FindingsSummary summary;
  std::optional<base::Json> evidence;  // the evidence record
  Complaints form;                     // lines that aren't canonical JSON, or aren't ended by LF
  Complaints order;                    // order.h
};

// Error only where the file can't be read, the disk for scratch is full, or the request names an algorithm that doesn't
// exist or a key of the wrong size. Memory: that of order.h and one line.
Result<FindingsReading> read_findings(const std::filesystem::path& path, const FindingsRequest& request);

// For sealing: as read_findings, but any complaint is an Error, the key must be given, and the content tree is made in
// any case: where no folder for scratch is given, in the file's own.
Result<FindingsReading> read_sound_findings(const std::filesystem::path& path, const FindingsRequest& request);

// SHA-256 of the key, lower-case hex.
std::string salt_commitment(const std::string& salt_key);

}  // namespace exhibit::manifest
