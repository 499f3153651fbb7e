#pragma once
// Files of a case: small ones whole, large ones in pieces, new ones so that they are on the disk when we say so.

#include <exhibit/result.h>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>

#include "base/unique_fd.h"

namespace exhibit::manifest {

// No manifest, signature or ledger comes near this; a larger file isn't one.
inline constexpr std::uint64_t largest_small_file = std::uint64_t{256} << 20;

// Opens for reading. not_found, or io_error; anything but a regular file is refused (a pipe could wait forever).
Result<base::UniqueFd> open_regular(const std::filesystem::path& path);

// The whole file; size_limit beyond `limit`.
Result<std::string> read_whole(const std::filesystem::path& path, std::uint64_t limit = largest_small_file);

// The file in pieces, in order.
Result<void> read_pieces(const std::filesystem::path& path, const std::function<void(std::string_view)>& take);

// Makes a new file with these bytes, synchronised with the disk; never replaces one, and leaves none that isn't whole.
// interrupted: the disk is full.
Result<void> write_new(const std::filesystem::path& path, std::string_view bytes, unsigned mode = 0644);

// Replaces `path` (or makes it) in one step: a reader sees the old bytes or the new.
Result<void> replace(const std::filesystem::path& path, std::string_view bytes);

// write(2) until all is written.
Result<void> write_all(int fd, std::string_view bytes, const std::filesystem::path& path);

// Makes the folder's entries durable.
Result<void> sync_folder(const std::filesystem::path& folder);

// An Error about a file: `code`, "name: what".
Error file_error(ErrorCode code, const std::filesystem::path& path, std::string_view what);

}  // namespace exhibit::manifest
