#include <magic.h>

#include "match/content.h"

namespace exhibit::match {
namespace {

// The distribution's compiled database, by its own name: libmagic's default would also ask $MAGIC and $HOME/.magic, and
// the types would differ from machine to machine.
constexpr const char* databases[] = {"/usr/share/misc/magic.mgc", "/usr/lib/file/magic.mgc"};
// Never unpacks (that forks), never follows anything outside the buffer.
constexpr int magic_flags = MAGIC_MIME_TYPE | MAGIC_NO_CHECK_COMPRESS;
constexpr const char* empty_type = "inode/x-empty";
constexpr const char* unknown_type = "application/octet-stream";

struct MagicDeleter {
  void operator()(magic_t magic) const { magic_close(magic); }
};
using Magic = std::unique_ptr<std::remove_pointer_t<magic_t>, MagicDeleter>;

class LibmagicDetector final : public TypeDetector {
 public:
  explicit LibmagicDetector(Magic magic) : magic_(std::move(magic)) {}

  std::string type_of(std::span<const std::byte> head) override {
    if (head.empty()) return empty_type;
    head = head.first(std::min(head.size(), head_size));
    const char* type = magic_buffer(magic_.get(), head.data(), head.size());
    return type == nullptr || *type == '\0' ? unknown_type : type;
  }

 private:
  Magic magic_;
};

}  // namespace

Result<std::unique_ptr<TypeDetector>> TypeDetector::load() {
  Magic magic(magic_open(magic_flags));
  if (!magic) return Error{ErrorCode::memory_limit, "libmagic can't be initialised", {}, {}};
  for (const char* database : databases) {
    if (magic_load(magic.get(), database) == 0) {
      return std::unique_ptr<TypeDetector>(std::make_unique<LibmagicDetector>(std::move(magic)));
    }
  }
  return Error{ErrorCode::not_found, "libmagic's database isn't there; install the package libmagic-mgc", {}, {}};
}

}  // namespace exhibit::match
