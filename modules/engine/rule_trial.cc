#include "engine/rule_trial.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>

namespace exhibit::engine {
namespace {

using base::Json;

// A rule file that takes longer to compile, or a file to scan, isn't waited for.
constexpr int patience_milliseconds = 300'000;
// Files that go to the worker at once; so many that asking costs nothing.
constexpr std::size_t batch = 64;

Json task(const Json& arguments) {
  return {{"message", "task"}, {"role", "rules"}, {"arguments", arguments}, {"careful", true}};
}

std::uint64_t number_of(const Json& message, const char* key) {
  const auto found = message.find(key);
  return found != message.end() && found->is_number_unsigned() ? found->get<std::uint64_t>() : 0;
}

TriedRule rule_of(const Json& answer) {
  TriedRule rule{text_of(answer, "name"),
                 {},
                 text_of(answer, "fingerprint"),
                 number_of(answer, "strings"),
                 number_of(answer, "nanoseconds")};
  const auto meta = answer.find("meta");
  if (meta == answer.end() || !meta->is_object()) return rule;
  for (const auto& [key, value] : meta->items()) {
    if (value.is_string()) rule.meta[key] = value.get<std::string>();
  }
  return rule;
}

// A new worker, sealed. Error: what it says.
Result<std::unique_ptr<Conversation>> sealed_worker(const WorkerSetup& setup) {
  auto worker = EXHIBIT_TRY(Conversation::start(setup, patience_milliseconds));
  std::vector<Json> answers;
  if (!worker->ask(load_question(setup), answers))
    return Error{ErrorCode::crash, "the rules can't be loaded: " + worker->how_it_ended().detail, {}, {}};
  if (answers.empty() || text_of(answers.front(), "message") != "sealed")
    return Error{ErrorCode::invalid_argument,
                 answers.empty() ? std::string("the worker says nothing") : text_of(answers.front(), "detail"),
                 {},
                 {}};
  return worker;
}

}  // namespace

Result<TriedFile> try_rule_file(const WorkerSetup& setup, const std::string& text) {
  WorkerSetup bare = setup;
  bare.rules.clear();
  const auto worker = EXHIBIT_TRY(sealed_worker(bare));
  std::vector<Json> answers;
  TriedFile tried;
  if (!worker->ask(task({{"text", text}}), answers)) {
    const Ending& ending = worker->how_it_ended();
    tried.complaint = worker->touched() + " kills the compiler or the scanner: " + ending.detail;
    return tried;
  }
  for (const Json& answer : answers) {
    if (text_of(answer, "message") == "failed") tried.complaint = text_of(answer, "detail");
    if (text_of(answer, "message") == "rule") tried.rules.push_back(rule_of(answer));
  }
  if (tried.complaint) tried.rules.clear();
  return tried;
}

Result<void> RuleTrial::start() {
  if (worker_ == nullptr) worker_ = EXHIBIT_TRY(sealed_worker(setup_));
  return {};
}

// Scans the first of `files`, at most a batch of them; how many that were.
Result<std::size_t> RuleTrial::scan_batch(std::vector<ScannedFile>& files) {
  EXHIBIT_TRY(start());
  std::vector<base::UniqueFd> opened;
  std::vector<int> descriptors;
  std::vector<std::size_t> sent;  // which of `files`
  Json sizes = Json::array();
  std::size_t taken = 0;
  for (; taken < files.size() && descriptors.size() < batch; ++taken) {
    base::UniqueFd fd(open(files[taken].path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
    struct stat status {};
    if (!fd || fstat(fd.get(), &status) != 0 || !S_ISREG(status.st_mode)) {
      files[taken].troubles.emplace_back("can't be opened");
      continue;
    }
    files[taken].bytes = static_cast<std::uint64_t>(status.st_size);
    sizes.push_back(files[taken].bytes);
    descriptors.push_back(fd.get());
    sent.push_back(taken);
    opened.push_back(std::move(fd));
  }
  std::vector<Json> answers;
  const bool whole = descriptors.empty() || worker_->ask(task({{"sizes", sizes}}), answers, descriptors);
  std::size_t answered = 0;
  for (const Json& answer : answers) {
    if (text_of(answer, "message") != "scanned" || answered == sent.size()) continue;
    ScannedFile& file = files[sent[answered++]];
    for (const Json& match : answer.value("matches", Json::array())) {
      if (match.is_array() && match.size() == 2 && match[0].is_string() && match[1].is_string())
        file.matches.emplace_back(match[0].get<std::string>(), match[1].get<std::string>());
    }
    for (const Json& trouble : answer.value("troubles", Json::array())) {
      if (trouble.is_string()) file.troubles.push_back(trouble.get<std::string>());
    }
  }
  if (answered == sent.size()) return taken;
  // The one that it died of; those behind it are asked again.
  files[sent[answered]].troubles.push_back(whole ? "the worker gave no answer" : worker_->how_it_ended().detail);
  worker_.reset();
  return sent[answered] + 1;
}

Result<void> RuleTrial::scan(const std::vector<std::string>& paths,
                             const std::function<void(const ScannedFile&)>& each) {
  for (std::size_t at = 0; at < paths.size();) {
    std::vector<ScannedFile> files;
    for (std::size_t i = at; i < std::min(at + batch, paths.size()); ++i) files.push_back({paths[i], 0, {}, {}});
    const std::size_t done = EXHIBIT_TRY(scan_batch(files));
    for (std::size_t i = 0; i < done; ++i) each(files[i]);
    at += done;
  }
  return {};
}

}  // namespace exhibit::engine
