#include "expand/pff_handle.h"

#include <libbfio.h>

#include <algorithm>
#include <cerrno>

// The names under which our libpff's own libbfio is known (CMakeLists.txt); the types are libbfio's.
extern "C" {
decltype(libbfio_handle_initialize) pff_bfio_handle_initialize;
int pff_bfio_handle_free(libbfio_handle_t** handle, libbfio_error_t** error);
}

namespace exhibit::expand {
namespace {

// What libbfio is to know of a file: a content and a position in it.
struct Cursor {
  ByteSource* content = nullptr;
  std::uint64_t position = 0;
};

Cursor& cursor_of(std::intptr_t* handle) { return *reinterpret_cast<Cursor*>(handle); }

int free_cursor(std::intptr_t** handle, libbfio_error_t**) {
  delete reinterpret_cast<Cursor*>(*handle);
  *handle = nullptr;
  return 1;
}

int clone_cursor(std::intptr_t** copy, std::intptr_t* handle, libbfio_error_t**) {
  *copy = reinterpret_cast<std::intptr_t*>(new Cursor(cursor_of(handle)));
  return 1;
}

int open_cursor(std::intptr_t*, int, libbfio_error_t**) { return 1; }
int close_cursor(std::intptr_t*, libbfio_error_t**) { return 0; }

ssize_t read_cursor(std::intptr_t* handle, std::uint8_t* buffer, std::size_t size, libbfio_error_t**) {
  Cursor& cursor = cursor_of(handle);
  const auto got = cursor.content->read_at(cursor.position, std::as_writable_bytes(std::span(buffer, size)));
  if (!got.ok()) return -1;
  cursor.position += *got;
  return static_cast<ssize_t>(*got);
}

ssize_t write_cursor(std::intptr_t*, const std::uint8_t*, std::size_t, libbfio_error_t**) { return -1; }

off64_t seek_cursor(std::intptr_t* handle, off64_t offset, int whence, libbfio_error_t**) {
  Cursor& cursor = cursor_of(handle);
  const auto size = static_cast<off64_t>(cursor.content->size());
  const off64_t from = whence == SEEK_SET ? 0 : whence == SEEK_CUR ? static_cast<off64_t>(cursor.position) : size;
  off64_t to = 0;
  if (__builtin_add_overflow(from, offset, &to) || to < 0 || to > size) return -1;
  cursor.position = static_cast<std::uint64_t>(to);
  return to;
}

int cursor_exists(std::intptr_t*, libbfio_error_t**) { return 1; }
int cursor_is_open(std::intptr_t*, libbfio_error_t**) { return 1; }

int cursor_size(std::intptr_t* handle, size64_t* size, libbfio_error_t**) {
  *size = cursor_of(handle).content->size();
  return 1;
}

}  // namespace

void PffItemFree::operator()(libpff_item_t* item) const { libpff_item_free(&item, nullptr); }

Result<std::unique_ptr<PffFile>> PffFile::open(ByteSource& content) {
  std::unique_ptr<PffFile> opened(new PffFile);
  auto cursor = std::make_unique<Cursor>(Cursor{&content, 0});
  constexpr std::uint8_t managed = LIBBFIO_FLAG_IO_HANDLE_MANAGED | LIBBFIO_FLAG_IO_HANDLE_CLONE_BY_FUNCTION;
  const int made =
      pff_bfio_handle_initialize(&opened->input_, reinterpret_cast<std::intptr_t*>(cursor.get()), free_cursor,
                                 clone_cursor, open_cursor, close_cursor, read_cursor, write_cursor, seek_cursor,
                                 cursor_exists, cursor_is_open, cursor_size, managed, nullptr);
  if (made != 1) return Error{ErrorCode::memory_limit, "libpff can't start", {}, {}};
  static_cast<void>(cursor.release());  // the handle's now
  if (libpff_file_initialize(&opened->file_, nullptr) != 1)
    return Error{ErrorCode::memory_limit, "libpff can't start", {}, {}};
  if (libpff_file_open_file_io_handle(opened->file_, opened->input_, libpff_get_access_flags_read(), nullptr) != 1)
    return Error{ErrorCode::corrupt, "the store's header or its tables can't be read", {}, {}};
  return opened;
}

PffFile::~PffFile() {
  if (file_ != nullptr) libpff_file_free(&file_, nullptr);
  if (input_ != nullptr) pff_bfio_handle_free(&input_, nullptr);
}

PffItem pff_item(const PffGetter& get) {
  libpff_item_t* item = nullptr;
  const int got = get(&item);
  PffItem owned(item);
  if (got != 1) owned.reset();
  return owned;
}

PffTextState pff_text(const PffSize& size_of, const PffText& text, std::size_t most, std::string& out) {
  out.clear();
  std::size_t size = 0;
  const int has = size_of(&size);
  if (has == 0) return PffTextState::absent;
  if (has != 1) return PffTextState::unreadable;
  if (size == 0) return PffTextState::there;
  if (size > most) return PffTextState::too_long;
  out.resize(size);
  if (text(reinterpret_cast<std::uint8_t*>(out.data()), size) != 1) return PffTextState::unreadable;
  if (out.ends_with('\0')) out.pop_back();
  return PffTextState::there;
}

PffTextState pff_property(libpff_item_t* item, std::uint32_t property, std::size_t most, std::string& out) {
  out.clear();
  libpff_record_set_t* set = nullptr;
  if (libpff_item_get_record_set_by_index(item, 0, &set, nullptr) != 1) return PffTextState::unreadable;
  libpff_record_entry_t* entry = nullptr;
  const int has = libpff_record_set_get_entry_by_type(set, property, 0, &entry,
                                                      LIBPFF_ENTRY_VALUE_FLAG_MATCH_ANY_VALUE_TYPE, nullptr);
  auto state = has == 0 ? PffTextState::absent : PffTextState::unreadable;
  if (has == 1) {
    state = pff_text(
        [&](auto* size) { return libpff_record_entry_get_data_as_utf8_string_size(entry, size, nullptr); },
        [&](auto* text, auto size) { return libpff_record_entry_get_data_as_utf8_string(entry, text, size, nullptr); },
        most, out);
  }
  if (entry != nullptr) libpff_record_entry_free(&entry, nullptr);
  libpff_record_set_free(&set, nullptr);
  return state;
}

}  // namespace exhibit::expand
