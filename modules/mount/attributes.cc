#include "mount/attributes.h"

#include <unistd.h>

#include <charconv>
#include <chrono>

namespace exhibit::mount {
namespace {

constexpr mode_t plain_file = 0444, plain_folder = 0555;
constexpr blksize_t block_size = 4096;     // that programs are told to read by
constexpr std::uint64_t stat_block = 512;  // st_blocks' unit, whatever the file system (stat(2))

std::optional<int> number_at(std::string_view text, std::size_t at, std::size_t digits) {
  int number = 0;
  if (text.size() < at + digits) return std::nullopt;
  const char* end = text.data() + at + digits;
  const auto [rest, error] = std::from_chars(text.data() + at, end, number);
  if (error != std::errc() || rest != end || number < 0) return std::nullopt;
  return number;
}

// ".123456789", as many digits as there are.
long nanoseconds_of(std::string_view fraction) {
  if (fraction.empty() || fraction.front() != '.') return 0;
  long nanoseconds = 0;
  long unit = 100'000'000;
  for (std::size_t i = 1; i < fraction.size() && fraction[i] >= '0' && fraction[i] <= '9'; ++i, unit /= 10)
    nanoseconds += (fraction[i] - '0') * unit;
  return nanoseconds;
}

mode_t type_of(const Item& item) {
  switch (item.kind) {
    case ItemKind::directory:
      return S_IFDIR;
    case ItemKind::symlink:
      return S_IFLNK;
    default:
      return S_IFREG;
  }
}

timespec time_or_zero(const std::optional<std::string>& text) {
  return (text ? time_of(*text) : std::nullopt).value_or(timespec{});
}

}  // namespace

std::optional<timespec> time_of(std::string_view text) {
  // 2024-05-01T12:00:00
  const auto year = number_at(text, 0, 4), month = number_at(text, 5, 2), day = number_at(text, 8, 2);
  const auto hour = number_at(text, 11, 2), minute = number_at(text, 14, 2), second = number_at(text, 17, 2);
  if (!year || !month || !day || !hour || !minute || !second) return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year{*year}, std::chrono::month{static_cast<unsigned>(*month)},
                                         std::chrono::day{static_cast<unsigned>(*day)}};
  if (!date.ok()) return std::nullopt;
  const auto days = std::chrono::sys_days{date}.time_since_epoch().count();
  timespec time{};
  const std::int64_t hours = std::int64_t{days} * 24 + *hour;
  time.tv_sec = (hours * 60 + *minute) * 60 + *second;
  time.tv_nsec = nanoseconds_of(text.substr(19));
  return time;
}

struct stat stat_of(const std::optional<Item>& item, bool is_folder, ino_t number) {
  struct stat stat {};
  stat.st_ino = number;
  stat.st_nlink = 1;  // of a folder: nobody has counted the folders in it
  stat.st_blksize = block_size;
  stat.st_uid = getuid();
  stat.st_gid = getgid();
  stat.st_mode = is_folder ? S_IFDIR | plain_folder : S_IFREG | plain_file;
  if (!item) return stat;
  const mode_t type = is_folder ? S_IFDIR : type_of(*item);
  stat.st_mode = type | (item->mode ? *item->mode & 07777U : type == S_IFDIR ? plain_folder : plain_file);
  if (item->uid) stat.st_uid = static_cast<uid_t>(*item->uid);
  if (item->gid) stat.st_gid = static_cast<gid_t>(*item->gid);
  const bool has_content =
      item->kind != ItemKind::device && item->kind != ItemKind::fifo && item->kind != ItemKind::socket;
  stat.st_size = has_content ? static_cast<off_t>(item->size) : 0;
  stat.st_blocks = static_cast<blkcnt_t>((static_cast<std::uint64_t>(stat.st_size) + stat_block - 1) / stat_block);
  stat.st_mtim = time_or_zero(item->times.modified);
  stat.st_atim = time_or_zero(item->times.accessed ? item->times.accessed : item->times.modified);
  stat.st_ctim = time_or_zero(item->times.changed ? item->times.changed : item->times.modified);
  return stat;
}

std::vector<Attribute> attributes_of(const Item& item) {
  std::vector<Attribute> all = {{"user.exhibit.id", item.id}, {"user.exhibit.state", name_of(item.state)}};
  all.push_back({"user.exhibit.kind", name_of(item.kind)});
  if (item.times.born) all.push_back({"user.exhibit.born", *item.times.born});
  if (item.tier) all.push_back({"user.exhibit.tier", *item.tier});
  return all;
}

}  // namespace exhibit::mount
