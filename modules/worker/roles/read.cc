// Bytes that somebody waits for, into the memory shared with the coordinator: pieces of the medium or of a volume, or a
// stretch of a content that only its file system can give. All that was asked for, or an Error: whoever waits has no
// place for a doubt beside the bytes.

#include <algorithm>
#include <cstring>

#include "worker/task.h"

namespace exhibit::worker {
namespace {

using base::Json;

Result<void> read_whole(ByteSource& source, std::uint64_t offset, std::span<std::byte> into) {
  const std::size_t got = EXHIBIT_TRY(source.read_at(offset, into));
  if (got != into.size()) return Error{ErrorCode::io_error, "it ends before the last byte asked for", {}, offset};
  const auto doubts = source.doubts(offset, got);
  if (doubts.empty()) return {};
  return Error{
      ErrorCode::io_error, std::string("in doubt: ") + name_of(doubts.front().cause), {}, doubts.front().offset};
}

// [offset, length]: bytes of the medium, or of the volume that is named, or zeros that nothing holds (offset -1).
Result<void> read_pieces(ByteSource& source, const Json& pieces, std::span<std::byte> into) {
  std::size_t done = 0;
  for (const Json& piece : pieces) {
    const auto offset = piece.at(0).get<std::int64_t>();
    const std::size_t length = std::min(piece.at(1).get<std::size_t>(), into.size() - done);
    const auto part = into.subspan(done, length);
    if (offset == sparse_run) {
      std::memset(part.data(), 0, part.size());
    } else {
      EXHIBIT_TRY(read_whole(source, static_cast<std::uint64_t>(offset), part));
    }
    done += length;
  }
  if (done == into.size()) return {};
  return Error{ErrorCode::invalid_argument, "fewer pieces than bytes", {}, {}};
}

}  // namespace

Result<void> run_read(Context& context, const Task& task, Output& output) {
  const auto bytes = task.arguments.at("bytes").get<std::size_t>();
  if (bytes > context.shared.bytes().size())
    return Error{ErrorCode::invalid_argument, "more bytes than the shared memory holds", {}, {}};
  const auto into = context.shared.bytes().first(bytes);
  output.touch(task.arguments.value("item", ""), bytes);
  if (task.arguments.contains("pieces")) {
    ByteSource* source = EXHIBIT_TRY(context.image(task.arguments));
    if (task.arguments.contains("volume")) source = &EXHIBIT_TRY(context.open_volume(task.arguments))->bytes();
    EXHIBIT_TRY(read_pieces(*source, task.arguments.at("pieces"), into));
  } else {
    OpenVolume* volume = EXHIBIT_TRY(context.open_volume(task.arguments));
    ByteSource* content = EXHIBIT_TRY(volume->content(task.arguments.at("address").get<std::string>()));
    EXHIBIT_TRY(read_whole(*content, task.arguments.at("offset").get<std::uint64_t>(), into));
  }
  output.message({{"message", "read"}, {"bytes", bytes}});
  return {};
}

extern const Role read_role;
const Role read_role = {"read", run_read};

}  // namespace exhibit::worker
