#pragma once
// libarchive, read through our own sources: nothing of it opens a file, runs a program or writes.

#include <archive.h>
#include <archive_entry.h>

#include <memory>
#include <vector>

#include "expand/reader.h"
#include "expand/stream.h"

namespace exhibit::expand {

struct ArchiveFree {
  void operator()(struct archive* handle) const;
};
using ArchiveHandle = std::unique_ptr<struct archive, ArchiveFree>;

// Gives libarchive a content's bytes. libarchive keeps a pointer to it.
class ArchiveInput {
 public:
  explicit ArchiveInput(ByteSource& content);
  // Opens `archive` over the content. Error: none of the formats that were asked for.
  Result<void> open(struct archive* archive);

 private:
  static la_ssize_t read(struct archive*, void* input, const void** bytes);
  static la_int64_t skip(struct archive*, void* input, la_int64_t length);
  static la_int64_t seek(struct archive*, void* input, la_int64_t offset, int whence);

  ByteSource& content_;
  std::uint64_t position_ = 0;
  std::vector<std::byte> buffer_;
};

// What went wrong, in libarchive's words.
Error error_of(struct archive* archive);

// One of the archive formats.
Result<std::unique_ptr<Reader>> open_archive(base::Container kind, ByteSource& content);

}  // namespace exhibit::expand
