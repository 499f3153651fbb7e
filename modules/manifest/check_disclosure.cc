// What a disclosure proves against the manifest that it holds.

#include <algorithm>
#include <functional>
#include <set>

#include "base/checked.h"
#include "base/record.h"
#include "hash/subtrees.h"
#include "manifest/disclosure.h"

namespace exhibit::manifest {
namespace {

using base::Json;
using Complaint = std::optional<std::string>;
using Roots = std::map<std::string, std::string>;  // algorithm -> lower-case hex, as the manifest has them

constexpr const char* item_check = "disclosed item";
constexpr const char* volume_check = "disclosed volume";
constexpr const char* absence_check = "absence";

const EvidenceClaim* claim_of(const Manifest& manifest, const std::string& evidence) {
  const auto at = std::find_if(manifest.evidence.begin(), manifest.evidence.end(),
                               [&](const EvidenceClaim& claim) { return claim.id == evidence; });
  return at == manifest.evidence.end() ? nullptr : &*at;
}

bool is_known(const std::string& algorithm) {
  const auto known = hash::algorithms();
  return std::find(known.begin(), known.end(), algorithm) != known.end();
}

// Whether `proofs` lead to each root: the same algorithms, no more and no fewer, and those that are known here by
// `root_by`. The others are named in `unknown`.
using RootBy = std::function<Result<std::string>(const hash::TreeHasher&, const std::vector<std::string>& hashes)>;
Complaint leads_to(const Roots& roots, const ProofHashes& proofs, const RootBy& root_by,
                   std::set<std::string>& unknown) {
  for (const auto& [algorithm, unused] : proofs) {
    if (!roots.contains(algorithm)) return "it has a path by " + algorithm + ", of which the manifest has no tree";
  }
  for (const auto& [algorithm, root] : roots) {
    const auto hashes = proofs.find(algorithm);
    if (hashes == proofs.end()) return "it has no path by " + algorithm + ", of which the manifest has a tree";
    if (!is_known(algorithm)) {
      unknown.insert(algorithm);
      continue;
    }
    const auto hasher = hash::TreeHasher::create(algorithm);
    if (!hasher.ok()) return hasher.error().message;
    const auto computed = root_by(*hasher, hashes->second);
    if (!computed.ok()) return computed.error().message;
    if (base::to_hex(*computed) != root)
      return "it leads to the " + algorithm + " root " + base::to_hex(*computed) + ", the manifest's is " + root;
  }
  return {};
}

Complaint leaf_leads_to(const Roots& roots, std::uint64_t index, std::uint64_t size, const SaltedLine& leaf,
                        const ProofHashes& paths, std::set<std::string>& unknown) {
  return leads_to(
      roots, paths,
      [&](const hash::TreeHasher& hasher, const std::vector<std::string>& path) {
        return hash::root_from(hasher, hasher.leaf(leaf.salt, leaf.line), {index, size, path});
      },
      unknown);
}

// A line of a findings file.
Result<Json> record_of(const std::string& line) {
  Json record = EXHIBIT_TRY(base::parse_json(line));
  if (base::canonical(record) != line) return Error{ErrorCode::corrupt, "isn't in canonical form", {}, {}};
  EXHIBIT_TRY(base::check_record(record));
  return record;
}

std::string text(const Json& record, const char* key) {
  const auto at = record.find(key);
  return at != record.end() && at->is_string() ? at->get<std::string>() : std::string();
}

struct Tally {
  std::uint64_t items = 0, leads = 0, problems = 0;

  void count(const Json& record) {
    const std::string kind = text(record, "record");
    items += kind == "item";
    leads += kind == "match";
    problems += kind == "problem";
  }
  static std::string number_of(std::uint64_t count, const std::string& what, const char* many) {
    return std::to_string(count) + " " + what + (count == 1 ? "" : many);
  }
  // Every output says what a match is.
  std::string words() const {
    return number_of(items, "item", "s") + ", " + number_of(leads, "match", "es") +
           " (leads for a person, never findings of fact), " + number_of(problems, "problem", "s");
  }
};

class Checker {
 public:
  Checker(const Manifest& manifest, Checks& checks) : manifest_(manifest), checks_(checks) {}

  void check(const DisclosedItem& item) {
    Tally tally;
    answer(item_check, item.item, complaint_about(item, tally), [&] {
      return "in the tree of " + item.evidence + " from record " + std::to_string(item.records.front().index) +
             " on: " + tally.words();
    });
  }

