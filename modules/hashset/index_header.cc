#include "hashset/index_header.h"

#include <algorithm>

#include "base/checked.h"
#include "hashset/index_format.h"

namespace exhibit::hashset {
namespace {

using base::Json;

constexpr const char* format_name = "exhibit-hashset/1";

Error broken(const std::string& what) {
  return Error{ErrorCode::corrupt, "the index's header is broken: " + what, {}, {}};
}

// Reads members of one object; what is absent or of another kind is remembered.
class Members {
 public:
  explicit Members(const Json& object) : object_(object) {
    if (!object.is_object()) missing_ = "an object";
  }

  std::string text(const char* key) {
    const Json* value = member(key);
    return value != nullptr && value->is_string() ? value->get<std::string>() : (missing_ = key, std::string());
  }
  std::uint64_t number(const char* key) {
    const Json* value = member(key);
    return value != nullptr && value->is_number_unsigned() ? value->get<std::uint64_t>() : (missing_ = key, 0U);
  }
  const Json& list(const char* key) {
    static const Json none = Json::array();
    const Json* value = member(key);
    return value != nullptr && value->is_array() ? *value : (missing_ = key, none);
  }
  Section section(const char* key) {
    const Json& pair = list(key);
    if (pair.size() != 2 || !pair[0].is_number_unsigned() || !pair[1].is_number_unsigned())
      return missing_ = key, Section{};
    return {pair[0].get<std::uint64_t>(), pair[1].get<std::uint64_t>()};
  }
  const std::string& missing() const { return missing_; }

 private:
  const Json* member(const char* key) const {
    if (!object_.is_object()) return nullptr;
    const auto found = object_.find(key);
    return found == object_.end() ? nullptr : &*found;
  }

