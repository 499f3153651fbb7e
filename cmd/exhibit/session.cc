#include "exhibit/session.h"

#include <sys/sysinfo.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <thread>

#include "exhibit/rule_packs.h"

namespace exhibit::cmd {
namespace fs = std::filesystem;

namespace {

// Below this a worker can't load its libraries and sweep; with rules, not a pack of some thousands.
constexpr std::uint64_t smallest_worker = std::uint64_t{96} << 20;
constexpr std::uint64_t smallest_worker_with_rules = std::uint64_t{176} << 20;
// With room for the dictionaries that packers use unless they are told to use larger ones (xz -9, 7z -mx=9: 64 MiB).
constexpr std::uint64_t smallest_worker_that_expands = std::uint64_t{192} << 20;
// With room for the largest picture that is decoded as a whole (match/perceptual/picture.h), whatever its format.
constexpr std::uint64_t smallest_worker_that_decodes = std::uint64_t{1} << 30;
// This part of the whole is the coordinator's own, most of it for sorting.
constexpr std::uint64_t coordinators_share = 8;
constexpr std::uint64_t least_sorting = std::uint64_t{2} << 20, most_sorting = std::uint64_t{32} << 20;
// A parser that wants more than this is broken or hostile, however large the machine is.
constexpr std::uint64_t largest_worker = std::uint64_t{4} << 30;

std::atomic<bool> stop_asked{false};
std::atomic<bool> status_asked{false};

void ask_to_stop(int) { stop_asked = true; }
void ask_for_status(int) { status_asked = true; }

void listen_for_signals() {
  struct sigaction action {};
  action.sa_handler = ask_to_stop;
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
  action.sa_handler = ask_for_status;
  action.sa_flags = SA_RESTART;
  sigaction(SIGUSR1, &action, nullptr);
}

std::uint64_t machine_memory() {
  struct sysinfo info {};
  sysinfo(&info);
  return std::uint64_t{info.totalram} * info.mem_unit;
}

std::string size_text(double bytes) {
  const char* units[] = {"B", "KiB", "MiB", "GiB", "TiB"};
  std::size_t unit = 0;
  for (; bytes >= 1024 && unit < 4; ++unit) bytes /= 1024;
  char text[32];
  std::snprintf(text, sizeof text, unit == 0 ? "%.0f %s" : "%.1f %s", bytes, units[unit]);
  return text;
}

}  // namespace

// A line on standard error that is written over and over.
class Session::ProgressMonitor : public engine::Monitor {
 public:
  explicit ProgressMonitor(bool shown) : shown_(shown), start_(Clock::now()), last_(start_) {}
  ~ProgressMonitor() override { clear(); }

  // Takes the line away, before anything else is printed.
  void clear() {
    if (printed_) std::fprintf(stderr, "\r\033[K");
    printed_ = false;
  }

  void progressed(const engine::Progress& progress) override { now_ = progress; }
  void log(const base::Json& line) override { log_.push_back(line); }
  void tick() override {
    const bool asked = status_asked.exchange(false);
    const auto now = Clock::now();
    if (!asked && (!shown_ || now - last_ < std::chrono::milliseconds(500))) return;
    last_ = now;
    const double seconds = std::chrono::duration<double>(now - start_).count();
    const std::string line = status(seconds);
    std::fprintf(stderr, asked && !shown_ ? "exhibit: %s\n" : "\r\033[K%s", line.c_str());
    std::fflush(stderr);
    printed_ = printed_ || shown_;
  }
  const std::vector<base::Json>& lines() const { return log_; }

 private:
  using Clock = std::chrono::steady_clock;

  // Bytes and items of those known so far, and the time that the rest takes at the rate so far.
  std::string status(double seconds) const {
    const auto here = static_cast<double>(now_.bytes_done - now_.bytes_resumed);
    const double rate = seconds > 0 ? here / seconds : 0;
    std::string line = size_text(static_cast<double>(now_.bytes_done)) + " of " +
                       size_text(static_cast<double>(now_.bytes)) + ", " + size_text(rate) + "/s";
    if (rate > 0 && now_.bytes > now_.bytes_done) {
      const double left = static_cast<double>(now_.bytes - now_.bytes_done) / rate;
      line += ", " + std::to_string(static_cast<std::uint64_t>(left) + 1) + " s left";
    }
    return line + ", " + std::to_string(now_.items_done) + " of " + std::to_string(now_.items) + " items, " +
           std::to_string(now_.leads) + " leads, " + std::to_string(now_.problems) + " problems";
  }

