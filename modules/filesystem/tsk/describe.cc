#include "filesystem/tsk/describe.h"

#include <openssl/evp.h>

#include <algorithm>
#include <cstdio>

// Its functions are C's, though the header doesn't say so to C++.
extern "C" {
#include <tsk/fs/tsk_hfs.h>
}

#include "base/text.h"
#include "filesystem/tsk/fat.h"
#include "filesystem/tsk/raw.h"

namespace exhibit::filesystem::tsk {

namespace {

using Text = std::optional<std::string>;

// Up to the first NUL, without trailing spaces; absent where nothing is left.
Text label(std::string_view bytes) {
  bytes = bytes.substr(0, bytes.find('\0'));
  while (!bytes.empty() && bytes.back() == ' ') bytes.remove_suffix(1);
  if (bytes.empty()) return std::nullopt;
  return base::clean_utf8(bytes).text;
}

std::string hex(std::uint64_t value, int digits, bool upper) {
  char text[17];
  std::snprintf(text, sizeof text, upper ? "%0*llX" : "%0*llx", digits, static_cast<unsigned long long>(value));
  return text;
}

std::string uuid(std::string_view bytes) {
  std::string text;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) text += '-';
    text += hex(static_cast<std::uint8_t>(bytes[i]), 2, false);
  }
  return text;
}

std::string fat_serial(std::uint32_t serial) {
  return hex(serial >> 16, 4, true) + "-" + hex(serial & 0xffff, 4, true);
}

// libtsk marks the volume label among the root directory's entries with this.
constexpr std::string_view label_mark = " (Volume Label Entry)", no_label = "$EMPTY_VOLUME_LABEL";

Text fat_label_in_root(TSK_FS_INFO& fs) {
  const Dir root(tsk_fs_dir_open_meta(&fs, fs.root_inum));
  tsk_error_reset();
  for (std::size_t i = 0; root && i < tsk_fs_dir_getsize(root.get()); ++i) {
    const TSK_FS_NAME* name = tsk_fs_dir_get_name(root.get(), i);
    if (name == nullptr || name->name == nullptr || (name->flags & TSK_FS_NAME_FLAG_ALLOC) == 0) continue;
    const std::string_view text = name->name;
    if (!text.ends_with(label_mark) || text.starts_with(no_label)) continue;
    return label(text.substr(0, text.size() - label_mark.size()));
  }
  return std::nullopt;
}

void describe_fat(Description& description, TSK_FS_INFO& fs, ByteSource& volume) {
  const FatLayout layout = fat_layout(fs, volume);
  const bool exfat = fs.ftype == TSK_FS_TYPE_EXFAT, fat32 = fs.ftype == TSK_FS_TYPE_FAT32;
  description.block_size = layout.cluster_size;
  description.id = fat_serial(layout.boot.le32(exfat ? 100 : fat32 ? 67 : 39));
  description.label = fat_label_in_root(fs);
  if (exfat) return;  // its times say their zone
  description.local_times = true;
  if (description.label) return;
  description.label = label(layout.boot.view(fat32 ? 71 : 43, 11));
  if (description.label == "NO NAME") description.label.reset();
}

// $Volume is MFT record 3; $VOLUME_NAME holds UTF-16.
void describe_ntfs(Description& description, TSK_FS_INFO& fs, ByteSource& volume) {
  constexpr TSK_INUM_T volume_file = 3;
  description.id = hex(Raw::read(volume, 0, 512).le64(72), 16, true);
  const File file(tsk_fs_file_open_meta(&fs, nullptr, volume_file));
  const TSK_FS_ATTR* name = file ? tsk_fs_file_attr_get_type(file.get(), TSK_FS_ATTR_TYPE_NTFS_VNAME, 0, 0) : nullptr;
  tsk_error_reset();
  if (name == nullptr || (name->flags & TSK_FS_ATTR_RES) == 0 || name->size <= 0) return;
  const Raw text(std::string(reinterpret_cast<const char*>(name->rd.buf), static_cast<std::size_t>(name->size)));
  description.label = label(base::from_utf16le(text.view(0, text.size())));
}

void describe_ext(Description& description, ByteSource& volume) {
  const Raw super = Raw::read(volume, 1024, 256);
  description.id = uuid(super.view(104, 16));
  description.label = label(super.view(120, 16));
}

