#pragma once
// File systems: from a volume's bytes to items and their content. tsk/ holds The Sleuth Kit behind it, and
// xfs/ a reader of XFS.

#include <exhibit/byte_source.h>
#include <exhibit/item.h>

#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/reporter.h"

namespace exhibit::filesystem {

// The `filesystem` object of a volume record.
struct Description {
  std::string type;  // ntfs fat12 fat16 fat32 exfat ext2 ext3 ext4 hfs+ iso9660 ufs1 ufs2 xfs
  std::uint64_t block_size = 0;
  std::optional<std::string> label, id;  // id: UUID or serial as the file system's own tools print it
  bool local_times = false;              // FAT: times of an unknown zone
};
base::Json to_json(const Description& description);

// Classes of coverage (findings.md), in the order in which they win.
enum class ByteClass { unreadable, metadata, allocated, slack, deleted, unallocated, gap };
const char* name_of(ByteClass byte_class);

struct ClassRun {
  std::uint64_t offset = 0, length = 0;  // bytes of the volume
  ByteClass byte_class = ByteClass::unallocated;
  bool operator==(const ClassRun&) const = default;
};

// An extended attribute as it is stored; `value` is absent where it lies elsewhere and isn't read.
struct Attribute {
  std::string name;  // bytes, with the class: "user.comment"
  std::optional<std::string> value;
};

class FileSystem {
 public:
  virtual ~FileSystem() = default;
  virtual const Description& description() const = 0;

  // Tells every directory entry's every stream, allocated, deleted, overwritten and orphan, to `visit`, in an order
  // that depends on the file system alone. touch() comes before each directory and each entry; an object whose id is in
  // `skip` (the process died on it before) is passed over in silence: its problem is already told. What can't be walked
  // is a problem. Items come without digests and type.
  virtual Result<void> walk(const std::set<std::string>& skip, base::Reporter& reporter,
                            const std::function<void(Item)>& visit) = 0;

  // The content of a stream by its metadata address as in Item::content after the volume's id: "i36-128-1", "i5".
  // The source must not outlive the file system. doubts() are in bytes of the content.
  virtual Result<std::unique_ptr<ByteSource>> open_content(std::string_view address) = 0;

  // The extended attributes of an entry, by any of its streams' addresses. None but ext's and XFS's are
  // read.
  virtual Result<std::vector<Attribute>> attributes(std::string_view address) = 0;

  // What the file system's own structures say of the volume's blocks: metadata, allocated or unallocated, sorted,
  // disjoint; bytes outside the file system's own extent are left out.
  virtual Result<std::vector<ClassRun>> block_classes(base::Reporter& reporter) = 0;
};

// Asks for every file system. nullptr: there is none that is known (nothing is told). A file system that is there but
// damaged beyond opening, encrypted or unsupported is an Error (corrupt, encrypted, unsupported) that names it.
// `volume_id` begins the items' ids. `volume` must outlive the result.
Result<std::unique_ptr<FileSystem>> open_filesystem(ByteSource& volume, std::uint32_t sector_size,
                                                    const std::string& volume_id);

}  // namespace exhibit::filesystem
