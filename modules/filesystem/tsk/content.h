#pragma once
// A stream's bytes as a ByteSource, where they aren't runs of the volume (filesystem/run_content.h).

#include <exhibit/byte_source.h>

#include <functional>
#include <memory>
#include <string>

#include "filesystem/tsk/handles.h"

namespace exhibit::filesystem::tsk {

// Content that libtsk makes of an attribute (resident or compressed). `file` owns the attribute. `forget_damage` is
// called before each read, so that damage beneath libtsk's cache is met again. `damaged`: what was read to get the
// attribute was damaged, so all of it is in doubt.
std::unique_ptr<ByteSource> attribute_content(ByteSource& volume, File file, const TSK_FS_ATTR& attribute, bool damaged,
                                              std::function<void()> forget_damage);

// Content that is in memory already (the target of a symbolic link).
std::unique_ptr<ByteSource> text_content(std::string text, bool damaged);

}  // namespace exhibit::filesystem::tsk
