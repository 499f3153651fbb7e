// exhibit process: everything in one case folder. Started again after any interruption it goes on from where it
// stopped.

#include <algorithm>

#include "exhibit/case_fields.h"
#include "exhibit/case_folder.h"
#include "exhibit/session.h"

namespace exhibit::cmd {

extern const Verb process_verb;

namespace {

using base::Json;

// What the findings depend on: a run goes on only where all of it is the same.
Json plan_of(const RunSettings& settings, const std::vector<engine::Evidence>& evidence, const Json& inputs) {
  Json images = Json::array();
  for (const auto& image : evidence) {
    Json segments = Json::array();
    for (const auto& segment : image.segments) segments.push_back({{"name", segment.name}, {"size", segment.size}});
    images.push_back(segments);
  }
  Json unlocked = Json::array();
  for (const Unlock& unlock : settings.unlock) unlocked.push_back({{"volume", unlock.volume}, {"kind", unlock.kind}});
  return {{"images", images},          {"unlock", unlocked},
          {"inputs", inputs},          {"digests", settings.digests},
          {"as", settings.as},         {"carve", settings.carve},
          {"expand", settings.expand}, {"tool", {{"version", version}, {"source_revision", source_revision}}}};
}

struct Total : engine::Counts {
  std::uint64_t known = 0, alike = 0;  // of the matches
};

Result<void> write_findings(const CaseFolder& folder, const Session& session, engine::Run& run, Total& total) {
  for (const auto& evidence : session.evidence()) {
    auto file = EXHIBIT_TRY(engine::OutputFile::create(folder.findings(evidence.id) + ".new"));
    const auto counts = EXHIBIT_TRY(run.write(evidence.id, [&](std::string_view line) {
      total.known += is_known_content(line);
      total.alike += is_of_likeness(line);
      return file.write(line);
    }));
    EXHIBIT_TRY(file.close());
    total.items += counts.items;
    total.matches += counts.matches;
    total.problems += counts.problems;
    EXHIBIT_TRY(folder.keep_blocks(evidence.id, run.blocks_file(evidence.id)));
    // Beyond this point the findings are there: until now a run that was cut off would make them anew.
    if (rename((folder.findings(evidence.id) + ".new").c_str(), folder.findings(evidence.id).c_str()) != 0) {
      return Error{ErrorCode::io_error, folder.findings(evidence.id) + ": cannot be put in place", {}, {}};
    }
  }
  return {};
}

int outcome(const Session& session, engine::Run& run, const Total& counts) {
  for (const auto& evidence : session.evidence()) {
    const std::string integrity = run.integrity(evidence.id);
    std::fprintf(stderr, "exhibit: %s: integrity: %s\n", evidence.id.c_str(), integrity.c_str());
  }
  std::fprintf(stderr, "exhibit: %llu items, %llu leads for a person to look at, %llu problems\n",
               static_cast<unsigned long long>(counts.items),
               static_cast<unsigned long long>(counts.matches - counts.known),
               static_cast<unsigned long long>(counts.problems));
  if (counts.known > 0) {
    std::fprintf(stderr, "exhibit: %llu matches with sets of known content, which are no leads\n",
                 static_cast<unsigned long long>(counts.known));
  }
  if (counts.alike > 0) {
    std::fprintf(stderr, "exhibit: %llu of the leads by likeness alone, which is no identity: a person must compare\n",
                 static_cast<unsigned long long>(counts.alike));
  }
  for (const auto& evidence : session.evidence()) {
    const std::string integrity = run.integrity(evidence.id);
    if (integrity == "mismatch" || integrity == "unreadable") return exit_no;
  }
  return counts.problems > 0 ? exit_problems : exit_done;
}

// What the manifest claims of the media, whatever else is wished for: SHA-256, and what the profiles demand.
Result<void> add_demanded_digests(const Json& fields, std::vector<std::string>& digests) {
  std::vector<std::string> demanded = {"sha256"};
  for (const custody::Profile* profile : EXHIBIT_TRY(profiles_of(fields)))
    demanded.insert(demanded.end(), profile->digests.media.begin(), profile->digests.media.end());
  for (const std::string& name : demanded) {
    if (std::find(digests.begin(), digests.end(), name) == digests.end()) digests.push_back(name);
  }
  std::sort(digests.begin(), digests.end());
  return {};
}

// A run that found every task done loaded nothing: the run before it said what the inputs are.
Result<Json> known_inputs(const CaseFolder& folder, const Session& session, const Json& inputs) {
  if (session.sealed()) return with_loaded_inputs(inputs, *session.sealed());
  const auto before = folder.memory();
  return before.ok() ? before->inputs : inputs;
}

Result<int> process(const options::variables_map& values, const std::vector<std::string>& arguments) {
  RunSettings settings = run_settings(values);
  const Json fields = EXHIBIT_TRY(case_fields(values));
  EXHIBIT_TRY(add_demanded_digests(fields, settings.digests));
  if (values["carve"].as<std::string>() == "on") settings.carve = Json::object();
  if (values["expand"].as<std::string>() == "on") settings.expand = expand_bounds(values);
  CaseFolder folder(values["case"].as<std::string>());
  if (folder.sealed()) {
    return Error{ErrorCode::invalid_argument, folder.path() + ": is sealed; begin another case", {}, {}};
  }
  EXHIBIT_TRY(folder.make());
  const auto sets = EXHIBIT_TRY(load_hash_sets(settings.hash_sets));
  settings.perceive = EXHIBIT_TRY(perceived_kinds(settings.perceptual, sets));
  const Json inputs = EXHIBIT_TRY(describe_inputs(sets, settings.rules, settings.expand, settings.perceive));
  std::vector<engine::Evidence> evidence;
  for (const std::string& image : settings.images) {
    evidence.push_back(EXHIBIT_TRY(
        engine::open_evidence("E" + std::to_string(evidence.size() + 1), image, settings.as, settings.segments)));
  }
  settings.plan = plan_of(settings, evidence, inputs);
  settings.work_folder = folder.path() + "/work";
  evidence.clear();
  const std::string started = now_text();
  auto session = EXHIBIT_TRY(Session::open(settings));
  if (session->resumed_tasks() > 0) {
    std::fprintf(stderr, "exhibit: goes on with %llu finished tasks\n",
                 static_cast<unsigned long long>(session->resumed_tasks()));
  }
  engine::RunOptions options{.digests = settings.digests,
                             .walk = true,
                             .examine = true,
                             .media = true,
                             .account = true,
                             .rules = !settings.rules.empty(),
                             .carve = !settings.carve.is_null(),
                             .expand = settings.expand,
                             .sets = &sets};
  Result<void> done = session->execute(std::move(options));
  // Before anything is claimed: a damaged set would have found too little in silence.
  const Result<Json> digested = with_digests(inputs, sets);
  if (done.ok() && !digested.ok()) done = digested.error();
  Total counts;
  if (done.ok()) done = write_findings(folder, *session, session->run(), counts);
  int status = done.ok() ? outcome(*session, session->run(), counts) : fail(done.error());
  if (!done.ok() && done.error().code == ErrorCode::interrupted) {
    std::fprintf(stderr, "exhibit: what is finished is kept; the same command goes on from here\n");
  }
  Json log = {{"started", started},
              {"ended", now_text()},
              {"arguments", arguments},
              {"exit_status", status},
              {"resumed_tasks", session->resumed_tasks()},
              {"lines", session->log()}};
  EXHIBIT_TRY(folder.log_run(std::move(log), session->sealed()));
  if (!digested.ok()) return status;
  EXHIBIT_TRY(folder.remember({fields, EXHIBIT_TRY(known_inputs(folder, *session, *digested))}));
  return status;
}

int run_process(const std::vector<std::string>& arguments) {
  options::options_description described("options");
  described.add_options()("case", options::value<std::string>()->required(), "the case folder")(
      "carve", options::value<std::string>()->default_value("on"),
      "on, or off: look for objects in unallocated space, slack and gaps")(
      "expand", options::value<std::string>()->default_value("on"),
      "on, or off: look into archives, packed files and mail");
  add_case_options(described);
  add_expand_options(described);
  add_digest_options(described);
  add_match_options(described);
  add_run_options(described);
  const Parsed parsed = parse(process_verb, arguments, described, "image");
  if (parsed.help) return exit_done;
  if (parsed.values.count("image") == 0) throw Usage{"name an image"};
  const std::string carve = parsed.values["carve"].as<std::string>();
  if (carve != "on" && carve != "off") throw Usage{"--carve takes on or off"};
  const std::string expand = parsed.values["expand"].as<std::string>();
  if (expand != "on" && expand != "off") throw Usage{"--expand takes on or off"};
  auto status = process(parsed.values, arguments);
  return status.ok() ? *status : fail(status.error());
}

}  // namespace

const Verb process_verb = {"process", "IMAGE… --case CASE [options]",
                           "all of it in one case folder: items, digests, matches, coverage", run_process};

}  // namespace exhibit::cmd
