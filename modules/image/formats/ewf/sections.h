#pragma once
// The chain of sections of one EWF version 1 segment file: what it holds, and where it breaks. Names and layouts follow
// Joachim Metz, "Expert Witness Compression Format (EWF)" (libewf documentation), sections 2 and 3.

#include <optional>

#include "image/segment_file.h"

namespace exhibit::image::ewf {

inline constexpr std::uint64_t file_header_size = 13;
inline constexpr std::uint64_t descriptor_size = 76;

enum class Signature { none, ewf1, ewf2, logical1, logical2, broken };

// What the first bytes say; `broken` where they are not an EWF signature but what follows is a section of EWF.
Signature signature_of(const SegmentFile& segment);

struct Section {
  std::string type;
  std::uint64_t offset = 0;  // of its descriptor, in the file
  std::uint64_t end = 0;     // of its data
  std::uint64_t data() const { return offset + descriptor_size; }
  std::uint64_t data_size() const { return end - data(); }
};

struct Chain {
  std::uint16_t number = 0;  // of the segment, from 1
  std::vector<Section> sections;
  bool last = false;                  // it ends in `done`, not in `next`
  std::optional<std::string> broken;  // what is wrong, where it ends in neither; starts with the file's name
  std::uint64_t broken_at = 0;
  std::vector<std::string> notices;  // what is odd though the chain goes on
};

// An Error where there is no chain at all (no header, no first section) or the system refuses.
Result<Chain> read_chain(const SegmentFile& segment);

// The data of a section of at most `limit` bytes; an Error where it is longer.
Result<std::string> read_data(const SegmentFile& segment, const Section& section, std::uint64_t limit);

}  // namespace exhibit::image::ewf
