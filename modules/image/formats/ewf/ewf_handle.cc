// Debian's libewf 20140813 holds and exports its own copy of libbfio, and its header offers the functions that take
// libbfio handles only to those who define LIBEWF_HAVE_BFIO. The libbfio functions below come from libewf.so.2: this
// program doesn't link libbfio.so.1, and where another library brings it in, the dynamic linker resolves each of these
// names to one definition for the whole process (libewf's, which is nearer). A test holds on to that.
#define LIBEWF_HAVE_BFIO 1
#include "image/formats/ewf/ewf_handle.h"

#include <libbfio.h>
#include <libewf.h>

#include <algorithm>
#include <array>

#include "base/checked.h"

namespace exhibit::image::ewf {
namespace {

// The one thing libbfio needs to know of a file: a segment and a position of its own in it.
struct Cursor {
  const SegmentFile* segment = nullptr;
  std::uint64_t position = 0;
  bool open = false;

  static Cursor& of(intptr_t* handle) { return *reinterpret_cast<Cursor*>(handle); }
};

int cursor_free(intptr_t** handle, libbfio_error_t**) {
  delete reinterpret_cast<Cursor*>(*handle);
  *handle = nullptr;
  return 1;
}
int cursor_clone(intptr_t** copy, intptr_t* handle, libbfio_error_t**) {
  *copy = reinterpret_cast<intptr_t*>(new Cursor(Cursor::of(handle)));
  return 1;
}
int cursor_open(intptr_t* handle, int access_flags, libbfio_error_t**) {
  if ((access_flags & LIBBFIO_ACCESS_FLAG_WRITE) != 0) return -1;
  Cursor::of(handle).open = true;
  return 1;
}
int cursor_close(intptr_t* handle, libbfio_error_t**) {
  Cursor::of(handle).open = false;
  return 0;
}
ssize_t cursor_read(intptr_t* handle, std::uint8_t* buffer, std::size_t size, libbfio_error_t**) {
  Cursor& cursor = Cursor::of(handle);
  const auto got = read_some(*cursor.segment, cursor.position, {reinterpret_cast<std::byte*>(buffer), size});
  if (!got.ok()) return -1;
  cursor.position += *got;
  return static_cast<ssize_t>(*got);
}
ssize_t cursor_write(intptr_t*, const std::uint8_t*, std::size_t, libbfio_error_t**) { return -1; }
off64_t cursor_seek(intptr_t* handle, off64_t offset, int whence, libbfio_error_t**) {
  Cursor& cursor = Cursor::of(handle);
  const std::uint64_t origin = whence == SEEK_SET ? 0 : whence == SEEK_CUR ? cursor.position : cursor.segment->size;
  off64_t position = 0;
  if (__builtin_add_overflow(static_cast<off64_t>(origin), offset, &position) || position < 0) return -1;
  cursor.position = static_cast<std::uint64_t>(position);
  return position;
}
int cursor_exists(intptr_t*, libbfio_error_t**) { return 1; }
int cursor_is_open(intptr_t* handle, libbfio_error_t**) { return Cursor::of(handle).open ? 1 : 0; }
int cursor_size(intptr_t* handle, size64_t* size, libbfio_error_t**) {
  *size = Cursor::of(handle).segment->size;
  return 1;
}

class EwfError {
 public:
  EwfError() = default;
  ~EwfError() { reset(); }
  EwfError(const EwfError&) = delete;
  EwfError& operator=(const EwfError&) = delete;
  libewf_error_t** out() {
    reset();
    return &error_;
  }
  libbfio_error_t** bfio_out() { return reinterpret_cast<libbfio_error_t**>(out()); }
  std::string text() const {
    std::array<char, 512> buffer{};
    if (error_ == nullptr || libewf_error_sprint(error_, buffer.data(), buffer.size()) < 0) return "libewf gave up";
    std::string said(buffer.data());
    said.erase(std::min(said.find('\n'), said.size()));
    return said;
  }

 private:
  void reset() {
    if (error_ != nullptr) libewf_error_free(&error_);
  }
  libewf_error_t* error_ = nullptr;
};

}  // namespace

struct EwfHandle::State {
  const SegmentFile* first = nullptr;
  libbfio_pool_t* pool = nullptr;
  libewf_handle_t* handle = nullptr;

  State() = default;
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  ~State() {
    if (handle != nullptr) {
      libewf_handle_close(handle, nullptr);
      libewf_handle_free(&handle, nullptr);
    }
    if (pool != nullptr) libbfio_pool_free(&pool, nullptr);
  }

