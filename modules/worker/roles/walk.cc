// Every directory entry and every stream of a volume's file system, and with them the volume's account.

#include "base/record.h"
#include "filesystem/consistency.h"
#include "worker/task.h"
#include "worker/unchanged.h"
#include "worker/volume_account.h"

namespace exhibit::worker {
namespace {

// An account beside the walk takes so much memory at most (8 MiB); a larger one is left to a task of its own.
constexpr std::size_t most_ranges = std::size_t{1} << 19;

// Of a snapshot whose volume can be compared with it: what is in both is told there alone.
Result<std::optional<Unchanged>> unchanged_of(Context& context, const Task& task, OpenVolume& volume,
                                              std::unique_ptr<OpenVolume>& now, Output& output) {
  // A worker died while it walked the volume as it is now: then all of the snapshot is told.
  if (task.skips(volume.id())) return std::optional<Unchanged>();
  const volume::Inner* held = EXHIBIT_TRY(context.as_held(task.arguments));
  if (held == nullptr || held->volume.kind != "snapshot" || !held->differing) return std::optional<Unchanged>();
  now = EXHIBIT_TRY(context.open_another(task.arguments, held->volume.parent));
  return std::optional<Unchanged>(EXHIBIT_TRY(Unchanged::create(*now, volume, *held->differing, output)));
}

}  // namespace

Result<void> run_walk(Context& context, const Task& task, Output& output) {
  OpenVolume* volume = EXHIBIT_TRY(context.open_volume(task.arguments));
  filesystem::FileSystem* filesystem = EXHIBIT_TRY(volume->filesystem());
  if (filesystem == nullptr) return Error{ErrorCode::not_found, "the volume has no file system", volume->id(), {}};
  // A worker that died while it told of the volume as a whole died of the account.
  std::optional<VolumeAccount> account;
  const bool tells = task.arguments.contains("tells") && !task.skips(volume->id());
  if (tells) account = EXHIBIT_TRY(VolumeAccount::create(*volume, task));
  std::unique_ptr<OpenVolume> now;
  auto unchanged = EXHIBIT_TRY(unchanged_of(context, task, *volume, now, output));
  std::uint64_t passed_over = 0;
  EXHIBIT_TRY(filesystem->walk(task.skip(), output, [&](const Item& item) {
    if (unchanged && unchanged->holds(item)) {
      ++passed_over;
    } else {
      output.line(base::to_line(item));
    }
    if (account) account->take(item, false);
    if (account && account->ranges() > most_ranges) account.reset();
  }));
  // The library walks over damage without a word; what its structures say against themselves is told besides.
  const std::string structures = volume->id() + ":/structures";
  if (!task.skips(structures)) {
    output.touch(structures, volume->bytes().size() / 8);
    filesystem::check_consistency(volume->bytes(), filesystem->description(), volume->id(), output);
  }
  if (unchanged) output.message({{"message", "unchanged"}, {"items", passed_over}});
  if (account) account->finish(task, output);
  return {};
}

extern const Role walk_role;
const Role walk_role = {"walk", run_walk};

}  // namespace exhibit::worker
