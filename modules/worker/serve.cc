#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <memory>
#include <new>

#include "base/channel.h"
#include "base/text.h"
#include "expand/reader.h"
#include "hash/multi_digest.h"
#include "sandbox/seal.h"
#include "worker/libraries.h"
#include "worker/roles.h"
#include "worker/task.h"

namespace exhibit::worker {
namespace {

using base::Json;

// Reads messages one at a time; blocking.
class Inbox {
 public:
  explicit Inbox(int socket) : socket_(socket) {}

  // The next line's value; nothing at the end of the conversation, nor where none has come yet and `wait` is false.
  std::optional<Json> next(bool wait = true) {
    while (true) {
      if (auto line = reader_.next()) {
        auto value = base::parse_json(*line);
        if (!value.ok() || !value->is_object()) std::_Exit(base::exit_protocol);
        return value.take();
      }
      if (reader_.overflowed()) std::_Exit(base::exit_protocol);
      if (reader_.fill(socket_, wait) != base::LineReader::Fill::some) return std::nullopt;
    }
  }

  // The next line as a record, looked at in place until the next call of either; nullptr at the end.
  const base::RecordLine* next_record() {
    auto line = reader_.next();
    while (!line && !reader_.overflowed() && reader_.fill(socket_) == base::LineReader::Fill::some)
      line = reader_.next();
    if (line && !record_.read_any(*line).ok()) std::_Exit(base::exit_protocol);
    return line ? &record_ : nullptr;
  }

  std::vector<base::UniqueFd> take_descriptors() { return std::exchange(reader_.descriptors(), {}); }

 private:
  int socket_;
  base::LineReader reader_;
  base::RecordLine record_;
};

void out_of_memory() { std::_Exit(base::exit_memory); }

std::vector<std::string> texts(const Json& message, const char* key) {
  return message.value(key, std::vector<std::string>());
}

// Loads what is trusted: rules, signatures, the magic database, digests. Files are opened here and never again.
Result<void> load(const Json& message, Context& context) {
  hash::prepare();
  expand::prepare();
  context.types = EXHIBIT_TRY(match::TypeDetector::load());
  const auto rules = texts(message, "rules");
  if (!rules.empty())
    context.rules = EXHIBIT_TRY(match::RuleScanner::load(rules, {.prefilter = message.value("prefilter", true)}));
  for (const std::string& kind : texts(message, "perceive")) {
    context.perceived.pictures = context.perceived.pictures || kind == "pictures";
    context.perceived.documents = context.perceived.documents || kind == "documents";
  }
  match::prepare(context.perceived);
  if (message.contains("carve")) {
    const Json& wanted = message.at("carve");
    context.carving = EXHIBIT_TRY(Carving::load(texts(wanted, "types"), wanted.value("tier", "plausible")));
  }
  return {};
}

Json sealed_message(const sandbox::Seal& seal, const Context& context) {
  Json message = {{"message", "sealed"},
                  {"seal", sandbox::to_json(seal)},
                  {"rules", Json::array()},
                  {"libraries", library_versions()},
                  {"acts", sandbox::forbidden_acts()}};
  if (context.rules != nullptr) {
    for (const auto& file : context.rules->files()) {
      message["rules"].push_back({{"name", file.name}, {"sha256", file.sha256}, {"rules", file.rules}});
    }
  }
  if (context.carving != nullptr) {
    const Carving& carving = *context.carving;
    message["carver"] = {{"signatures", carving.signatures.size()}, {"sha256", carving.files_sha256}};
  }
  return message;
}

Json refusal(const Error& error) {
  Json message = {
      {"message", "failed"}, {"cause", name_of(error.code)}, {"detail", base::clean_utf8(error.message).text}};
  if (error.offset) message["offset"] = *error.offset;
  return message;
}

// Segments come in several messages where there are more than one message may carry; the last has no `more`.
class EvidenceGatherer {
 public:
  void add(const Json& message, std::vector<base::UniqueFd> descriptors) {
    for (const Json& segment : message.at("segments")) {
      if (next_ >= descriptors.size()) break;
      segments_.push_back(
          {segment.value("name", ""), segment.value("size", std::uint64_t{0}), std::move(descriptors[next_++])});
    }
    next_ = 0;
  }
  std::vector<image::SegmentFile> take() { return std::exchange(segments_, {}); }

