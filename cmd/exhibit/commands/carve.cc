// exhibit carve: objects that no file system names any more.

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <map>
#include <thread>

#include "exhibit/session.h"
#include "hash/multi_digest.h"

namespace exhibit::cmd {

extern const Verb carve_verb;

namespace {

using base::Json;

std::vector<std::string> where_from(const options::variables_map& values) {
  std::vector<std::string> where = comma_list(values["where"].as<std::string>());
  for (const std::string& word : where) {
    if (word != "unallocated" && word != "slack" && word != "gaps" && word != "all")
      throw Usage{"--where takes unallocated, slack, gaps or all: " + word};
  }
  if (where.empty()) throw Usage{"--where names nothing"};
  if (std::find(where.begin(), where.end(), "all") != where.end()) where = {"all"};
  return where;
}

// What is to be saved of one volume, in the order in which a worker is to give it.
struct Saved {
  std::string name;
  std::uint64_t size = 0;
  Digests digests;  // none: of bytes that can't all be read nothing is claimed
};
struct VolumeContents {
  std::vector<Saved> files;
  std::string records;  // lines, an LF between two
};

// A worker may not write to files: it writes contents one behind the other into a pipe, and this takes them apart. Nor
// is it trusted with them: what hasn't the digests that were told isn't kept.
class Splitter {
 public:
  Splitter(base::UniqueFd from, std::string folder, const std::vector<Saved>& files)
      : thread_([this, fd = std::move(from), path = std::move(folder), &files] { split(fd.get(), path, files); }) {}
  ~Splitter() { finish(); }
  void finish() {
    if (thread_.joinable()) thread_.join();
  }
  // After finish(): why it went no further, if it didn't come to the end.
  const Result<void>& done() const { return done_; }

 private:
  void split(int from, const std::string& folder, const std::vector<Saved>& files) {
    for (const Saved& file : files) {
      done_ = save(from, folder + "/" + file.name, file);
      if (!done_.ok()) return;
    }
  }

  static Result<void> save(int from, const std::string& path, const Saved& file) {
    std::vector<std::string> names;
    for (const auto& [name, digest] : file.digests) names.push_back(name);
    hash::MultiDigest digest = EXHIBIT_TRY(hash::MultiDigest::create(names));
    const base::UniqueFd into(open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
    if (!into) return Error{ErrorCode::io_error, path + ": " + std::strerror(errno), {}, {}};
    auto copied = copy(from, into.get(), file.size, digest);
    if (copied.ok() && (names.empty() || digest.finish() == file.digests)) return {};
    unlink(path.c_str());
    if (!copied.ok()) return Error{copied.error().code, path + ": " + copied.error().message, {}, {}};
    return Error{ErrorCode::corrupt, path + ": isn't kept: its digests aren't those that were told", {}, {}};
  }

  static Result<void> copy(int from, int into, std::uint64_t size, hash::MultiDigest& digest) {
    std::vector<char> bytes(std::size_t{1} << 16);
    while (size > 0) {
      const ssize_t got = read(from, bytes.data(), std::min<std::uint64_t>(bytes.size(), size));
      if (got <= 0) return Error{ErrorCode::io_error, "isn't kept: its content ended early", {}, {}};
      const auto part = std::span(bytes).first(static_cast<std::size_t>(got));
      digest.update(std::as_bytes(part));
      if (::write(into, part.data(), part.size()) != got)
        return Error{ErrorCode::io_error, std::strerror(errno), {}, {}};
      size -= part.size();
    }
    return {};
  }

  Result<void> done_;
  std::thread thread_;
};

class Saver {
 public:
  Saver(std::string folder, bool with_parts) : folder_(std::move(folder)), with_parts_(with_parts) {}

  Result<void> make_folder() const {
    if (mkdir(folder_.c_str(), 0700) == 0 || errno == EEXIST) return {};
    return Error{ErrorCode::io_error, folder_ + ": cannot be made", {}, {}};
  }

  void take(const Json& record, std::string_view line) {
    const std::string kind = record.value("record", "");
    if (kind != "item" || (record.contains("parent") && !with_parts_)) return;
    VolumeContents& contents = volumes_[record.at("volume").get<std::string>()];
    std::string name = record.at("id").get<std::string>();
    std::replace(name.begin(), name.end(), '/', '.');
    const std::string path = record.at("path").get<std::string>();
    contents.files.push_back({name + path.substr(path.rfind('.')), record.at("size").get<std::uint64_t>(),
                              record.value("digests", Digests())});
    if (!contents.records.empty()) contents.records += '\n';
    contents.records.append(line);
  }

  // Returns how many problems were told.
  Result<std::uint64_t> save(Session& session) {
    std::uint64_t problems = 0;
    for (auto& [id, contents] : volumes_) {
      if (!contents.files.empty()) problems += EXHIBIT_TRY(save_volume(session, id, contents));
    }
    return problems;
  }

