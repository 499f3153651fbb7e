// CASE 1.4.0 / UCO 1.4.0 as JSON-LD, one node of the graph a line. Names of nodes come from the case's number and the
// ids of the records, so that the same record has the same name in every export. Words that the ontology lacks stand in
// a namespace of our own.
//
// An item is an observable:File; where its bytes lie, ObservableRelationships to its volume, one for each run. A lead
// is an analysis:AnalyticResult about it; what wasn't done, a core:Annotation.

#include <algorithm>

#include "hash/multi_digest.h"
#include "report/exporter.h"
#include "report/item_text.h"
#include "report/times.h"

namespace exhibit::report {

extern const Exporter case_exporter;

namespace {

using base::Json;

// JSON-LD that is written as it comes: objects and lists, a comma between any two of their members.
class Node {
 public:
  Node() = default;
  Node(const std::string& id, const char* type) { text("@id", id).text("@type", type); }

  Node& text(std::string_view key, std::string_view value) {
    name(key);
    base::append_string(json_, value);
    return *this;
  }
  // None where there is no value.
  Node& told(std::string_view key, std::string_view value) { return value.empty() ? *this : text(key, value); }
  Node& number(std::string_view key, std::uint64_t value) {
    name(key);
    json_ += std::to_string(value);
    return *this;
  }
  Node& flag(std::string_view key, bool value) { return raw(key, value ? "true" : "false"); }
  Node& typed(std::string_view key, const char* type, std::string_view value) {
    return raw(key, Node().text("@type", type).text("@value", value).json());
  }
  Node& time(std::string_view key, const std::optional<std::string>& value) {
    return value && is_xml_time(*value) ? typed(key, "xsd:dateTime", *value) : *this;
  }
  Node& link(std::string_view key, const std::string& id) { return raw(key, Node().text("@id", id).json()); }
  Node& list(std::string_view key, const std::vector<std::string>& members) {
    if (members.empty()) return *this;
    std::string all = "[";
    for (const auto& member : members) all += (all.size() > 1 ? "," : "") + member;
    return raw(key, all + "]");
  }
  Node& raw(std::string_view key, std::string_view value) {
    name(key);
    json_ += value;
    return *this;
  }
  std::string json() const { return json_ + "}"; }

 private:
  void name(std::string_view key) {
    if (json_.size() > 1) json_ += ',';
    base::append_string(json_, key);
    json_ += ':';
  }
  std::string json_ = "{";
};

// UCO's HashNameVocab, and the names of the standards for the others: an open vocabulary.
std::string method_of(const std::string& algorithm) {
  static constexpr std::pair<std::string_view, const char*> names[] = {
      {"md5", "MD5"},
      {"sha1", "SHA1"},
      {"sha256", "SHA256"},
      {"sha512", "SHA512"},
      {"sha3-256", "SHA3-256"},
      {"ssdeep", "SSDEEP"},
      {"blake2b", "BLAKE2b"},
      {"belt256", "belt-hash (STB 34.101.31)"},
      {"streebog256", "Streebog-256 (GOST R 34.11-2012)"},
      {"streebog512", "Streebog-512 (GOST R 34.11-2012)"}};
  const auto* found =
      std::find_if(std::begin(names), std::end(names), [&](auto& row) { return row.first == algorithm; });
  return found == std::end(names) ? algorithm : found->second;
}

// Of xsd:hexBinary; what isn't (ssdeep's) goes into a text of ours.
bool is_hex(const std::string& text) {
  return text.size() % 2 == 0 && text.find_first_not_of("0123456789abcdef") == std::string::npos;
}

class Case : public Writer {
 public:
  Case(const CaseFacts& facts, std::string& out) : Writer(out), facts_(facts), hasher_(hash::create("sha1").take()) {}

