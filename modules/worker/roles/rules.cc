// Of `exhibit rules check`. With `text`: a rule file (`file`) compiled, measured and told rule by rule. Without: the
// files whose descriptors came with the task, their sizes in `sizes`, scanned with the rules that were loaded.

#include <unistd.h>

#include <cerrno>

#include "match/rule_check.h"
#include "worker/task.h"

namespace exhibit::worker {
namespace {

using base::Json;

// A file that isn't evidence: the coordinator's, read by its descriptor.
class File final : public ByteSource {
 public:
  File(int fd, std::uint64_t size) : fd_(fd), size_(size) {}
  std::uint64_t size() const override { return size_; }
  Result<std::size_t> read_at(std::uint64_t offset, std::span<std::byte> buffer) override {
    ssize_t got = 0;
    do {
      got = pread(fd_, buffer.data(), buffer.size(), static_cast<off_t>(offset));
    } while (got < 0 && errno == EINTR);
    if (got < 0) return Error{ErrorCode::io_error, "cannot be read", {}, offset};
    return static_cast<std::size_t>(got);
  }
  std::vector<Doubt> doubts(std::uint64_t, std::uint64_t) const override { return {}; }
  std::uint64_t damaged_reads() const override { return 0; }

 private:
  int fd_;
  std::uint64_t size_;
};

Result<void> check(const Json& arguments, Output& output) {
  const std::string text = arguments.at("text").get<std::string>();
  const auto checked = EXHIBIT_TRY(
      match::check_rules(text, [&](const std::string& rule) { output.touch("rule \"" + rule + "\"", text.size()); }));
  for (const match::CheckedRule& rule : checked) {
    output.message({{"message", "rule"},
                    {"name", rule.name},
                    {"meta", rule.meta},
                    {"fingerprint", rule.fingerprint},
                    {"strings", rule.strings},
                    {"nanoseconds", rule.nanoseconds_per_mib}});
  }
  return {};
}

Result<void> scan(Context& context, const Task& task, Output& output) {
  if (context.rules == nullptr) return Error{ErrorCode::internal, "no rules were loaded", {}, {}};
  const auto sizes = task.arguments.at("sizes").get<std::vector<std::uint64_t>>();
  if (sizes.size() != task.descriptors.size()) return Error{ErrorCode::internal, "files and sizes differ", {}, {}};
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    output.touch(std::to_string(i), sizes[i]);
    File file(task.descriptors[i].get(), sizes[i]);
    const auto scanned = context.rules->scan(file, [](auto) {});
    Json message = {{"message", "scanned"}, {"file", i}, {"matches", Json::array()}, {"troubles", Json::array()}};
    if (!scanned.ok()) {
      message["troubles"].push_back(scanned.error().message);
    } else {
      for (const Match& match : scanned->matches) message["matches"].push_back({match.source, match.rule});
      for (const auto& trouble : scanned->troubles) message["troubles"].push_back(trouble.detail);
    }
    output.message(message);
  }
  return {};
}

Result<void> run_rules(Context& context, const Task& task, Output& output) {
  return task.arguments.contains("text") ? check(task.arguments, output) : scan(context, task, output);
}

}  // namespace

extern const Role rules_role;
const Role rules_role = {"rules", run_rules};

}  // namespace exhibit::worker
