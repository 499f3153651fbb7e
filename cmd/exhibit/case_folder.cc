#include "exhibit/case_folder.h"

#include <fcntl.h>
#include <openssl/crypto.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>

#include "engine/journal.h"
#include "exhibit/common.h"
#include "exhibit/rule_packs.h"
#include "hashset/index.h"

namespace exhibit::cmd {
namespace fs = std::filesystem;
using base::Json;

namespace {

// A full disk stops what is being done; it can be gone on with.
Error io_error(const std::string& file) {
  const bool full = errno == ENOSPC || errno == EDQUOT;
  return {full ? ErrorCode::interrupted : ErrorCode::io_error, file + ": " + std::strerror(errno), {}, {}};
}

Result<void> write_whole(int fd, std::string_view bytes, const std::string& file) {
  while (!bytes.empty()) {
    const ssize_t put = write(fd, bytes.data(), bytes.size());
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return io_error(file);
    bytes.remove_prefix(static_cast<std::size_t>(put));
  }
  return {};
}

// What was written to `written` becomes `file`, whole or not at all. The mode doesn't hang on the umask of whoever runs
// this.
Result<void> put_in_place(base::UniqueFd fd, const std::string& written, const std::string& file, unsigned mode) {
  if (!fd || fchmod(fd.get(), mode) != 0 || fsync(fd.get()) != 0 || rename(written.c_str(), file.c_str()) != 0)
    return io_error(file);
  return {};
}

// What sealing says of a run.
bool tells_of_run(const Json& run) {
  return run.is_object() && run.value("exit_status", Json()).is_number_integer() &&
         run.value("started", Json()).is_string() && run.value("ended", Json()).is_string() &&
         run.value("arguments", Json()).is_array() && run.value("tool", Json()).is_object();
}

}  // namespace

bool CaseFolder::sealed() const { return fs::exists(path_ + "/" + manifest::manifest_name); }

Result<void> CaseFolder::make() const {
  for (const char* folder : {"", "/findings", "/secret", "/log", "/work"}) {
    std::error_code error;
    fs::create_directories(path_ + folder, error);
    if (error) return Error{ErrorCode::io_error, path_ + folder + ": cannot be made: " + error.message(), {}, {}};
  }
  if (chmod((path_ + "/secret").c_str(), S_IRWXU) != 0) return io_error(path_ + "/secret");
  return {};
}

Result<void> CaseFolder::put(const std::string& file, std::string_view bytes, unsigned mode) const {
  const std::string written = file + ".new";
  base::UniqueFd fd(open(written.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
  if (!fd) return io_error(written);
  EXHIBIT_TRY(write_whole(fd.get(), bytes, written));
  return put_in_place(std::move(fd), written, file, mode);
}

Result<void> CaseFolder::keep_blocks(const std::string& evidence, const std::string& from) const {
  if (from.empty()) return put(blocks(evidence), "");
  const std::string written = blocks(evidence) + ".new";
  std::error_code error;
  fs::copy_file(from, written, fs::copy_options::overwrite_existing, error);
  if (error) {
    errno = error.value();
    return io_error(written);
  }
  return put_in_place(base::UniqueFd(open(written.c_str(), O_WRONLY | O_CLOEXEC)), written, blocks(evidence), 0644);
}

Result<std::string> CaseFolder::get(const std::string& file) const {
  base::UniqueFd fd(open(file.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) return Error{ErrorCode::not_found, file + ": " + std::strerror(errno), {}, {}};
  std::string bytes;
  char buffer[65536];
  ssize_t got = 0;
  while ((got = read(fd.get(), buffer, sizeof buffer)) > 0) bytes.append(buffer, static_cast<std::size_t>(got));
  if (got < 0) return io_error(file);
  return bytes;
}

Result<void> CaseFolder::remember(const Memory& memory) const {
  return put(path_ + "/log/case.json", base::canonical({{"case", memory.case_fields}, {"inputs", memory.inputs}}));
}

Result<CaseFolder::Memory> CaseFolder::memory() const {
  const Json stored = EXHIBIT_TRY(base::parse_json(EXHIBIT_TRY(get(path_ + "/log/case.json"))));
  return Memory{stored.value("case", Json::object()), stored.value("inputs", Json::array())};
}

Result<void> CaseFolder::log_run(Json run, const std::optional<Json>& sealed) const {
  utsname system{};
  uname(&system);
  run["host"] = {{"name", system.nodename}, {"system", std::string(system.sysname) + " " + system.release}};
  const Json libraries = sealed ? sealed->value("libraries", Json::object()) : Json::object();
  run["tool"] = EXHIBIT_TRY(describe_tool(libraries));
  if (sealed) run["seal"] = sealed->at("seal");
  // Put in place whole: what a power cut tears is the new file, never what was told of earlier runs. What is damaged in
  // those stays as it is, for sealing to refuse.
  const std::string file = path_ + "/log/runs.jsonl";
  std::string lines = fs::exists(file) ? EXHIBIT_TRY(get(file)) : "";
  if (const std::size_t whole = lines.rfind('\n') + 1; whole < lines.size()) {
    std::fprintf(stderr, "exhibit: %s: its last line was cut off (a power cut?) and is dropped\n", file.c_str());
    lines.resize(whole);
  }
  return put(file, lines + base::canonical(run) + "\n");
}

Result<std::vector<Json>> CaseFolder::runs() const {
  const std::string file = path_ + "/log/runs.jsonl";
  const std::string text = EXHIBIT_TRY(get(file));
  const auto refused = [&](std::size_t line, const char* why) {
    return Error{ErrorCode::corrupt, file + ": line " + std::to_string(line) + " " + why, {}, {}};
  };
  std::vector<Json> runs;
  for (std::size_t start = 0; start < text.size();) {
    const std::size_t end = text.find('\n', start);
    if (end == std::string::npos)
      return refused(runs.size() + 1, "was cut off; run the same process command again, which ends it");
    auto run = base::parse_json(std::string_view(text).substr(start, end - start));
    if (!run.ok() || !tells_of_run(*run))
      return refused(runs.size() + 1, "doesn't tell of a run: it was damaged or changed; put a copy of it back");
    runs.push_back(run.take());
    start = end + 1;
  }
  return runs;
}

static Result<Json> config_input(const char* name, const Json& bounds) {
  const std::string text = base::canonical(bounds);
  auto digest = EXHIBIT_TRY(hash::MultiDigest::create(std::vector<std::string>{"sha256"}));
  digest.update(std::as_bytes(std::span(text)));
  return Json{
      {"kind", "config"}, {"name", name}, {"version", text}, {"entries", bounds.size()}, {"digests", digest.finish()}};
}

Result<Json> describe_inputs(const std::vector<std::unique_ptr<hashset::HashSet>>& sets,
                             const std::vector<std::string>& rules, const Json& expand,
                             const std::vector<std::string>& perceive) {
  Json inputs = Json::array();
  if (!expand.is_null()) inputs.push_back(EXHIBIT_TRY(config_input("expand", expand)));
  if (!perceive.empty()) {
    inputs.push_back(EXHIBIT_TRY(config_input("perceptual", {{"kinds", perceive},
                                                             {"pdq_distance", hashset::most_pdq_distance},
                                                             {"pdq_quality", hashset::least_pdq_quality}})));
  }
  for (const auto& set : sets) {
    inputs.push_back({{"kind", "hashset"},
                      {"name", set->name()},
                      {"version", set->version()},
                      {"entries", set->entries()},
                      {"identity", set->identity()}});
  }
  for (const std::string& path : rules) {
    for (const RuleFile& file : EXHIBIT_TRY(rule_files(path))) {
      inputs.push_back({{"kind", "yara"},
                        {"name", file.name},
                        {"version", file.version},
                        {"entries", 0U},
                        {"digests", {{"sha256", EXHIBIT_TRY(engine::file_sha256(file.path))}}}});
    }
  }
  return inputs;
}

Result<Json> with_digests(Json inputs, const std::vector<std::unique_ptr<hashset::HashSet>>& sets) {
  auto set = sets.begin();
  for (Json& input : inputs) {
    if (input.erase("identity") == 0) continue;
    input["digests"] = {{"sha256", EXHIBIT_TRY((*set++)->file_sha256())}};
  }
  return inputs;
}

Result<Json> with_loaded_inputs(Json inputs, const Json& sealed) {
  if (sealed.contains("carver")) {
    const Json& carver = sealed.at("carver");
    inputs.push_back({{"kind", "carver"},
                      {"name", "exhibit"},
                      {"version", version},
                      {"entries", carver.at("signatures")},
                      {"digests", {{"sha256", carver.at("sha256")}}}});
  }

  for (const Json& rules : sealed.at("rules")) {
    const Json described = {{"kind", "yara"},
                            {"name", rules.at("name")},
                            {"version", ""},
                            {"entries", rules.at("rules")},
                            {"digests", {{"sha256", rules.at("sha256")}}}};
    const auto before = std::find_if(inputs.begin(), inputs.end(), [&](const Json& input) {
      return input.at("kind") == "yara" && input.at("name") == rules.at("name");
    });
    if (before == inputs.end()) {
      inputs.push_back(described);
    } else if (before->at("digests") != described.at("digests")) {
      return Error{ErrorCode::invalid_argument,
                   rules.at("name").get<std::string>() + ": was changed while the run began; start again",
                   {},
                   {}};
    } else {
      (*before)["entries"] = described.at("entries");
    }
  }
  return inputs;
}

Result<Json> describe_tool(const Json& libraries) {
  Json all = libraries;
  all["openssl"] = OpenSSL_version(OPENSSL_VERSION_STRING);
  return Json{{"name", "exhibit"},
              {"version", version},
              {"source_revision", source_revision},
              {"build_sha256", EXHIBIT_TRY(engine::file_sha256("/proc/self/exe"))},
              {"libraries", all}};
}

}  // namespace exhibit::cmd
