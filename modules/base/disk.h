#pragma once
// Writing to the work folder.

#include <exhibit/result.h>

#include <string>
#include <string_view>

namespace exhibit::base {

// What errno says of a write to `path`. A full disk (or quota, or file size limit) is ErrorCode::interrupted: what is
// finished is kept, and the run goes on when there is room. Anything else is io_error.
Error write_error(const std::string& path);

// `path` is for the message.
Result<void> write_all(int fd, std::string_view bytes, const std::string& path);

}  // namespace exhibit::base
