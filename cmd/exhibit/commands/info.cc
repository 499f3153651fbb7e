// exhibit info: evidence, volumes, file systems, stored digests. Reads no content.

#include "exhibit/session.h"

namespace exhibit::cmd {

extern const Verb info_verb;

namespace {

using base::Json;

std::string text(const Json& record, const char* key) {
  const auto found = record.find(key);
  if (found == record.end()) return "";
  return printable(found->is_string() ? found->get<std::string>() : found->dump());
}

void print_evidence(const Json& record) {
  std::string line = text(record, "id") + ": " + text(record, "format") + ", " + text(record, "size") + " bytes in " +
                     std::to_string(record.at("segments").size()) +
                     " file(s): " + printable(record.at("segments")[0].value("name", ""));
  put_line(line);
  for (const char* group : {"stored_digests", "acquisition"}) {
    if (!record.contains(group)) continue;
    for (const auto& [key, value] : record.at(group).items())
      put_line("  " + printable(key) + ": " + printable(value.get<std::string>()));
  }
}

void print_volumes(const std::vector<Json>& records) {
  Table table({"volume", "kind", "scheme", "type", "offset", "size", "holds", "label"});
  for (const Json& record : records) {
    if (record.value("record", "") != "volume") continue;
    const Json filesystem = record.value("filesystem", Json::object());
    std::string label = text(filesystem, "label");
    if (label.empty()) label = text(record, "label");
    std::string holds = text(filesystem, "type");
    if (holds.empty()) holds = text(record.value("layer", Json::object()), "type");
    table.add({text(record, "id"), text(record, "kind"), text(record, "scheme"), text(record, "type"),
               text(record, "offset"), text(record, "size"), holds, label});
  }
  table.print();
  for (const Json& record : records) {
    if (record.value("record", "") == "problem") {
      put_line("problem: " + text(record, "where") + ": " + text(record, "cause") + ": " + text(record, "detail"));
    }
  }
}

int run_info(const std::vector<std::string>& arguments) {
  options::options_description described("options");
  add_run_options(described);
  const Parsed parsed = parse(info_verb, arguments, described, "image");
  if (parsed.help) return exit_done;
  RunSettings settings = run_settings(parsed.values);
  if (settings.images.empty()) throw Usage{"name an image"};
  auto session = Session::open(settings);
  if (!session.ok()) return fail(session.error());
  if (auto done = (*session)->execute({.digests = {}, .walk = false}); !done.ok()) return fail(done.error());
  const bool records = wants_records(parsed.values);
  std::vector<Json> lines;
  bool problems = false;
  for (const auto& evidence : (*session)->evidence()) {
    if (records) put_source(evidence);
    lines.clear();
    auto written = (*session)->run().write_survey(evidence.id, [&](std::string_view line) -> Result<void> {
      lines.push_back(EXHIBIT_TRY(base::parse_json(line)));
      problems = problems || lines.back().value("record", "") == "problem";
      if (records) put_line(line);
      return {};
    });
    if (!written.ok()) return fail(written.error());
    if (records) continue;
    print_evidence(lines.front());
    print_volumes(lines);
  }
  return problems ? exit_problems : exit_done;
}

}  // namespace

const Verb info_verb = {"info", "IMAGE… [options]", "evidence, volumes, file systems, stored digests; reads no content",
                        run_info};

}  // namespace exhibit::cmd