 private:
  Result<std::uint64_t> save_volume(Session& session, const std::string& id, const VolumeContents& contents) const {
    int ends[2] = {-1, -1};
    if (pipe2(ends, O_CLOEXEC) != 0) return Error{ErrorCode::internal, "no pipe", {}, {}};
    Splitter splitter(base::UniqueFd{ends[0]}, folder_, contents.files);
    base::UniqueFd into(ends[1]);
    std::optional<engine::Task> only = EXHIBIT_TRY(task_for(session, id, contents, into.get()));
    const auto next = [&] { return std::exchange(only, std::nullopt); };
    std::uint64_t problems = 0;
    const auto done = session.execute(next, [&](const engine::Task&, std::string_view line) -> Result<void> {
      const Json told = EXHIBIT_TRY(base::parse_json(line));
      std::fprintf(stderr, "exhibit: %s: %s\n", told.value("where", id).c_str(),
                   printable(told.value("detail", "")).c_str());
      ++problems;
      return {};
    });
    session.stop_workers();  // their end of the pipe
    into.reset();
    splitter.finish();
    EXHIBIT_TRY(done);
    EXHIBIT_TRY(splitter.done());
    return problems;
  }

  static Result<engine::Task> task_for(Session& session, const std::string& id, const VolumeContents& contents,
                                       int descriptor) {
    engine::Task task;
    task.id = "cat." + id;
    std::replace(task.id.begin(), task.id.end(), '/', '.');
    task.role = "cat";
    task.evidence = id.substr(0, id.find('/'));
    task.subject = id;
    task.stage = "read";
    task.descriptor = descriptor;
    auto input = EXHIBIT_TRY(engine::OutputFile::create(session.folder() + "/" + task.id + ".items"));
    EXHIBIT_TRY(input.write(contents.records));
    EXHIBIT_TRY(input.finish());
    task.input = {{input.path(), 0, input.size(), contents.files.size()}};
    const auto volumes = session.run().volumes(task.evidence);
    const auto volume = std::find_if(volumes.begin(), volumes.end(), [&](const auto& each) { return each.id == id; });
    EXHIBIT_CHECK(volume != volumes.end());
    task.arguments["volume"] = {{"id", id}, {"offset", volume->offset}, {"size", volume->size}};
    return task;
  }

  std::string folder_;
  bool with_parts_;
  std::map<std::string, VolumeContents> volumes_;
};

void add_row(Table& table, const Json& record) {
  table.add({record.value("tier", ""), record.value("signature", ""),
             std::to_string(record.value("size", std::uint64_t{0})), record.value("volume", ""),
             printable(record.value("path", "")), record.contains("parent") ? "in " + record.value("parent", "") : ""});
}

Result<int> carve(const RunSettings& settings, const options::variables_map& values) {
  std::optional<Saver> saver;
  if (values.count("out") != 0) saver.emplace(values["out"].as<std::string>(), values.count("parts") != 0);
  if (saver) EXHIBIT_TRY(saver->make_folder());
  const std::vector<std::string> where = where_from(values);
  const bool all = where == std::vector<std::string>{"all"};
  auto session = EXHIBIT_TRY(Session::open(settings));
  engine::RunOptions options;
  options.digests = settings.digests;
  options.walk = !all;
  options.carve = options.carved_only = true;
  options.carve_where = where;
  EXHIBIT_TRY(session->execute(std::move(options)));
  const bool records = wants_records(values);
  Table table({"tier", "signature", "size", "volume", "path", ""});
  std::uint64_t problems = 0;
  for (const auto& evidence : session->evidence()) {
    if (records) put_source(evidence);
    const auto counts = EXHIBIT_TRY(session->run().write(evidence.id, [&](std::string_view line) -> Result<void> {
      const Json record = EXHIBIT_TRY(base::parse_json(line));
      if (saver) saver->take(record, line);
      if (records && !put_line(line)) return Error{ErrorCode::interrupted, "standard output is closed", {}, {}};
      if (!records && record.value("record", "") == "item") add_row(table, record);
      return {};
    }));
    problems += counts.problems;
  }
  if (saver) problems += EXHIBIT_TRY(saver->save(*session));
  if (!records) table.print();
  if (!records && problems > 0)
    std::fprintf(stderr, "exhibit: %llu problem(s); --json shows them\n", static_cast<unsigned long long>(problems));
  return problems > 0 ? exit_problems : exit_done;
}

int run_carve(const std::vector<std::string>& arguments) {
  options::options_description described("options");
  described.add_options()("where", options::value<std::string>()->default_value("unallocated,slack,gaps"),
                          "unallocated, slack, gaps, with commas; or all: the whole medium")(
      "types", options::value<std::string>()->default_value(""), "only these signatures, with commas")(
      "tier", options::value<std::string>()->default_value("plausible"),
      "the least that is shown: validated, plausible or header-only")(
      "out", options::value<std::string>(), "a folder to save what is found in; think what it may hold")(
      "parts", "save parts of saved objects, too: a picture in a document");
  add_digest_options(described);
  add_run_options(described);
  const Parsed parsed = parse(carve_verb, arguments, described, "image");
  if (parsed.help) return exit_done;
  RunSettings settings = run_settings(parsed.values);
  if (settings.images.empty()) throw Usage{"name an image"};
  const std::string tier = parsed.values["tier"].as<std::string>();
  if (tier != "validated" && tier != "plausible" && tier != "header-only")
    throw Usage{"--tier takes validated, plausible or header-only"};
  settings.carve = {{"types", comma_list(parsed.values["types"].as<std::string>())}, {"tier", tier}};
  const auto status = carve(settings, parsed.values);
  return status.ok() ? *status : fail(status.error());
}

}  // namespace

const Verb carve_verb = {"carve", "IMAGE… [options]", "objects that no file system names any more", run_carve};

}  // namespace exhibit::cmd