// The finder info's last 8 bytes name the volume; blkid and the system make a name-based UUID of them (RFC 4122,
// version 3) in this name space.
void describe_hfs(Description& description, TSK_FS_INFO& fs) {
  constexpr unsigned char name_space[16] = {0xb3, 0xe2, 0x0f, 0x39, 0xf2, 0x92, 0x11, 0xd6,
                                            0x97, 0xa4, 0x00, 0x30, 0x65, 0x43, 0xec, 0xac};
  std::string header(512, '\0');
  const ssize_t got = tsk_fs_read(&fs, 1024, header.data(), header.size());  // within an HFS wrapper, too
  tsk_error_reset();
  const std::string id = got == static_cast<ssize_t>(header.size()) ? header.substr(80 + 24, 8) : std::string();
  if (!id.empty() && id != std::string(8, '\0')) {
    std::string digest(16, '\0');
    const std::string hashed = std::string(reinterpret_cast<const char*>(name_space), 16) + id;
    if (EVP_Digest(hashed.data(), hashed.size(), reinterpret_cast<unsigned char*>(digest.data()), nullptr, EVP_md5(),
                   nullptr) == 1) {
      digest[6] = static_cast<char>((digest[6] & 0x0f) | 0x30);
      digest[8] = static_cast<char>((digest[8] & 0x3f) | 0x80);
      description.id = uuid(digest);
    }
  }
  // The root folder's thread record holds its name, in big-endian UTF-16.
  HFS_ENTRY root{};
  if (hfs_cat_file_lookup(reinterpret_cast<HFS_INFO*>(&fs), fs.root_inum, &root, FALSE) == 0) {
    const Raw name(std::string(reinterpret_cast<const char*>(&root.thread.name), sizeof root.thread.name));
    std::string units;
    for (std::size_t i = 0; i < std::min<std::size_t>(name.be16(0), 255); ++i) {
      units += static_cast<char>(name.u8(2 + 2 * i + 1));
      units += static_cast<char>(name.u8(2 + 2 * i));
    }
    description.label = label(base::from_utf16le(units));
  }
  tsk_error_reset();
}

// ECMA-119 8.4.26: sixteen digits and a zone; blkid takes the modification, else the creation.
Text iso_id(const Raw& descriptor, std::size_t offset) {
  const std::string_view date = descriptor.view(offset, 16);
  const auto digit = [](char c) { return c >= '0' && c <= '9'; };
  if (date.size() != 16 || !std::all_of(date.begin(), date.end(), digit) || date == std::string(16, '0'))
    return std::nullopt;
  std::string id(date.substr(0, 4));
  for (std::size_t i = 4; i < 16; i += 2) (id += '-') += date.substr(i, 2);
  return id;
}

void describe_iso(Description& description, ByteSource& volume) {
  const Raw descriptor = Raw::read(volume, 32768, 2048);
  description.id = iso_id(descriptor, 830);
  if (!description.id) description.id = iso_id(descriptor, 813);
  description.label = label(descriptor.view(40, 32));
}

// fs.h of the BSDs: the super block is at one of four places; fs_id and fs_volname.
void describe_ufs(Description& description, TSK_FS_INFO& fs, ByteSource& volume) {
  constexpr std::uint32_t ufs1 = 0x00011954, ufs2 = 0x19540119;
  for (const std::uint64_t place : {65536, 8192, 0, 262144}) {
    const Raw super = Raw::read(volume, place, 1376);
    const bool big = super.be32(1372) == ufs1 || super.be32(1372) == ufs2;
    if (!big && super.le32(1372) != ufs1 && super.le32(1372) != ufs2) continue;
    const std::uint32_t first = big ? super.be32(144) : super.le32(144),
                        second = big ? super.be32(148) : super.le32(148);
    if (first != 0 || second != 0) description.id = hex(first, 8, false) + hex(second, 8, false);
    if (fs.ftype == TSK_FS_TYPE_FFS2) description.label = label(super.view(680, 32));
    return;
  }
}

std::string type_name(TSK_FS_TYPE_ENUM type) {
  switch (type) {
    case TSK_FS_TYPE_NTFS:
      return "ntfs";
    case TSK_FS_TYPE_FAT12:
      return "fat12";
    case TSK_FS_TYPE_FAT16:
      return "fat16";
    case TSK_FS_TYPE_FAT32:
      return "fat32";
    case TSK_FS_TYPE_EXFAT:
      return "exfat";
    case TSK_FS_TYPE_EXT2:
      return "ext2";
    case TSK_FS_TYPE_EXT3:
      return "ext3";
    case TSK_FS_TYPE_EXT4:
      return "ext4";
    case TSK_FS_TYPE_HFS:
      return "hfs+";
    case TSK_FS_TYPE_ISO9660:
      return "iso9660";
    case TSK_FS_TYPE_FFS1:
    case TSK_FS_TYPE_FFS1B:
      return "ufs1";
    case TSK_FS_TYPE_FFS2:
      return "ufs2";
    default:
      return tsk_fs_type_toname(type);
  }
}

}  // namespace

Description describe(TSK_FS_INFO& fs, ByteSource& volume) {
  Description description;
  description.type = type_name(fs.ftype);
  description.block_size = fs.block_size;
  if (TSK_FS_TYPE_ISFAT(fs.ftype) != 0) {
    describe_fat(description, fs, volume);
  } else if (fs.ftype == TSK_FS_TYPE_NTFS) {
    describe_ntfs(description, fs, volume);
  } else if (TSK_FS_TYPE_ISEXT(fs.ftype) != 0) {
    describe_ext(description, volume);
  } else if (TSK_FS_TYPE_ISHFS(fs.ftype) != 0) {
    describe_hfs(description, fs);
  } else if (TSK_FS_TYPE_ISISO9660(fs.ftype) != 0) {
    describe_iso(description, volume);
  } else if (TSK_FS_TYPE_ISFFS(fs.ftype) != 0) {
    describe_ufs(description, fs, volume);
  }
  return description;
}

}  // namespace exhibit::filesystem::tsk
