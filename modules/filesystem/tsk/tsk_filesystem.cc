#include "filesystem/tsk/tsk_filesystem.h"

#include <charconv>

#include "filesystem/tsk/allocation.h"
#include "filesystem/tsk/content.h"
#include "filesystem/tsk/deleted_inodes.h"
#include "filesystem/tsk/describe.h"
#include "filesystem/tsk/ext_attributes.h"
#include "filesystem/tsk/extent_tree.h"
#include "filesystem/tsk/metadata.h"
#include "filesystem/tsk/recognise.h"
#include "filesystem/tsk/walk.h"
#include "volume/tsk_image.h"

namespace exhibit::filesystem::tsk {

namespace {

class TskFileSystem final : public FileSystem {
 public:
  TskFileSystem(ByteSource& volume, std::string volume_id, std::unique_ptr<volume::TskImage> image,
                Recognised recognised)
      : volume_(volume),
        volume_id_(std::move(volume_id)),
        image_(std::move(image)),
        fs_(std::move(recognised.fs)),
        remark_(std::move(recognised.remark)),
        description_(describe(*fs_, volume_)) {
    read_extent_trees(*fs_);
    deleted_ = DeletedInodes::attach(*fs_, volume_);
  }

  const Description& description() const override { return description_; }

  Result<void> walk(const std::set<std::string>& skip, base::Reporter& reporter,
                    const std::function<void(Item)>& visit) override {
    if (remark_) reporter.problem({volume_id_, "open", "corrupt", {}, *remark_});
    Walk({*fs_, volume_, volume_id_, description_, [this] { image_->forget_damage(); }, deleted_.get()}, skip, reporter,
         visit)
        .run();
    return {};
  }

  Result<std::unique_ptr<ByteSource>> open_content(std::string_view address) override;
  Result<std::vector<Attribute>> attributes(std::string_view address) override;

  Result<std::vector<ClassRun>> block_classes(base::Reporter& reporter) override {
    reporter.touch(volume_id_ + ":/blocks", volume_.size());
    auto classes = allocation_of(*fs_, volume_.size());
    if (!classes.ok()) {
      Error error = classes.take_error();
      error.where = volume_id_;
      return error;
    }
    return classes;
  }

 private:
  Error no_content(std::string_view address, const std::string& why, ErrorCode code = ErrorCode::corrupt) const {
    return {code, why, volume_id_ + "/" + std::string(address), {}};
  }

  ByteSource& volume_;
  std::string volume_id_;
  std::unique_ptr<volume::TskImage> image_;
  FsInfo fs_;
  std::optional<std::string> remark_;
  Description description_;
  std::unique_ptr<DeletedInodes> deleted_;
};

// "i36-128-1" -> 36.
std::optional<TSK_INUM_T> number_in(std::string_view address) {
  if (!address.starts_with('i')) return std::nullopt;
  TSK_INUM_T number = 0;
  const char* end = address.data() + address.size();
  const auto [rest, error] = std::from_chars(address.data() + 1, end, number);
  if (error != std::errc() || (rest != end && *rest != '-')) return std::nullopt;
  return number;
}

Result<std::unique_ptr<ByteSource>> TskFileSystem::open_content(std::string_view address) {
  const auto number = number_in(address);
  if (!number) return no_content(address, "not a metadata address", ErrorCode::invalid_argument);
  image_->forget_damage();
  if (deleted_) deleted_->prepare(*number);
  const std::uint64_t damaged_before = volume_.damaged_reads();
  tsk_error_reset();
  File file(tsk_fs_file_open_meta(fs_.get(), nullptr, *number));
  if (!file || file->meta == nullptr)
    return no_content(address, "its metadata can't be read: " + volume::take_tsk_error("no such metadata"));
  const auto stream = find_stream(*file, address);
  if (!stream) return no_content(address, "there is no such stream", ErrorCode::not_found);
  Resolved resolved = resolve(*file, *stream, volume_);
  const bool damaged = volume_.damaged_reads() != damaged_before;
  switch (resolved.source) {
    case Resolved::Source::runs:
      return run_content(volume_, std::move(resolved.layout));
    case Resolved::Source::attribute:
      return attribute_content(volume_, std::move(file), *stream->attribute, damaged,
                               [this] { image_->forget_damage(); });
    case Resolved::Source::text:
      return text_content(std::move(resolved.text), damaged);
    case Resolved::Source::none:
      break;
  }
  return no_content(address, "The Sleuth Kit gives no content for it");
}

Result<std::vector<Attribute>> TskFileSystem::attributes(std::string_view address) {
  const auto number = number_in(address);
  if (!number) return no_content(address, "not a metadata address", ErrorCode::invalid_argument);
  if (TSK_FS_TYPE_ISEXT(fs_->ftype) == 0) return std::vector<Attribute>();
  const std::uint64_t damaged = volume_.damaged_reads();
  Metadata metadata(*fs_, volume_);
  const Raw& inode = metadata.read(*number);
  if (inode.size() == 0 || volume_.damaged_reads() != damaged) return no_content(address, "its inode can't be read");
  return ext_attributes(inode, volume_, description_.block_size);
}

}  // namespace

Result<std::unique_ptr<FileSystem>> open(ByteSource& volume, std::uint32_t sector_size, const std::string& volume_id) {
  auto image = EXHIBIT_TRY(volume::TskImage::create(volume, sector_size));
  Recognised recognised = EXHIBIT_TRY(recognise(*image->get(), volume, volume_id));
  if (!recognised.fs) return std::unique_ptr<FileSystem>();
  return std::unique_ptr<FileSystem>(
      std::make_unique<TskFileSystem>(volume, volume_id, std::move(image), std::move(recognised)));
}

}  // namespace exhibit::filesystem::tsk
