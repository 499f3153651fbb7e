#include "manifest/manifest.h"

#include <algorithm>
#include <array>
#include <initializer_list>
#include <set>

#include "hash/multi_digest.h"

namespace exhibit::manifest {
namespace {

using base::Json;

constexpr std::array input_kinds = {"hashset", "yara", "carver", "config"};
constexpr std::array integrities = {"match", "mismatch", "no-stored-digest", "unreadable"};

Error bad(const std::string& what) {
  return {ErrorCode::corrupt, std::string(manifest_name) + ": " + what, manifest_name, {}};
}

bool is_hex(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

// Digests of algorithms that we know have their length; of others, whole bytes.
bool is_digest(const std::string& algorithm, std::string_view text) {
  const auto known = hash::algorithms();
  const bool is_known = std::find(known.begin(), known.end(), algorithm) != known.end();
  const std::size_t length = is_known ? 2 * hash::digest_of(algorithm, "").size() : text.size();
  return is_hex(text) && text.size() == length && !text.empty() && text.size() % 2 == 0;
}

// One object of the manifest, read key by key; `place` goes before every complaint.
class Fields {
 public:
  static Result<Fields> of(const Json& value, std::string place, std::initializer_list<const char*> keys) {
    if (!value.is_object()) return bad(place + " isn't an object");
    for (const auto& entry : value.items()) {
      const std::string& key = entry.key();
      if (std::find(keys.begin(), keys.end(), key) == keys.end())
        return bad(place.append(" has a key that this format doesn't have: \"").append(key).append("\""));
    }
    return Fields(value, std::move(place));
  }
  static Result<Fields> open(const Json& value, std::string place) {
    if (!value.is_object()) return bad(place + " isn't an object");
    return Fields(value, std::move(place));
  }

  bool has(const char* key) const { return value_.contains(key); }
  std::string place(const char* key) const { return place_ + "." + key; }

  Result<const Json*> get(const char* key) const {
    const auto at = value_.find(key);
    if (at == value_.end()) return bad(place(key) + " is missing");
    return &*at;
  }
  Result<const Json*> list(const char* key) const {
    const Json* value = EXHIBIT_TRY(get(key));
    if (!value->is_array()) return bad(place(key) + " isn't a list");
    return value;
  }
  Result<std::string> text(const char* key) const {
    const Json* value = EXHIBIT_TRY(get(key));
    if (!value->is_string()) return bad(place(key) + " isn't a string");
    return value->get<std::string>();
  }
  Result<std::uint64_t> number(const char* key) const {
    const Json* value = EXHIBIT_TRY(get(key));
    if (!value->is_number_unsigned()) return bad(place(key) + " isn't a whole number");
    return value->get<std::uint64_t>();
  }
  Result<std::string> sha256(const char* key) const {
    std::string value = EXHIBIT_TRY(text(key));
    if (!is_digest("sha256", value)) return bad(place(key) + " isn't a SHA-256 in lower-case hex");
    return value;
  }
  // Algorithm -> digest.
  Result<Digests> digests(const char* key) const {
    const Json* value = EXHIBIT_TRY(get(key));
    if (!value->is_object()) return bad(place(key) + " isn't an object");
    Digests found;
    for (const auto& [algorithm, digest] : value->items()) {
      if (!digest.is_string() || !is_digest(algorithm, digest.get_ref<const std::string&>()))
        return bad(place(key) + "." + algorithm + " isn't a digest in lower-case hex");
      found[algorithm] = digest.get<std::string>();
    }
    if (!found.contains("sha256")) return bad(place(key) + " has no sha256");
    return found;
  }
  template <std::size_t N>
  Result<std::string> one_of(const char* key, const std::array<const char*, N>& names) const {
    std::string value = EXHIBIT_TRY(text(key));
    const bool known = std::any_of(names.begin(), names.end(), [&](const char* name) { return value == name; });
    if (!known) return bad(place(key) + " is \"" + value + "\", which this format doesn't have");
    return value;
  }

 private:
  Fields(const Json& value, std::string place) : value_(value), place_(std::move(place)) {}
  const Json& value_;
  std::string place_;
};

Result<Input> read_input(const Json& value, const std::string& place) {
  const Fields fields = EXHIBIT_TRY(Fields::of(value, place, {"kind", "name", "version", "entries", "digests"}));
  Input input;
  input.kind = EXHIBIT_TRY(fields.one_of("kind", input_kinds));
  input.name = EXHIBIT_TRY(fields.text("name"));
  input.version = EXHIBIT_TRY(fields.text("version"));
  input.entries = EXHIBIT_TRY(fields.number("entries"));
  input.digests = EXHIBIT_TRY(fields.digests("digests"));
  return input;
}

Result<Counts> read_counts(const Json& value, const std::string& place) {
  const Fields fields = EXHIBIT_TRY(Fields::of(value, place, {"items", "matches", "problems"}));
  Counts counts;
  counts.items = EXHIBIT_TRY(fields.number("items"));
  counts.matches = EXHIBIT_TRY(fields.number("matches"));
  counts.problems = EXHIBIT_TRY(fields.number("problems"));
  return counts;
}

// Manifests of versions before the content tree have none.
Result<std::optional<ContentSummary>> read_content(const Fields& findings, const Digests& trees) {
  if (!findings.has("content")) return std::optional<ContentSummary>();
  const Fields fields = EXHIBIT_TRY(Fields::of(*EXHIBIT_TRY(findings.get("content")), findings.place("content"),
                                               {"digest", "entries", "without", "trees"}));
  ContentSummary content;
  const std::string digest = EXHIBIT_TRY(fields.text("digest"));
  if (digest != "sha256") return bad(fields.place("digest") + " is \"" + digest + "\", not sha256");
  content.entries = EXHIBIT_TRY(fields.number("entries"));
  content.without = EXHIBIT_TRY(fields.number("without"));
  content.trees = EXHIBIT_TRY(fields.digests("trees"));
  const bool same = std::equal(trees.begin(), trees.end(), content.trees.begin(), content.trees.end(),
                               [](const auto& a, const auto& b) { return a.first == b.first; });
  if (!same) return bad(fields.place("trees") + " aren't by the algorithms of " + findings.place("trees"));
  return std::optional(content);
}

Result<FindingsSummary> read_summary(const Json& value, const std::string& place, const std::string& id) {
  const Fields fields = EXHIBIT_TRY(Fields::of(
      value, place, {"file", "records", "bytes", "digests", "trees", "counts", "salt_commitment", "content"}));
  FindingsSummary summary;
  const std::string file = EXHIBIT_TRY(fields.text("file"));
  if (file != findings_file(id)) return bad(fields.place("file") + " isn't " + findings_file(id));
  summary.records = EXHIBIT_TRY(fields.number("records"));
  summary.bytes = EXHIBIT_TRY(fields.number("bytes"));
  summary.digests = EXHIBIT_TRY(fields.digests("digests"));
  summary.trees = EXHIBIT_TRY(fields.digests("trees"));
  summary.content = EXHIBIT_TRY(read_content(fields, summary.trees));
  const Json* counts = EXHIBIT_TRY(fields.get("counts"));
  summary.counts = EXHIBIT_TRY(read_counts(*counts, fields.place("counts")));
  summary.salt_commitment = EXHIBIT_TRY(fields.sha256("salt_commitment"));
  return summary;
}

Result<EvidenceClaim> read_evidence(const Json& value, const std::string& place) {
  const Fields fields =
      EXHIBIT_TRY(Fields::of(value, place, {"id", "size", "digests", "integrity", "block_root", "findings"}));
  EvidenceClaim claim;
  claim.id = EXHIBIT_TRY(fields.text("id"));
  if (!is_evidence_id(claim.id)) return bad(fields.place("id") + " can't be an exhibit's id");
  claim.size = EXHIBIT_TRY(fields.number("size"));
  claim.integrity = EXHIBIT_TRY(fields.one_of("integrity", integrities));
  // Of media that can't be read whole nothing is claimed that hangs on their every byte.
  if (claim.integrity != unreadable) {
    claim.digests = EXHIBIT_TRY(fields.digests("digests"));
    claim.block_root = EXHIBIT_TRY(fields.sha256("block_root"));
  } else if (fields.has("digests") || fields.has("block_root")) {
    return bad(place + " claims digests of media that are unreadable");
  }
  const Json* findings = EXHIBIT_TRY(fields.get("findings"));
  claim.findings = EXHIBIT_TRY(read_summary(*findings, fields.place("findings"), claim.id));
  return claim;
}

Result<CustodyClaim> read_custody(const Json& value) {
  const Fields fields = EXHIBIT_TRY(Fields::of(value, "custody", {"events", "head"}));
  CustodyClaim claim;
  claim.events = EXHIBIT_TRY(fields.number("events"));
  claim.head = EXHIBIT_TRY(fields.sha256("head"));
  if (claim.events == 0 && claim.head != no_digest) return bad("custody.head of no events isn't zeros");
  return claim;
}

Result<void> read_lists(const Fields& fields, Manifest& manifest) {
  const Json* inputs = EXHIBIT_TRY(fields.list("inputs"));
  for (std::size_t i = 0; i < inputs->size(); ++i) {
    Input input = EXHIBIT_TRY(read_input((*inputs)[i], "inputs[" + std::to_string(i) + "]"));
    manifest.inputs.push_back(std::move(input));
  }
  const Json* evidence = EXHIBIT_TRY(fields.list("evidence"));
  if (evidence->empty()) return bad("it names no exhibit");
  std::set<std::string> ids;
  for (std::size_t i = 0; i < evidence->size(); ++i) {
    EvidenceClaim claim = EXHIBIT_TRY(read_evidence((*evidence)[i], "evidence[" + std::to_string(i) + "]"));
    if (!ids.insert(claim.id).second) return bad("two exhibits are called " + claim.id);
    manifest.evidence.push_back(std::move(claim));
  }
  return {};
}

Json to_json(const FindingsSummary& summary, const std::string& id) {
  Json out = {
      {"file", findings_file(id)},
      {"records", summary.records},
      {"bytes", summary.bytes},
      {"digests", summary.digests},
      {"trees", summary.trees},
      {"counts",
       {{"items", summary.counts.items}, {"matches", summary.counts.matches}, {"problems", summary.counts.problems}}},
      {"salt_commitment", summary.salt_commitment.value_or("")}};
  if (summary.content) {
    out["content"] = {{"digest", "sha256"},
                      {"entries", summary.content->entries},
                      {"without", summary.content->without},
                      {"trees", summary.content->trees}};
  }
  return out;
}

Json to_json(const Manifest& manifest) {
  Json inputs = Json::array();
  for (const Input& input : manifest.inputs) {
    inputs.push_back({{"kind", input.kind},
                      {"name", input.name},
                      {"version", input.version},
                      {"entries", input.entries},
                      {"digests", input.digests}});
  }
  Json evidence = Json::array();
  for (const EvidenceClaim& claim : manifest.evidence) {
    Json entry = media_claims(claim);
    entry["findings"] = to_json(claim.findings, claim.id);
    evidence.push_back(std::move(entry));
  }
  Json out = {{"format", manifest_format},
              {"case", manifest.case_fields},
              {"tool", manifest.tool},
              {"inputs", std::move(inputs)},
              {"evidence", std::move(evidence)},
              {"custody", {{"events", manifest.custody.events}, {"head", manifest.custody.head}}},
              {"created", manifest.created}};
  if (manifest.previous) out["previous"] = *manifest.previous;
  return out;
}

}  // namespace

base::Json media_claims(const EvidenceClaim& claim) {
  base::Json claims = {{"id", claim.id}, {"size", claim.size}, {"integrity", claim.integrity}};
  if (claim.integrity == unreadable) return claims;
  claims["digests"] = claim.digests;
  claims["block_root"] = claim.block_root;
  return claims;
}

std::string findings_file(const std::string& evidence_id) { return "findings/" + evidence_id + ".jsonl"; }
std::string salts_file(const std::string& evidence_id) { return "secret/" + evidence_id + ".salts"; }

bool is_evidence_id(std::string_view id) {
  constexpr std::size_t longest = 64;
  const auto fits = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' ||
           c == '-';
  };
  return !id.empty() && id.size() <= longest && id.front() != '.' && std::all_of(id.begin(), id.end(), fits);
}

bool is_utc_time(std::string_view text) {
  constexpr std::string_view form = "dddd-dd-ddTdd:dd:dd";
  if (text.size() <= form.size() || text.back() != 'Z') return false;
  for (std::size_t i = 0; i < form.size(); ++i) {
    const bool digit = text[i] >= '0' && text[i] <= '9';
    if (form[i] == 'd' ? !digit : text[i] != form[i]) return false;
  }
  const std::string_view fraction = text.substr(form.size(), text.size() - form.size() - 1);
  return fraction.empty() || (fraction.size() > 1 && fraction.size() <= 10 && fraction[0] == '.' &&
                              fraction.find_first_not_of("0123456789", 1) == std::string_view::npos);
}

Result<std::string> write_manifest(const Manifest& manifest) {
  std::string bytes = base::canonical(to_json(manifest));
  EXHIBIT_TRY(read_manifest(bytes));
  return bytes;
}

Result<Manifest> read_manifest(std::string_view bytes) {
  const auto parsed = base::parse_json(bytes);
  if (!parsed.ok()) return bad(parsed.error().message);
  if (base::canonical(*parsed) != bytes) return bad("isn't in canonical form (RFC 8785, nothing after it)");
  const Fields fields = EXHIBIT_TRY(Fields::of(
      *parsed, "the manifest", {"format", "case", "tool", "inputs", "evidence", "custody", "previous", "created"}));
  const std::string format = EXHIBIT_TRY(fields.text("format"));
  if (format != manifest_format) return bad("its format is \"" + format + "\", not " + manifest_format);
  Manifest manifest;
  manifest.case_fields = *EXHIBIT_TRY(fields.get("case"));
  manifest.tool = *EXHIBIT_TRY(fields.get("tool"));
  EXHIBIT_TRY(Fields::open(manifest.case_fields, "case"));
  const Fields tool = EXHIBIT_TRY(Fields::open(manifest.tool, "tool"));
  for (const char* key : {"name", "version"}) EXHIBIT_TRY(tool.text(key));
  EXHIBIT_TRY(read_lists(fields, manifest));
  const Json* custody = EXHIBIT_TRY(fields.get("custody"));
  manifest.custody = EXHIBIT_TRY(read_custody(*custody));
  if (fields.has("previous")) manifest.previous = EXHIBIT_TRY(fields.sha256("previous"));
  manifest.created = EXHIBIT_TRY(fields.text("created"));
  if (!is_utc_time(manifest.created)) return bad("created isn't a time in RFC 3339 and UTC");
  return manifest;
}

}  // namespace exhibit::manifest
