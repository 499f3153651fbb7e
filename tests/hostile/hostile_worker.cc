// The real worker, sealed as ever, but it turns on the coordinator when it is given an object whose name says how.

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <string>
#include <vector>

#include "base/channel.h"
#include "base/reporter.h"
#include "worker/task.h"

namespace {

using exhibit::base::worker_socket;

void say(const std::string& line) { (void)exhibit::base::send_all(worker_socket, line + "\n"); }

// `walk` in the name: while the file system is walked, else while the content is read, be it a member's.
void misbehave(std::string_view role, std::string_view object) {
  const bool in_walk = object.find("walk") != std::string_view::npos;
  if (in_walk ? role != "walk"
              : role != "examine" && role != "sweep" && role != "read" && role != "expand" && role != "rules")
    return;
  const auto asked = [&](const char* what) { return object.find(what) != std::string_view::npos; };
  if (asked("crash")) __builtin_trap();
  if (asked("hang")) {
    while (true) asm volatile("");
  }
  if (asked("eat")) {
    static std::vector<std::vector<char>> eaten;
    while (true) eaten.emplace_back(std::size_t{16} << 20, 'x');
  }
  if (asked("breakout")) (void)socket(AF_INET, SOCK_STREAM, 0);
  if (asked("garble")) say("this is no record");
  if (asked("forge")) say(R"({"record":"item","id":"E1/p1/i1:/forged","size":-1})");
  if (asked("slander")) {
    say(R"({"record":"problem","where":"E1/p9/i1:/forged","stage":"hash","cause":"corrupt","detail":"forged"})");
  }
  if (asked("double")) say(R"({"record":"problem","record":"item"})");
  if (asked("deep")) say(std::string(5000, '[') + std::string(5000, ']'));
  if (asked("flood")) {
    const std::string endless(std::size_t{1} << 20, 'x');
    while (exhibit::base::send_all(worker_socket, endless).ok()) continue;
  }
  if (asked("miscount")) say(R"({"lines":0,"message":"done","sha256":""})");
  if (asked("quit")) std::_Exit(0);
}

// Under this name it hangs over each volume's block maps instead, however often it is asked.
constexpr std::string_view maps_name = "hang-over-maps";

void hang_over_maps(std::string_view role, std::string_view object) {
  while ((role == "account" || role == "walk") && object.ends_with(":/blocks")) asm volatile("");
}

// Under this name it dies when a walk tells of a volume's bytes.
constexpr std::string_view account_name = "crash-on-accounts";

void crash_on_accounts(std::string_view role, std::string_view object) {
  const bool is_volume =
      std::count(object.begin(), object.end(), '/') == 1 && object.find(':') == std::string_view::npos;
  if (role == "walk" && is_volume) __builtin_trap();
}

// Under this name it dies of whatever is decoded.
constexpr std::string_view likeness_name = "crash-on-likeness";

void crash_on_likeness(std::string_view, std::string_view object) {
  if (object.ends_with(exhibit::base::decoding_mark)) __builtin_trap();
}

// Under this name it dies of each stretch of the medium.
constexpr std::string_view stretch_name = "crash-on-stretches";

void crash_on_stretches(std::string_view role, std::string_view object) {
  if (role == "sweep" && object.find('#') != std::string_view::npos) __builtin_trap();
}

// Under this name it puts a byte of its own before each content that it gives.
constexpr std::string_view taint_name = "taint-contents";

void taint_contents(std::string_view role, std::string_view) {
  constexpr int most_descriptors = 256;
  if (role != "cat") return;
  for (int fd = worker_socket + 1; fd < most_descriptors; ++fd) (void)!write(fd, "x", 1);
}

}  // namespace

int main(int, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);
  if (std::string_view(argv[0]).ends_with(stretch_name))
    return exhibit::worker::serve(worker_socket, crash_on_stretches);
  if (std::string_view(argv[0]).ends_with(likeness_name))
    return exhibit::worker::serve(worker_socket, crash_on_likeness);
  if (std::string_view(argv[0]).ends_with(account_name))
    return exhibit::worker::serve(worker_socket, crash_on_accounts);
  if (std::string_view(argv[0]).ends_with(taint_name)) return exhibit::worker::serve(worker_socket, taint_contents);
  if (std::string_view(argv[0]).ends_with(maps_name)) return exhibit::worker::serve(worker_socket, hang_over_maps);
  return exhibit::worker::serve(worker_socket, misbehave);
}
