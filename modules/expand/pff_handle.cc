#include "expand/pff_handle.h"

#include <algorithm>

#include "base/bfio_source.h"

// The names under which our libpff's own libbfio is known (cmake/yal.cmake); the types are libbfio's.
extern "C" {
decltype(libbfio_handle_initialize) pff_bfio_handle_initialize;
int pff_bfio_handle_free(libbfio_handle_t** handle, libbfio_error_t** error);
}

namespace exhibit::expand {

void PffItemFree::operator()(libpff_item_t* item) const { libpff_item_free(&item, nullptr); }

Result<std::unique_ptr<PffFile>> PffFile::open(ByteSource& content) {
  std::unique_ptr<PffFile> opened(new PffFile);
  opened->input_ = base::bfio_source(content, pff_bfio_handle_initialize);
  if (opened->input_ == nullptr) return Error{ErrorCode::memory_limit, "libpff can't start", {}, {}};
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