  void begin() override {
    out() += R"({"@context":{"case-investigation":"https://ontology.caseontology.org/case/investigation/",)"
             R"("exhibit":"urn:exhibit:case:","kb":"urn:exhibit:kb:",)"
             R"("uco-action":"https://ontology.unifiedcyberontology.org/uco/action/",)"
             R"("uco-analysis":"https://ontology.unifiedcyberontology.org/uco/analysis/",)"
             R"("uco-core":"https://ontology.unifiedcyberontology.org/uco/core/",)"
             R"("uco-identity":"https://ontology.unifiedcyberontology.org/uco/identity/",)"
             R"("uco-location":"https://ontology.unifiedcyberontology.org/uco/location/",)"
             R"("uco-observable":"https://ontology.unifiedcyberontology.org/uco/observable/",)"
             R"("uco-tool":"https://ontology.unifiedcyberontology.org/uco/tool/",)"
             R"("uco-types":"https://ontology.unifiedcyberontology.org/uco/types/",)"
             R"("xsd":"http://www.w3.org/2001/XMLSchema#"},)"
             "\n\"@graph\":[\n";
    put_investigation();
    put_tool();
    put_inputs();
    for (const Json& event : facts_.events) put_event(event);
  }

  void evidence(const Json& record) override {
    evidence_ = text_of(record, "id");
    const std::string id = id_of("evidence", evidence_);
    std::vector<std::string> facets = {Node(id_of("image-facet", evidence_), "uco-observable:ImageFacet")
                                           .told("uco-observable:imageType", text_of(record, "format"))
                                           .json()};
    Digests digests;
    if (const auto found = record.find("digests"); found != record.end()) {
      for (const auto& [algorithm, digest] : found->items()) digests[algorithm] = digest.get<std::string>();
    }
    facets.push_back(content_facet(evidence_, size_of(record, "size"), digests, ""));
    Node node(id, "uco-observable:Image");
    node.text("uco-core:name", evidence_).told("exhibit:integrity", text_of(record, "integrity"));
    put(node.list("uco-core:hasFacet", facets));
    put(Node(id_of("provenance", evidence_), "case-investigation:ProvenanceRecord")
            .text("case-investigation:exhibitNumber", evidence_)
            .link("uco-core:object", id));
    put(Node(id_of("examination", evidence_), "case-investigation:InvestigativeAction")
            .text("uco-core:name", "examined by Exhibit")
            .link("uco-action:instrument", id_of("tool", ""))
            .link("uco-action:object", id)
            .link("uco-action:result", id_of("provenance", evidence_)));
  }

  void volume(const Json& record) override {
    volume_ = text_of(record, "id");
    item_.clear();
    const std::string id = id_of("volume", volume_);
    std::vector<std::string> facets = {Node(id_of("partition-facet", volume_), "uco-observable:DiskPartitionFacet")
                                           .text("uco-observable:partitionID", volume_)
                                           .number("uco-observable:partitionOffset", size_of(record, "offset"))
                                           .number("uco-observable:partitionLength", size_of(record, "size"))
                                           .told("uco-observable:diskPartitionType", text_of(record, "type"))
                                           .json()};
    const auto filesystem = record.find("filesystem");
    if (filesystem != record.end() && filesystem->is_object()) {
      facets.push_back(Node(id_of("file-system-facet", volume_), "uco-observable:FileSystemFacet")
                           .told("uco-observable:fileSystemType", text_of(*filesystem, "type"))
                           .number("uco-observable:clusterSize", size_of(*filesystem, "block_size"))
                           .json());
    }
    put(Node(id, "uco-observable:DiskPartition")
            .text("uco-core:name", volume_)
            .told("exhibit:kind", text_of(record, "kind"))
            .told("exhibit:scheme", text_of(record, "scheme"))
            .told("exhibit:timeZone", text_of(record, "time_zone"))
            .list("uco-core:hasFacet", facets));
    const std::string parent = text_of(record, "parent");
    put(relation(id_of("within", volume_), id,
                 parent == evidence_ ? id_of("evidence", parent) : id_of("volume", parent), "Contained_Within"));
  }

