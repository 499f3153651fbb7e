// exhibit list: every item of every volume.

#include <fnmatch.h>

#include "exhibit/session.h"

namespace exhibit::cmd {

extern const Verb list_verb;

namespace {

using base::Json;

// Which items a person wants to see. Without any wish the listing is whole, and carries the coverage records that say
// so.
struct Filter {
  std::set<std::string> states;
  std::string glob, under;
  bool empty() const { return states.empty() && glob.empty() && under.empty(); }

  bool takes(const Json& record) const {
    const std::string kind = record.value("record", "");
    if (kind == "coverage") return empty();
    if (kind != "item") return true;
    if (!states.empty() && !states.contains(record.value("state", ""))) return false;
    if (!glob.empty() && fnmatch(glob.c_str(), record.value("path", "").c_str(), 0) != 0) return false;
    const std::string volume = record.value("volume", "");
    return under.empty() || volume == under || volume.starts_with(under + "/");
  }
};

Filter filter_from(const options::variables_map& values) {
  Filter filter;
  if (values.count("state") != 0) {
    for (const std::string& state : comma_list(values["state"].as<std::string>())) filter.states.insert(state);
    static const std::set<std::string> known = {"allocated", "deleted", "overwritten", "orphan", "carved", "member"};
    for (const auto& state : filter.states) {
      if (!known.contains(state)) throw Usage{"--state: no such state: " + state};
    }
  }
  if (values.count("path") != 0) filter.glob = values["path"].as<std::string>();
  if (values.count("under") != 0) filter.under = values["under"].as<std::string>();
  return filter;
}

void add_row(Table& table, const Json& record) {
  const std::string modified = record.contains("times") ? record.at("times").value("modified", "") : "";
  table.add(
      {record.value("state", ""), record.value("kind", ""), std::to_string(record.value("size", std::uint64_t{0})),
       modified, record.value("volume", ""),
       printable(record.value("path", "") + (record.contains("stream") ? ":" + record.value("stream", "") : ""))});
}

Result<void> put_record(std::string_view line) {
  if (put_line(line)) return {};
  return Error{ErrorCode::interrupted, "standard output is closed", {}, {}};
}

int run_list(const std::vector<std::string>& arguments) {
  options::options_description described("options");
  add_run_options(described);
  described.add_options()("state", options::value<std::string>(), "only these: allocated,deleted,overwritten,orphan")(
      "path", options::value<std::string>(), "only paths like this (*, ?, [])")("under", options::value<std::string>(),
                                                                                "only this volume");
  const Parsed parsed = parse(list_verb, arguments, described, "image");
  if (parsed.help) return exit_done;
  RunSettings settings = run_settings(parsed.values);
  if (settings.images.empty()) throw Usage{"name an image"};
  const Filter filter = filter_from(parsed.values);
  auto session = Session::open(settings);
  if (!session.ok()) return fail(session.error());
  if (auto done = (*session)->execute({.digests = {}, .account = filter.empty()}); !done.ok())
    return fail(done.error());
  const bool records = wants_records(parsed.values);
  Table table({"state", "kind", "size", "modified", "volume", "path"});
  std::uint64_t problems = 0;
  for (const auto& evidence : (*session)->evidence()) {
    if (records) put_source(evidence);
    auto counts = (*session)->run().write(evidence.id, [&](std::string_view line) -> Result<void> {
      if (records && filter.empty()) return put_record(line);
      const Json record = EXHIBIT_TRY(base::parse_json(line));
      if (!filter.takes(record)) return {};
      if (records) return put_record(line);
      if (record.value("record", "") == "item") add_row(table, record);
      return {};
    });
    if (!counts.ok()) return fail(counts.error());
    problems += counts->problems;
  }
  if (!records) {
    table.print();
    if (problems > 0)
      std::fprintf(stderr, "exhibit: %llu problem(s); --json shows them\n", static_cast<unsigned long long>(problems));
  }
  return problems > 0 ? exit_problems : exit_done;
}

}  // namespace

const Verb list_verb = {"list", "IMAGE… [options]", "items: every stream of every directory entry, deleted ones too",
                        run_list};

}  // namespace exhibit::cmd
