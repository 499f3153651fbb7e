#pragma once
// The signatures over a manifest; and a disclosure: chosen records with their proofs, the manifest and its signatures,
// nothing else of the case (manifest.md, "Disclosure").

#include "ledger.h"

namespace exhibit_verify {

inline constexpr const char* manifest_name = "manifest.json";

struct Seal {
  std::string name;  // of the signature's file
  Bytes cms;
  std::optional<Bytes> answer;  // the time-stamp authority's
};

// A gap in the numbers means that a signature was taken away.
inline void check_seals(View manifest, const std::vector<Seal>& seals, const Trust* trust, Report& report) {
  if (seals.empty()) report.failed(signature_check, manifest_name, "nobody has signed");
  for (std::size_t i = 0; i < seals.size(); ++i) {
    const std::string expected = "." + std::to_string(i + 1) + ".p7s";
    if (!seals[i].name.ends_with(expected))
      report.failed("signature files", seals[i].name, "it should be …" + expected);
    SignatureRequest request{signature_check, "", seals[i].name, seals[i].cms, seals[i].answer, {}, trust};
    request.digest_of_content = [&](View algorithm) { return digest_of(algorithm, manifest); };
    check_signature(request, report);
  }
}

class Disclosure {
 public:
  Disclosure(const Value& manifest, Report& report) : manifest_(manifest), report_(report) {}

  void item(const Value& entry) {
    const Value& findings = findings_of(entry);
    const std::string& id = entry.text_at("item");
    const Array& records = entry.array_at("records");
    if (records.empty()) throw Refused{"no record at all"};
    for (std::size_t i = 0; i < records.size(); ++i) {
      const Value& one = records[i];
      const std::uint64_t index = one.number_at("index");
      if (index != records[0].number_at("index") + i) throw Refused{"its records don't stand together"};
      const Value record = parse_canonical(one.text_at("line"));
      const std::string& kind = record.text_at("record");
      const bool own = i == 0 ? kind == "item" && record.text_at("id") == id
                              : (kind == "match" && record.text_at("item") == id) ||
                                    (kind == "problem" && record.text_at("where") == id);
      if (!own) throw Refused{"a record that isn't the item's, or an item's record that isn't the first"};
      for_each_tree(findings.at("trees"), one.at("paths"),
                    [&](const std::string& algorithm, const std::vector<Bytes>& path) {
                      return root_of_path(algorithm, leaf(algorithm, one), index, findings.number_at("records"), path);
                    });
    }
    report_.ok("disclosed item", id, std::to_string(records.size()) + " records of the findings that the manifest saw");
    report_.not_checked("disclosed item", id,
                        "whether further records of it follow: only its whole volume would show it");
  }

  void volume(const Value& entry) {
    const Value& findings = findings_of(entry);
    const std::string& id = entry.text_at("volume");
    const Array& records = entry.array_at("records");
    if (records.size() < 2) throw Refused{"no volume record and coverage"};
    for (const Value& one : records) parse_canonical(one.text_at("line")).text_at("record");
    const Value first = parse_canonical(records.front().text_at("line")),
                last = parse_canonical(records.back().text_at("line"));
    if (first.text_at("record") != "volume" || first.text_at("id") != id)
      throw Refused{"its first record isn't the volume's own"};
    if (last.text_at("record") != "coverage" || last.text_at("where") != id)
      throw Refused{"its last record isn't the volume's coverage"};
    check_coverage(last, first.number_at("size"));
    for_each_tree(
        findings.at("trees"), entry.at("proofs"), [&](const std::string& algorithm, const std::vector<Bytes>& outside) {
          std::vector<Bytes> leaves;
          for (const Value& one : records) leaves.push_back(leaf(algorithm, one));
          return RangeProof{algorithm, findings.number_at("records"), entry.number_at("first"), leaves, outside}.root();
        });
    report_.ok("disclosed volume", id,
               std::to_string(records.size()) + " records, none left out between the first and the last");
  }

  void absence(const Value& entry) {
    const Value& content = findings_of(entry).at("content");
    const std::string& digest = entry.text_at("digest");
    if (!digest.starts_with("sha256:")) throw Refused{"another digest than SHA-256"};
    const Bytes wanted = content_key(digest_from_hex(digest.substr(7), 32, "the digest"));
    const std::uint64_t entries = content.number_at("entries"), without = content.number_at("without");
    const Value *low = entry.find("low"), *high = entry.find("high");
    if (low != nullptr && neighbour(*low, content) >= wanted) throw Refused{"the key below isn't below"};
    if (high != nullptr && neighbour(*high, content) <= wanted) throw Refused{"the key above isn't above"};
    // Between the two, or before the first or after the last, stands nothing.
    const std::uint64_t next = low == nullptr ? 0 : low->number_at("index") + 1;
    if (next != (high == nullptr ? entries : high->number_at("index"))) throw Refused{"the two keys aren't neighbours"};
    report_.ok("absence", digest, "none of " + std::to_string(entries) + " contents of " + entry.text_at("evidence"));
    if (without > 0)
      report_.not_checked("absence", digest,
                          "of " + std::to_string(without) + " items with content and no SHA-256 nothing is said");
  }