  void item(const Item& item) override {
    item_ = item.id;
    const std::string id = id_of("item", item.id);
    Node facet(id_of("file-facet", item.id), "uco-observable:FileFacet");
    facet.text("uco-observable:fileName", name_of_file(item) + (item.stream ? ":" + *item.stream : ""))
        .text("uco-observable:filePath", item.path)
        .flag("uco-observable:isDirectory", item.kind == ItemKind::directory)
        .number("uco-observable:sizeInBytes", item.size)
        .text("uco-observable:allocationStatus", name_of(item.state))
        .time("uco-observable:modifiedTime", item.times.modified)
        .time("uco-observable:accessedTime", item.times.accessed)
        .time("uco-observable:metadataChangeTime", item.times.changed)
        .time("uco-observable:observableCreatedTime", item.times.born);
    std::vector<std::string> facets = {facet.json()};
    if (!item.digests.empty() || item.type)
      facets.push_back(content_facet(item.id, item.size, item.digests, item.type.value_or("")));
    Node node(id, "uco-observable:File");
    node.text("exhibit:item", item.id)
        .text("exhibit:kind", name_of(item.kind))
        .told("exhibit:tier", item.tier.value_or(""))
        .told("exhibit:transform", item.transform.value_or(""))
        .told("exhibit:linkTarget", item.link_target.value_or(""))
        .told("exhibit:pathRaw", item.path_raw.value_or(""));
    std::vector<std::string> doubts;
    for (const Doubt& doubt : item.doubt) {
      doubts.push_back(Node()
                           .text("exhibit:cause", name_of(doubt.cause))
                           .number("exhibit:offset", doubt.offset)
                           .number("exhibit:length", doubt.length)
                           .json());
    }
    node.list("exhibit:doubt", doubts);
    put(node.list("uco-core:hasFacet", facets));
    put_places(item, id);
  }

  void match(const Json& record) override {
    const std::string key = std::to_string(++leads_) + " " + evidence_;
    const std::string statement = std::string(lead_notice) + " By " + what_matched(record) + ".";
    std::vector<std::string> facets;
    if (const auto places = record.find("where"); places != record.end()) {
      for (const Json& place : *places) {
        facets.push_back(Node(id_of("place " + std::to_string(facets.size()), key), "uco-observable:DataRangeFacet")
                             .number("uco-observable:rangeOffset", size_of(place, "offset"))
                             .number("uco-observable:rangeSize", size_of(place, "length"))
                             .json());
      }
    }
    put(Node(id_of("lead", key), "uco-analysis:AnalyticResult")
            .text("uco-core:statement", statement)
            .text("exhibit:sourceSha256", text_of(record, "source_sha256"))
            .told("exhibit:category", text_of(record, "category"))
            .told("exhibit:severity", text_of(record, "severity"))
            .link("uco-analysis:resultContent", subject(text_of(record, "item")))
            .list("uco-core:hasFacet", facets));
  }

  void problem(const Json& record) override {
    annotate("problem " + std::to_string(++problems_), text_of(record, "where"),
             "Not done: " + text_of(record, "stage") + ": " + text_of(record, "cause") + ": " +
                 text_of(record, "detail") + " (" + text_of(record, "where") + ")");
  }

  void coverage(const Json& record) override {
    item_.clear();
    std::string statement = "Bytes by class:";
    for (const auto& [key, count] : record.at("bytes").items())
      statement += " " + key + " " + std::to_string(count.get<std::uint64_t>());
    statement += "; examined:";
    for (const auto& [key, count] : record.at("examined").items())
      statement += " " + key + " " + std::to_string(count.get<std::uint64_t>());
    annotate("coverage " + text_of(record, "where"), text_of(record, "where"), statement);
    volume_.clear();
  }

  void end() override { out() += "\n]}\n"; }

