// Linux MD: what one member says of its array. A mirror is whole on each of its members; of the other kinds several
// are needed, which Exhibit doesn't put together.

#include <algorithm>
#include <array>

#include "base/checked.h"
#include "base/json.h"
#include "base/text.h"
#include "volume/bytes.h"
#include "volume/layer.h"
#include "volume/table.h"

namespace exhibit::volume {
namespace md {
namespace {

// The kernel's include/uapi/linux/raid/md_p.h: struct mdp_superblock_1, and mdp_super_t before it.
constexpr std::uint64_t magic = 0xa92b4efc, sector = 512;
constexpr std::size_t superblock_bytes = 4096;
constexpr std::uint64_t reserved_090 = 65536;

struct Member {
  std::string version, id, name;
  std::int32_t level = 0;
  std::uint64_t disks = 0, role = 0;
  std::uint64_t place = 0;             // of the superblock
  std::uint64_t offset = 0, size = 0;  // bytes of the array's data on this member
  bool is_sound = true, is_reshaping = false;
};

// As mdadm prints it.
std::string id_text(std::string_view bytes) {
  const std::string hex = base::to_hex(bytes);
  return hex.substr(0, 8) + ":" + hex.substr(8, 8) + ":" + hex.substr(16, 8) + ":" + hex.substr(24, 8);
}

// md.c, calc_sb_1_csum.
bool matches_checksum(std::string_view block) {
  constexpr std::size_t sum_at = 216, fixed = 256;
  const std::size_t length = fixed + 2 * static_cast<std::size_t>(little(block, 220, 4));
  if (length > block.size()) return false;
  std::uint64_t sum = 0;
  std::size_t at = 0;
  for (; at + 4 <= length; at += 4) sum += at == sum_at ? 0 : little(block, at, 4);
  if (length - at == 2) sum += little(block, at, 2);
  return ((sum & 0xffffffff) + (sum >> 32)) % (std::uint64_t{1} << 32) == little(block, sum_at, 4);
}

std::optional<Member> version_1(ByteSource& volume, std::uint64_t place, const char* version) {
  const std::string block = bytes_at(volume, place, superblock_bytes);
  if (block.size() < superblock_bytes || little(block, 0, 4) != magic || little(block, 4, 4) != 1) return std::nullopt;
  if (little(block, 144, 8) != place / sector) return std::nullopt;  // a copy that lies elsewhere
  Member member{version, id_text(std::string_view(block).substr(16, 16)), {}};
  member.name = base::clean_utf8(std::string_view(block).substr(32, 32)).text;
  member.name.resize(std::min(member.name.find('\0'), member.name.size()));
  member.level = static_cast<std::int32_t>(little(block, 72, 4));
  member.disks = little(block, 92, 4);
  const std::size_t number = static_cast<std::size_t>(little(block, 160, 4));
  member.role = number < 1920 ? little(block, 256 + 2 * number, 2) : 0xffff;
  member.place = place;
  member.offset = base::checked_multiply(little(block, 128, 8), sector).value_or(UINT64_MAX);
  member.size = base::checked_multiply(little(block, 80, 8), sector).value_or(UINT64_MAX);
  member.is_sound = matches_checksum(block);
  constexpr std::uint64_t reshape_active = 4;
  member.is_reshaping = (little(block, 8, 4) & reshape_active) != 0;
  return member;
}

std::optional<Member> version_090(ByteSource& volume) {
  if (volume.size() < 2 * reserved_090) return std::nullopt;
  const std::uint64_t place = volume.size() / reserved_090 * reserved_090 - reserved_090;
  const std::string block = bytes_at(volume, place, superblock_bytes);
  const auto word = [&](std::size_t index) { return little(block, 4 * index, 4); };
  if (block.size() < superblock_bytes || word(0) != magic || word(1) != 0) return std::nullopt;
  // Its numbers are little-endian, the identifier's four among them.
  std::string id;
  for (const std::size_t index : {5U, 13U, 14U, 15U})
    for (int shift = 24; shift >= 0; shift -= 8) id += static_cast<char>(word(index) >> shift);
  Member member{"0.90", id_text(id), {}};
  member.level = static_cast<std::int32_t>(word(7));
  member.disks = word(10);
  member.role = word(995);  // this_disk.raid_disk
  member.place = place;
  member.size = std::min(word(8) * 1024, place);
  return member;
}

std::optional<Member> find_member(ByteSource& volume) {
  if (volume.size() < 2 * superblock_bytes) return std::nullopt;
  if (auto found = version_1(volume, superblock_bytes, "1.2")) return found;
  if (auto found = version_1(volume, 0, "1.1")) return found;
  // super_1_load: at least 8 KiB before the end, at a multiple of 4 KiB.
  const std::uint64_t last = (volume.size() / sector - 16) / 8 * 8 * sector;
  if (auto found = version_1(volume, last, "1.0")) return found;
  return version_090(volume);
}

std::string level_name(std::int32_t level) {
  return level == -1 ? "linear" : level == -4 ? "multipath" : "RAID " + std::to_string(level);
}

bool recognise(ByteSource& volume) { return find_member(volume).has_value(); }

Result<void> open(ByteSource& volume, const std::vector<Key>&, Holding& holding) {
  const Member member = *find_member(volume);
  holding.layer = {{"type", "linux-raid"},      {"id", member.id},
                   {"version", member.version}, {"level", level_name(member.level)},
                   {"disks", member.disks},     {"role", member.role}};
  if (!member.name.empty()) holding.layer["label"] = member.name;
  const std::string name = "Linux " + level_name(member.level) + " (" + member.id + ")";
  if (!member.is_sound) return Error{ErrorCode::corrupt, name + ": its superblock doesn't match its checksum", {}, {}};
  const bool is_whole = member.level == 1 || member.disks == 1;
  if (!is_whole || member.is_reshaping)
    return Error{ErrorCode::unsupported,
                 "the volume is member " + std::to_string(member.role) + " of " + std::to_string(member.disks) +
                     " of " + name + (member.is_reshaping ? ", which was being reshaped" : "") +
                     "; Exhibit doesn't put its members together",
                 {},
                 {}};
  if (!base::within(member.offset, member.size, volume.size()) || member.size == 0)
    return Error{ErrorCode::corrupt, name + ": its data would reach past the volume's end", {}, {}};
  holding.held = {{member.offset, member.size}};
  holding.tables = {{member.place, std::min<std::uint64_t>(superblock_bytes, volume.size() - member.place)}};
  Inner inner;
  inner.volume.id = "md";
  inner.volume.kind = "pool";
  inner.volume.offset = member.offset;
  inner.volume.size = member.size;
  inner.volume.transform = "linux-raid";
  inner.bytes = slice(volume, member.offset, member.size);
  holding.inner.push_back(std::move(inner));
  return {};
}

}  // namespace
}  // namespace md

extern const Layer md_layer;
const Layer md_layer = {"md", 10, false, md::recognise, md::open};

}  // namespace exhibit::volume
