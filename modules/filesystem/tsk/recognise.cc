#include "filesystem/tsk/recognise.h"

#include <algorithm>
#include <array>

#include "filesystem/tsk/raw.h"
#include "volume/tsk_image.h"

namespace exhibit::filesystem::tsk {

namespace {

struct Candidate {
  TSK_FS_TYPE_ENUM type;
  const char* name;
};
constexpr std::array<Candidate, 6> candidates = {{{TSK_FS_TYPE_NTFS, "NTFS"},
                                                  {TSK_FS_TYPE_FAT_DETECT, "FAT"},
                                                  {TSK_FS_TYPE_EXT_DETECT, "ext"},
                                                  {TSK_FS_TYPE_FFS_DETECT, "UFS"},
                                                  {TSK_FS_TYPE_HFS_DETECT, "HFS+"},
                                                  {TSK_FS_TYPE_ISO9660, "ISO 9660"}}};

bool is_ours(TSK_FS_TYPE_ENUM type) {
  for (const Candidate& candidate : candidates)
    if ((type & candidate.type) != 0 && TSK_FS_TYPE_ISYAFFS2(type) == 0) return true;
  return false;
}

// What stands at the start of formats that libtsk doesn't open, or refuses when damaged.
struct Signature {
  std::uint64_t offset;
  std::string_view bytes;
  const char* name;
  ErrorCode code;
  TSK_FS_TYPE_ENUM type = TSK_FS_TYPE_UNSUPP;  // to ask libtsk what is wrong with it
};
using namespace std::string_view_literals;
constexpr Signature signatures[] = {
    {32, "NXSB"sv, "APFS", ErrorCode::unsupported},
    {0, "\xfe\xed\xba\xbe"sv, "an external log of XFS", ErrorCode::unsupported},
    {65600, "_BHRfS_M"sv, "btrfs", ErrorCode::unsupported},
    {3, "ReFS\0\0\0\0"sv, "ReFS", ErrorCode::unsupported},
    {4086, "SWAPSPACE2"sv, "Linux swap", ErrorCode::unsupported},
    {4086, "SWAP-SPACE"sv, "Linux swap", ErrorCode::unsupported},
    {0, "hsqs"sv, "SquashFS", ErrorCode::unsupported},
    {65588, "ReIsEr2Fs"sv, "ReiserFS", ErrorCode::unsupported},
    {65588, "ReIsEr3Fs"sv, "ReiserFS", ErrorCode::unsupported},
    {65588, "ReIsErFs"sv, "ReiserFS", ErrorCode::unsupported},
    {32768, "JFS1"sv, "JFS", ErrorCode::unsupported},
    {1024, "\x10\x20\xf5\xf2"sv, "F2FS", ErrorCode::unsupported},
    {3, "NTFS    "sv, "NTFS", ErrorCode::corrupt, TSK_FS_TYPE_NTFS},
    {3, "EXFAT   "sv, "exFAT", ErrorCode::corrupt, TSK_FS_TYPE_EXFAT},
    {54, "FAT12   "sv, "FAT12", ErrorCode::corrupt, TSK_FS_TYPE_FAT_DETECT},
    {54, "FAT16   "sv, "FAT16", ErrorCode::corrupt, TSK_FS_TYPE_FAT_DETECT},
    {82, "FAT32   "sv, "FAT32", ErrorCode::corrupt, TSK_FS_TYPE_FAT_DETECT},
    {1024, "H+\0\4"sv, "HFS+", ErrorCode::corrupt, TSK_FS_TYPE_HFS_DETECT},
    {1024, "HX\0\5"sv, "HFSX", ErrorCode::corrupt, TSK_FS_TYPE_HFS_DETECT},
    {32769, "CD001"sv, "ISO 9660", ErrorCode::corrupt, TSK_FS_TYPE_ISO9660},
    {32769, "BEA01"sv, "UDF", ErrorCode::unsupported},
    {34817, "NSR0"sv, "UDF", ErrorCode::unsupported},
    {8192 + 1372, "\x54\x19\x01\x00"sv, "UFS1", ErrorCode::corrupt, TSK_FS_TYPE_FFS_DETECT},
    {8192 + 1372, "\x00\x01\x19\x54"sv, "UFS1", ErrorCode::corrupt, TSK_FS_TYPE_FFS_DETECT},
    {65536 + 1372, "\x19\x01\x54\x19"sv, "UFS2", ErrorCode::corrupt, TSK_FS_TYPE_FFS_DETECT},
    {65536 + 1372, "\x19\x54\x01\x19"sv, "UFS2", ErrorCode::corrupt, TSK_FS_TYPE_FFS_DETECT},
};

// The magic number alone is two bytes, which chance also makes: the block size must fit, too.
std::optional<std::uint32_t> ext_log_block_size(ByteSource& volume, std::uint64_t offset) {
  constexpr std::uint16_t magic = 0xef53;
  constexpr std::uint32_t largest = 6;
  const Raw super = Raw::read(volume, offset, 128);
  if (super.le16(56) != magic || super.le32(24) > largest) return std::nullopt;
  return super.le32(24);
}

// A super block whose block size is impossible: of the fields beside it all but one are what ext writes (the kernel's
// Documentation/filesystems/ext4/super.rst: counts, state, errors, creator, revision).
bool is_ext_but_for_its_block_size(ByteSource& volume) {
  constexpr std::uint16_t magic = 0xef53;
  const Raw super = Raw::read(volume, 1024, 128);
  const std::array fits = {super.le32(0) > 0,   super.le32(4) > 0,
                           super.le16(58) <= 7, super.le16(60) >= 1 && super.le16(60) <= 3,
                           super.le32(72) <= 4, super.le32(76) <= 1};
  const auto wrong = std::count(fits.begin(), fits.end(), false);
  return super.le16(56) == magic && wrong <= 1;
}

Error error(ErrorCode code, std::string message, const std::string& volume_id) {
  return {code, std::move(message), volume_id, {}};
}

Error damaged(TSK_IMG_INFO& image, const std::string& name, TSK_FS_TYPE_ENUM type, const std::string& volume_id) {
  tsk_error_reset();
  const FsInfo fs(tsk_fs_open_img(&image, 0, type));
  const bool unsupported = tsk_error_get_errno() == TSK_ERR_FS_UNSUPFUNC;
  return error(unsupported ? ErrorCode::unsupported : ErrorCode::corrupt,
               "the volume bears the signature of " + name +
                   " but can't be opened as such: " + volume::take_tsk_error("The Sleuth Kit gives no reason"),
               volume_id);
}

Error told(TSK_IMG_INFO& image, const Signature& signature, const std::string& volume_id) {
  const std::string name = signature.name;
  switch (signature.code) {
    case ErrorCode::unsupported:
      return error(signature.code, "the volume holds " + name + ", which Exhibit doesn't read", volume_id);
    default:
      return damaged(image, name, signature.type, volume_id);
  }
}

// What of a file system whose start is destroyed still tells of it.
std::optional<Error> backup(ByteSource& volume, const std::string& volume_id) {
  const auto destroyed = [&](const char* what, std::uint64_t offset) {
    return error(
        ErrorCode::corrupt,
        "the volume's " + std::string(what) + " is destroyed; a backup of it is at byte " + std::to_string(offset),
        volume_id);
  };
  // The first backups of ext's super block, for blocks of 1, 2 and 4 KiB.
  constexpr std::array<std::uint64_t, 3> backups = {8193ULL * 1024, 16384ULL * 2048, 32768ULL * 4096};
  for (std::uint32_t log = 0; log < backups.size(); ++log)
    if (ext_log_block_size(volume, backups[log]) == log) return destroyed("ext super block", backups[log]);
  const std::uint64_t last = volume.size() / 512 * 512;
  if (last >= 1024 && Raw::read(volume, last - 512, 16).has(3, "NTFS    "))
    return destroyed("NTFS boot sector", last - 512);
  // The backup boot region follows the first, of twelve sectors (exFAT specification, 3.1); FAT32's boot sector is in
  // the sixth (Microsoft's FAT specification, BPB_BkBootSec).
  constexpr std::array<std::uint64_t, 4> sector_sizes = {512, 1024, 2048, 4096};
  for (const std::uint64_t sector : sector_sizes) {
    if (Raw::read(volume, 12 * sector, 16).has(3, "EXFAT   ")) return destroyed("exFAT boot sector", 12 * sector);
    if (Raw::read(volume, 6 * sector, 90).has(82, "FAT32   ")) return destroyed("FAT32 boot sector", 6 * sector);
  }
  // HFS+ (Apple TN1150, "Volume Header"): the alternate header ends 512 bytes before the volume does.
  if (last >= 2048) {
    const Raw header = Raw::read(volume, last - 1024, 4);
    if (header.has(0, "H+\0\4"sv) || header.has(0, "HX\0\5"sv)) return destroyed("HFS+ header", last - 1024);
  }
  return std::nullopt;
}

// The Error for a volume that libtsk doesn't open, if anything is known about it.
std::optional<Error> what_else(TSK_IMG_INFO& image, ByteSource& volume, const std::string& volume_id) {
  for (const Signature& signature : signatures)
    if (Raw::read(volume, signature.offset, signature.bytes.size()).has(0, signature.bytes))
      return told(image, signature, volume_id);
  if (ext_log_block_size(volume, 1024) || is_ext_but_for_its_block_size(volume))
    return damaged(image, "ext", TSK_FS_TYPE_EXT_DETECT, volume_id);
  return backup(volume, volume_id);
}

// Whether the root directory can be read and holds something.
bool has_root(TSK_FS_INFO& fs) {
  const Dir root(tsk_fs_dir_open_meta(&fs, fs.root_inum));
  tsk_error_reset();
  if (!root) return false;
  for (std::size_t i = 0; i < tsk_fs_dir_getsize(root.get()); ++i) {
    const TSK_FS_NAME* name = tsk_fs_dir_get_name(root.get(), i);
    if (name != nullptr && (name->flags & TSK_FS_NAME_FLAG_ALLOC) != 0 && name->type != TSK_FS_NAME_TYPE_VIRT &&
        name->type != TSK_FS_NAME_TYPE_VIRT_DIR)
      return true;
  }
  return false;
}

// libtsk refuses where it finds two formats' signatures. An old one often survives a new format: the first whose root
// directory can be read is taken, and the others are told.
Result<Recognised> settle(TSK_IMG_INFO& image, const std::string& libtsk, const std::string& volume_id) {
  Recognised found;
  std::string taken, readable, traces;
  const auto add = [](std::string& list, const char* name) {
    list += (list.empty() ? "" : " and ") + std::string(name);
  };
  for (const Candidate& candidate : candidates) {
    FsInfo fs(tsk_fs_open_img(&image, 0, candidate.type));
    tsk_error_reset();
    if (!fs) continue;
    if (!has_root(*fs)) {
      add(traces, candidate.name);
    } else if (found.fs) {
      add(readable, candidate.name);
    } else {
      taken = candidate.name;
      found.fs = std::move(fs);
    }
  }
  if (!found.fs)
    return error(ErrorCode::ambiguous,
                 "the volume bears several file systems' signatures and none can be read: " + libtsk, volume_id);
  found.remark = "the volume was read as " + taken + "; ";
  *found.remark += readable.empty()
                       ? "it also bears the signature of " + (traces.empty() ? "another file system" : traces)
                       : "it can be read as " + readable + ", too: files that only that file system knows are not told";
  return found;
}

}  // namespace

Result<Recognised> recognise(TSK_IMG_INFO& image, ByteSource& volume, const std::string& volume_id) {
  tsk_error_reset();
  Recognised found;
  found.fs.reset(tsk_fs_open_img(&image, 0, TSK_FS_TYPE_DETECT));
  if (found.fs) {
    tsk_error_reset();
    if (found.fs->ftype == TSK_FS_TYPE_HFS_LEGACY)
      return error(ErrorCode::unsupported, "the volume holds HFS, which Exhibit doesn't read", volume_id);
    if (is_ours(found.fs->ftype)) return found;
    // What libtsk finds by weak signs (YAFFS2, swap) is not claimed.
    found.fs.reset();
  }
  // "Cannot determine file system type (EXT2/3/4 or NTFS)": it has no error number of its own.
  const std::string libtsk = volume::take_tsk_error("The Sleuth Kit finds no file system in it");
  if (libtsk.find(" or ") != std::string::npos) return settle(image, libtsk, volume_id);
  if (auto known = what_else(image, volume, volume_id)) return std::move(*known);
  return found;
}

}  // namespace exhibit::filesystem::tsk
