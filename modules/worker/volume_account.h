#pragma once
// Each byte of a volume in one class, as its items and its file system's own maps say; and what is told of that. Made
// by whoever has the items at hand: the walk, or an `account` over items that were examined since.

#include "base/json.h"
#include "filesystem/account.h"
#include "worker/task.h"

namespace exhibit::worker {

class VolumeAccount {
 public:
  // What the arguments of `task` say: `tables` (metadata), `held` (what is looked at as another volume's), `doubt`
  // (the medium's damage), `rest` (the class of what nobody claims). `volume` must outlive it. Error where its file
  // system can't be opened.
  static Result<VolumeAccount> create(OpenVolume& volume, const Task& task);

  // `was_scanned`: rules have seen the item's content.
  void take(const Item& item, bool was_scanned);

  // What it takes of memory: ranges of 16 bytes each.
  std::size_t ranges() const { return classes_.ranges() + scanned_.ranges(); }

  // After the last item: what `tells` among the arguments asks for. "coverage", with the regions that belong to no item
  // that was examined, so that they are scanned as such; "runs", in which objects are looked for. Those rest on the
  // items as they were walked: what can't be read of the medium isn't known by then, and lies in them like any other
  // byte. Behind it all comes the message `accounted`.
  void finish(const Task& task, Output& output);

 private:
  VolumeAccount(OpenVolume& volume, filesystem::FileSystem* filesystem, filesystem::ByteClass rest);
  void claim_maps(const Task& task, Output& output);
  void tell_coverage(const Task& task, Output& output) const;

  OpenVolume* volume_;
  filesystem::FileSystem* filesystem_;  // nullptr: none
  std::uint64_t block_size_;            // 0: none
  filesystem::Account classes_;
  filesystem::Account scanned_;  // `allocated` marks what an item's scan has read
};

}  // namespace exhibit::worker