 private:
  std::size_t next_ = 0;
  std::vector<image::SegmentFile> segments_;
};

// What a descriptor holds, which is a secret of a few bytes.
std::string read_secret(int fd) {
  constexpr std::size_t longest = std::size_t{8} << 20;  // what cryptsetup takes of a key file
  std::string secret(4096, '\0');
  std::size_t filled = 0;
  while (true) {
    const ssize_t got = pread(fd, secret.data() + filled, secret.size() - filled, static_cast<off_t>(filled));
    if (got <= 0) break;
    filled += static_cast<std::size_t>(got);
    if (filled == secret.size()) secret.resize(std::min(longest, 2 * filled));
    if (filled == longest) break;
  }
  secret.resize(filled);
  return secret;
}

// Keys of volumes, a descriptor for each. They come before the evidence that they are for, and aren't answered.
void take_keys(const Json& message, const std::vector<base::UniqueFd>& descriptors, Context& context) {
  std::size_t next = 0;
  for (const Json& key : message.at("keys")) {
    if (next == descriptors.size()) std::_Exit(base::exit_protocol);
    context.keys[key.value("volume", "")].push_back({key.value("kind", ""), read_secret(descriptors[next++].get())});
  }
}

Result<void> open_evidence(const Json& message, EvidenceGatherer& gatherer, Context& context, Output& output) {
  const std::string id = message.value("id", "");
  output.touch(id, 0);
  context.nests.erase(id);
  std::optional<std::string> as;
  if (message.contains("as")) as = message.at("as").get<std::string>();
  context.evidence[id] = EXHIBIT_TRY(image::open_image(gatherer.take(), as));
  return {};
}

Result<void> run_task(const Json& message, Inbox& inbox, Context& context, Output& output) {
  Task task;
  task.role = message.value("role", "");
  output.begin(task.role, message.value("careful", true));
  task.arguments = message.value("arguments", Json::object());
  task.descriptors = inbox.take_descriptors();
  std::uint64_t left = message.value("records", std::uint64_t{0});
  task.next_record = [&]() -> const base::RecordLine* {
    if (left == 0) return nullptr;
    --left;
    const base::RecordLine* record = inbox.next_record();
    if (record == nullptr) std::_Exit(base::exit_protocol);
    return record;
  };
  task.link = [&](bool wait) -> std::optional<Json> {
    auto link = inbox.next(wait);
    const bool is_link = link && link->value("message", "") == "chain";
    if (link ? !is_link : wait) std::_Exit(base::exit_protocol);
    return link;
  };
  // What an earlier worker finished isn't done again.
  for (std::uint64_t done = message.value("from", std::uint64_t{0}); done > 0; --done) task.next_record();
  for (const Role* role : roles()) {
    if (task.role != role->name) continue;
    auto result = role->run(context, task, output);
    while (task.next_record() != nullptr) continue;  // a role that stopped early leaves the rest of its input
    return result;
  }
  return Error{ErrorCode::invalid_argument, "no such role: " + task.role, {}, {}};
}

void answer(Output& output, Result<void> result) {
  if (!result.ok()) output.message(refusal(result.error()));
  output.done();
}

// The most address space for a worker that may take `share` bytes of memory; 0: not limited. What is mapped but not
// resident (libraries, most of all) is no memory taken. Whatever was loaded, there is room for a stretch and its work.
std::uint64_t address_space(std::uint64_t share) {
  constexpr std::uint64_t least_room = std::uint64_t{64} << 20;
  if (share == 0) return 0;
  unsigned long long mapped = 0, resident = 0;  // pages
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> statm(std::fopen("/proc/self/statm", "r"), std::fclose);
  if (!statm || std::fscanf(statm.get(), "%llu %llu", &mapped, &resident) != 2) return share;
  const auto page = static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
  const std::uint64_t taken = resident * page;
  return mapped * page + std::max(least_room, share - std::min(share, taken));
}

Result<sandbox::Seal> prepare(const Json& message, std::vector<base::UniqueFd> descriptors, Context& context) {
  EXHIBIT_TRY(load(message, context));
  if (message.contains("shared") && !descriptors.empty())
    EXHIBIT_TRY(context.shared.map(descriptors.front().get(), message.at("shared").get<std::size_t>()));
  return sandbox::seal(
      {address_space(message.value("memory", std::uint64_t{0})), message.value("sandbox", "required") == "required"});
}

}  // namespace

int serve(int socket, const TouchHook& hook) {
  std::set_new_handler(out_of_memory);
  Inbox inbox(socket);
  Output output(socket, hook);
  Context context;
  EvidenceGatherer gatherer;
  const auto first = inbox.next();
  if (!first || first->value("message", "") != "load") return base::exit_protocol;
  auto seal = prepare(*first, inbox.take_descriptors(), context);
  if (!seal.ok()) {
    answer(output, seal.take_error());
    return base::exit_not_sealed;
  }
  output.message(sealed_message(*seal, context));
  output.done();
  while (auto message = inbox.next()) {
    const std::string kind = message->value("message", "");
    if (kind == "evidence") {
      gatherer.add(*message, inbox.take_descriptors());
      if (message->value("more", false)) continue;
      answer(output, open_evidence(*message, gatherer, context, output));
    } else if (kind == "keys") {
      take_keys(*message, inbox.take_descriptors(), context);
    } else if (kind == "task") {
      answer(output, run_task(*message, inbox, context, output));
    } else if (kind == "chain") {
      continue;  // came too late: the task that it was for has ended early
    } else if (kind == "attempt") {
      const auto tried = sandbox::attempt(message->value("act", ""));
      output.message({{"message", "attempted"}, {"refused", tried.refused}, {"detail", tried.detail}});
      output.done();
    } else {
      return base::exit_protocol;
    }
  }
  return 0;
}

}  // namespace exhibit::worker
