#include "filesystem/tsk/directory.h"

#include <dlfcn.h>
#include <gtest/gtest.h>

#include <cstring>
#include <memory>
#include <random>
#include <string>
#include <vector>

extern "C" {
std::uint8_t tsk_fs_dir_add(TSK_FS_DIR* dir, const TSK_FS_NAME* name);
std::uint8_t tsk_fs_dir_contains(TSK_FS_DIR* dir, TSK_INUM_T address, std::uint32_t hash);
std::uint32_t tsk_fs_dir_hash(const char* name);
TSK_FS_DIR* tsk_fs_dir_alloc(TSK_FS_INFO* fs, TSK_INUM_T address, std::size_t count);
}

namespace exhibit::filesystem::tsk {
namespace {

struct Library {
  decltype(&tsk_fs_dir_add) add = nullptr;
  decltype(&tsk_fs_dir_contains) contains = nullptr;

  // libtsk's own, which ours stand in front of.
  static Library own() {
    void* library = dlopen("libtsk.so.19", RTLD_NOW);
    return {reinterpret_cast<decltype(&tsk_fs_dir_add)>(dlsym(library, "tsk_fs_dir_add")),
            reinterpret_cast<decltype(&tsk_fs_dir_contains)>(dlsym(library, "tsk_fs_dir_contains"))};
  }
};

TEST(DirectoryIndex, LibtskCallsIt) {
  // The first definition in the order in which the dynamic linker looks for what libtsk calls.
  EXPECT_EQ(dlsym(RTLD_DEFAULT, "tsk_fs_dir_add"), reinterpret_cast<void*>(&tsk_fs_dir_add));
  EXPECT_EQ(dlsym(RTLD_DEFAULT, "tsk_fs_dir_contains"), reinterpret_cast<void*>(&tsk_fs_dir_contains));
  EXPECT_NE(Library::own().add, &tsk_fs_dir_add);
}

// The same names, with repetitions of both kinds, into one directory by ours and into another by libtsk's own; a third
// is filled by turns, as the orphans' folder is.
TEST(DirectoryIndex, HoldsWhatLibtsksOwnWouldHold) {
  const Library own = Library::own();
  ASSERT_NE(own.add, nullptr);
  ASSERT_NE(own.contains, nullptr);
  for (const TSK_FS_TYPE_ENUM type : {TSK_FS_TYPE_EXT4, TSK_FS_TYPE_NTFS, TSK_FS_TYPE_FAT32}) {
    TSK_FS_INFO fs{};
    fs.tag = TSK_FS_INFO_TAG;
    fs.ftype = type;
    const Dir ours(tsk_fs_dir_alloc(&fs, 2, 4)), theirs(tsk_fs_dir_alloc(&fs, 2, 4)),
        other(tsk_fs_dir_alloc(&fs, 3, 4));
    std::mt19937 random(1);
    for (int i = 0; i < 4000; ++i) {
      std::string text = "name" + std::to_string(random() % 600);
      TSK_FS_NAME name{};
      name.tag = TSK_FS_NAME_TAG;
      name.name = text.data();
      name.name_size = text.size() + 1;
      name.meta_addr = random() % 3 + 10;
      name.flags = random() % 2 == 0 ? TSK_FS_NAME_FLAG_ALLOC : TSK_FS_NAME_FLAG_UNALLOC;
      ASSERT_EQ(tsk_fs_dir_add(ours.get(), &name), 0);
      ASSERT_EQ(own.add(theirs.get(), &name), 0);
      if (i % 7 == 0) {
        ASSERT_EQ(tsk_fs_dir_add(other.get(), &name), 0);
      }
      const std::string asked = "name" + std::to_string(random() % 600);
      const std::uint32_t hash = tsk_fs_dir_hash(asked.c_str());
      ASSERT_EQ(tsk_fs_dir_contains(ours.get(), 11, hash), own.contains(ours.get(), 11, hash)) << i;
    }
    ASSERT_EQ(ours->names_used, theirs->names_used);
    for (std::size_t i = 0; i < ours->names_used; ++i) {
      EXPECT_STREQ(ours->names[i].name, theirs->names[i].name);
      EXPECT_EQ(ours->names[i].meta_addr, theirs->names[i].meta_addr);
      EXPECT_EQ(ours->names[i].flags, theirs->names[i].flags);
      EXPECT_EQ(ours->names[i].par_addr, theirs->names[i].par_addr);
    }
  }
}

// A directory that is emptied and filled again (tsk_fs_dir_reset), as libtsk does with one that it is given.
TEST(DirectoryIndex, BeginsAnewWithTheDirectory) {
  TSK_FS_INFO fs{};
  fs.ftype = TSK_FS_TYPE_EXT4;
  const Dir dir(tsk_fs_dir_alloc(&fs, 2, 4));
  for (int round = 0; round < 2; ++round) {
    for (int i = 0; i < 100; ++i) {
      std::string text = "name" + std::to_string(i);
      TSK_FS_NAME name{};
      name.tag = TSK_FS_NAME_TAG;
      name.name = text.data();
      name.name_size = text.size() + 1;
      name.meta_addr = 11;
      name.flags = TSK_FS_NAME_FLAG_ALLOC;
      ASSERT_EQ(tsk_fs_dir_add(dir.get(), &name), 0);
    }
    EXPECT_EQ(dir->names_used, 100U);
    dir->names_used = 0;
  }
}

}  // namespace
}  // namespace exhibit::filesystem::tsk
