#include "base/bfio_source.h"

#include <cstdio>
#include <memory>

namespace exhibit::base {
namespace {

struct Cursor {
  ByteSource* source = nullptr;
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
  const auto got = cursor.source->read_at(cursor.position, std::as_writable_bytes(std::span(buffer, size)));
  if (!got.ok()) return -1;
  cursor.position += *got;
  return static_cast<ssize_t>(*got);
}

ssize_t write_cursor(std::intptr_t*, const std::uint8_t*, std::size_t, libbfio_error_t**) { return -1; }

off64_t seek_cursor(std::intptr_t* handle, off64_t offset, int whence, libbfio_error_t**) {
  Cursor& cursor = cursor_of(handle);
  const auto size = static_cast<off64_t>(cursor.source->size());
  const off64_t from = whence == SEEK_SET ? 0 : whence == SEEK_CUR ? static_cast<off64_t>(cursor.position) : size;
  off64_t to = 0;
  if (__builtin_add_overflow(from, offset, &to) || to < 0 || to > size) return -1;
  cursor.position = static_cast<std::uint64_t>(to);
  return to;
}

int cursor_exists(std::intptr_t*, libbfio_error_t**) { return 1; }
int cursor_is_open(std::intptr_t*, libbfio_error_t**) { return 1; }

int cursor_size(std::intptr_t* handle, size64_t* size, libbfio_error_t**) {
  *size = cursor_of(handle).source->size();
  return 1;
}

}  // namespace

libbfio_handle_t* bfio_source(ByteSource& source, decltype(libbfio_handle_initialize)* initialize) {
  auto cursor = std::make_unique<Cursor>(Cursor{&source, 0});
  constexpr std::uint8_t managed = LIBBFIO_FLAG_IO_HANDLE_MANAGED | LIBBFIO_FLAG_IO_HANDLE_CLONE_BY_FUNCTION;
  libbfio_handle_t* handle = nullptr;
  const int made = initialize(&handle, reinterpret_cast<std::intptr_t*>(cursor.get()), free_cursor, clone_cursor,
                              open_cursor, close_cursor, read_cursor, write_cursor, seek_cursor, cursor_exists,
                              cursor_is_open, cursor_size, managed, nullptr);
  if (made != 1) return nullptr;
  static_cast<void>(cursor.release());  // the handle's now
  return handle;
}

}  // namespace exhibit::base
