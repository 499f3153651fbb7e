#include "expand/archive.h"

#include <algorithm>
#include <cerrno>
#include <clocale>
#include <cstring>
#include <utility>

#include "base/checked.h"
#include "base/text.h"

namespace exhibit::expand {
namespace {

using base::Container;

constexpr std::size_t input_size = std::size_t{256} << 10;
// Headers that are broken one after the other before a tape is given up.
constexpr int most_broken_headers = 1000;

// libarchive turns names into the locale's encoding: UTF-8 here, whatever the process has. Made before the seal, as it
// may look for files.
locale_t names_locale() {
  static const locale_t locale = newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr);
  return locale;
}

class InNamesLocale {
 public:
  InNamesLocale() : before_(uselocale(names_locale())) {}
  ~InNamesLocale() { uselocale(before_); }
  InNamesLocale(const InNamesLocale&) = delete;
  InNamesLocale& operator=(const InNamesLocale&) = delete;

 private:
  locale_t before_;
};

bool set_formats(Container kind, struct archive* archive) {
  switch (kind) {
    case Container::zip:
      return archive_read_support_format_zip_seekable(archive) == ARCHIVE_OK;
    case Container::sevenzip:
      return archive_read_support_format_7zip(archive) == ARCHIVE_OK;
    case Container::rar:
      return archive_read_support_format_rar(archive) == ARCHIVE_OK &&
             archive_read_support_format_rar5(archive) == ARCHIVE_OK;
    case Container::tar:
      // What lies behind the end mark, too: another archive, or what is no archive and then a problem.
      return archive_read_support_format_tar(archive) == ARCHIVE_OK &&
             archive_read_set_option(archive, "tar", "read_concatenated_archives", "1") == ARCHIVE_OK;
    case Container::cpio:
      return archive_read_support_format_cpio(archive) == ARCHIVE_OK;
    case Container::ar:
      return archive_read_support_format_ar(archive) == ARCHIVE_OK;
    case Container::cab:
      return archive_read_support_format_cab(archive) == ARCHIVE_OK;
    case Container::lha:
      return archive_read_support_format_lha(archive) == ARCHIVE_OK;
    case Container::xar:
      return archive_read_support_format_xar(archive) == ARCHIVE_OK;
    case Container::iso9660:
      return archive_read_support_format_iso9660(archive) == ARCHIVE_OK;
    default:
      return false;
  }
}

bool is_zip(struct archive* archive) {
  return (archive_format(archive) & ARCHIVE_FORMAT_BASE_MASK) == ARCHIVE_FORMAT_ZIP;
}

// Where times are those of a wall clock somewhere.
bool has_local_times(struct archive* archive, struct archive_entry* entry) {
  switch (archive_format(archive) & ARCHIVE_FORMAT_BASE_MASK) {
    case ARCHIVE_FORMAT_ZIP:
      // Beside DOS's time stands one in UTC where the extra field of Info-ZIP or NTFS was read, which has others too;
      // libarchive tells those that aren't there as 0.
      return archive_entry_atime(entry) == 0 && archive_entry_ctime(entry) == 0;
    case ARCHIVE_FORMAT_CAB:
    case ARCHIVE_FORMAT_LHA:
    case ARCHIVE_FORMAT_RAR:  // RAR5 has its own number, and UTC
      return true;
    default:
      return false;
  }
}

bool has_modes(struct archive* archive) {
  const int format = archive_format(archive) & ARCHIVE_FORMAT_BASE_MASK;
  return format == ARCHIVE_FORMAT_TAR || format == ARCHIVE_FORMAT_CPIO || format == ARCHIVE_FORMAT_AR;
}

std::optional<std::string> time_text(std::int64_t seconds, long nanoseconds, bool local) {
  constexpr long finest_of_most = 100;  // FILETIME's unit
  const int digits = nanoseconds == 0 ? 0 : nanoseconds % finest_of_most == 0 ? 7 : 9;
  return base::rfc3339(seconds, static_cast<std::uint32_t>(nanoseconds), digits, local);
}

Times times_of(struct archive* archive, struct archive_entry* entry) {
  const bool local = has_local_times(archive, entry), without_zeros = is_zip(archive);
  Times times;
  if (archive_entry_mtime_is_set(entry) != 0)
    times.modified = time_text(archive_entry_mtime(entry), archive_entry_mtime_nsec(entry), local);
  if (archive_entry_atime_is_set(entry) != 0 && !(without_zeros && archive_entry_atime(entry) == 0))
    times.accessed = time_text(archive_entry_atime(entry), archive_entry_atime_nsec(entry), local);
  if (archive_entry_ctime_is_set(entry) != 0 && !(without_zeros && archive_entry_ctime(entry) == 0))
    times.changed = time_text(archive_entry_ctime(entry), archive_entry_ctime_nsec(entry), local);
  if (archive_entry_birthtime_is_set(entry) != 0)
    times.born = time_text(archive_entry_birthtime(entry), archive_entry_birthtime_nsec(entry), local);
  return times;
}

ItemKind kind_of(struct archive_entry* entry) {
  switch (archive_entry_filetype(entry)) {
    case AE_IFDIR:
      return ItemKind::directory;
    case AE_IFLNK:
      return ItemKind::symlink;
    case AE_IFCHR:
    case AE_IFBLK:
      return ItemKind::device;
    case AE_IFIFO:
      return ItemKind::fifo;
    case AE_IFSOCK:
      return ItemKind::socket;
    default:
      return ItemKind::file;
  }
}

std::string text_of(const char* bytes, const char* utf8) {
  if (bytes != nullptr) return bytes;
  return utf8 != nullptr ? utf8 : "";
}

class ArchiveReader final : public Reader {
 public:
  ArchiveReader(ArchiveHandle archive, std::unique_ptr<ArchiveInput> input)
      : input_(std::move(input)), archive_(std::move(archive)) {}

