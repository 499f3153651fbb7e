#pragma once
// The streams of a file as libtsk knows them, and where their bytes lie in the volume.

#include <exhibit/byte_source.h>
#include <exhibit/item.h>

#include <optional>
#include <string>
#include <vector>

#include "filesystem/run_content.h"
#include "filesystem/tsk/handles.h"

namespace exhibit::filesystem::tsk {

// One stream of a file. `attribute` belongs to the TSK_FS_FILE that it was taken from.
struct Stream {
  const TSK_FS_ATTR* attribute = nullptr;  // nullptr: libtsk gives no content
  std::string address;                     // "i36-128-1", "i5"
  std::optional<std::string> name;         // raw bytes; absent for the main one
  std::uint64_t size = 0;                  // bytes
};

// Whether the addresses of this file system carry attribute type and id (NTFS and HFS+).
bool addresses_have_attributes(const TSK_FS_INFO& fs);

// The address of metadata alone: "i36".
std::string address_of(TSK_INUM_T number);

// At least one: where libtsk gives no content, one without an attribute.
std::vector<Stream> streams_of(TSK_FS_FILE& file);

// The stream with this address, if the file has it.
std::optional<Stream> find_stream(TSK_FS_FILE& file, std::string_view address);

// The runs of a non-resident attribute; `stored`: what it occupies, its content cut to size otherwise.
Layout layout_of(const TSK_FS_INFO& fs, const TSK_FS_ATTR& attribute, std::uint64_t volume_size);

// Whether content is something else than the bytes of the attribute's runs.
bool is_transformed(const TSK_FS_ATTR& attribute);

}  // namespace exhibit::filesystem::tsk