  const Json& object_;
  std::string missing_;
};

Json to_json(const Section& section) { return Json::array({section.offset, section.bytes}); }

Json to_json(const TableFacts& table) {
  Json json = {
      {"algorithm", facts(table.algorithm).name}, {"digests", table.digests},        {"prefix_bits", table.prefix_bits},
      {"dropped_bytes", table.dropped_bytes},     {"label_bits", table.label_bits},  {"rows", to_json(table.rows)},
      {"buckets", to_json(table.buckets)},        {"labels", to_json(table.labels)}, {"names", to_json(table.names)},
      {"name_blocks", to_json(table.name_blocks)}};
  if (table.algorithm == Algorithm::pdq) json["slots"] = to_json(table.slots);
  return json;
}

bool fits(const TableFacts& table, std::uint64_t body_bytes, std::size_t labels) {
  if (table.digests == 0 || table.digests > most_digests || table.prefix_bits > most_prefix_bits ||
      table.dropped_bytes > most_dropped_bytes || 8 * table.dropped_bytes > table.prefix_bits ||
      table.label_bits != label_bits_for(labels)) {
    return false;
  }
  for (const Section* section :
       {&table.rows, &table.buckets, &table.labels, &table.names, &table.name_blocks, &table.slots}) {
    if (!base::within(section->offset, section->bytes, body_bytes) || section->offset % index_alignment != 0)
      return false;
  }
  if (table.algorithm == Algorithm::pdq &&
      (table.dropped_bytes != 0 || table.slots.bytes != pdq_slots * pdq_slot_bytes(table.digests)))
    return false;
  const std::uint64_t row = facts(table.algorithm).bytes - table.dropped_bytes;
  const std::uint64_t blocks = (table.digests + names_a_block - 1) / names_a_block;
  return table.rows.bytes == table.digests * row &&
         table.buckets.bytes == ((std::uint64_t{1} << table.prefix_bits) + 1) * 4 &&
         table.labels.bytes == (table.digests * table.label_bits + 7) / 8 &&
         (table.name_blocks.bytes == 0 || table.name_blocks.bytes == (blocks + 1) * 8);
}

Result<TableFacts> table_from(const Json& json, std::uint64_t body_bytes, std::size_t labels) {
  Members members(json);
  TableFacts table;
  const std::string name = members.text("algorithm");
  const auto algorithm = algorithm_named(name);
  table.digests = members.number("digests");
  const std::uint64_t prefix = members.number("prefix_bits"), dropped = members.number("dropped_bytes"),
                      bits = members.number("label_bits");
  table.rows = members.section("rows");
  table.buckets = members.section("buckets");
  table.labels = members.section("labels");
  table.names = members.section("names");
  table.name_blocks = members.section("name_blocks");
  if (name == facts(Algorithm::pdq).name) table.slots = members.section("slots");
  if (!members.missing().empty()) return broken("a table without " + members.missing());
  if (!algorithm) return broken("a table of " + name);
  table.algorithm = *algorithm;
  table.prefix_bits = static_cast<unsigned>(std::min<std::uint64_t>(prefix, 64));
  table.dropped_bytes = static_cast<unsigned>(std::min<std::uint64_t>(dropped, 64));
  table.label_bits = static_cast<unsigned>(std::min<std::uint64_t>(bits, 64));
  if (!fits(table, body_bytes, labels)) return broken("the table of " + name + " doesn't fit its own numbers");
  return table;
}

}  // namespace

const char* name_of(SetClass set_class) { return set_class == SetClass::known ? "known" : "notable"; }

Json to_json(const IndexHeader& header) {
  Json inputs = Json::array(), labels = Json::array(), tables = Json::array();
  for (const InputFacts& input : header.inputs) {
    inputs.push_back({{"name", input.name},
                      {"format", input.format},
                      {"bytes", input.bytes},
                      {"sha256", input.sha256},
                      {"entries", input.entries},
                      {"refused", input.refused},
                      {"trivial", input.trivial},
                      {"passed_over", input.passed_over}});
  }
  for (const Label& label : header.labels) labels.push_back({{"category", label.category}, {"source", label.source}});
  for (const TableFacts& table : header.tables) tables.push_back(to_json(table));
  const Description& about = header.description;
  Json json = {{"format", format_name},
               {"name", about.name},
               {"source", about.source},
               {"version", about.version},
               {"licence", about.licence},
               {"class", name_of(about.set_class)},
               {"category_profile", about.category_profile},
               {"entries", header.entries},
               {"inputs", inputs},
               {"labels", labels},
               {"tables", tables}};
  if (about.restricted) json["handling"] = "restricted";
  return json;
}

Result<IndexHeader> header_from(const Json& json, std::uint64_t body_bytes) {
  Members members(json);
  if (members.text("format") != format_name) return broken("it isn't of " + std::string(format_name));
  IndexHeader header;
  Description& about = header.description;
  about.name = members.text("name");
  about.source = members.text("source");
  about.version = members.text("version");
  about.licence = members.text("licence");
  about.category_profile = members.text("category_profile");
  about.restricted = json.is_object() && json.value("handling", Json()) == "restricted";
  const std::string set_class = members.text("class");
  about.set_class = set_class == "known" ? SetClass::known : SetClass::notable;
  header.entries = members.number("entries");
  for (const Json& each : members.list("inputs")) {
    Members input(each);
    header.inputs.push_back({input.text("name"), input.text("format"), input.number("bytes"), input.text("sha256"),
                             input.number("entries"), input.number("refused"), input.number("trivial"),
                             input.number("passed_over")});
    if (!input.missing().empty()) return broken("an input without " + input.missing());
  }
  for (const Json& each : members.list("labels")) {
    Members label(each);
    header.labels.push_back({label.text("category"), label.text("source")});
    if (!label.missing().empty()) return broken("a label without " + label.missing());
  }
  if (header.labels.empty() || header.labels.size() > most_labels) return broken("no labels, or too many");
  for (const Json& each : members.list("tables")) {
    header.tables.push_back(EXHIBIT_TRY(table_from(each, body_bytes, header.labels.size())));
  }
  if (!members.missing().empty()) return broken("it has no " + members.missing());
  if (set_class != "known" && set_class != "notable") return broken("its class is neither known nor notable");
  if (header.tables.empty()) return broken("it has no table");
  return header;
}

}  // namespace exhibit::hashset
