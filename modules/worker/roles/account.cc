// The account of a volume whose items come with the task: those that were examined, or that a walk could tell but not
// account for.

#include "base/record.h"
#include "worker/task.h"
#include "worker/volume_account.h"

namespace exhibit::worker {
namespace {

// Each item comes with the problems of its scan behind it. Whatever else was told among them is passed over.
Result<void> take_items(const Task& task, bool rules, VolumeAccount& account, const std::string& volume,
                        Output& output) {
  constexpr std::uint64_t items_per_touch = 1024;
  std::uint64_t taken = 0;
  std::optional<Item> item;
  bool scanned = false;
  const auto take = [&] {
    if (item) account.take(*item, scanned);
  };
  std::string scratch;
  while (const base::RecordLine* record = task.next_record()) {
    const std::string_view kind = record->string("record", scratch);
    const bool is_item = kind == "item", is_problem = kind == "problem";
    if (is_problem && item && record->string("where", scratch) == item->id) scanned = false;
    if (!is_item) continue;
    take();
    if (taken++ % items_per_touch == 0) output.touch(volume, 0);
    item = EXHIBIT_TRY(base::item_from_record(*record));
    scanned = rules && item->type.has_value();
  }
  take();
  return {};
}

}  // namespace

Result<void> run_account(Context& context, const Task& task, Output& output) {
  OpenVolume* volume = EXHIBIT_TRY(context.open_volume(task.arguments));
  VolumeAccount account = EXHIBIT_TRY(VolumeAccount::create(*volume, task));
  EXHIBIT_TRY(take_items(task, task.arguments.value("rules", false), account, volume->id(), output));
  account.finish(task, output);
  return {};
}

extern const Role account_role;
const Role account_role = {"account", run_account};

}  // namespace exhibit::worker
