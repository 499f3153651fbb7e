#include "expand/rar.h"

#include <zlib.h>

#include <utility>

#include "expand/archive.h"
#include "expand/rar_headers.h"

namespace exhibit::expand {
namespace {

constexpr std::size_t most_members = std::size_t{1} << 20;

class RarReader final : public Reader {
 public:
  RarReader(std::unique_ptr<Reader> archive, std::vector<RarFile> files)
      : archive_(std::move(archive)), files_(std::move(files)) {}

  Result<std::optional<Entry>> next() override {
    auto entry = EXHIBIT_TRY(archive_->next());
    if (!entry) return entry;
    file_ = next_ < files_.size() ? std::optional(files_[next_]) : std::nullopt;
    ++next_;
    if (file_ && file_->is_encrypted) entry->is_encrypted = true;
    crc_ = 0;
    is_empty_ = true;
    return entry;
  }

  Result<std::size_t> read(std::span<std::byte> buffer) override {
    if (file_ && file_->is_split)
      return Error{ErrorCode::unsupported, "a part of its content lies in another volume of the archive", {}, {}};
    const std::size_t got = EXHIBIT_TRY(archive_->read(buffer));
    crc_ = static_cast<std::uint32_t>(crc32_z(crc_, reinterpret_cast<const Bytef*>(buffer.data()), got));
    is_empty_ = is_empty_ && got == 0;
    if (got > 0 || is_empty_) return got;
    if (!file_ || !file_->crc)
      return Error{ErrorCode::unsupported, "its checksum isn't one that Exhibit checks", {}, {}};
    if (*file_->crc != crc_) return Error{ErrorCode::corrupt, "its content contradicts its CRC-32", {}, {}};
    return got;
  }

  std::optional<Error> take_trouble() override { return archive_->take_trouble(); }

 private:
  std::unique_ptr<Reader> archive_;
  std::vector<RarFile> files_;
  std::size_t next_ = 0;
  std::optional<RarFile> file_;  // the member at hand
  std::uint32_t crc_ = 0;        // of what was read of it
  bool is_empty_ = true;         // nothing was
};

}  // namespace

Result<std::unique_ptr<Reader>> open_rar(ByteSource& content) {
  auto archive = EXHIBIT_TRY(open_archive(base::Container::rar, content));
  return std::unique_ptr<Reader>(std::make_unique<RarReader>(std::move(archive), rar_files(content, most_members)));
}

}  // namespace exhibit::expand
