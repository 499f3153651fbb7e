#include "filesystem/tsk/ext_attributes.h"

#include <array>

#include "base/checked.h"

namespace exhibit::filesystem::tsk {
namespace {

// Linux: Documentation/filesystems/ext4/attributes.rst.
constexpr std::uint32_t magic = 0xEA020000;
constexpr std::size_t magic_size = 4, block_head = 32, entry_head = 16;
constexpr std::size_t small_inode = 128, extra_size_at = 0x80, block_at = 0x68, block_high_at = 0x76;
constexpr std::array<const char*, 9> classes = {
    "",          "user.",   "system.posix_acl_access", "system.posix_acl_default", "trusted.", "lustre.",
    "security.", "system.", "system.richacl"};

Error passes_end() { return {ErrorCode::corrupt, "an extended attribute passes the end of its place", {}, {}}; }

// Entries from `at` up to four zero bytes; their values count from `origin`.
Result<void> read_table(const Raw& area, std::size_t at, std::size_t origin, std::vector<Attribute>& into) {
  while (base::within(at, magic_size, area.size()) && area.le32(at) != 0) {
    const std::size_t name_size = area.u8(at), length = (entry_head + name_size + 3) / 4 * 4;
    if (!base::within(at, length, area.size())) return passes_end();
    const std::size_t index = area.u8(at + 1);
    Attribute attribute;
    attribute.name = index < classes.size() ? classes[index] : "class-" + std::to_string(index) + ".";
    attribute.name += area.view(at + entry_head, name_size);
    const std::size_t place = origin + area.le16(at + 2), size = area.le32(at + 8);
    const bool is_elsewhere = area.le32(at + 4) != 0;  // in an inode of its own (EXT4_FEATURE_INCOMPAT_EA_INODE)
    if (!is_elsewhere && size > 0 && !base::within(place, size, area.size())) return passes_end();
    if (!is_elsewhere) attribute.value = std::string(area.view(place, size));
    // What a small file's inode has no more room for is its content, and no attribute.
    if (attribute.name != "system.data") into.push_back(std::move(attribute));
    at += length;
  }
  return {};
}

}  // namespace

Result<std::vector<Attribute>> ext_attributes(const Raw& inode, ByteSource& volume, std::uint64_t block_size) {
  std::vector<Attribute> all;
  const std::size_t own = small_inode + inode.le16(extra_size_at);
  if (inode.size() > small_inode && inode.le32(own) == magic)
    EXHIBIT_TRY(read_table(inode, own + magic_size, own + magic_size, all));
  const std::uint64_t block = inode.le32(block_at) | std::uint64_t{inode.le16(block_high_at)} << 32;
  if (block == 0) return all;
  const auto offset = base::checked_multiply(block, block_size);
  if (!offset || !base::within(*offset, block_size, volume.size()))
    return Error{ErrorCode::corrupt, "its block of extended attributes lies outside of the volume", {}, {}};
  const std::uint64_t damaged = volume.damaged_reads();
  const Raw bytes = Raw::read(volume, *offset, static_cast<std::size_t>(block_size));
  if (bytes.size() != block_size || volume.damaged_reads() != damaged)
    return Error{ErrorCode::io_error, "its block of extended attributes can't be read", {}, *offset};
  if (bytes.le32(0) != magic) return Error{ErrorCode::corrupt, "its block of extended attributes is none", {}, *offset};
  EXHIBIT_TRY(read_table(bytes, block_head, 0, all));
  return all;
}

}  // namespace exhibit::filesystem::tsk
