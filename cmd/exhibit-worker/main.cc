// The sealed side. Started by exhibit with a socket as descriptor 3; of no use by hand.

#include <sys/socket.h>

#include <csignal>
#include <cstdio>

#include "base/channel.h"
#include "worker/task.h"

int main() {
  int type = 0;
  socklen_t length = sizeof type;
  if (getsockopt(exhibit::base::worker_socket, SOL_SOCKET, SO_TYPE, &type, &length) != 0) {
    std::fputs("exhibit-worker: is started by exhibit, which gives it a socket\n", stderr);
    return exhibit::base::exit_protocol;
  }
  std::signal(SIGPIPE, SIG_IGN);
  return exhibit::worker::serve(exhibit::base::worker_socket);
}
