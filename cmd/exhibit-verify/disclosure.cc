// A disclosure: chosen records with their proofs, the manifest and its signatures, nothing else of the case.

#include <map>
#include <set>

#include "checks.h"

namespace exhibit_verify {
namespace {

constexpr std::size_t salt_size = 32, key_size = 32;  // bytes

std::vector<Bytes> hashes(const Value& holder, View algorithm) {
  std::vector<Bytes> out;
  for (const Value& one : holder.array_at(algorithm)) {
    const auto* text = std::get_if<std::string>(&one.held);
    out.push_back(digest_from_hex(text == nullptr ? View() : View(*text), digest_size(algorithm), "a hash of a proof"));
  }
  return out;
}

void only_keys(const Value& value, std::set<std::string> keys) {
  if (!value.is_object()) throw Refused{"something that isn't an object"};
  for (const auto& [key, unused] : std::get<Object>(value.held)) {
    if (keys.count(key) == 0) throw Refused{"a key that this format doesn't have: \"" + key + "\""};
  }
}

class Disclosure {
 public:
  Disclosure(const Value& manifest, Report& report) : manifest_(manifest), report_(report) {}

  void item(const Value& entry) {
    only_keys(entry, {"evidence", "item", "records"});
    const Value& findings = findings_of(entry);
    const std::string& id = entry.text_at("item");
    std::uint64_t next = 0;
    for (const Value& one : entry.array_at("records")) {
      only_keys(one, {"index", "line", "salt", "paths"});
      const std::uint64_t index = one.number_at("index");
      if (next != 0 && index != next) throw Refused{"its records don't stand together"};
      const Value record = parse_canonical(one.text_at("line"));
      const std::string& kind = record.text_at("record");
      const bool own = next == 0 ? kind == "item" && record.text_at("id") == id
                                 : (kind == "match" && record.text_at("item") == id) ||
                                       (kind == "problem" && record.text_at("where") == id);
      if (!own) throw Refused{"a record that isn't the item's, or an item's record that isn't the first"};
      next = index + 1;
      for (const std::string& algorithm : algorithms(one.at("paths"), findings.at("trees"))) {
        const Bytes leaf =
            leaf_hash(algorithm, digest_from_hex(one.text_at("salt"), salt_size, "a salt"), one.text_at("line"));
        const Bytes root =
            root_of_path(algorithm, leaf, index, findings.number_at("records"), hashes(one.at("paths"), algorithm));
        if (to_hex(root) != findings.at("trees").text_at(algorithm))
          throw Refused{"record " + std::to_string(index) + " isn't in the " + algorithm + " tree"};
      }
    }
    if (next == 0) throw Refused{"no record at all"};
    report_.ok("disclosed item", id,
               std::to_string(entry.array_at("records").size()) + " records, in the findings that the manifest saw");
  }

  void volume(const Value& entry) {
    only_keys(entry, {"evidence", "volume", "first", "records", "proofs"});
    const Value& findings = findings_of(entry);
    const std::string& id = entry.text_at("volume");
    const Array& records = entry.array_at("records");
    if (records.size() < 2) throw Refused{"no volume record and coverage"};
    const Value first = parse_canonical(records.front().text_at("line")),
                last = parse_canonical(records.back().text_at("line"));
    if (first.text_at("record") != "volume" || first.text_at("id") != id)
      throw Refused{"its first record isn't the volume's own"};
    if (last.text_at("record") != "coverage" || last.text_at("where") != id)
      throw Refused{"its last record isn't the volume's coverage"};
    check_coverage(last, first.number_at("size"));
    for (const Value& one : records) {
      only_keys(one, {"line", "salt"});
      parse_canonical(one.text_at("line")).text_at("record");
    }
    for (const std::string& algorithm : algorithms(entry.at("proofs"), findings.at("trees"))) {
      std::vector<Bytes> leaves;
      for (const Value& one : records)
        leaves.push_back(
            leaf_hash(algorithm, digest_from_hex(one.text_at("salt"), salt_size, "a salt"), one.text_at("line")));
      const Bytes root = root_of_range(algorithm, findings.number_at("records"), entry.number_at("first"), leaves,
                                       hashes(entry.at("proofs"), algorithm));
      if (to_hex(root) != findings.at("trees").text_at(algorithm))
        throw Refused{"the records aren't that range of the " + algorithm + " tree"};
    }
    report_.ok("disclosed volume", id,
               std::to_string(records.size()) + " records, none left out between the first and the last");
  }

