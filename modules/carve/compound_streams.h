#pragma once
// What lies in the streams of Office's compound files proves where they lie: chains of records that must go on across
// the sectors ([MS-XLS] 2.1.4, [MS-PPT] 2.3.1, [MS-DOC] 2.8.5 and 2.9.33).

#include <vector>

#include "carve/compound_file.h"

namespace exhibit::carve {

// A stretch of the content that a stream's own structure speaks for.
struct CheckedStretch {
  std::uint64_t begin = 0, end = 0;  // in the content
  bool is_sound = true;
};

// Stretches of all streams whose structure is known, in the streams' order; behind one that isn't sound nothing is said
// of its stream.
std::vector<CheckedStretch> check_streams(const Content& content, const CompoundFile& file);

// Of a file whose tables are lost: the end of the stream that begins at `begin`, as far as it is a workbook's or a
// presentation's and lies in one piece; `begin`: nothing of that kind.
std::uint64_t end_of_first_stream(const Content& content, std::uint64_t begin);

}  // namespace exhibit::carve
