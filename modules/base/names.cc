// The spelling of the vocabulary's enumerations in records.

#include <exhibit/item.h>

namespace exhibit {

const char* name_of(ErrorCode code) {
  switch (code) {
    case ErrorCode::io_error:
      return "io-error";
    case ErrorCode::corrupt:
      return "corrupt";
    case ErrorCode::unsupported:
      return "unsupported";
    case ErrorCode::encrypted:
      return "encrypted";
    case ErrorCode::not_found:
      return "not-found";
    case ErrorCode::invalid_argument:
      return "invalid-argument";
    case ErrorCode::ambiguous:
      return "ambiguous";
    case ErrorCode::timeout:
      return "timeout";
    case ErrorCode::crash:
      return "crash";
    case ErrorCode::memory_limit:
      return "memory-limit";
    case ErrorCode::depth_limit:
      return "depth-limit";
    case ErrorCode::size_limit:
      return "size-limit";
    case ErrorCode::interrupted:
      return "interrupted";
    case ErrorCode::internal:
      return "internal";
  }
  return "internal";
}

const char* name_of(DoubtCause cause) {
  switch (cause) {
    case DoubtCause::read_error:
      return "read-error";
    case DoubtCause::crc_error:
      return "crc-error";
    case DoubtCause::missing_segment:
      return "missing-segment";
    case DoubtCause::zero_filled:
      return "zero-filled";
  }
  return "read-error";
}

const char* name_of(ItemKind kind) {
  switch (kind) {
    case ItemKind::file:
      return "file";
    case ItemKind::directory:
      return "directory";
    case ItemKind::symlink:
      return "symlink";
    case ItemKind::device:
      return "device";
    case ItemKind::fifo:
      return "fifo";
    case ItemKind::socket:
      return "socket";
    case ItemKind::virtual_file:
      return "virtual";
  }
  return "file";
}

const char* name_of(ItemState state) {
  switch (state) {
    case ItemState::allocated:
      return "allocated";
    case ItemState::deleted:
      return "deleted";
    case ItemState::overwritten:
      return "overwritten";
    case ItemState::orphan:
      return "orphan";
    case ItemState::carved:
      return "carved";
    case ItemState::member:
      return "member";
  }
  return "allocated";
}

}  // namespace exhibit
