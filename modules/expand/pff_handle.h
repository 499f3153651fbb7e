#pragma once
// Owning types for libpff's handles, and its file over a ByteSource.
//
// libpff comes as one object in which all but its own interface is hidden (cmake/yal.cmake): like libewf it holds
// copies of libyal's helper libraries under the same names, and the dynamic linker would mix the two.

#define LIBPFF_HAVE_BFIO
#include <exhibit/byte_source.h>
#include <libpff.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace exhibit::expand {

struct PffItemFree {
  void operator()(libpff_item_t* item) const;
};
using PffItem = std::unique_ptr<libpff_item_t, PffItemFree>;

class PffFile {
 public:
  // `content` must outlive it. Error: no store, or one that libpff can't read.
  static Result<std::unique_ptr<PffFile>> open(ByteSource& content);
  ~PffFile();
  PffFile(const PffFile&) = delete;
  PffFile& operator=(const PffFile&) = delete;

  libpff_file_t* get() { return file_; }

 private:
  PffFile() = default;
  libbfio_handle_t* input_ = nullptr;
  libpff_file_t* file_ = nullptr;
};

// libpff hands out an item into a pointer and tells success by 1; what went wrong in detail isn't asked for.
using PffGetter = std::function<int(libpff_item_t** item)>;
PffItem pff_item(const PffGetter& get);

// A text of an item: its size is asked for, then the text, which ends with a zero. Nothing: there is none, or it can't
// be read, or it is longer than `most`.
using PffSize = std::function<int(std::size_t* size)>;
using PffText = std::function<int(std::uint8_t* text, std::size_t size)>;
enum class PffTextState { there, absent, unreadable, too_long };
PffTextState pff_text(const PffSize& size, const PffText& text, std::size_t most, std::string& out);

// A property of an item (MAPI's number; [MS-OXPROPS]) as UTF-8.
PffTextState pff_property(libpff_item_t* item, std::uint32_t property, std::size_t most, std::string& out);

}  // namespace exhibit::expand