  bool shown_, printed_ = false;
  Clock::time_point start_, last_;
  engine::Progress now_;
  std::vector<base::Json> log_;
};

void add_run_options(options::options_description& described) {
  described.add_options()("jobs,j", options::value<unsigned>(), "workers (default: the cores)")(
      "memory", options::value<std::string>(),
      "ceiling for the whole run, as 512M or 8G (default: three quarters of the machine's)")(
      "sandbox", options::value<std::string>()->default_value("required"),
      "required, or best-effort: take what this machine gives")("as", options::value<std::string>(),
                                                                "the image's format, where more than one claims it")(
      "segments", options::value<std::vector<std::string>>()->multitoken()->composing(),
      "more files of the image: what a snapshot or overlay is a difference to, its extents, its data file")(
      "progress", options::value<std::string>()->default_value("auto"), "auto, always or never")(
      "json", "record lines even on a terminal");
  add_unlock_option(described);
}

void add_digest_options(options::options_description& described) {
  described.add_options()("digests", options::value<std::string>()->default_value("md5,sha1,sha256"),
                          "md5 sha1 sha256 sha512 sha3-256 blake2b streebog256 streebog512 belt256, with commas");
}

void add_match_options(options::options_description& described) {
  described.add_options()("hashset", options::value<std::vector<std::string>>()->multitoken()->composing(),
                          "hash set files")("rules",
                                            options::value<std::vector<std::string>>()->multitoken()->composing(),
                                            "YARA rule files, folders of them, or names of packs (docs/rules.md)")(
      "prefilter", options::value<std::string>()->default_value("on"),
      "on, or off: ask libyara of every rule; the leads are the same")(
      "perceptual", options::value<std::string>()->default_value("auto"),
      "auto (pictures, where a set has PDQ hashes), off, or pictures, documents, or both with a comma: digests by "
      "which "
      "content is told that is like another");
}

Result<std::vector<std::string>> perceived_kinds(const std::string& option,
                                                 const std::vector<std::unique_ptr<hashset::HashSet>>& sets) {
  if (option == "off" || option.empty()) return std::vector<std::string>();
  if (option == "auto") {
    const bool any = std::any_of(sets.begin(), sets.end(), [](const auto& set) { return set->has_pictures(); });
    return any ? std::vector<std::string>{"pictures"} : std::vector<std::string>();
  }
  std::vector<std::string> kinds = comma_list(option);
  for (const std::string& kind : kinds) {
    if (kind != "pictures" && kind != "documents")
      return Error{ErrorCode::invalid_argument, "--perceptual takes auto, off, pictures, documents: " + kind, {}, {}};
  }
  std::sort(kinds.begin(), kinds.end());
  kinds.erase(std::unique(kinds.begin(), kinds.end()), kinds.end());
  return kinds;
}

void add_expand_options(options::options_description& described) {
  described.add_options()("expand-depth", options::value<std::uint64_t>()->default_value(16),
                          "how many archives within each other are opened")(
      "expand-size", options::value<std::string>()->default_value("64G"),
      "the most that one item may come to when it is unpacked")(
      "expand-members", options::value<std::uint64_t>()->default_value(1000000), "the most members of one item");
}

base::Json expand_bounds(const options::variables_map& values) {
  constexpr std::uint64_t deepest = 64;  // each level holds a reader, and a part of its member, in memory
  const std::uint64_t depth = values["expand-depth"].as<std::uint64_t>();
  if (depth == 0 || depth > deepest) throw Usage{"--expand-depth takes 1 to " + std::to_string(deepest)};
  return {{"depth", depth},
          {"size", parse_size(values["expand-size"].as<std::string>())},
          // What packs better than any packer packs what people keep is a bomb, once it is larger than `always`.
          {"ratio", 256U},
          {"always", std::uint64_t{1} << 30},
          {"members", values["expand-members"].as<std::uint64_t>()}};
}

RunSettings run_settings(const options::variables_map& values) {
  RunSettings settings;
  const auto text = [&](const char* key) {
    return values.count(key) != 0 ? values[key].as<std::string>() : std::string();
  };
  const auto texts = [&](const char* key) {
    return values.count(key) != 0 ? values[key].as<std::vector<std::string>>() : std::vector<std::string>();
  };
  settings.jobs =
      values.count("jobs") != 0 ? values["jobs"].as<unsigned>() : std::max(1U, std::thread::hardware_concurrency());
  if (settings.jobs == 0 || settings.jobs > 1024) throw Usage{"--jobs takes 1 to 1024"};
  settings.memory = values.count("memory") != 0 ? parse_size(text("memory")) : machine_memory() / 4 * 3;
  const std::string sandbox = text("sandbox");
  if (sandbox != "required" && sandbox != "best-effort") throw Usage{"--sandbox takes required or best-effort"};
  settings.sandbox_required = sandbox == "required";
  settings.as = text("as");
  settings.segments = texts("segments");
  settings.unlock = unlock_settings(values);
  settings.progress = text("progress");
  settings.images = texts("image");
  for (const std::string& rules : texts("rules")) settings.rules.push_back(find_rules(rules));
  settings.hash_sets = texts("hashset");
  const std::string prefilter = text("prefilter");
  if (!prefilter.empty() && prefilter != "on" && prefilter != "off") throw Usage{"--prefilter takes on or off"};
  settings.prefilter = prefilter != "off";
  settings.perceptual = text("perceptual");
  settings.worker_program =
      values.count("worker-program") != 0 ? text("worker-program") : beside_this_program("exhibit-worker");
  if (values.count("object-seconds") != 0) settings.object_seconds = values["object-seconds"].as<std::uint64_t>();
  if (values.count("digests") != 0) {
    settings.digests = comma_list(text("digests"));
    const auto known = hash::algorithms();
    for (const std::string& name : settings.digests) {
      if (std::find(known.begin(), known.end(), name) == known.end()) throw Usage{"--digests: no such digest: " + name};
    }
    if (settings.digests.empty()) throw Usage{"--digests names nothing"};
    std::sort(settings.digests.begin(), settings.digests.end());
    settings.digests.erase(std::unique(settings.digests.begin(), settings.digests.end()), settings.digests.end());
  }
  return settings;
}

void tell_refused(const std::string& path, const std::vector<hashset::Refused>& listed, std::uint64_t total) {
  for (const auto& refused : listed) {
    std::fprintf(stderr, "exhibit: %s: line %llu was not taken: %s\n", path.c_str(),
                 static_cast<unsigned long long>(refused.line), printable(refused.why).c_str());
  }
  if (total > listed.size()) {
    std::fprintf(stderr, "exhibit: %s: %llu more lines were not taken\n", path.c_str(),
                 static_cast<unsigned long long>(total - listed.size()));
  }
}

Result<std::vector<std::unique_ptr<hashset::HashSet>>> load_hash_sets(const std::vector<std::string>& paths) {
  std::vector<std::unique_ptr<hashset::HashSet>> sets;
  for (const std::string& path : paths) {
    sets.push_back(EXHIBIT_TRY(hashset::load(path)));
    tell_refused(path, sets.back()->refused(), sets.back()->refused_total());
  }
  return sets;
}

Result<std::unique_ptr<Session>> Session::open(RunSettings settings) {
  listen_for_signals();
  std::unique_ptr<Session> session(new Session);
  if (!settings.segments.empty() && settings.images.size() > 1)
    return Error{ErrorCode::invalid_argument, "--segments goes with one image; run the others by themselves", {}, {}};
  for (const std::string& image : settings.images) {
    const std::size_t index = session->evidence_.size();
    const std::string id =
        index < settings.evidence_ids.size() ? settings.evidence_ids[index] : "E" + std::to_string(index + 1);
    if (settings.open_images) {
      session->evidence_.push_back(EXHIBIT_TRY(engine::open_evidence(id, image, settings.as, settings.segments)));
    } else {
      session->evidence_.push_back({id, image, settings.as, {}, {}});
    }
  }
  for (const Unlock& unlock : settings.unlock) {
    const auto is_its = [&](const auto& evidence) { return unlock.volume.starts_with(evidence.id + "/"); };
    const auto evidence = std::find_if(session->evidence_.begin(), session->evidence_.end(), is_its);
    if (evidence == session->evidence_.end())
      return Error{
          ErrorCode::not_found, "--unlock " + unlock.volume + ": there is no such evidence", unlock.volume, {}};
    evidence->keys.push_back(EXHIBIT_TRY(open_key(unlock)));
  }
  if (settings.work_folder.empty()) {
    std::string name = (fs::temp_directory_path() / "exhibit-XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr) return Error{ErrorCode::io_error, name + ": cannot be made", {}, {}};
    session->temporary_ = settings.work_folder = name;
  }
  session->journal_ =
      EXHIBIT_TRY(engine::Journal::open(settings.work_folder, settings.plan, session->temporary_.empty()));
  const bool shown = settings.progress == "always" || (settings.progress == "auto" && isatty(STDERR_FILENO) != 0);
  session->monitor_ = std::make_unique<ProgressMonitor>(shown);
  engine::PoolOptions pool;
  // Rather fewer workers than such as lose their tasks for want of memory: findings must not depend on either number.
  std::uint64_t smallest = settings.rules.empty() ? smallest_worker : smallest_worker_with_rules;
  if (!settings.expand.is_null()) smallest = std::max(smallest, smallest_worker_that_expands);
  const auto& perceive = settings.perceive;
  if (std::find(perceive.begin(), perceive.end(), "pictures") != perceive.end())
    smallest = std::max(smallest, smallest_worker_that_decodes);
  const std::uint64_t for_workers = settings.memory - settings.memory / coordinators_share;
  pool.jobs = static_cast<unsigned>(std::clamp<std::uint64_t>(for_workers / smallest, 1, std::uint64_t{settings.jobs}));
  pool.stop = &stop_asked;
  pool.worker = {settings.worker_program,
                 settings.rules,
                 std::clamp(for_workers / pool.jobs, smallest, largest_worker),
                 settings.sandbox_required,
                 settings.object_seconds,
                 settings.prefilter,
                 settings.carve,
                 settings.perceive};
  session->worker_ = pool.worker;
  session->pool_ = std::make_unique<engine::Pool>(pool, session->evidence_, *session->journal_, *session->monitor_);
  session->settings_ = std::move(settings);
  return session;
}

Session::~Session() {
  pool_.reset();
  if (temporary_.empty()) return;
  std::error_code ignored;
  fs::remove_all(temporary_, ignored);
}

Result<void> Session::execute(engine::RunOptions run_options) {
  run_options.sort_bytes = std::clamp(settings_.memory / coordinators_share / 4, least_sorting, most_sorting);
  run_ = std::make_unique<engine::Run>(std::move(run_options), evidence_, *pool_, folder());
  auto done = run_->execute();
  monitor_->clear();
  return done;
}

Result<void> Session::execute(const NextTask& next, const TaskLine& line) {
  std::size_t under_way = 0;
  const auto submit = [&] {
    while (under_way < std::size_t{2} * pool_->jobs() + 2) {
      auto task = next();
      if (!task) return;
      ++under_way;
      pool_->submit(std::move(*task));
    }
  };
  submit();
  auto done = pool_->run([&](const engine::Task& task, const engine::TaskOutput& output) -> Result<void> {
    EXHIBIT_TRY(engine::for_each_line(output.path, [&](std::string_view text) { return line(task, text); }));
    --under_way;
    submit();
    return {};
  });
  monitor_->clear();
  return done;
}

const std::vector<base::Json>& Session::log() const { return monitor_->lines(); }

void put_source(const engine::Evidence& evidence) {
  if (evidence.path.find('/') == std::string::npos) return;
  put_line(base::canonical({{"record", "source"}, {"evidence", evidence.id}, {"path", evidence.path}}));
}

}  // namespace exhibit::cmd
