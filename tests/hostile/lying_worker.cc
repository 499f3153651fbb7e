// Between the coordinator and the real worker: passes on what both say, but changes some of the worker's lines, and
// mends count and digest so that only what the lines say can give them away. The seed stands at the end of its name
// (lying-worker-17); the real worker lies beside the program that the name leads to. lying-worker-members tells what it
// finds in archives as if it were about the archives themselves.

#include <poll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <random>
#include <string>

#include "base/channel.h"
#include "base/json.h"
#include "hash/multi_digest.h"

namespace {

using namespace exhibit;
using base::Json;

constexpr int one_in = 6;  // lines that are changed
// The coordinator makes a task for each 64 MiB of a medium: a size that is said to be larger only takes longer.
constexpr std::uint64_t huge = std::uint64_t{1} << 33;

class Liar {
 public:
  explicit Liar(const std::string& seed)
      : about_members_(seed == "members"),
        random_(static_cast<unsigned>(std::strtoul(seed.c_str(), nullptr, 10))),
        digest_(hash::create("sha256").take()) {}

  // What is passed on instead of the worker's line, LF included.
  std::string pass(const std::string& line) {
    auto value = base::parse_json(line);
    if (!value.ok()) return line + "\n";
    const std::string kind = value->value("message", "");
    if (kind == "sealed") sealed_ = true;
    if (kind == "done") {
      Json done = *value;
      done["lines"] = lines_;
      done["sha256"] = base::to_hex(digest_->finish());
      lines_ = 0;
      digest_ = hash::create("sha256").take();
      return base::canonical(done) + "\n";
    }
    std::string out = line + "\n";
    // Before the seal it has met no evidence.
    if (about_members_) {
      if (value->value("state", "") == "member") {
        (*value)["id"] = value->at("parent");
        out = base::canonical(*value) + "\n";
      }
    } else if (sealed_ && kind != "sealed" && below(one_in) == 0) {
      if (below(8) == 0)
        out += out;  // twice
      else if (below(8) == 0)
        out.clear();
      else
        out = base::canonical(changed(*value)) + "\n";
    }
    if (kind != "touch") count(out);
    return out;
  }

 private:
  std::size_t below(std::size_t bound) { return random_() % bound; }

  void count(const std::string& lines) {
    for (std::size_t start = 0; start < lines.size();) {
      const std::size_t end = lines.find('\n', start) + 1;
      digest_->update(std::as_bytes(std::span(lines).subspan(start, end - start)));
      ++lines_;
      start = end;
    }
  }

  // One of the value's members, of its members' members and so on becomes something else.
  Json changed(Json value) {
    Json* at = &value;
    while (at->is_structured() && !at->empty()) {
      auto member = at->begin();
      std::advance(member, static_cast<std::ptrdiff_t>(below(at->size())));
      if (below(12) == 0) {
        at->erase(member);
        return value;
      }
      at = &*member;
    }
    *at = something();
    return value;
  }

  Json something() {
    const std::array<Json, 16> values = {Json(),
                                         Json(true),
                                         Json(0U),
                                         Json(-1),
                                         Json(huge),
                                         Json(4096U),
                                         Json(""),
                                         Json("E1"),
                                         Json("E1/p0"),
                                         Json("E1/p0/i5:/x"),
                                         Json("\x01../\xd1\x8f"),
                                         Json(std::string(100000, 'x')),
                                         Json::array(),
                                         Json::object(),
                                         Json::array({Json::array({0U, huge})}),
                                         Json({{"lines", 1U}})};
    return values[below(values.size())];
  }

  bool about_members_;
  std::mt19937 random_;
  std::unique_ptr<hash::Hasher> digest_;
  std::uint64_t lines_ = 0;
  bool sealed_ = false;
};

// Lines of one side to the other, with the descriptors beside them. False: one of them is gone.
template <typename Change>
bool forward(base::LineReader& reader, int from, int to, const Change& change) {
  const auto filled = reader.fill(from);
  if (filled == base::LineReader::Fill::end || filled == base::LineReader::Fill::failed) return false;
  std::string out;
  while (const auto line = reader.next()) out += change(std::string(*line));
  std::vector<int> descriptors;
  for (const base::UniqueFd& fd : reader.descriptors()) descriptors.push_back(fd.get());
  const bool sent = out.empty() || base::send_all(to, out, descriptors).ok();
  if (!out.empty()) reader.descriptors().clear();
  return sent;
}

}  // namespace

int main(int, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGCHLD, SIG_IGN);
  const std::string name = argv[0];
  const std::string worker = std::filesystem::canonical(name).parent_path() / "exhibit-worker";
  std::array<int, 2> ends{};
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) return 1;
  if (fork() == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (dup2(ends[1], base::worker_socket) < 0) _exit(1);
    execl(worker.c_str(), worker.c_str(), nullptr);
    _exit(127);
  }
  close(ends[1]);
  Liar liar(name.substr(name.rfind('-') + 1));
  base::LineReader down, up;
  std::array<pollfd, 2> sides = {{{base::worker_socket, POLLIN, 0}, {ends[0], POLLIN, 0}}};
  while (poll(sides.data(), sides.size(), -1) > 0) {
    if (sides[0].revents != 0 &&
        !forward(down, base::worker_socket, ends[0], [](const std::string& line) { return line + "\n"; }))
      return 0;
    if (sides[1].revents != 0 &&
        !forward(up, ends[0], base::worker_socket, [&](const std::string& line) { return liar.pass(line); }))
      return 0;
  }
  return 1;
}
