// exhibit rules check|list: whether rules deserve trust. docs/rules.md.

#include <algorithm>
#include <filesystem>
#include <map>
#include <set>

#include "base/rule_pack.h"
#include "engine/rule_trial.h"
#include "exhibit/common.h"
#include "exhibit/rule_packs.h"
#include "manifest/file.h"

namespace exhibit::cmd {

extern const Verb rules_verb;

namespace {

using base::Json;
namespace fs = std::filesystem;

// What every rule of a pack must say of itself.
constexpr const char* meta_keys[] = {"description", "designation", "category",   "severity",
                                     "author",      "date",        "references", "fingerprint"};
constexpr std::uint64_t largest_rule_file = std::uint64_t{16} << 20;

struct RuleState {
  std::string file;
  engine::TriedRule rule;
  std::uint64_t positive = 0, positive_found = 0, negative = 0, negative_found = 0, false_alarms = 0;
};

// One check of one pack, from the compiler to the clean folders.
class PackCheck {
 public:
  PackCheck(engine::WorkerSetup setup, std::string folder, std::uint64_t slow_milliseconds)
      : setup_(std::move(setup)), folder_(std::move(folder)), slow_milliseconds_(slow_milliseconds) {}

  Result<void> run(const std::vector<std::string>& clean_folders);
  void print(bool records) const;
  bool passed() const { return complaints_.empty(); }

 private:
  Result<void> compile();
  void lint(const RuleState& state);
  Result<void> run_samples();
  Result<void> run_clean(const std::vector<std::string>& folders);
  void take_sample(const engine::ScannedFile& scanned);
  void complain(const std::string& where, const std::string& what) { complaints_.push_back(where + ": " + what); }
  RuleState* state_of(const std::string& source, const std::string& rule);

