#pragma once
// Deleted files of ext3 and ext4, whose inodes lost their size and the map of their blocks: both as the journal's old
// copies of the inode tables have them (docs/decisions/0046-deleted-files-by-the-journal.md).

#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "filesystem/tsk/ext_layout.h"
#include "filesystem/tsk/extent_tree.h"
#include "filesystem/tsk/handles.h"
#include "filesystem/tsk/journal.h"
#include "filesystem/tsk/metadata.h"

namespace exhibit::filesystem::tsk {

class DeletedInodes {
 public:
  // An inode as it was when it was last in use with content.
  struct Found {
    Raw inode;
    std::int32_t when = 0;       // Journal::Copy
    std::vector<BlockRun> runs;  // none for a symbolic link whose target the inode holds
  };
  // A name that an old copy of a directory's block has.
  struct Name {
    std::string name;  // raw bytes
    TSK_INUM_T number = 0;
    TSK_FS_NAME_TYPE_ENUM type = TSK_FS_NAME_TYPE_UNDEF;
    bool operator==(const Name&) const = default;
  };

  // From now on libtsk's lookups of `fs` give for an unallocated inode that lost its content what the journal has of
  // it. nullptr: no ext3 or ext4 with a journal. `fs` and `volume` must outlive this.
  static std::unique_ptr<DeletedInodes> attach(TSK_FS_INFO& fs, ByteSource& volume);
  ~DeletedInodes();
  DeletedInodes(const DeletedInodes&) = delete;
  DeletedInodes& operator=(const DeletedInodes&) = delete;

  void forgo();  // nothing is looked for from now on
  // Reads the journal now if this inode's content may be found there, and not while the inode is looked up.
  void prepare(TSK_INUM_T number);
  std::uint64_t journal_bytes();

  // Finds all of them, and which were overwritten since: what the following functions rest on.
  void find_all();

  // nullptr: it isn't one of them. Valid until the next lookup of an inode.
  const Found* found(TSK_INUM_T number);
  // Whether the journal shows that one of its blocks was in use for something else since.
  bool is_overwritten(TSK_INUM_T number) const { return overwritten_.contains(number); }
  // The last names that old copies of this directory's blocks have for them; sorted.
  std::vector<Name> names_in(TSK_FS_FILE& directory);

  // What stood in the way, once all was asked.
  std::vector<Error> faults() const;

 private:
  DeletedInodes(TSK_FS_INFO& fs, ByteSource& volume, ExtLayout layout);
  static std::uint8_t look_up(TSK_FS_INFO* fs, TSK_FS_FILE* file, TSK_INUM_T number);

  // A stretch of blocks that one of them claims.
  struct Claim {
    std::uint64_t begin = 0, end = 0, last_end = 0;  // last_end: the largest end of those before and this
    TSK_INUM_T number = 0;
    std::int32_t when = 0;
    bool is_directory = false;
  };
  struct Naming;
  struct Group {
    std::uint64_t table = 0;  // first block of its inodes
    TSK_INUM_T first = 0;
  };

  void read_journal();
  std::unique_ptr<ByteSource> journal_content();
  void restore(TSK_FS_FILE& file);
  bool may_be_found(TSK_INUM_T number);
  std::optional<Found> find(TSK_INUM_T number, const Raw& slot);
  std::optional<Raw> inode_in(const Journal::Copy& copy, TSK_INUM_T number, std::uint64_t offset);
  bool was_alive(TSK_INUM_T number, const Raw& slot, std::int32_t when);

  std::optional<std::vector<BlockRun>> runs_of(TSK_INUM_T number, const Raw& inode, std::int32_t when);
  std::optional<Raw> tree_block(std::uint64_t block, std::int32_t when,
                                const std::function<bool(const Raw&)>& is_right);

  std::vector<Group> groups();
  std::vector<TSK_INUM_T> inodes_in(const std::vector<Group>& groups, std::uint64_t block) const;
  void collect(const std::vector<Group>& groups);
  void add(TSK_INUM_T number, const Found& found);
  void find_overwritten(const std::vector<Group>& groups);
  void claim_inodes(const Journal::Copy& copy, const std::vector<TSK_INUM_T>& numbers);
  void claim(std::uint64_t begin, std::uint64_t end, std::int32_t when, std::optional<TSK_INUM_T> by);

  void names_in_block(Naming& naming, std::uint64_t block, bool is_first);

  TSK_FS_INFO& fs_;
  ByteSource& volume_;
  ExtLayout layout_;
  Metadata metadata_;
  std::optional<Journal> journal_;
  std::optional<Error> error_;  // why there is no journal
  bool is_read_ = false, is_off_ = false, is_cut_ = false, are_all_known_ = false;
  struct Last {
    TSK_INUM_T number = 0;
    std::optional<Found> found;
  } last_;
  std::unordered_map<TSK_INUM_T, std::int32_t> all_;  // number -> when
  std::vector<Claim> claims_;                         // by begin
  std::unordered_set<TSK_INUM_T> overwritten_;
};

}  // namespace exhibit::filesystem::tsk
