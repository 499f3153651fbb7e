#pragma once
// What a stream's content is made of: one answer for the walk, which tells extents, and for reading.

#include "filesystem/tsk/metadata.h"
#include "filesystem/tsk/streams.h"

namespace exhibit::filesystem::tsk {

struct Resolved {
  enum class Source { none, runs, attribute, text };
  Source source = Source::none;  // none: libtsk gives no content
  Layout layout;                 // runs
  std::string text;              // text: the target of a symbolic link that no block holds
  std::uint64_t size = 0;
  std::optional<std::string> transform;
};

Resolved resolve(const TSK_FS_FILE& file, const Stream& stream, ByteSource& volume);

}  // namespace exhibit::filesystem::tsk