  void check(const DisclosedVolume& volume) {
    Tally tally;
    answer(volume_check, volume.volume, complaint_about(volume, tally), [&] {
      return "complete: records " + std::to_string(volume.first) + " to " +
             std::to_string(volume.first + volume.records.size() - 1) + " of the tree of " + volume.evidence +
             ", none left out: " + tally.words();
    });
  }

  void check(const Absence& absence) {
    answer(absence_check, "sha256:" + base::to_hex(absence.digest), complaint_about(absence), [&] {
      return "none of the " + std::to_string(claim_of(manifest_, absence.evidence)->findings.content->entries) +
             " contents of " + absence.evidence + " that have a SHA-256";
    });
  }

  // What a disclosure can't show; once for all.
  void tell_limits(const Disclosure& disclosure) {
    if (!disclosure.items.empty()) {
      CheckList(checks_, "each")
          .not_checked(item_check,
                       "whether an item has further matches or problems after those disclosed; a disclosure of its "
                       "volume would show it");
    }
    std::set<std::string> told;
    for (const Absence& absence : disclosure.absent) {
      const EvidenceClaim* claim = claim_of(manifest_, absence.evidence);
      if (claim == nullptr || !claim->findings.content || claim->findings.content->without == 0) continue;
      if (!told.insert(absence.evidence).second) continue;
      CheckList(checks_, absence.evidence)
          .not_checked(absence_check, std::to_string(claim->findings.content->without) +
                                          " items have content but no SHA-256: absence says nothing of them");
    }
    for (const std::string& algorithm : unknown_)
      CheckList(checks_, disclosure_format).not_checked("tree", "no implementation of " + algorithm);
  }

 private:
  void answer(const char* name, const std::string& subject, const Complaint& complaint,
              const std::function<std::string()>& right) {
    CheckList list(checks_, subject);
    complaint ? list.failed(name, *complaint) : list.ok(name, right());
  }

  Complaint complaint_about(const DisclosedItem& item, Tally& tally) {
    const EvidenceClaim* claim = claim_of(manifest_, item.evidence);
    if (claim == nullptr) return "the manifest has no exhibit " + item.evidence;
    if (item.records.empty()) return "it has no records";
    const std::uint64_t first = item.records.front().index;
    if (!base::within(first, item.records.size(), claim->findings.records))
      return "its records aren't within the " + std::to_string(claim->findings.records) + " of the manifest";
    for (std::size_t i = 0; i < item.records.size(); ++i) {
      if (Complaint complaint = complaint_about(item, i, tally))
        return "record " + std::to_string(item.records[i].index) + ": " + *complaint;
    }
    for (const DisclosedRecord& record : item.records) {
      if (Complaint complaint = leaf_leads_to(claim->findings.trees, record.index, claim->findings.records,
                                              record.salted, record.paths, unknown_))
        return "record " + std::to_string(record.index) + ": " + *complaint;
    }
    return {};
  }

  // Whether the i-th of an item's records belongs there.
  static Complaint complaint_about(const DisclosedItem& item, std::size_t i, Tally& tally) {
    if (item.records[i].index != item.records.front().index + i) return "doesn't stand right after the one before it";
    const auto record = record_of(item.records[i].salted.line);
    if (!record.ok()) return record.error().message;
    tally.count(*record);
    const std::string kind = text(*record, "record");
    if (i == 0) {
      if (kind == "item" && text(*record, "id") == item.item) return {};
      return "isn't the record of the item " + item.item;
    }
    const bool belongs = (kind == "match" && text(*record, "item") == item.item) ||
                         (kind == "problem" && text(*record, "where") == item.item);
    return belongs ? Complaint() : "a record (" + kind + ") that isn't about the item " + item.item;
  }

  Complaint complaint_about(const DisclosedVolume& volume, Tally& tally) {
    const EvidenceClaim* claim = claim_of(manifest_, volume.evidence);
    if (claim == nullptr) return "the manifest has no exhibit " + volume.evidence;
    if (volume.records.size() < 2) return "it lacks the volume's record or its coverage";
    if (!base::within(volume.first, volume.records.size(), claim->findings.records))
      return "its records aren't within the " + std::to_string(claim->findings.records) + " of the manifest";
    for (std::size_t i = 0; i < volume.records.size(); ++i) {
      if (Complaint complaint = complaint_about(volume, i, tally))
        return "record " + std::to_string(volume.first + i) + ": " + *complaint;
    }
    return leads_to(
        claim->findings.trees, volume.proofs,
        [&](const hash::TreeHasher& hasher, const std::vector<std::string>& outside) {
          std::vector<std::string> leaves;
          for (const SaltedLine& record : volume.records) leaves.push_back(hasher.leaf(record.salt, record.line));
          return hash::root_from_range(hasher, volume.first, leaves, claim->findings.records, outside);
        },
        unknown_);
  }

