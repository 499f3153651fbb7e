#pragma once
// What a worker is: loads what it trusts, seals itself, then does one task after another. docs/protocol.md.

#include <exhibit/byte_source.h>
#include <exhibit/item.h>

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/record_line.h"
#include "base/reporter.h"
#include "filesystem/filesystem.h"
#include "hash/multi_digest.h"
#include "image/image.h"
#include "match/content.h"
#include "volume/nest.h"
#include "worker/carving.h"
#include "worker/judgements.h"
#include "worker/stretch.h"

namespace exhibit::worker {

// Called with each object that a role touches: how the tests' hostile workers misbehave on some of them.
using TouchHook = std::function<void(std::string_view role, std::string_view object)>;

// What goes back to the coordinator: record lines, and messages that are no record.
class Output : public base::Reporter {
 public:
  // `socket` stays the caller's.
  explicit Output(int socket, TouchHook hook = {});

  void record(const base::Json& record);
  // The same of a record's canonical text, without LF.
  void line(std::string_view text);
  // A line with the key `message` that isn't part of the findings.
  void message(const base::Json& message);
  void touch(std::string_view object, std::uint64_t bytes) override;
  // A task's beginning. `careful`: each touch is on its way before its object is handled, so that whatever ends the
  // worker is known. Else touches travel with the records, and the task is begun anew with care if the worker dies.
  void begin(std::string role, bool careful) {
    role_ = std::move(role);
    careful_ = careful;
    touched_ = granted_ = 0;
  }
  void problem(const Problem& problem) override;

  // The task's end: how many record and message lines it gave, and the SHA-256 over them with their LFs.
  void done();
  void flush();

 private:
  void append(std::string_view line);

  int socket_;
  TouchHook hook_;
  std::string role_;
  bool careful_ = true;
  std::chrono::steady_clock::time_point flushed_;
  std::uint64_t touched_ = 0;  // bytes of the last object that was touched
  std::uint64_t granted_ = 0;  // of the last one that the coordinator knows: so long it waits
  std::string pending_;        // not yet sent
  std::uint64_t lines_ = 0;    // of this task
  std::unique_ptr<hash::Hasher> digest_;
};

struct Task {
  std::string role;
  base::Json arguments;
  // What the role works on, one by one; nullptr behind the last. Valid until it is asked again.
  std::function<const base::RecordLine*()> next_record;
  std::vector<base::UniqueFd> descriptors;  // what came with the task
  // The message `chain` that the coordinator sends after the records, once it can; nothing while it hasn't come and
  // isn't waited for.
  std::function<std::optional<base::Json>(bool wait)> link;

  // The coordinator saw a worker die on this object before.
  bool skips(const std::string& object) const;
  std::set<std::string> skip() const;
};

// A volume that is being worked on.
class OpenVolume {
 public:
  // `bytes` must outlive it.
  OpenVolume(ByteSource& bytes, std::string id, std::uint32_t sector_size)
      : bytes_(bytes), id_(std::move(id)), sector_size_(sector_size) {}
  ByteSource& bytes() { return bytes_; }
  const std::string& id() const { return id_; }
  // nullptr where there is none.
  Result<filesystem::FileSystem*> filesystem();
  // A stream's content by its address (FileSystem::open_content), kept until another is asked for.
  Result<ByteSource*> content(const std::string& address);

 private:
  ByteSource& bytes_;
  std::string id_;
  std::uint32_t sector_size_;
  bool asked_ = false;
  std::optional<Error> error_;
  std::unique_ptr<filesystem::FileSystem> filesystem_;
  std::string content_address_;
  std::unique_ptr<ByteSource> content_;
};

// Memory that the coordinator shares with this worker, mapped before the seal: contents go to it through nothing else
// when it wants them at once (role `read`).
class SharedMemory {
 public:
  SharedMemory() = default;
  ~SharedMemory();
  SharedMemory(const SharedMemory&) = delete;
  SharedMemory& operator=(const SharedMemory&) = delete;
  Result<void> map(int fd, std::size_t bytes);
  std::span<std::byte> bytes() const { return bytes_; }

 private:
  std::span<std::byte> bytes_;
};

// What a worker keeps from task to task.
struct Context {
  std::map<std::string, std::unique_ptr<image::Image>> evidence;  // by id
  volume::Nest::Keys keys;                                        // by volume
  std::map<std::string, std::unique_ptr<volume::Nest>> nests;     // by evidence; unlocking takes long
  std::unique_ptr<OpenVolume> volume;                             // the last one used
  std::unique_ptr<match::TypeDetector> types;
  std::unique_ptr<match::RuleScanner> rules;  // nullptr: none given
  std::unique_ptr<Carving> carving;           // nullptr: nothing is carved
  match::Wanted perceived;                    // what content is like
  Judgements judgements;
  StretchBuffer stretch_buffer;
  SharedMemory shared;  // empty where the coordinator gave none

  // The image that the arguments name by `evidence`.
  Result<image::Image*> image(const base::Json& arguments);
  // The volume that the arguments name by `volume`: {id, offset, size}. `offset` and `size` are those of the volume on
  // the medium that the id begins with.
  Result<OpenVolume*> open_volume(const base::Json& arguments);
  // What that volume holds.
  Result<const volume::Holding*> holding(const base::Json& arguments);
  // The arguments' volume as the one around it holds it; nullptr for one on the medium itself.
  Result<const volume::Inner*> as_held(const base::Json& arguments);
  // Another volume of the same evidence beside it, one that its id's way leads through.
  Result<std::unique_ptr<OpenVolume>> open_another(const base::Json& arguments, const std::string& id);

 private:
  Result<volume::Nest*> nest(const base::Json& arguments);
};

// A role is a row: one file in roles/.
struct Role {
  const char* name;
  Result<void> (*run)(Context&, const Task&, Output&);
};

// The worker's whole life on `socket`: returns the exit status (base/channel.h).
int serve(int socket, const TouchHook& hook = {});

}  // namespace exhibit::worker
