// exhibit mount: everything in an image as a read-only tree of files.

#include "mount/mount.h"

#include <dirent.h>
#include <sys/stat.h>

#include <csignal>
#include <cstdio>

#include "base/record.h"
#include "exhibit/acknowledge.h"
#include "exhibit/case_folder.h"
#include "exhibit/session.h"

namespace exhibit::cmd {

extern const Verb mount_verb;

namespace {

using base::Json;

// The evidence of a case, by its findings, and whether they are of this image.
Result<bool> is_of(const std::string& findings, const engine::Evidence& image) {
  bool is_it = false;
  EXHIBIT_TRY(engine::for_each_line({{findings, 0, UINT64_MAX, 1}}, [&](std::string_view line) -> Result<void> {
    const Json record = EXHIBIT_TRY(base::parse_json(line));
    Json segments = Json::array();
    for (const engine::Segment& segment : image.segments)
      segments.push_back({{"name", segment.name}, {"size", segment.size}});
    is_it = record.value("record", "") == "evidence" && record.value("segments", Json()) == segments;
    return {};
  }));
  return is_it;
}

// As what the case knows the image: the evidence whose segment files have the same names and sizes.
Result<std::string> evidence_in(const CaseFolder& folder, const RunSettings& settings) {
  const std::string& image = settings.images.front();
  const engine::Evidence files = EXHIBIT_TRY(engine::open_evidence("E1", image, settings.as, settings.segments));
  constexpr std::string_view ending = ".jsonl";
  std::vector<std::string> known;
  const std::unique_ptr<DIR, int (*)(DIR*)> listing(opendir((folder.path() + "/findings").c_str()), closedir);
  if (!listing) return Error{ErrorCode::not_found, folder.path() + ": it is no case folder", {}, {}};
  while (const dirent* entry = readdir(listing.get())) {
    std::string id = entry->d_name;
    if (!id.ends_with(ending)) continue;
    id.resize(id.size() - ending.size());
    if (EXHIBIT_TRY(is_of(folder.findings(id), files))) known.push_back(id);
  }
  if (known.size() == 1) return known.front();
  return Error{known.empty() ? ErrorCode::not_found : ErrorCode::ambiguous,
               folder.path() + ": " + (known.empty() ? "none" : "more than one") +
                   " of its findings is of an image whose files are called as long as " + image + "'s are",
               {},
               {}};
}

Result<void> add_findings(Session& session, const std::string& id, mount::TreeBuilder& builder) {
  for (const auto& volume : session.run().volumes(id))
    EXHIBIT_TRY(builder.add_volume({volume.id, volume.offset, volume.size, volume.bytes}, volume.filesystem));
  base::RecordLine record;
  std::string scratch;
  EXHIBIT_TRY(session.run().write(id, [&](std::string_view line) -> Result<void> {
    EXHIBIT_TRY(record.read_any(line));
    const std::string_view kind = record.string("record", scratch);
    if (kind == "problem") return builder.add_problem(line);
    return kind == "item" ? builder.add_item(record) : Result<void>();
  }));
  return {};
}

Result<void> add_runs(Session& session, const std::string& id, mount::TreeBuilder& builder) {
  for (const auto& volume : session.run().volumes(id)) {
    if (volume.account.path.empty()) continue;
    EXHIBIT_TRY(engine::for_each_line({volume.account}, [&](std::string_view line) -> Result<void> {
      const Json message = EXHIBIT_TRY(base::parse_json(line));
      if (message.value("message", "") != "runs") return {};
      return builder.add_runs(volume.id, message.at("runs"));
    }));
  }
  return {};
}

Result<void> add_carved(const std::string& findings, mount::TreeBuilder& builder) {
  base::RecordLine record;
  std::string scratch;
  return engine::for_each_line(findings, [&](std::string_view line) -> Result<void> {
    EXHIBIT_TRY(record.read_any(line));
    EXHIBIT_TRY(base::check_record(record));
    if (record.string("state", scratch) != "carved") return {};
    return builder.add_item(record);
  });
}

struct Wishes {
  RunSettings settings;
  mount::MountOptions mount;
  std::string case_folder;
  bool foreground = false;
};

std::uint64_t size_of(Session& session, const std::string& id) {
  std::uint64_t bytes = 0;
  (void)session.run().write_survey(id, [&](std::string_view line) -> Result<void> {
    const Json record = EXHIBIT_TRY(base::parse_json(line));
    if (record.value("record", "") == "evidence") bytes = record.value("size", std::uint64_t{0});
    return {};
  });
  return bytes;
}

// What is shown, and what it is read with; of the run that found it nothing is left.
struct Shown {
  mount::Tree tree;
  std::uint64_t bytes = 0;
  engine::Evidence evidence;
  engine::WorkerSetup worker;
  unsigned jobs = 1;
};

Result<Shown> find_out(const Wishes& wishes) {
  RunSettings settings = wishes.settings;
  const CaseFolder folder(wishes.case_folder);
  if (!wishes.case_folder.empty()) settings.evidence_ids = {EXHIBIT_TRY(evidence_in(folder, settings))};
  const auto session = EXHIBIT_TRY(Session::open(settings));
  EXHIBIT_TRY(session->execute({.digests = {}, .account = true, .runs = true}));
  const std::string id = session->evidence().front().id;
  const std::uint64_t bytes = size_of(*session, id);
  auto builder = EXHIBIT_TRY(mount::TreeBuilder::create(session->folder(), id, bytes));
  EXHIBIT_TRY(add_findings(*session, id, builder));
  EXHIBIT_TRY(add_runs(*session, id, builder));
  if (!wishes.case_folder.empty()) EXHIBIT_TRY(add_carved(folder.findings(id), builder));
  Shown shown{EXHIBIT_TRY(builder.finish()), bytes, {}, session->worker_setup(), session->jobs()};
  shown.evidence = std::move(session->take_evidence().front());
  return shown;
}

void say_ready(const Wishes& wishes, const mount::Tree& tree) {
  const std::string folder = printable(wishes.mount.folder);
  if (tree.problems_file != mount::no_node) {
    std::fprintf(stderr, "exhibit: there are problems; %s/problems.jsonl lists what isn't shown, and why\n",
                 folder.c_str());
  }
  std::fprintf(stderr, "exhibit: mounted on %s: %llu entries; 'exhibit unmount %s' ends it\n", folder.c_str(),
               static_cast<unsigned long long>(tree.nodes.size()), folder.c_str());
  std::fflush(stderr);
}

Result<void> serve(const Wishes& wishes) {
  Shown shown = EXHIBIT_TRY(find_out(wishes));
  // From here on they end the mount.
  for (const int signal : {SIGINT, SIGTERM}) std::signal(signal, SIG_DFL);
  mount::View view{shown.tree, shown.bytes, nullptr, {}, {}};
  const auto mounted = EXHIBIT_TRY(mount::Mount::open(wishes.mount, view));
  say_ready(wishes, shown.tree);
  if (!wishes.foreground) EXHIBIT_TRY(mounted->go_to_background());
  mount::ReadPool reads(std::move(shown.worker), std::move(shown.evidence), shown.jobs);
  view.reads = &reads;
  return mounted->serve();
}

int run_mount(const std::vector<std::string>& arguments) {
  options::options_description described("options");
  described.add_options()("case", options::value<std::string>(), "a case folder: what was carved is shown, too")(
      "foreground,f", "don't go to the background once it is mounted")("allow-other",
                                                                       "other users of this machine may look, too");
  add_acknowledge_options(described);
  add_run_options(described);
  const Parsed parsed = parse(mount_verb, arguments, described, "image", 2);
  if (parsed.help) return exit_done;
  Wishes wishes{run_settings(parsed.values), {}, {}, parsed.values.count("foreground") != 0};
  if (wishes.settings.images.size() != 2) throw Usage{"name an image and a folder"};
  wishes.mount.folder = wishes.settings.images.back();
  wishes.mount.allow_other = parsed.values.count("allow-other") != 0;
  wishes.settings.images.pop_back();
  if (parsed.values.count("case") != 0) wishes.case_folder = parsed.values["case"].as<std::string>();
  struct stat stat {};
  if (::stat(wishes.mount.folder.c_str(), &stat) != 0 || !S_ISDIR(stat.st_mode))
    return fail({ErrorCode::not_found, wishes.mount.folder + ": there is no such folder to mount on", {}, {}});
  if (auto allowed = allow_content(parsed.values, ""); !allowed.ok()) return fail(allowed.error());
  const auto served = serve(wishes);
  return served.ok() ? exit_done : fail(served.error());
}

}  // namespace

const Verb mount_verb = {"mount", "IMAGE DIR [options]", "a read-only file tree of everything in the image", run_mount};

}  // namespace exhibit::cmd