  // The ends are the volume's own, and within are no others': so nothing is left out at either end, and no other
  // volume is passed off as a part of this one.
  static Complaint complaint_about(const DisclosedVolume& volume, std::size_t i, Tally& tally) {
    const auto record = record_of(volume.records[i].line);
    if (!record.ok()) return record.error().message;
    tally.count(*record);
    const std::string kind = text(*record, "record");
    const bool is_last = i + 1 == volume.records.size();
    if (i == 0) {
      if (kind == "volume" && text(*record, "id") == volume.volume) return {};
      return "the first isn't the record of the volume " + volume.volume;
    }
    if (is_last) {
      if (kind == "coverage" && text(*record, "where") == volume.volume) return {};
      return "the last isn't the coverage of the volume " + volume.volume;
    }
    if (kind != "item" && kind != "match" && kind != "problem")
      return "a record (" + kind + ") that belongs to no volume's middle";
    if (kind == "item" && text(*record, "volume") != volume.volume) return "an item of another volume";
    return {};
  }

  Complaint complaint_about(const Absence& absence) {
    const EvidenceClaim* claim = claim_of(manifest_, absence.evidence);
    if (claim == nullptr) return "the manifest has no exhibit " + absence.evidence;
    if (!claim->findings.content) return "the manifest has no content tree";
    const ContentSummary& content = *claim->findings.content;
    if (Complaint complaint = complaint_about_place(absence, content.entries)) return complaint;
    const std::string key = content_key(absence.digest);
    if (absence.low && absence.low->key >= key) return "the lower neighbour isn't below the digest's key";
    if (absence.high && absence.high->key <= key) return "the higher neighbour isn't above the digest's key";
    for (const auto* neighbour : {&absence.low, &absence.high}) {
      if (!*neighbour) continue;
      if (Complaint complaint = leaf_leads_to(content.trees, (*neighbour)->index, content.entries,
                                              {(*neighbour)->key, {}}, (*neighbour)->paths, unknown_))
        return "key " + std::to_string((*neighbour)->index) + ": " + *complaint;
    }
    return content.entries == 0 ? complaint_about_empty(content) : Complaint();
  }

  // Whether the neighbours stand where nothing fits between them.
  static Complaint complaint_about_place(const Absence& absence, std::uint64_t entries) {
    if (!absence.low && !absence.high)
      return entries == 0 ? Complaint()
                          : "it has no neighbours, and there are " + std::to_string(entries) + " contents";
    if (absence.low && absence.low->index >= entries) return "the lower neighbour isn't within the tree";
    if (absence.high && absence.high->index >= entries) return "the higher neighbour isn't within the tree";
    if (!absence.low) return absence.high->index == 0 ? Complaint() : "the only neighbour isn't the first content";
    if (!absence.high)
      return absence.low->index == entries - 1 ? Complaint() : "the only neighbour isn't the last content";
    return absence.high->index == absence.low->index + 1 ? Complaint() : "the neighbours don't stand side by side";
  }

  Complaint complaint_about_empty(const ContentSummary& content) {
    ProofHashes nothing;
    for (const auto& [algorithm, root] : content.trees) nothing[algorithm];
    return leads_to(
        content.trees, nothing,
        [](const hash::TreeHasher& hasher, const std::vector<std::string>&) -> Result<std::string> {
          return hasher.empty();
        },
        unknown_);
  }

  const Manifest& manifest_;
  Checks& checks_;
  std::set<std::string> unknown_;  // algorithms of trees of which there is no implementation
};

}  // namespace

void check_disclosure(const Disclosure& disclosure, const Manifest& manifest, Checks& checks) {
  Checker checker(manifest, checks);
  for (const DisclosedItem& item : disclosure.items) checker.check(item);
  for (const DisclosedVolume& volume : disclosure.volumes) checker.check(volume);
  for (const Absence& absence : disclosure.absent) checker.check(absence);
  checker.tell_limits(disclosure);
}

}  // namespace exhibit::manifest
