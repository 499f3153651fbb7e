#pragma once
// The walk over a file system's names, and over metadata that no name leads to.

#include <functional>
#include <set>
#include <string>
#include <unordered_set>
#include <vector>

#include "base/reporter.h"
#include "filesystem/filesystem.h"
#include "filesystem/number_set.h"
#include "filesystem/told_items.h"
#include "filesystem/tsk/deleted_inodes.h"
#include "filesystem/tsk/handles.h"
#include "filesystem/tsk/metadata.h"
#include "filesystem/tsk/resolve.h"

namespace exhibit::filesystem::tsk {

class Walk {
 public:
  struct Context {
    TSK_FS_INFO& fs;
    ByteSource& volume;
    const std::string& volume_id;
    const Description& description;
    std::function<void()> forget_damage;
    DeletedInodes* deleted = nullptr;  // ext3 and ext4 with a journal
  };
  Walk(const Context& context, const std::set<std::string>& skip, base::Reporter& reporter,
       const std::function<void(Item)>& visit);

  void run();

 private:
  // How a directory was reached decides what the names in it mean.
  enum class Reach {
    live,     // by allocated names from the root
    deleted,  // through an unallocated name
    orphan,   // libtsk's list of unallocated metadata without a name
    unnamed,  // allocated metadata without a name
  };
  struct Pending {
    std::string path;  // raw bytes, "" for the root
    TSK_INUM_T address = 0, parent = 0;
    Reach reach = Reach::live;
  };

  void find_deleted();
  void drain();
  bool begin(const std::string& object, std::uint64_t bytes);
  void problem(const std::string& where, const char* cause, std::string detail);
  void directory(const Pending& pending);
  void folder_fault(const std::string& id, TSK_INUM_T address);
  void names_of(TSK_FS_DIR& dir, const Pending& pending);
  void old_names_of(TSK_FS_DIR& dir, const Pending& pending);
  const DeletedInodes::Found* from_journal(TSK_INUM_T address);
  std::string raw_name(const TSK_FS_NAME& name);
  File metadata_for(const TSK_FS_NAME& name);
  void entry(const TSK_FS_NAME& name, const Pending& pending);
  void file_items(TSK_FS_FILE& file, const std::string& path, ItemState state);
  void nameless_item(const TSK_FS_NAME& name, const std::string& path, ItemState state);
  void descend(const TSK_FS_FILE& file, const std::string& path, TSK_INUM_T parent, Reach reach);
  void unnamed_metadata();
  std::unordered_set<TSK_INUM_T> names_in(const std::vector<TSK_INUM_T>& addresses);
  void unnamed_file(TSK_INUM_T address);

  ItemState state_of(const TSK_FS_NAME& name, TSK_FS_FILE& file, Reach reach);
  bool is_reused(TSK_FS_FILE& file);
  Item item_of(TSK_FS_FILE& file, const std::string& path, ItemState state);
  void add_stream(Item& item, TSK_FS_FILE& file, const Stream& stream, const std::string& path);
  void add_content(Item& item, TSK_FS_FILE& file, const Stream& stream);
  void item_problems(const Item& item, TSK_FS_FILE& file, const Stream& stream, const Resolved& resolved);
  void tell(Item item);

  Context context_;
  const std::set<std::string>& skip_;
  base::Reporter& reporter_;
  const std::function<void(Item)>& visit_;
  Metadata metadata_;
  std::optional<std::vector<ClassRun>> allocation_;
  std::vector<Pending> pending_;
  std::unordered_set<TSK_INUM_T> descended_;          // directories listed already
  NumberSet named_;                                   // metadata that an allocated name leads to
  std::unordered_set<TSK_INUM_T> unallocated_named_;  // unallocated metadata that any name leads to
  ToldItems told_;
};

}  // namespace exhibit::filesystem::tsk
