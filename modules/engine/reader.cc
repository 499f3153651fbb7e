#include "engine/reader.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "engine/message.h"

namespace exhibit::engine {
namespace {

using Clock = std::chrono::steady_clock;
using base::Json;

constexpr int poll_milliseconds = 250;
// No message of a reading worker is longer; a list of what it may say is short too.
constexpr base::JsonLimits message_limits{std::size_t{1} << 16, 8, 4096};

}  // namespace

// Of a size that neither side can change.
class Reader::SharedMemory {
 public:
  static Result<std::unique_ptr<SharedMemory>> create() {
    std::unique_ptr<SharedMemory> memory(new SharedMemory);
    memory->fd_.reset(memfd_create("exhibit-read", MFD_CLOEXEC | MFD_ALLOW_SEALING));
    const bool sized = memory->fd_ && ftruncate(memory->fd_.get(), static_cast<off_t>(largest_read)) == 0 &&
                       fcntl(memory->fd_.get(), F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) == 0;
    if (sized) memory->bytes_ = mmap(nullptr, largest_read, PROT_READ, MAP_SHARED, memory->fd_.get(), 0);
    if (memory->bytes_ == MAP_FAILED) return Error{ErrorCode::internal, "no memory to share with a worker", {}, {}};
    return memory;
  }
  ~SharedMemory() {
    if (bytes_ != MAP_FAILED) munmap(bytes_, largest_read);
  }
  SharedMemory(const SharedMemory&) = delete;
  SharedMemory& operator=(const SharedMemory&) = delete;

  int fd() const { return fd_.get(); }
  std::span<const std::byte> bytes() const { return {static_cast<const std::byte*>(bytes_), largest_read}; }

 private:
  SharedMemory() = default;
  base::UniqueFd fd_;
  void* bytes_ = MAP_FAILED;
};

Reader::Reader(const WorkerSetup& setup, const Evidence& evidence, const std::atomic<bool>& stop)
    : setup_(setup), evidence_(evidence), stop_(stop) {}

Reader::~Reader() = default;

Result<void> Reader::start() {
  if (process_) return {};
  shared_ = EXHIBIT_TRY(SharedMemory::create());
  process_ = EXHIBIT_TRY(WorkerProcess::start(setup_));
  process_->send_load(setup_, shared_->fd(), largest_read);
  const Json sealed = EXHIBIT_TRY(converse(setup_.object_seconds));
  if (sealed.value("message", "") != "sealed") return give_up("no word of its seal", false);
  process_->send_evidence(evidence_);
  EXHIBIT_TRY(converse(setup_.object_seconds));
  return {};
}

Result<std::span<const std::byte>> Reader::read(const ReadRequest& request) {
  // An object is given this much for its size besides its own time (docs/protocol.md).
  constexpr std::size_t slowest_bytes_per_second = std::size_t{1} << 20;
  EXHIBIT_CHECK(request.bytes <= largest_read);
  EXHIBIT_TRY(start());
  Json task = {{"message", "task"},
               {"role", request.role},
               {"arguments", request.arguments},
               {"records", 0U},
               {"careful", false}};
  task["arguments"]["evidence"] = evidence_.id;
  task["arguments"]["bytes"] = request.bytes;
  process_->send(base::canonical(task) + "\n");
  const Json word = EXHIBIT_TRY(converse(setup_.object_seconds + request.bytes / slowest_bytes_per_second));
  if (word.value("message", "") != "read") return give_up("another answer than it was asked for", false);
  const auto given = word.at("bytes").get<std::uint64_t>();
  const bool is_whole = std::string_view(request.role) == "read" ? given == request.bytes : given <= request.bytes;
  if (!is_whole) return give_up("more or fewer bytes than it was asked for", false);
  return shared_->bytes().first(static_cast<std::size_t>(given));
}

// Ends the worker, and says why.
Error Reader::give_up(const char* lie, bool timed_out) {
  const std::unique_ptr<WorkerProcess> process = std::move(process_);
  if (lie != nullptr) return {ErrorCode::crash, std::string("the worker's answer was refused: ") + lie, {}, {}};
  const Ending ending = process->end(timed_out);
  return {timed_out ? ErrorCode::timeout : ErrorCode::crash, ending.detail, {}, {}};
}

// To the end of its answer: the one message that it holds, null where there is none.
Result<Json> Reader::converse(std::uint64_t seconds) {
  const auto deadline = Clock::now() + std::chrono::seconds(seconds);
  answer_.begin();
  Json word;
  while (true) {
    while (const auto line = process_->reader().next()) {
      bool done = false;
      auto message = EXHIBIT_TRY(take_line(*line, done));
      if (done) {
        if (!answer_.failure) return word;
        const bool is_missing = answer_.failure->at("cause") == name_of(ErrorCode::not_found);
        return Error{is_missing ? ErrorCode::not_found : ErrorCode::io_error,
                     answer_.failure->at("detail").get<std::string>(),
                     {},
                     {}};
      }
      if (message) word = std::move(*message);
    }
    if (process_->reader().overflowed()) return give_up("a line longer than a message may be", false);
    EXHIBIT_TRY(wait(deadline));
  }
}

Result<std::optional<Json>> Reader::take_line(std::string_view line, bool& done) {
  auto parsed = base::parse_json(line, message_limits);
  const bool named = parsed.ok() && parsed->is_object() && parsed->contains("message") && !parsed->contains("record");
  if (!named || !parsed->at("message").is_string()) return give_up("a line that is no message", false);
  const std::string& name = parsed->at("message").get_ref<const std::string&>();
  if (name == "touch") return std::optional<Json>();
  if (name == "done") {
    if (!answer_.is_whole(*parsed)) return give_up("a count or digest of its lines that is wrong", false);
    done = true;
    return std::optional<Json>();
  }
  if (wrong_with(*parsed, evidence_.id)) return give_up("a message that isn't what it must be", false);
  answer_.count(line);
  if (name != "failed") return std::optional<Json>(parsed.take());
  answer_.failure = parsed.take();
  return std::optional<Json>();
}

// Until the worker has said more.
Result<void> Reader::wait(Clock::time_point deadline) {
  while (true) {
    const short events = static_cast<short>(POLLIN | (process_->wants_to_send() ? POLLOUT : 0));
    std::array<pollfd, 2> fds{{{process_->socket(), events, 0}, {process_->errors(), POLLIN, 0}}};
    if (poll(fds.data(), fds.size(), poll_milliseconds) < 0 && errno != EINTR)
      return Error{ErrorCode::internal, "poll failed", {}, {}};
    if (stop_) {
      process_.reset();
      return Error{ErrorCode::interrupted, "stopped before the end", {}, {}};
    }
    if ((fds[1].revents & (POLLIN | POLLHUP)) != 0) process_->on_errors();
    if ((fds[0].revents & POLLOUT) != 0 && !process_->on_writable().ok()) return give_up(nullptr, false);
    if ((fds[0].revents & (POLLIN | POLLHUP | POLLERR)) != 0) {
      const auto filled = process_->reader().fill(process_->socket());
      process_->reader().descriptors().clear();  // it has no business sending any
      if (filled == base::LineReader::Fill::end || filled == base::LineReader::Fill::failed)
        return give_up(nullptr, false);
      return {};
    }
    if (Clock::now() > deadline) return give_up(nullptr, true);
  }
}

}  // namespace exhibit::engine