  engine::WorkerSetup setup_;
  std::string folder_;
  std::uint64_t slow_milliseconds_;
  Json pack_;
  std::vector<RuleState> states_;
  std::vector<std::string> complaints_;
  std::vector<std::string> alarms_;  // "rule: path"
  bool cleaned_ = false;
  std::uint64_t clean_files_ = 0, clean_bytes_ = 0, clean_unread_ = 0;
};

RuleState* PackCheck::state_of(const std::string& source, const std::string& rule) {
  const auto found = std::find_if(states_.begin(), states_.end(),
                                  [&](const RuleState& s) { return s.file == source && s.rule.name == rule; });
  return found == states_.end() ? nullptr : &*found;
}

// What a fingerprint is of can't be told from what it should be of: a rule that was changed shows by it.
void PackCheck::lint(const RuleState& state) {
  const auto& meta = state.rule.meta;
  const std::string where = state.file + ": rule " + state.rule.name;
  const auto said = [&](const std::string& key) {
    const auto found = meta.find(key);
    return found == meta.end() ? std::string() : found->second;
  };
  for (const char* key : meta_keys) {
    if (said(key).empty()) complain(where, std::string("its meta don't say `") + key + "`");
  }
  const bool none = said("designation").starts_with("none");
  if (none && pack_.value("designation_required", false))
    complain(where, "has no designation, and the pack demands one: list, entry and date");
  if (!said("fingerprint").empty() && said("fingerprint") != state.rule.fingerprint)
    complain(where,
             "its fingerprint is another one: the rule was changed, or the meta must say " + state.rule.fingerprint);
  if (said("handling") != pack_.value("handling", "")) complain(where, "its meta `handling` isn't the pack's");
  if (state.rule.nanoseconds_per_mib / 1'000'000 > slow_milliseconds_)
    complain(where, "is slow: more than " + std::to_string(slow_milliseconds_) + " ms a MiB");
}

Result<void> PackCheck::compile() {
  std::set<std::string> names;
  for (const RuleFile& file : EXHIBIT_TRY(rule_files(folder_))) {
    const std::string text = EXHIBIT_TRY(manifest::read_whole(file.path, largest_rule_file));
    const engine::TriedFile tried = EXHIBIT_TRY(engine::try_rule_file(setup_, text));
    if (tried.complaint) complain(file.name, *tried.complaint);
    for (const engine::TriedRule& rule : tried.rules) {
      if (!names.insert(rule.name).second) complain(file.name, "rule " + rule.name + " stands twice in the pack");
      states_.push_back({file.name, rule});
      lint(states_.back());
    }
  }
  if (states_.empty() && complaints_.empty()) complain(folder_, "has no rules");
  return {};
}

// samples/RULE/positive-… must match, samples/RULE/negative-… must not.
void PackCheck::take_sample(const engine::ScannedFile& scanned) {
  const fs::path path(scanned.path);
  const std::string rule = path.parent_path().filename().string();
  const bool positive = path.filename().string().starts_with("positive");
  const bool found = std::any_of(scanned.matches.begin(), scanned.matches.end(),
                                 [&](const auto& match) { return match.second == rule; });
  for (const std::string& trouble : scanned.troubles) complain(scanned.path, trouble);
  for (RuleState& state : states_) {
    if (state.rule.name != rule) continue;
    (positive ? state.positive : state.negative) += 1;
    (positive ? state.positive_found : state.negative_found) += found ? 1 : 0;
  }
  if (positive && !found) complain(scanned.path, "rule " + rule + " doesn't find its positive sample");
  if (!positive && found) complain(scanned.path, "rule " + rule + " takes its negative sample for a lead");
}

std::vector<std::string> files_below(const fs::path& folder, std::uint64_t& unread) {
  std::vector<std::string> paths;
  std::error_code failure;
  fs::recursive_directory_iterator entry(folder, fs::directory_options::skip_permission_denied, failure);
  for (; !failure && entry != fs::recursive_directory_iterator(); entry.increment(failure)) {
    std::error_code ignored;
    if (entry->symlink_status(ignored).type() == fs::file_type::regular) paths.push_back(entry->path().string());
  }
  if (failure) ++unread;
  std::sort(paths.begin(), paths.end());
  return paths;
}

Result<void> PackCheck::run_samples() {
  std::uint64_t unread = 0;
  std::vector<std::string> samples;
  for (const std::string& path : files_below(fs::path(folder_) / "samples", unread)) {
    const std::string name = fs::path(path).filename().string();
    const std::string rule = fs::path(path).parent_path().filename().string();
    const bool known = std::any_of(states_.begin(), states_.end(), [&](const auto& s) { return s.rule.name == rule; });
    if (!known || (!name.starts_with("positive") && !name.starts_with("negative"))) {
      complain(path, "is no rule's sample: samples/RULE/positive-… or negative-…");
    } else {
      samples.push_back(path);
    }
  }
  engine::RuleTrial trial(setup_);
  EXHIBIT_TRY(trial.scan(samples, [&](const engine::ScannedFile& scanned) { take_sample(scanned); }));
  for (const RuleState& state : states_) {
    if (state.positive == 0 || state.negative == 0)
      complain(state.file + ": rule " + state.rule.name, "needs a positive and a negative sample");
  }
  return {};
}

Result<void> PackCheck::run_clean(const std::vector<std::string>& folders) {
  engine::RuleTrial trial(setup_);
  cleaned_ = !folders.empty();
  for (const std::string& folder : folders) {
    EXHIBIT_TRY(trial.scan(files_below(folder, clean_unread_), [&](const engine::ScannedFile& scanned) {
      ++clean_files_;
      clean_bytes_ += scanned.bytes;
      if (!scanned.troubles.empty()) {
        ++clean_unread_;
        std::fprintf(stderr, "exhibit: %s: not scanned whole: %s\n", printable(scanned.path).c_str(),
                     printable(scanned.troubles.front()).c_str());
      }
      for (const auto& [source, rule] : scanned.matches) {
        if (RuleState* state = state_of(source, rule)) ++state->false_alarms;
        alarms_.push_back(rule + ": " + scanned.path);
      }
    }));
  }
  return {};
}

Result<void> PackCheck::run(const std::vector<std::string>& clean_folders) {
  const auto pack = read_pack(folder_);
  if (!pack.ok()) {
    complaints_.push_back(pack.error().message);
    return {};
  }
  pack_ = *pack;
  EXHIBIT_TRY(compile());
  setup_.rules = {folder_};
  // Rules that the compiler dies of are not loaded a second time.
  const bool loadable = !states_.empty() && std::none_of(complaints_.begin(), complaints_.end(), [](const auto& text) {
    return text.find("kills the compiler") != std::string::npos;
  });
  if (!loadable) return {};
  const auto sampled = run_samples();
  if (!sampled.ok() && sampled.error().code == ErrorCode::invalid_argument) {
    complaints_.push_back(sampled.error().message);
    return {};
  }
  if (!sampled.ok()) return sampled.error();
  return run_clean(clean_folders);
}

std::string fixed(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.2f", value);
  return text;
}

void PackCheck::print(bool records) const {
  const double gib = static_cast<double>(clean_bytes_) / static_cast<double>(std::uint64_t{1} << 30);
  const auto alarms_per_gib = [&](const RuleState& state) {
    return gib > 0 ? static_cast<double>(state.false_alarms) / gib : 0.0;
  };
  const auto milliseconds = [](const RuleState& s) { return static_cast<double>(s.rule.nanoseconds_per_mib) / 1e6; };
  if (records) {
    for (const RuleState& s : states_) {
      put_line(Json{{"pack", pack_.at("name")},
                    {"file", s.file},
                    {"rule", s.rule.name},
                    {"strings", s.rule.strings},
                    {"milliseconds_per_mib", milliseconds(s)},
                    {"positive", {s.positive_found, s.positive}},
                    {"negative", {s.negative_found, s.negative}},
                    {"false_alarms", s.false_alarms},
                    {"false_alarms_per_gib", alarms_per_gib(s)}}
                   .dump());
    }
    put_line(Json{{"folder", folder_},
                  {"passed", passed()},
                  {"complaints", complaints_},
                  {"alarms", alarms_},
                  {"clean_files", clean_files_},
                  {"clean_bytes", clean_bytes_},
                  {"clean_unread", clean_unread_}}
                 .dump(-1, ' ', false, Json::error_handler_t::replace));
    return;
  }
  Table table({"rule", "strings", "ms/MiB", "found", "quiet", "alarms/GiB"});
  for (const RuleState& s : states_) {
    table.add({printable(s.rule.name), std::to_string(s.rule.strings), fixed(milliseconds(s)),
               std::to_string(s.positive_found) + "/" + std::to_string(s.positive),
               std::to_string(s.negative - s.negative_found) + "/" + std::to_string(s.negative),
               cleaned_ ? fixed(alarms_per_gib(s)) : "-"});
  }
  if (!states_.empty()) table.print();
  if (cleaned_)
    put_line("clean: " + std::to_string(clean_files_) + " files, " + fixed(gib) + " GiB, " +
             std::to_string(alarms_.size()) + " false alarms, " + std::to_string(clean_unread_) + " not scanned whole");
  for (const std::string& alarm : alarms_) put_line("false alarm: " + printable(alarm));
  for (const std::string& complaint : complaints_) put_line("refused: " + printable(complaint));
  put_line(printable(folder_) + (passed() ? ": passed" : ": REFUSED, see above") +
           "; what its rules match is a lead for a person, never a finding of fact");
}

Result<int> check(const options::variables_map& values, const std::vector<std::string>& packs) {
  std::vector<std::string> clean;
  if (values.count("clean") != 0) clean = values["clean"].as<std::vector<std::string>>();
  for (const std::string& folder : clean) {
    if (!fs::is_directory(folder)) return Error{ErrorCode::not_found, folder + ": is no folder", {}, {}};
  }
  engine::WorkerSetup setup;
  setup.program = values.count("worker-program") != 0 ? values["worker-program"].as<std::string>()
                                                      : beside_this_program("exhibit-worker");
  int status = exit_done;
  for (const std::string& named : packs) {
    const std::string folder = find_rules(named);
    if (!fs::is_directory(folder)) return Error{ErrorCode::not_found, named + ": there is no such pack", {}, {}};
    PackCheck pack(setup, folder, values["slow"].as<std::uint64_t>());
    EXHIBIT_TRY(pack.run(clean));
    pack.print(wants_records(values));
    if (!pack.passed()) status = exit_no;
  }
  return status;
}

Result<int> list(bool records) {
  Table table({"pack", "version", "handling", "purpose"});
  std::set<fs::path> folders;
  std::error_code failure;
  for (const auto& entry : fs::directory_iterator(installed_packs(), failure)) {
    if (!base::rule_name_prefix(entry.path()).empty()) folders.insert(entry.path());
  }
  if (failure) return Error{ErrorCode::not_found, installed_packs() + ": " + failure.message(), {}, {}};
  for (const fs::path& folder : folders) {
    const Json pack = EXHIBIT_TRY(read_pack(folder.string()));
    if (records) {
      put_line(base::canonical(pack));
    } else {
      table.add({pack.at("name"), pack.at("version"), pack.value("handling", "-"),
                 printable(pack.at("purpose").get<std::string>())});
    }
  }
  if (!records) table.print();
  return exit_done;
}

int run_rules(const std::vector<std::string>& arguments) {
  options::options_description described("options");
  described.add_options()("clean", options::value<std::vector<std::string>>()->multitoken()->composing(),
                          "check: folders in which nothing should match; false alarms are counted")(
      "slow", options::value<std::uint64_t>()->default_value(100),
      "check: a rule that costs more milliseconds of processor time a MiB is refused")(
      "json", "record lines, also on a terminal");
  const Parsed parsed = parse(rules_verb, arguments, described, "words");
  if (parsed.help) return exit_done;
  std::vector<std::string> words;
  if (parsed.values.count("words") != 0) words = parsed.values["words"].as<std::vector<std::string>>();
  const bool lists = words == std::vector<std::string>{"list"};
  if (!lists && (words.size() < 2 || words[0] != "check")) throw Usage{"say 'check PACK…' or 'list'"};
  const auto status =
      lists ? list(wants_records(parsed.values)) : check(parsed.values, {words.begin() + 1, words.end()});
  return status.ok() ? *status : fail(status.error());
}

}  // namespace

const Verb rules_verb = {"rules", "check PACK… [--clean FOLDER…] | list",
                         "rule packs: compiled, linted, measured and tried on samples and clean folders", run_rules};

}  // namespace exhibit::cmd