  Result<std::optional<Entry>> next() override;
  Result<std::size_t> read(std::span<std::byte> buffer) override;
  std::optional<Error> take_trouble() override { return std::exchange(trouble_, std::nullopt); }

 private:
  Result<void> fetch();
  Result<void> end_content();
  Entry describe(struct archive_entry* entry);

  std::unique_ptr<ArchiveInput> input_;  // outlives the archive
  ArchiveHandle archive_;
  std::optional<Error> trouble_;
  // The content at hand.
  std::optional<std::uint64_t> size_;
  bool is_sparse_ = false, is_ended_ = false;
  std::uint64_t position_ = 0;        // delivered so far
  std::uint64_t gap_ = 0;             // zeros before block_
  std::span<const std::byte> block_;  // fetched, not delivered
  std::optional<Error> after_block_;  // came with it
};

Result<std::optional<Entry>> ArchiveReader::next() {
  const InNamesLocale locale;
  block_ = {};
  after_block_.reset();
  gap_ = position_ = 0;
  for (int broken = 0; broken < most_broken_headers; ++broken) {
    struct archive_entry* entry = nullptr;
    const int status = archive_read_next_header(archive_.get(), &entry);
    if (status == ARCHIVE_EOF) return std::optional<Entry>();
    if (status == ARCHIVE_OK) return std::optional<Entry>(describe(entry));
    Error error = error_of(archive_.get());
    if (status == ARCHIVE_FATAL || status == ARCHIVE_FAILED) return error;
    trouble_ = std::move(error);
    if (status == ARCHIVE_WARN) return std::optional<Entry>(describe(entry));
  }
  return Error{ErrorCode::corrupt, "one broken header after the other", {}, {}};
}

Entry ArchiveReader::describe(struct archive_entry* entry) {
  Entry described;
  described.path = text_of(archive_entry_pathname(entry), archive_entry_pathname_utf8(entry));
  described.kind = kind_of(entry);
  if (archive_entry_size_is_set(entry) != 0 && archive_entry_size(entry) >= 0)
    described.size = static_cast<std::uint64_t>(archive_entry_size(entry));
  if (has_modes(archive_.get())) {
    described.mode = archive_entry_perm(entry);
    described.uid = static_cast<std::uint64_t>(std::max<la_int64_t>(archive_entry_uid(entry), 0));
    described.gid = static_cast<std::uint64_t>(std::max<la_int64_t>(archive_entry_gid(entry), 0));
  }
  described.times = times_of(archive_.get(), entry);
  described.is_encrypted = archive_entry_is_data_encrypted(entry) > 0;
  if (described.kind == ItemKind::symlink)
    described.link_target = text_of(archive_entry_symlink(entry), archive_entry_symlink_utf8(entry));
  const std::string target = text_of(archive_entry_hardlink(entry), archive_entry_hardlink_utf8(entry));
  if (!target.empty()) {
    described.link_target = target;
    described.has_content = described.size.value_or(0) > 0;  // cpio's last name, and some tars, have it too
  }
  size_ = described.size;
  is_sparse_ = archive_entry_sparse_reset(entry) > 0;
  is_ended_ = false;
  return described;
}

Result<std::size_t> ArchiveReader::read(std::span<std::byte> buffer) {
  std::size_t done = 0;
  while (done < buffer.size()) {
    const std::span<std::byte> room = buffer.subspan(done);
    if (gap_ > 0) {
      const auto zeros = static_cast<std::size_t>(std::min<std::uint64_t>(gap_, room.size()));
      std::memset(room.data(), 0, zeros);
      gap_ -= zeros;
      done += zeros;
      position_ += zeros;
    } else if (!block_.empty()) {
      const std::size_t length = std::min(block_.size(), room.size());
      std::memcpy(room.data(), block_.data(), length);
      block_ = block_.subspan(length);
      done += length;
      position_ += length;
    } else if (is_ended_ || (after_block_ && done > 0)) {
      break;  // what is wrong is told once all before it was delivered
    } else {
      EXHIBIT_TRY(fetch());
    }
  }
  return done;
}

Result<void> ArchiveReader::fetch() {
  if (after_block_) return *after_block_;
  const void* bytes = nullptr;
  std::size_t length = 0;
  la_int64_t offset = 0;
  const int status = archive_read_data_block(archive_.get(), &bytes, &length, &offset);
  if (status == ARCHIVE_EOF) return end_content();
  if (status == ARCHIVE_RETRY) return {};
  if (status != ARCHIVE_OK) after_block_ = error_of(archive_.get());
  // What came with a warning is the content's; behind a fatal error nothing is sure to be anything.
  if (status == ARCHIVE_FATAL || length == 0) return after_block_ ? *after_block_ : Result<void>();
  if (offset < 0 || static_cast<std::uint64_t>(offset) < position_)
    return Error{ErrorCode::corrupt, "its parts overlap", {}, position_};
  gap_ = static_cast<std::uint64_t>(offset) - position_;
  // What the archive doesn't say is no zeros.
  if (gap_ > 0 && !is_sparse_) return Error{ErrorCode::corrupt, "a part of its content is missing", {}, position_};
  block_ = std::span(static_cast<const std::byte*>(bytes), length);
  return {};
}

Result<void> ArchiveReader::end_content() {
  is_ended_ = true;
  if (!size_ || *size_ == position_) return {};
  if (*size_ < position_ || !is_sparse_) {
    return Error{ErrorCode::corrupt,
                 "its content has " + std::to_string(position_) + " bytes and should have " + std::to_string(*size_),
                 {},
                 position_};
  }
  gap_ = *size_ - position_;  // a hole at the end
  return {};
}

}  // namespace

