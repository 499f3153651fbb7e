#pragma once
// A ByteSource as libyal's libraries want their files. Each of them has a libbfio of its own (cmake/yal.cmake), so the
// function that makes the handle is given; here are only the calls that it makes back.

#include <exhibit/byte_source.h>
#include <libbfio.h>

namespace exhibit::base {

// `source` must outlive the handle, which knows its position and may be freed by its libbfio at any time. nullptr: no
// memory.
libbfio_handle_t* bfio_source(ByteSource& source, decltype(libbfio_handle_initialize)* initialize);

}  // namespace exhibit::base
