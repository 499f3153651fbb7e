#include "filesystem/xfs/xfs_filesystem.h"

#include <charconv>

#include "base/record.h"
#include "base/text.h"
#include "filesystem/xfs/allocation.h"
#include "filesystem/xfs/attributes.h"
#include "filesystem/xfs/walk.h"

namespace exhibit::filesystem::xfs {
namespace {

std::string uuid_text(const Uuid& uuid) {
  std::string hex = base::to_hex({reinterpret_cast<const char*>(uuid.data()), uuid.size()});
  for (const std::size_t dash : {8, 13, 18, 23}) hex.insert(dash, 1, '-');
  return hex;
}

Description describe(const Superblock& super) {
  Description description;
  description.type = "xfs";
  description.block_size = super.block_size;
  if (!super.label.empty()) description.label = base::clean_utf8(super.label).text;
  description.id = uuid_text(super.uuid);
  return description;
}

// "i128" -> 128.
std::optional<std::uint64_t> number_in(std::string_view address) {
  if (!address.starts_with('i')) return std::nullopt;
  std::uint64_t number = 0;
  const char* end = address.data() + address.size();
  const auto [rest, error] = std::from_chars(address.data() + 1, end, number);
  return error == std::errc() && rest == end ? std::optional(number) : std::nullopt;
}

class XfsFileSystem final : public FileSystem {
 public:
  XfsFileSystem(ByteSource& source, std::string volume_id, const Recognised& recognised)
      : volume_(source, *recognised.super),
        volume_id_(std::move(volume_id)),
        remark_(recognised.remark),
        description_(describe(*recognised.super)) {}

  const Description& description() const override { return description_; }

  Result<void> walk(const std::set<std::string>& skip, base::Reporter& reporter,
                    const std::function<void(Item)>& visit) override {
    const auto corrupt = [&](std::string detail) {
      reporter.problem({volume_id_, "open", "corrupt", {}, std::move(detail)});
    };
    if (remark_) corrupt(*remark_);
    const std::uint64_t bytes = volume_.super().blocks * volume_.super().block_size;
    if (bytes > volume_.source().size())
      corrupt("the file system has " + std::to_string(bytes) + " bytes, of which the volume ends after " +
              std::to_string(volume_.source().size()));
    Walk(volume_, volume_id_, skip, reporter, visit).run();
    return {};
  }

  Result<std::unique_ptr<ByteSource>> open_content(std::string_view address) override {
    Faults faults;
    const Inode inode = EXHIBIT_TRY(inode_at(address, faults));
    Content content = content_of(volume_, inode, faults);
    if (content.is_told) return run_content(volume_.source(), std::move(content.layout));
    if (content.unsupported) return no_content(address, *content.unsupported, ErrorCode::unsupported);
    return no_content(address, faults.text());
  }

  Result<std::vector<Attribute>> attributes(std::string_view address) override {
    Faults faults;
    const Inode inode = EXHIBIT_TRY(inode_at(address, faults));
    std::vector<Attribute> attributes = attributes_of(volume_, inode, faults);
    if (faults.any()) return no_content(address, faults.text());
    return attributes;
  }

  Result<std::vector<ClassRun>> block_classes(base::Reporter& reporter) override {
    reporter.touch(volume_id_ + ":/blocks", volume_.source().size());
    Faults faults;
    std::vector<ClassRun> classes = allocation_of(volume_, faults);
    if (faults.any())
      reporter.problem(
          {volume_id_,
           "read",
           "corrupt",
           {},
           "which blocks are in use can't be told for all of them; those count as allocated: " + faults.text()});
    return classes;
  }

 private:
  Error no_content(std::string_view address, const std::string& why, ErrorCode code = ErrorCode::corrupt) const {
    return {code, why, volume_id_ + "/" + std::string(address), {}};
  }

  Result<Inode> inode_at(std::string_view address, Faults& faults) const {
    const auto number = number_in(address);
    if (!number) return no_content(address, "not a metadata address", ErrorCode::invalid_argument);
    auto inode = read_inode(volume_, *number, faults);
    if (!inode) return no_content(address, faults.text());
    if (inode->mode == 0) return no_content(address, "its inode isn't in use");
    return std::move(*inode);
  }

  Volume volume_;
  std::string volume_id_;
  std::optional<std::string> remark_;
  Description description_;
};

}  // namespace

Result<std::unique_ptr<FileSystem>> open(ByteSource& volume, const std::string& volume_id) {
  const Recognised recognised = EXHIBIT_TRY(recognise(volume, volume_id));
  if (!recognised.super) return std::unique_ptr<FileSystem>();
  return std::unique_ptr<FileSystem>(std::make_unique<XfsFileSystem>(volume, volume_id, recognised));
}

}  // namespace exhibit::filesystem::xfs
