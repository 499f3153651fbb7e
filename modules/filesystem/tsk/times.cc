#include "filesystem/tsk/times.h"

#include <chrono>

#include "base/text.h"

namespace exhibit::filesystem::tsk {

namespace {

using Text = std::optional<std::string>;

// Days since 1970 of a date that exists.
std::optional<std::int64_t> days(int year, unsigned month, unsigned day) {
  const std::chrono::year_month_day date{std::chrono::year{year}, std::chrono::month{month}, std::chrono::day{day}};
  if (!date.ok()) return std::nullopt;
  return std::chrono::sys_days{date}.time_since_epoch().count();
}

std::optional<std::int64_t> seconds(int year, unsigned month, unsigned day, unsigned hour, unsigned minute,
                                    unsigned second) {
  const auto date = days(year, month, day);
  if (!date || hour > 23 || minute > 59 || second > 59) return std::nullopt;
  return *date * 86400 + hour * 3600 + minute * 60 + second;
}

// NTFS: 100 ns since 1601.
Text ntfs_time(std::uint64_t ticks) {
  constexpr std::uint64_t ticks_a_second = 10'000'000;
  constexpr std::int64_t until_1970 = 11'644'473'600;
  if (ticks == 0) return std::nullopt;
  return base::rfc3339(static_cast<std::int64_t>(ticks / ticks_a_second) - until_1970,
                       static_cast<std::uint32_t>(ticks % ticks_a_second * 100), 7);
}

Times ntfs_times(TSK_FS_FILE& file) {
  constexpr std::size_t four_times = 32;
  const TSK_FS_ATTR* attribute = tsk_fs_file_attr_get_type(&file, TSK_FS_ATTR_TYPE_NTFS_SI, 0, 0);
  tsk_error_reset();
  if (attribute == nullptr || (attribute->flags & TSK_FS_ATTR_RES) == 0 || attribute->rd.buf == nullptr ||
      attribute->size < static_cast<TSK_OFF_T>(four_times))
    return {};
  const Raw information(std::string(reinterpret_cast<const char*>(attribute->rd.buf), four_times));
  return {.modified = ntfs_time(information.le64(8)),
          .accessed = ntfs_time(information.le64(24)),
          .changed = ntfs_time(information.le64(16)),
          .born = ntfs_time(information.le64(0))};
}

// FAT and exFAT pack a date and a time of day into 16 bits each (FAT specification, "Date and Time Formats").
std::optional<std::int64_t> packed_seconds(std::uint16_t date, std::uint16_t time) {
  return seconds(1980 + (date >> 9), date >> 5 & 15, date & 31, time >> 11, time >> 5 & 63, (time & 31) * 2U);
}

// `hundredths`: 0 to 199, on top of the time's two-second steps.
Text fat_time(std::uint16_t date, std::uint16_t time, std::uint8_t hundredths, int digits, std::int64_t shift = 0,
              bool local = true) {
  if (date == 0 || hundredths > 199) return std::nullopt;
  const auto stamp = packed_seconds(date, time);
  if (!stamp) return std::nullopt;
  return base::rfc3339(*stamp + shift + hundredths / 100, hundredths % 100 * 10'000'000U, digits, local);
}

Times fat_times(const Raw& entry) {
  return {.modified = fat_time(entry.le16(24), entry.le16(22), 0, 0),
          .accessed = fat_time(entry.le16(18), 0, 0, 0),
          .changed = {},
          .born = fat_time(entry.le16(16), entry.le16(14), entry.u8(13), 2)};
}

// exFAT specification, 7.4: a File entry (deleted: without the in-use bit).
Text exfat_time(const Raw& entry, std::size_t stamp, std::uint8_t hundredths, int digits, std::uint8_t zone) {
  constexpr std::uint8_t zone_valid = 0x80;
  int quarters = zone & 0x7f;
  if (quarters >= 64) quarters -= 128;
  const bool known = (zone & zone_valid) != 0;
  return fat_time(entry.le16(stamp + 2), entry.le16(stamp), hundredths, digits, known ? -quarters * 15 * 60 : 0,
                  !known);
}

Times exfat_times(const Raw& entry) {
  constexpr std::uint8_t file_entry = 0x05, in_use = 0x80;
  if ((entry.u8(0) & ~in_use) != file_entry) return {};
  return {.modified = exfat_time(entry, 12, entry.u8(21), 2, entry.u8(23)),
          .accessed = exfat_time(entry, 16, 0, 0, entry.u8(24)),
          .changed = {},
          .born = exfat_time(entry, 8, entry.u8(20), 2, entry.u8(22))};
}

// ext: signed seconds, and in large inodes 30 bits of nanoseconds and 2 more bits of seconds ("Inode Timestamps").
Text ext_time(const Raw& inode, std::size_t stamp, std::size_t extra, std::size_t end) {
  std::int64_t whole = static_cast<std::int32_t>(inode.le32(stamp));
  if (extra + 4 > end) return whole == 0 ? Text() : base::rfc3339(whole, 0, 0);
  const std::uint32_t more = inode.le32(extra);
  whole += static_cast<std::int64_t>(more & 3) << 32;
  const std::uint32_t nanoseconds = more >> 2;
  if (whole == 0 && nanoseconds == 0) return std::nullopt;
  if (nanoseconds > 999'999'999) return base::rfc3339(whole, 0, 0);
  return base::rfc3339(whole, nanoseconds, 9);
}

// ECMA-119 9.1.5: years since 1900 … and the distance from GMT in quarters of an hour.
Times iso_times(const Raw& record) {
  constexpr std::size_t date = 18;
  const auto stamp = seconds(1900 + record.u8(date), record.u8(date + 1), record.u8(date + 2), record.u8(date + 3),
                             record.u8(date + 4), record.u8(date + 5));
  if (!stamp) return {};
  const auto quarters = static_cast<std::int8_t>(record.u8(date + 6));
  return {.modified = {}, .accessed = {}, .changed = {}, .born = base::rfc3339(*stamp - quarters * 15 * 60, 0, 0)};
}

Text plain_time(std::int64_t whole, std::uint32_t nanoseconds, int digits) {
  if (whole == 0 && nanoseconds == 0) return std::nullopt;
  if (nanoseconds > 999'999'999) nanoseconds = 0;
  return base::rfc3339(whole, digits == 0 ? 0 : nanoseconds, digits);
}

}  // namespace

Times ext_times(const Raw& inode) {
  constexpr std::size_t small_inode = 128;
  if (inode.size() < small_inode) return {};
  const std::size_t end = inode.size() > small_inode ? small_inode + inode.le16(0x80) : small_inode;
  Times times{.modified = ext_time(inode, 0x10, 0x88, end),
              .accessed = ext_time(inode, 0x08, 0x8c, end),
              .changed = ext_time(inode, 0x0c, 0x84, end),
              .born = {}};
  if (end >= 0x94) times.born = ext_time(inode, 0x90, 0x94, end);
  return times;
}

Times times_of(Metadata& metadata, TSK_FS_FILE& file) {
  const TSK_FS_META& meta = *file.meta;
  const TSK_FS_TYPE_ENUM type = file.fs_info->ftype;
  if (type == TSK_FS_TYPE_NTFS) return ntfs_times(file);
  if (type == TSK_FS_TYPE_EXFAT) return exfat_times(metadata.read(meta.addr));
  if (TSK_FS_TYPE_ISFAT(type) != 0) {
    const Raw entry = metadata.read(meta.addr);
    return entry.size() > 0 ? fat_times(entry) : Times();
  }
  if (TSK_FS_TYPE_ISEXT(type) != 0) {
    if (const Raw inode = metadata.read(meta.addr); inode.size() > 0) return ext_times(inode);
  }
  if (TSK_FS_TYPE_ISISO9660(type) != 0) return iso_times(metadata.read(meta.addr));
  const int digits = type == TSK_FS_TYPE_FFS2 ? 9 : 0;
  return {.modified = plain_time(meta.mtime, meta.mtime_nano, digits),
          .accessed = plain_time(meta.atime, meta.atime_nano, digits),
          .changed = plain_time(meta.ctime, meta.ctime_nano, digits),
          .born = plain_time(meta.crtime, meta.crtime_nano, digits)};
}

}  // namespace exhibit::filesystem::tsk