 private:
  const Value& findings_of(const Value& entry) const {
    for (const Value& evidence : manifest_.array_at("evidence")) {
      if (evidence.text_at("id") == entry.text_at("evidence")) return evidence.at("findings");
    }
    throw Refused{"the manifest has no exhibit \"" + entry.text_at("evidence") + "\""};
  }

  static Bytes leaf(View algorithm, const Value& one) {
    return leaf_hash(algorithm, digest_from_hex(one.text_at("salt"), 32, "a salt"), one.text_at("line"));
  }

  // Each of the manifest's trees must have its proof, from which `root_by` must come to the tree's root.
  template <typename RootBy>
  void for_each_tree(const Value& trees, const Value& proofs, RootBy&& root_by) {
    for (const auto& [algorithm, root] : std::get<Object>(trees.held)) {
      std::vector<Bytes> hashes;
      const std::size_t size = digest_size(algorithm);
      for (const Value& one : proofs.array_at(algorithm))
        hashes.push_back(from_hex(Value{Object{{"", one}}}.text_at("")).value_or(""));
      if (size == 0) {
        report_.not_checked("proof", algorithm, "this program has no such digest");
        continue;
      }
      for (const Bytes& hash : hashes) {
        if (hash.size() != size) throw Refused{"a hash of a proof isn't one"};
      }
      if (Value{to_hex(root_by(algorithm, hashes))} != root) throw Refused{"it isn't in the tree by " + algorithm};
    }
    if (std::get<Object>(proofs.held).size() != std::get<Object>(trees.held).size())
      throw Refused{"a proof for no tree"};
  }

  Bytes neighbour(const Value& entry, const Value& content) {
    const Bytes key = digest_from_hex(entry.text_at("key"), 32, "a key");
    for_each_tree(content.at("trees"), entry.at("paths"),
                  [&](const std::string& algorithm, const std::vector<Bytes>& path) {
                    return root_of_path(algorithm, leaf_hash(algorithm, "", key), entry.number_at("index"),
                                        content.number_at("entries"), path);
                  });
    return key;
  }

  const Value& manifest_;
  Report& report_;
};

inline void check_disclosure(View bytes, const Trust* trust, Report& report) {
  Value disclosure;
  std::vector<Seal> seals;
  const bool formed = report.guard("disclosure form", "the file", [&] {
    disclosure = parse_canonical(bytes);
    check_form(disclosure,
               "{format:s,manifest:s,signatures:[{name:s,cms:s,timestamp?:s}],"
               "items:[{evidence:s,item:s,records:[{index:n,line:s,salt:h,paths:{*}}]}],"
               "volumes:[{evidence:s,volume:s,first:n,records:[{line:s,salt:h}],proofs:{*}}],"
               "absent:[{evidence:s,digest:s,low?:{index:n,key:h,paths:{*}},high?:{index:n,key:h,paths:{*}}}]}",
               "the disclosure");
    if (disclosure.text_at("format") != "exhibit-disclosure/1") throw Refused{"its format is another"};
    for (const Value& one : disclosure.array_at("signatures")) {
      seals.push_back({one.text_at("name"), from_base64(one.text_at("cms"), "a signature"), {}});
      if (one.find("timestamp") != nullptr) seals.back().answer = from_base64(one.text_at("timestamp"), "a time-stamp");
      if (!seals.back().name.starts_with(std::string(manifest_name) + "."))
        throw Refused{"a signature called " + seals.back().name};
    }
    if (disclosure.array_at("items").empty() && disclosure.array_at("volumes").empty() &&
        disclosure.array_at("absent").empty())
      throw Refused{"it discloses nothing"};
    report.ok("disclosure form", "the file", "canonical, and every key as the format says");
  });
  if (!formed) return;
  const std::string& text = disclosure.text_at("manifest");
  check_seals(text, seals, trust, report);
  report.guard("manifest", manifest_name, [&] {
    const Value manifest = read_manifest(text);
    report.ok("manifest", manifest_name, "canonical, and every key as the format says");
    Disclosure checks(manifest, report);
    const auto each = [&](const char* list, const char* name, const char* subject, auto check) {
      for (const Value& entry : disclosure.array_at(list))
        report.guard(name, entry.text_at(subject), [&] { (checks.*check)(entry); });
    };
    each("items", "disclosed item", "item", &Disclosure::item);
    each("volumes", "disclosed volume", "volume", &Disclosure::volume);
    each("absent", "absence", "digest", &Disclosure::absence);
  });
  for (const char* name : {"findings", "ledger", "inputs", "media", "required fields"})
    report.not_checked(name, "the case", "it isn't in a disclosure");
}

}  // namespace exhibit_verify
