#include "mount/store.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace exhibit::mount {
namespace {

constexpr std::size_t write_size = std::size_t{1} << 18;
constexpr std::size_t length_size = sizeof(std::uint32_t);

Error failed(const char* what) {
  return {ErrorCode::interrupted,
          std::string("the index of the mount can't be ") + what + ": " + std::strerror(errno),
          {},
          {}};
}

}  // namespace

Result<Store> Store::create(const std::string& folder) {
  Store store;
  store.file_.reset(open(folder.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, S_IRUSR | S_IWUSR));
  if (!store.file_) {
    // Not every file system can make a file without a name.
    std::string name = folder + "/index-XXXXXX";
    store.file_.reset(mkostemp(name.data(), O_CLOEXEC));
    if (!store.file_) return failed("made");
    unlink(name.c_str());
  }
  return store;
}

Result<std::uint64_t> Store::append(std::string_view text) {
  const std::uint64_t at = size();
  const auto length = static_cast<std::uint32_t>(text.size());
  if (length != text.size()) return Error{ErrorCode::size_limit, "a record longer than 4 GiB", {}, {}};
  pending_.append(reinterpret_cast<const char*>(&length), length_size);
  EXHIBIT_TRY(append_bytes(text));
  return at;
}

Result<void> Store::append_bytes(std::string_view text) {
  pending_.append(text);
  return pending_.size() >= write_size ? finish() : Result<void>();
}

Result<void> Store::finish() {
  std::string_view left = pending_;
  while (!left.empty()) {
    const ssize_t put = pwrite(file_.get(), left.data(), left.size(), static_cast<off_t>(written_));
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return failed("written");
    written_ += static_cast<std::uint64_t>(put);
    left.remove_prefix(static_cast<std::size_t>(put));
  }
  pending_.clear();
  return {};
}

Result<std::string> Store::read(std::uint64_t at) const {
  const std::string head = EXHIBIT_TRY(bytes(at, length_size));
  std::uint32_t length = 0;
  std::memcpy(&length, head.data(), length_size);
  return bytes(at + length_size, length);
}

Result<std::string> Store::bytes(std::uint64_t at, std::size_t length) const {
  // What was appended at once lies on one side of the border.
  if (at >= written_) return pending_.substr(static_cast<std::size_t>(at - written_), length);
  std::string text(length, '\0');
  std::size_t done = 0;
  while (done < length) {
    const ssize_t got = pread(file_.get(), text.data() + done, length - done, static_cast<off_t>(at + done));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return failed("read back");
    done += static_cast<std::size_t>(got);
  }
  return text;
}

}  // namespace exhibit::mount
