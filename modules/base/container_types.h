#pragma once
// Which items hold others, by what is known of them already: their type, and where that says too little, their name.
// Known to both programs: the coordinator plans by it, the worker opens by it.

#include <optional>
#include <string_view>

namespace exhibit::base {

enum class Container {
  // Archives.
  zip,  // and documents that are ZIP files: OOXML, OpenDocument, EPUB, JAR, APK
  sevenzip,
  rar,
  tar,
  cpio,
  ar,
  cab,
  lha,
  xar,
  iso9660,
  // One packed stream each.
  gzip,
  bzip2,
  xz,
  lzma,
  lzip,
  zstd,
  lz4,
  compress,
  mail,     // a message, or a mailbox of them
  outlook,  // a store of mail (PST, OST), or a message (MSG)
  pdf,      // its embedded files
};

struct ContainerGuess {
  Container container;
  bool is_sure = true;  // false: by the name, where libmagic's word for the content says too little
};

// `type`: MIME type by content; `path`: the item's. Nothing: it holds none that Exhibit could tell.
std::optional<ContainerGuess> container_of(std::string_view type, std::string_view path);

}  // namespace exhibit::base
