// exhibit cat: one item's content to standard output, or a member's of one.

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <thread>

#include "base/volume_id.h"
#include "exhibit/acknowledge.h"
#include "exhibit/session.h"

namespace exhibit::cmd {

extern const Verb cat_verb;

namespace {

using base::Json;

constexpr std::string_view member_mark = "!/";  // between a container's id and its member's path

// A worker may not write to files; it writes into a pipe, and this copies from the pipe to standard output.
class Copier {
 public:
  explicit Copier(base::UniqueFd from) : thread_([fd = std::move(from)] { copy(fd.get()); }) {}
  ~Copier() { thread_.join(); }

 private:
  static void copy(int from) {
    std::array<char, 65536> bytes;
    ssize_t got = 0;
    while ((got = read(from, bytes.data(), bytes.size())) > 0) {
      if (std::fwrite(bytes.data(), 1, static_cast<std::size_t>(got), stdout) != static_cast<std::size_t>(got)) return;
    }
    std::fflush(stdout);
  }
  std::thread thread_;
};

Error no_such_item(const std::string& id) { return {ErrorCode::not_found, id + ": there is no such item", id, {}}; }

// The volume's record by its id.
Result<Json> find_volume(Session& session, const std::string& id) {
  Json found;
  for (const auto& evidence : session.evidence()) {
    EXHIBIT_TRY(session.run().write_survey(evidence.id, [&](std::string_view line) -> Result<void> {
      Json record = EXHIBIT_TRY(base::parse_json(line));
      if (record.value("record", "") == "volume" && record.value("id", "") == id) found = std::move(record);
      return {};
    }));
  }
  if (found.is_null()) return no_such_item(id);
  return found;
}

// The item whose id stands before a "!/" of this one, which then is a member's; null where this is an item itself, as
// names may have "!/" too. All items are looked through for it.
Result<Json> find_container(Session& session, const std::string& id) {
  Json found;
  bool is_item = false;
  for (const auto& evidence : session.evidence()) {
    EXHIBIT_TRY(session.run().write(evidence.id, [&](std::string_view line) -> Result<void> {
      Json record = EXHIBIT_TRY(base::parse_json(line));
      const std::string own = record.value("record", "") == "item" ? record.value("id", "") : "";
      is_item = is_item || own == id;
      if (!own.empty() && id.starts_with(own + std::string(member_mark))) found = std::move(record);
      return {};
    }));
  }
  if (is_item) return Json();
  if (found.is_null()) return no_such_item(id);
  return found;
}

// "E1/p2/i36-128-1:/Users/ann/a.txt": volume, address, and a path that is only for people.
Result<engine::Task> task_for(Session& session, const std::string& item, const Json& limits, int descriptor) {
  const std::size_t address = item.find("/i");
  if (address == std::string::npos || item.find('/') == std::string::npos) return no_such_item(item);
  const std::size_t end = std::min(item.find(':', address), item.size());
  const std::string id = item.substr(0, address);
  const Json volume = EXHIBIT_TRY(find_volume(session, std::string(base::medium_volume(id))));
  engine::Task task;
  task.id = "cat";
  task.role = "cat";
  task.evidence = item.substr(0, item.find('/'));
  task.subject = item;
  task.stage = "read";
  task.descriptor = descriptor;
  task.arguments = {{"volume", {{"id", id}, {"offset", volume.at("offset")}, {"size", volume.at("size")}}},
                    {"address", item.substr(address + 1, end - address - 1)},
                    {"item", item}};
  if (item.find(member_mark) == std::string::npos) return task;
  const Json container = EXHIBIT_TRY(find_container(session, item));
  if (container.is_null()) return task;
  const std::string holder = container.at("id");
  task.arguments["container"] = holder;
  task.arguments["path"] = container.at("path");
  task.arguments["member"] = item.substr(holder.size() + member_mark.size());
  task.arguments["limits"] = limits;
  return task;
}

int run_cat(const std::vector<std::string>& arguments) {
  options::options_description described("options");
  add_run_options(described);
  add_expand_options(described);
  add_acknowledge_options(described);
  described.add_options()("item", options::value<std::string>()->required(),
                          "the item's id, as list or expand prints it")(
      "case", options::value<std::string>(), "the case whose leads say what is not to be shown without a word");
  const Parsed parsed = parse(cat_verb, arguments, described, "image");
  if (parsed.help) return exit_done;
  RunSettings settings = run_settings(parsed.values);
  if (settings.images.empty()) throw Usage{"name an image"};
  if (auto allowed = allow_content(parsed.values, parsed.values["item"].as<std::string>()); !allowed.ok())
    return fail(allowed.error());
  settings.jobs = 1;
  auto session = Session::open(settings);
  if (!session.ok()) return fail(session.error());
  const std::string item = parsed.values["item"].as<std::string>();
  const bool may_be_member = item.find(member_mark) != std::string::npos;
  if (auto done = (*session)->execute({.digests = {}, .walk = may_be_member}); !done.ok()) return fail(done.error());
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) return fail({ErrorCode::internal, "no pipe", {}, {}});
  base::UniqueFd into(ends[1]);
  auto task = task_for(**session, item, expand_bounds(parsed.values), into.get());
  if (!task.ok()) {
    close(ends[0]);
    return fail(task.error());
  }
  int status = exit_done;
  Result<void> done;
  {
    Copier copier{base::UniqueFd(ends[0])};
    std::optional<engine::Task> only = task.take();
    const auto next = [&] { return std::exchange(only, std::nullopt); };
    done = (*session)->execute(next, [&](const engine::Task&, std::string_view line) -> Result<void> {
      const Json value = EXHIBIT_TRY(base::parse_json(line));
      std::fprintf(stderr, "exhibit: %s: %s\n", value.value("cause", "").c_str(),
                   printable(value.value("detail", "")).c_str());
      status = value.contains("message") ? exit_input : exit_problems;
      return {};
    });
    into.reset();
    session->reset();  // the worker's end of the pipe
  }
  return done.ok() ? status : fail(done.error());
}

}  // namespace

const Verb cat_verb = {"cat", "IMAGE --item ID [--case CASE]", "one item's content to standard output", run_cat};

}  // namespace exhibit::cmd