  void absence(const Value& entry) {
    only_keys(entry, {"evidence", "digest", "low", "high"});
    const Value* content = findings_of(entry).find("content");
    if (content == nullptr) throw Refused{"the manifest has no content tree"};
    const std::string& digest = entry.text_at("digest");
    if (digest.substr(0, 7) != "sha256:") throw Refused{"another digest than SHA-256"};
    const Bytes wanted = content_key(digest_from_hex(digest.substr(7), key_size, "the digest"));
    const std::uint64_t entries = content->number_at("entries");
    const Value *low = entry.find("low"), *high = entry.find("high");
    if (low != nullptr && neighbour(*low, *content) >= wanted) throw Refused{"the key below isn't below"};
    if (high != nullptr && neighbour(*high, *content) <= wanted) throw Refused{"the key above isn't above"};
    // What lies between the two, or before the first or after the last, is nothing.
    const std::uint64_t after = low == nullptr ? 0 : low->number_at("index") + 1;
    if (after != (high == nullptr ? entries : high->number_at("index")))
      throw Refused{"the two keys aren't neighbours"};
    report_.ok("absence", digest, "none of " + std::to_string(entries) + " contents of " + entry.text_at("evidence"));
    if (content->number_at("without") > 0)
      report_.not_checked("absence", digest,
                          std::to_string(content->number_at("without")) +
                              " items have content and no SHA-256: of these nothing is said");
  }

 private:
  const Value& findings_of(const Value& entry) const {
    for (const Value& evidence : manifest_.array_at("evidence")) {
      if (evidence.text_at("id") == entry.text_at("evidence")) return evidence.at("findings");
    }
    throw Refused{"the manifest has no exhibit \"" + entry.text_at("evidence") + "\""};
  }

  // Those of the manifest's trees that this program has; there must be a proof for every tree, and for nothing else.
  std::vector<std::string> algorithms(const Value& proofs, const Value& trees) {
    std::vector<std::string> out;
    std::set<std::string> names;
    for (const auto& [algorithm, root] : std::get<Object>(trees.held)) {
      names.insert(algorithm);
      proofs.array_at(algorithm);
      if (digest_size(algorithm) != 0) out.push_back(algorithm);
      if (digest_size(algorithm) == 0 && unknown_.insert(algorithm).second)
        report_.not_checked("proofs", algorithm, "this program has no such digest");
    }
    only_keys(proofs, names);
    return out;
  }

  Bytes neighbour(const Value& entry, const Value& content) {
    only_keys(entry, {"index", "key", "paths"});
    const Bytes key = digest_from_hex(entry.text_at("key"), key_size, "a key");
    for (const std::string& algorithm : algorithms(entry.at("paths"), content.at("trees"))) {
      const Bytes root = root_of_path(algorithm, leaf_hash(algorithm, "", key), entry.number_at("index"),
                                      content.number_at("entries"), hashes(entry.at("paths"), algorithm));
      if (to_hex(root) != content.at("trees").text_at(algorithm))
        throw Refused{"a neighbour isn't in the " + algorithm + " content tree"};
    }
    return key;
  }

  const Value& manifest_;
  Report& report_;
  std::set<std::string> unknown_;
};

std::vector<Seal> seals_of(const Value& disclosure) {
  std::vector<Seal> seals;
  for (const Value& one : disclosure.array_at("signatures")) {
    only_keys(one, {"name", "cms", "timestamp"});
    Seal seal{one.text_at("name"), from_base64(one.text_at("cms"), "a signature"), {}};
    if (one.find("timestamp") != nullptr) seal.answer = from_base64(one.text_at("timestamp"), "a time-stamp");
    if (seal.name != std::string(manifest_name) + "." + std::to_string(seals.size() + 1) + ".p7s")
      throw Refused{"a signature called " + seal.name};
    seals.push_back(std::move(seal));
  }
  return seals;
}

}  // namespace

void check_disclosure(const Value& disclosure, const Trust* trust, Report& report) {
  const char* form = "disclosure form";
  std::vector<Seal> seals;
  const bool formed = report.guard(form, "the file", [&] {
    only_keys(disclosure, {"format", "manifest", "signatures", "items", "volumes", "absent"});
    if (disclosure.text_at("format") != "exhibit-disclosure/1") throw Refused{"its format is another"};
    seals = seals_of(disclosure);
    if (disclosure.array_at("items").empty() && disclosure.array_at("volumes").empty() &&
        disclosure.array_at("absent").empty())
      throw Refused{"it discloses nothing"};
    report.ok(form, "the file", "canonical, and every key as the format says");
  });
  if (!formed) return;
  const std::string& text = disclosure.text_at("manifest");
  check_seals(text, seals, trust, report);
  report.guard("manifest", manifest_name, [&] {
    const Value manifest = read_manifest(text);
    report.ok("manifest", manifest_name, "canonical, and every key as the format says");
    Disclosure checks(manifest, report);
    for (const Value& entry : disclosure.array_at("items"))
      report.guard("disclosed item", entry.text_or_empty("item"), [&] { checks.item(entry); });
    for (const Value& entry : disclosure.array_at("volumes"))
      report.guard("disclosed volume", entry.text_or_empty("volume"), [&] { checks.volume(entry); });
    for (const Value& entry : disclosure.array_at("absent"))
      report.guard("absence", entry.text_or_empty("digest"), [&] { checks.absence(entry); });
  });
  for (const char* name : {"findings", "ledger", "inputs", "media"})
    report.not_checked(name, "the case", "it isn't in a disclosure");
}

}  // namespace exhibit_verify
