#pragma once
// What a ZIP archive is: told from its members' names, and from the member `mimetype` (OpenDocument 1.2 part 3, 3.3;
// EPUB OCF 3.2, 4.3).

#include <cstdint>
#include <string>

#include "carve/zip_records.h"

namespace exhibit::carve::zip {

class Kind {
 public:
  // Takes notice of a member whose local header was read from `content`.
  void note(const Content& content, const Member& member);
  // Of one that only the directory tells of.
  void note_name(const std::string& name);
  // The extension; `zip` if nothing special is known of it.
  std::string extension() const;

 private:
  bool has(std::uint32_t clue) const { return (clues_ & clue) != 0; }
  std::string office() const;
  std::string package() const;

  std::uint32_t clues_ = 0;
  const char* media_ = nullptr;  // what `mimetype` says, as an extension
};

}  // namespace exhibit::carve::zip
