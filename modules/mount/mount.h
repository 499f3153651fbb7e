#pragma once
// A view in the machine's file tree, from mounting to unmounting.

#include <memory>
#include <string>

#include "mount/view.h"

namespace exhibit::mount {

struct MountOptions {
  std::string folder;        // where
  bool allow_other = false;  // other users may look, too
};

// Whether this machine lets this user mount: libfuse's version, or why not.
std::string ability();

class Mount {
 public:
  // Mounts, read-only and without anything that could be executed or be a device. Calls wait until serve(). `view` must
  // outlive it.
  static Result<std::unique_ptr<Mount>> open(const MountOptions& options, View& view);
  ~Mount();
  Mount(const Mount&) = delete;
  Mount& operator=(const Mount&) = delete;

  // Goes on in a process of its own, without a terminal; the one that called ends with success. Before any thread is
  // started.
  Result<void> go_to_background();

  // Answers calls until it is unmounted or a signal ends it (INT, TERM, HUP).
  Result<void> serve();

 private:
  struct Session;
  explicit Mount(std::unique_ptr<Session> session);

  std::unique_ptr<Session> session_;
};

}  // namespace exhibit::mount
