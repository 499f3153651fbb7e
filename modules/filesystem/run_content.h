#pragma once
// Content that lies in runs of a volume's bytes: read from there without any library, as a checker would.

#include <exhibit/byte_source.h>
#include <exhibit/item.h>

#include <memory>

namespace exhibit::filesystem {

// Content as runs of the volume's bytes: their lengths add up to the content's size.
struct Layout {
  std::vector<Extent> extents;
  std::vector<Doubt> gaps;  // in bytes of the content: no run, or a run past the volume's end; sparse in `extents`
};

// `volume` must outlive the result.
std::unique_ptr<ByteSource> run_content(ByteSource& volume, Layout layout);

}  // namespace exhibit::filesystem