 private:
  // A name-based UUID (RFC 9562, version 5) in the case's own namespace. UCO asks for names that end in a UUID.
  std::string id_of(std::string_view kind, std::string_view name) {
    const auto feed = [&](std::string_view bytes) { hasher_->update(std::as_bytes(std::span(bytes))); };
    feed("urn:exhibit:kb:");
    feed(number_);
    for (const std::string_view part : {kind, name}) {
      feed(std::string_view("\0", 1));
      feed(part);
    }
    std::string bytes = hasher_->finish().substr(0, 16);
    bytes[6] = static_cast<char>((bytes[6] & 0x0f) | 0x50);
    bytes[8] = static_cast<char>((bytes[8] & 0x3f) | 0x80);
    std::string hex = base::to_hex(bytes);
    for (const std::size_t at : {8, 13, 18, 23}) hex.insert(at, 1, '-');
    const std::size_t word = kind.find(' ');
    return "kb:" + std::string(kind.substr(0, word)) + "-" + hex;
  }

  void put(const Node& node) {
    if (!first_) out() += ",\n";
    first_ = false;
    out() += node.json();
  }

  static Node relation(const std::string& id, const std::string& source, const std::string& target, const char* kind) {
    Node node(id, "uco-observable:ObservableRelationship");
    node.link("uco-core:source", source)
        .link("uco-core:target", target)
        .text("uco-core:kindOfRelationship", kind)
        .flag("uco-core:isDirectional", true);
    return node;
  }

  std::string content_facet(const std::string& key, std::uint64_t size, const Digests& digests,
                            const std::string& type) {
    std::vector<std::string> hashes;
    Node facet(id_of("content-facet", key), "uco-observable:ContentDataFacet");
    facet.number("uco-observable:sizeInBytes", size).told("uco-observable:mimeType", type);
    for (const auto& [algorithm, digest] : digests) {
      if (!is_hex(digest)) {
        facet.text("exhibit:" + algorithm, digest);
        continue;
      }
      hashes.push_back(Node(id_of("hash " + algorithm, key), "uco-types:Hash")
                           .text("uco-types:hashMethod", method_of(algorithm))
                           .typed("uco-types:hashValue", "xsd:hexBinary", digest)
                           .json());
    }
    return facet.list("uco-observable:hash", hashes).json();
  }

  // A relationship for each run of the content; one without a range where none are known.
  void put_places(const Item& item, const std::string& id) {
    const std::string volume = id_of("volume", item.volume);
    const std::string path_facet = Node(id_of("path-facet", item.id), "uco-observable:PathRelationFacet")
                                       .text("uco-observable:path", item.path)
                                       .json();
    put(relation(id_of("within", item.id), id, volume, "Contained_Within").list("uco-core:hasFacet", {path_facet}));
    if (!item.extents) return;
    std::uint64_t index = 0;
    for (const Extent& extent : *item.extents) {
      const std::string run = std::to_string(index);
      Node range(id_of("range " + run, item.id), "uco-observable:DataRangeFacet");
      if (extent.offset < 0) {
        range.text("uco-observable:rangeOffsetType", "sparse: zeros that no byte of the volume holds");
      } else {
        range.number("uco-observable:rangeOffset", static_cast<std::uint64_t>(extent.offset))
            .text("uco-observable:rangeOffsetType", "bytes from the start of the volume");
      }
      range.number("uco-observable:rangeSize", extent.length);
      const std::string fragment = Node(id_of("fragment " + run, item.id), "uco-observable:FragmentFacet")
                                       .number("uco-observable:fragmentIndex", index)
                                       .number("uco-observable:totalFragments", item.extents->size())
                                       .json();
      put(relation(id_of("run " + run, item.id), id, volume, "Contained_Within")
              .list("uco-core:hasFacet", {range.json(), fragment}));
      ++index;
    }
  }

  // What a lead or a problem is about: what has a node, and lies nearest to it.
  std::string subject(const std::string& where) {
    if (!item_.empty() && where == item_) return id_of("item", where);
    if (!volume_.empty()) return id_of("volume", volume_);
    return id_of("evidence", evidence_);
  }

  void annotate(const std::string& kind, const std::string& where, const std::string& statement) {
    put(Node(id_of(kind, evidence_), "uco-core:Annotation")
            .text("uco-core:statement", statement)
            .link("uco-core:object", subject(where)));
  }