void ArchiveFree::operator()(struct archive* handle) const { archive_read_free(handle); }

ArchiveInput::ArchiveInput(ByteSource& content) : content_(content), buffer_(input_size) {}

la_ssize_t ArchiveInput::read(struct archive* archive, void* input, const void** bytes) {
  auto& self = *static_cast<ArchiveInput*>(input);
  const auto got = self.content_.read_at(self.position_, self.buffer_);
  if (!got.ok()) {
    archive_set_error(archive, got.error().code == ErrorCode::size_limit ? EFBIG : EIO, "%s",
                      got.error().message.c_str());
    return -1;
  }
  self.position_ += *got;
  *bytes = self.buffer_.data();
  return static_cast<la_ssize_t>(*got);
}

la_int64_t ArchiveInput::skip(struct archive*, void* input, la_int64_t length) {
  auto& self = *static_cast<ArchiveInput*>(input);
  const std::uint64_t left = self.content_.size() - std::min(self.position_, self.content_.size());
  const std::uint64_t skipped = std::min(left, static_cast<std::uint64_t>(std::max<la_int64_t>(length, 0)));
  self.position_ += skipped;
  return static_cast<la_int64_t>(skipped);
}

la_int64_t ArchiveInput::seek(struct archive*, void* input, la_int64_t offset, int whence) {
  auto& self = *static_cast<ArchiveInput*>(input);
  const auto size = static_cast<la_int64_t>(self.content_.size());
  const la_int64_t from = whence == SEEK_SET ? 0 : whence == SEEK_CUR ? static_cast<la_int64_t>(self.position_) : size;
  la_int64_t to = 0;
  if (__builtin_add_overflow(from, offset, &to) || to < 0) return ARCHIVE_FATAL;
  self.position_ = static_cast<std::uint64_t>(std::min(to, size));
  return static_cast<la_int64_t>(self.position_);
}