  Error failed(ErrorCode code, const EwfError& error) const {
    return Error{code, first->name + ": the EWF image cannot be read: " + error.text(), first->name, {}};
  }
  Result<void> append(const SegmentFile& segment);
};

Result<void> EwfHandle::State::append(const SegmentFile& segment) {
  EwfError error;
  auto cursor = std::make_unique<Cursor>();
  cursor->segment = &segment;
  libbfio_handle_t* file = nullptr;
  if (libbfio_handle_initialize(
          &file, reinterpret_cast<intptr_t*>(cursor.get()), cursor_free, cursor_clone, cursor_open, cursor_close,
          cursor_read, cursor_write, cursor_seek, cursor_exists, cursor_is_open, cursor_size,
          LIBBFIO_FLAG_IO_HANDLE_MANAGED | LIBBFIO_FLAG_IO_HANDLE_CLONE_BY_FUNCTION, error.bfio_out()) != 1) {
    return failed(ErrorCode::internal, error);
  }
  static_cast<void>(cursor.release());  // the libbfio handle owns it now
  int entry = 0;
  if (libbfio_pool_append_handle(pool, &entry, file, LIBBFIO_OPEN_READ, error.bfio_out()) != 1) {
    libbfio_handle_free(&file, nullptr);
    return failed(ErrorCode::internal, error);
  }
  return {};
}

EwfHandle::EwfHandle(std::unique_ptr<State> state) : state_(std::move(state)) {}
EwfHandle::~EwfHandle() = default;

Result<std::unique_ptr<EwfHandle>> EwfHandle::open(const std::vector<SegmentFile>& segments) {
  auto state = std::make_unique<State>();
  state->first = &segments.front();
  EwfError error;
  // A pool of 0 entries: append adds behind the ones it starts with. 0 open handles: no limit.
  if (libbfio_pool_initialize(&state->pool, 0, 0, error.bfio_out()) != 1)
    return state->failed(ErrorCode::internal, error);
  for (const SegmentFile& segment : segments) EXHIBIT_TRY(state->append(segment));
  if (libewf_handle_initialize(&state->handle, error.out()) != 1) return state->failed(ErrorCode::internal, error);
  if (libewf_handle_open_file_io_pool(state->handle, state->pool, LIBEWF_OPEN_READ, error.out()) != 1)
    return state->failed(ErrorCode::corrupt, error);
  if (libewf_handle_set_read_zero_chunk_on_error(state->handle, 1, error.out()) != 1)
    return state->failed(ErrorCode::internal, error);
  return std::unique_ptr<EwfHandle>(new EwfHandle(std::move(state)));
}

Result<std::uint64_t> EwfHandle::media_size() {
  EwfError error;
  size64_t size = 0;
  if (libewf_handle_get_media_size(state_->handle, &size, error.out()) != 1)
    return state_->failed(ErrorCode::corrupt, error);
  return std::uint64_t{size};
}

Result<void> EwfHandle::read(std::uint64_t offset, std::span<std::byte> buffer) {
  for (std::size_t done = 0; done < buffer.size();) {
    EwfError error;
    const ssize_t got = libewf_handle_read_random(state_->handle, buffer.data() + done, buffer.size() - done,
                                                  static_cast<off64_t>(offset + done), error.out());
    if (got <= 0) return state_->failed(ErrorCode::io_error, error);
    done += static_cast<std::size_t>(got);
  }
  return {};
}

std::vector<SectorRange> EwfHandle::bad_sectors() {
  std::vector<SectorRange> ranges;
  std::uint32_t count = 0;
  EwfError error;
  libewf_handle_get_number_of_checksum_errors(state_->handle, &count, error.out());
  for (std::uint32_t i = 0; i < count; ++i) {
    SectorRange range;
    if (libewf_handle_get_checksum_error(state_->handle, i, &range.first, &range.count, error.out()) == 1)
      ranges.push_back(range);
  }
  return ranges;
}

std::vector<SectorRange> EwfHandle::acquisition_errors() {
  std::vector<SectorRange> ranges;
  std::uint32_t count = 0;
  EwfError error;
  libewf_handle_get_number_of_acquiry_errors(state_->handle, &count, error.out());
  for (std::uint32_t i = 0; i < count; ++i) {
    SectorRange range;
    if (libewf_handle_get_acquiry_error(state_->handle, i, &range.first, &range.count, error.out()) == 1)
      ranges.push_back(range);
  }
  return ranges;
}

std::optional<std::string> EwfHandle::stored_digest(const char* identifier) {
  constexpr std::size_t longest = 129;  // SHA-512 in hex and the final zero
  std::array<std::uint8_t, longest> value{};
  EwfError error;
  const std::string name(identifier);
  if (libewf_handle_get_utf8_hash_value(state_->handle, reinterpret_cast<const std::uint8_t*>(name.data()), name.size(),
                                        value.data(), value.size(), error.out()) != 1) {
    return std::nullopt;
  }
  std::string text(reinterpret_cast<const char*>(value.data()));
  std::transform(text.begin(), text.end(), text.begin(),
                 [](char c) { return c >= 'A' && c <= 'F' ? c + ('a' - 'A') : c; });
  return text.empty() ? std::nullopt : std::optional(text);
}

}  // namespace exhibit::image::ewf
