// Every directory entry and every stream of a volume's file system.

#include "base/record.h"
#include "filesystem/consistency.h"
#include "worker/task.h"

namespace exhibit::worker {

Result<void> run_walk(Context& context, const Task& task, Output& output) {
  OpenVolume* volume = EXHIBIT_TRY(context.open_volume(task.arguments));
  filesystem::FileSystem* filesystem = EXHIBIT_TRY(volume->filesystem());
  if (filesystem == nullptr) return Error{ErrorCode::not_found, "the volume has no file system", volume->id(), {}};
  EXHIBIT_TRY(filesystem->walk(task.skip(), output, [&](const Item& item) { output.line(base::to_line(item)); }));
  // The library walks over damage without a word; what its structures say against themselves is told besides.
  const std::string structures = volume->id() + ":/structures";
  if (task.skips(structures)) return {};
  output.touch(structures, volume->bytes().size() / 8);
  filesystem::check_consistency(volume->bytes(), filesystem->description(), volume->id(), output);
  return {};
}

extern const Role walk_role;
const Role walk_role = {"walk", run_walk};

}  // namespace exhibit::worker
