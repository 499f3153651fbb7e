#pragma once
// From XFS's directories to items.

#include <functional>
#include <set>

#include "filesystem/filesystem.h"
#include "filesystem/number_set.h"
#include "filesystem/told_items.h"
#include "filesystem/xfs/content.h"
#include "filesystem/xfs/directory.h"

namespace exhibit::filesystem::xfs {

std::string address_of(std::uint64_t inode);  // "i128"

class Walk {
 public:
  Walk(const Volume& volume, const std::string& volume_id, const std::set<std::string>& skip, base::Reporter& reporter,
       const std::function<void(Item)>& visit)
      : volume_(volume), volume_id_(volume_id), skip_(skip), reporter_(reporter), visit_(visit) {}
  void run();

 private:
  struct Pending {
    std::string path;
    std::uint64_t inode;
    ItemState state;  // of what is in it: allocated or orphan
  };

  bool begin(const std::string& object, std::uint64_t bytes);
  void problem(const std::string& where, const char* cause, std::string detail);
  void tell_log();
  void drain();
  void directory(const Pending& pending);
  void entry(const Entry& entry, const Pending& pending);
  void inode_item(const Inode& inode, const std::string& path, ItemState state, Faults& faults);
  void nameless_item(const Entry& entry, const std::string& path, ItemState state);
  Item item_of(std::uint64_t inode, const std::string& path, ItemState state) const;
  void descend(std::uint64_t inode, const std::string& path, ItemState state);
  void unnamed_inodes();
  void unnamed_inode(std::uint64_t number);
  void names_in(const Inode& directory, NumberSet& into) const;
  void tell(Item item);

  const Volume& volume_;
  const std::string& volume_id_;
  const std::set<std::string>& skip_;
  base::Reporter& reporter_;
  const std::function<void(Item)>& visit_;
  std::vector<Pending> pending_;
  NumberSet descended_, named_;  // inodes: directories that were listed; those that a name leads to
  ToldItems told_;
};

}  // namespace exhibit::filesystem::xfs