  void put_investigation() {
    Node node(id_of("investigation", ""), "case-investigation:Investigation");
    node.told("uco-core:name", facts_.field("number"))
        .text("uco-core:description", lead_notice)
        .text("case-investigation:investigationForm", "case");
    if (const std::string title = facts_.field("title"); !title.empty())
      node.list("case-investigation:focus", {quoted(title)});
    const std::string authority = facts_.field("authority");
    if (!authority.empty()) node.link("case-investigation:relevantAuthorization", id_of("authorization", ""));
    put(node);
    if (authority.empty()) return;
    put(Node(id_of("authorization", ""), "case-investigation:Authorization")
            .text("case-investigation:authorizationIdentifier", authority));
  }

  static std::string quoted(std::string_view text) {
    std::string json;
    base::append_string(json, text);
    return json;
  }

  void put_tool() {
    put(Node(id_of("tool", ""), "uco-tool:AnalyticTool")
            .told("uco-core:name", text_of(facts_.tool, "name"))
            .told("uco-tool:version", text_of(facts_.tool, "version"))
            .told("exhibit:sourceRevision", text_of(facts_.tool, "source_revision"))
            .told("exhibit:buildSha256", text_of(facts_.tool, "build_sha256")));
  }

  // The hash sets and rules that leads come from.
  void put_inputs() {
    for (const manifest::Input& input : facts_.inputs) {
      const std::string key = input.kind + " " + input.name;
      put(Node(id_of("input", key), "uco-observable:File")
              .text("uco-core:name", input.name)
              .text("exhibit:kind", input.kind)
              .list("uco-core:hasFacet", {content_facet_of_input(key, input)}));
    }
  }

  std::string content_facet_of_input(const std::string& key, const manifest::Input& input) {
    std::vector<std::string> hashes;
    for (const auto& [algorithm, digest] : input.digests) {
      hashes.push_back(Node(id_of("hash " + algorithm, key), "uco-types:Hash")
                           .text("uco-types:hashMethod", method_of(algorithm))
                           .typed("uco-types:hashValue", "xsd:hexBinary", digest)
                           .json());
    }
    return Node(id_of("content-facet", key), "uco-observable:ContentDataFacet")
        .list("uco-observable:hash", hashes)
        .json();
  }

  // An event of the custody ledger.
  void put_event(const Json& event) {
    const std::string seq = std::to_string(size_of(event, "seq"));
    const Json actor = event.value("actor", Json::object());
    const std::string person = "actor " + seq;
    put(Node(id_of("identity", person), "uco-identity:Person").told("uco-core:name", text_of(actor, "name")));
    Node node(id_of("event", seq), "case-investigation:InvestigativeAction");
    node.text("uco-core:name", text_of(event, "event"))
        .time("uco-core:startTime", text_of(event, "time"))
        .link("uco-action:performer", id_of("identity", person));
    if (const std::string place = text_of(event, "place"); !place.empty()) {
      put(Node(id_of("location", seq), "uco-location:Location").text("uco-core:name", place));
      node.link("uco-action:location", id_of("location", seq));
    }
    std::vector<std::string> objects;
    for (const Json& id : event.value("evidence", Json::array())) {
      const bool is_ours = std::any_of(facts_.exhibits.begin(), facts_.exhibits.end(),
                                       [&](const Exhibit& exhibit) { return id == exhibit.id; });
      if (is_ours) objects.push_back(Node().text("@id", id_of("evidence", id.get<std::string>())).json());
    }
    put(node.list("uco-action:object", objects));
  }

  const CaseFacts& facts_;
  std::unique_ptr<hash::Hasher> hasher_;
  std::string number_ = facts_.field("number");
  std::string evidence_, volume_, item_;  // ids of what the records are of
  std::uint64_t leads_ = 0, problems_ = 0;
  bool first_ = true;
};

std::unique_ptr<Writer> open(const CaseFacts& facts, std::string& out) { return std::make_unique<Case>(facts, out); }

}  // namespace

const Exporter case_exporter = {"case", "CASE/UCO 1.4.0, JSON-LD", open};

}  // namespace exhibit::report