Result<void> ArchiveInput::open(struct archive* archive) {
  const InNamesLocale locale;
  archive_read_set_read_callback(archive, read);
  archive_read_set_skip_callback(archive, skip);
  archive_read_set_seek_callback(archive, seek);
  archive_read_set_callback_data(archive, this);
  if (archive_read_open1(archive) != ARCHIVE_OK) return error_of(archive);
  return {};
}

// libarchive has one code for most of what can be wrong, and says the rest in words.
Error error_of(struct archive* archive) {
  const char* words = archive_error_string(archive);
  std::string message = words != nullptr ? words : "libarchive doesn't say what is wrong";
  const auto says = [&](std::string_view word) { return message.find(word) != std::string::npos; };
  ErrorCode code = ErrorCode::corrupt;
  switch (archive_errno(archive)) {
    case ENOMEM:
      code = ErrorCode::memory_limit;
      break;
    case EFBIG:
      code = ErrorCode::size_limit;
      break;
    case EIO:
      code = ErrorCode::io_error;
      break;
    default:
      break;
  }
  while (message.ends_with('\n')) message.pop_back();
  if (says("memory")) code = ErrorCode::memory_limit;
  if (says("ncrypt") || says("assphrase")) code = ErrorCode::encrypted;
  if (code == ErrorCode::corrupt && (says("nsupported") || says("not supported"))) code = ErrorCode::unsupported;
  return {code, std::move(message), {}, {}};
}

void prepare() { names_locale(); }

Result<std::unique_ptr<Reader>> open_archive(Container kind, ByteSource& content) {
  ArchiveHandle archive(archive_read_new());
  if (!archive || !set_formats(kind, archive.get()))
    return Error{ErrorCode::memory_limit, "libarchive can't start", {}, {}};
  auto input = std::make_unique<ArchiveInput>(content);
  auto opened = input->open(archive.get());
  // Without its directory, which lies at the end, a ZIP file still has its members one behind the other.
  if (!opened.ok() && kind == Container::zip) {
    archive.reset(archive_read_new());
    if (!archive || archive_read_support_format_zip_streamable(archive.get()) != ARCHIVE_OK) return opened.take_error();
    input = std::make_unique<ArchiveInput>(content);
    if (!input->open(archive.get()).ok()) return opened.take_error();
  } else if (!opened.ok()) {
    return opened.take_error();
  }
  return std::unique_ptr<Reader>(std::make_unique<ArchiveReader>(std::move(archive), std::move(input)));
}

}  // namespace exhibit::expand
