#pragma once
// Where a file's metadata structure lies in the volume, and its bytes: for what libtsk does not hand out.

#include <exhibit/byte_source.h>
#include <exhibit/item.h>

#include <optional>
#include <unordered_map>

#include "filesystem/tsk/fat.h"
#include "filesystem/tsk/handles.h"
#include "filesystem/tsk/raw.h"
#include "filesystem/tsk/streams.h"

namespace exhibit::filesystem::tsk {

class Metadata {
 public:
  // `fs` and `volume` must outlive this.
  Metadata(TSK_FS_INFO& fs, ByteSource& volume);

  struct Place {
    std::uint64_t offset = 0;  // bytes of the volume
    std::size_t length = 0;    // bytes
  };

  // NTFS: the MFT record; ext: the inode; FAT and exFAT: the directory entry; ISO 9660: the directory record. nullopt
  // for other file systems, and where it is not one run of the volume.
  std::optional<Place> place_of(TSK_INUM_T number);
  const Raw& read(TSK_INUM_T number);  // valid until the next call
  const FatLayout& fat();              // of FAT and exFAT alone

  // The bytes of a resident content within the metadata structure: told only where plain reads give just `content`.
  std::optional<std::vector<Extent>> resident_extents(TSK_FS_FILE& file, const TSK_FS_ATTR* attribute,
                                                      std::string_view content);

 private:
  std::optional<Place> ntfs_place(TSK_INUM_T number);
  std::optional<Place> ext_place(TSK_INUM_T number);
  std::optional<Place> fat_place(TSK_INUM_T number);
  std::optional<Place> iso_place(TSK_INUM_T number);

  // What was read last at one place: an item asks for its metadata several times, and its neighbours for the same
  // table.
  struct Kept {
    std::uint64_t window_offset = 0, offset = 0;
    bool is_sound = false;  // damage is read each time, so that each reading of it is noticed
    Raw window;             // what was read
    Raw bytes;              // what was asked for
  };
  const Raw& read_kept(Kept& kept, std::uint64_t offset, std::size_t length);

  TSK_FS_INFO& fs_;
  ByteSource& volume_;
  std::optional<Layout> mft_;
  std::optional<Raw> ext_superblock_;
  Kept ext_descriptor_, structure_;
  std::optional<FatLayout> fat_;
  std::unordered_map<TSK_INUM_T, std::uint64_t> iso_records_;
};

}  // namespace exhibit::filesystem::tsk
