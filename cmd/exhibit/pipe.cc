#include "exhibit/pipe.h"

#include <filesystem>

namespace exhibit::cmd {
namespace {

using base::Json;

// A scratch folder for what came by the pipe.
class Scratch {
 public:
  static Result<std::unique_ptr<Scratch>> make() {
    auto scratch = std::make_unique<Scratch>();
    scratch->path_ = (std::filesystem::temp_directory_path() / "exhibit-XXXXXX").string();
    if (mkdtemp(scratch->path_.data()) == nullptr)
      return Error{ErrorCode::io_error, scratch->path_ + ": cannot be made", {}, {}};
    return scratch;
  }
  ~Scratch() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

// Where each image of the records lies: as --evidence says, as an earlier verb was told, or in the current folder.
Result<void> find_images(const engine::Given& given, const options::variables_map& values, RunSettings& settings) {
  std::map<std::string, std::string> paths = given.sources;
  for (const auto& [id, record] : given.evidence) {
    const Json segments = record.value("segments", Json::array());
    if (!paths.contains(id) && !segments.empty()) paths[id] = segments[0].value("name", "");
  }
  if (values.count("evidence") != 0) {
    for (const auto& word : values["evidence"].as<std::vector<std::string>>()) {
      const auto equals = word.find('=');
      if (equals == std::string::npos) throw Usage{"--evidence takes E1=IMAGE: " + word};
      paths[word.substr(0, equals)] = word.substr(equals + 1);
    }
  }
  std::set<std::string> ids;
  for (const auto& [id, volume] : given.volumes) ids.insert(volume.evidence);
  for (const auto& [id, record] : given.evidence) ids.insert(id);
  for (const auto& id : ids) {
    if (paths[id].empty())
      return Error{ErrorCode::not_found, id + ": say where its image lies: --evidence " + id + "=IMAGE", id, {}};
    settings.evidence_ids.push_back(id);
    settings.images.push_back(paths[id]);
  }
  return {};
}

void add_row(Table& table, const Json& record) {
  const std::string kind = record.value("record", "");
  if (kind == "evidence" && record.contains("digests")) {
    for (const auto& [name, digest] : record.at("digests").items())
      table.add({"medium", record.value("integrity", ""), printable(record.value("id", "")),
                 name + ":" + digest.get<std::string>()});
  }
  if (kind == "item" && record.contains("digests")) {
    std::string digests;
    for (const auto& [name, digest] : record.at("digests").items())
      digests += (digests.empty() ? "" : " ") + name + ":" + digest.get<std::string>();
    table.add({"item", record.value("state", ""), printable(record.value("id", "")), digests});
  }
  if (kind == "match") {
    const std::string category = record.value("category", "");
    const std::string likeness = record.value("by", "") != "perceptual"
                                     ? ""
                                     : " (alike, " + std::to_string(record.value("distance", 0U)) +
                                           " of 256 bits apart: not shown to be the same)";
    table.add({record.value("class", "") == "known" ? "known" : "lead", record.value("by", ""),
               printable(record.value("item", "")),
               printable(record.value("source", "") + ": " + record.value("rule", "") +
                         (category.empty() ? "" : " (category " + category + ")") + likeness)});
  }
  if (kind == "problem") {
    table.add({"problem", record.value("cause", ""), printable(record.value("where", "")),
               printable(record.value("detail", ""))});
  }
}

Result<int> write(Session& session, const engine::Given* given, bool records) {
  Table table({"record", "", "of", "what"});
  bool problems = false, refuted = false;
  for (const auto& evidence : session.evidence()) {
    if (records && given == nullptr) put_source(evidence);
    if (records && given != nullptr && given->sources.contains(evidence.id)) put_source(evidence);
    const auto counts = EXHIBIT_TRY(session.run().write(evidence.id, [&](std::string_view line) -> Result<void> {
      if (records && !put_line(line)) return Error{ErrorCode::interrupted, "standard output is closed", {}, {}};
      if (!records) add_row(table, EXHIBIT_TRY(base::parse_json(line)));
      return {};
    }));
    problems = problems || counts.problems > 0;
    const std::string integrity = session.run().integrity(evidence.id);
    refuted = refuted || integrity == "mismatch" || integrity == "unreadable";
  }
  if (!records) {
    table.print();
    put_line("A match is a lead for a person, never a finding of fact.");
  }
  if (refuted) return exit_no;
  return problems ? exit_problems : exit_done;
}

Result<int> run(RunSettings settings, engine::RunOptions options, const options::variables_map& values) {
  const auto sets = EXHIBIT_TRY(load_hash_sets(settings.hash_sets));
  options.sets = &sets;
  settings.perceive = EXHIBIT_TRY(perceived_kinds(settings.perceptual, sets));
  std::unique_ptr<Scratch> scratch;
  engine::Given given;
  if (settings.images == std::vector<std::string>{"-"}) {
    settings.images.clear();
    scratch = EXHIBIT_TRY(Scratch::make());
    given = EXHIBIT_TRY(engine::read_given(stdin, scratch->path()));
    options.given = &given;
    // Digests are made only where they are wanted and missing.
    const bool digests_only = !options.rules && settings.perceive.empty() && !settings.hash_sets.empty();
    if (digests_only && given.digested) options.examine = options.account = false;
    if ((options.rules || !settings.perceive.empty()) && given.digested) options.digests.clear();
    EXHIBIT_TRY(find_images(given, values, settings));
    settings.jobs = std::max(1U, settings.jobs);
  }
  settings.open_images = options.given == nullptr || options.examine;
  auto session = EXHIBIT_TRY(Session::open(settings));
  EXHIBIT_TRY(session->execute(options));
  // Before anything is said: a damaged set would have found too little in silence.
  for (const auto& set : sets) EXHIBIT_TRY(set->file_sha256());
  return write(*session, options.given, wants_records(values));
}

}  // namespace

void add_pipe_options(options::options_description& described) {
  described.add_options()("evidence", options::value<std::vector<std::string>>()->composing(),
                          "E1=IMAGE: where the image of a pipe's records lies");
}

int run_over_images_or_pipe(RunSettings settings, engine::RunOptions options, const options::variables_map& values) {
  // A verb without arguments at the end of a pipe reads the pipe.
  if (settings.images.empty() && isatty(STDIN_FILENO) == 0) settings.images = {"-"};
  if (settings.images.empty()) throw Usage{"name an image, or - for record lines from standard input"};
  auto status = run(std::move(settings), std::move(options), values);
  return status.ok() ? *status : fail(status.error());
}

}  // namespace exhibit::cmd
