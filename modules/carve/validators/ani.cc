// Animated cursors (Microsoft, RIFF ACON): a header that counts icons, and a list that has them.

#include <algorithm>

#include "carve/riff.h"
#include "carve/validator.h"

namespace exhibit::carve {
namespace {

constexpr std::uint64_t riff_header = 12, list_kind = 4, header_length = 36;  // bytes

struct Cursor {
  std::uint64_t frames = 0, icons = 0;
  bool has_header = false, has_frames = false;
};

// LIST fram: icons, each in a chunk.
bool count_icons(const Content& content, const RiffChunk& list, Cursor& cursor) {
  cursor.has_frames = true;
  std::uint64_t position = list.data + list_kind;
  while (position < list.end()) {
    const auto icon = read_chunk(content, position);
    if (!icon || icon->name != four_letters("icon") || icon->end() > list.end()) return false;
    const std::uint32_t head = letters_at(content, icon->data);
    if (head != 0x00000100 && head != 0x00000200) return false;  // of an icon or a cursor
    ++cursor.icons;
    position = icon->next();
  }
  return true;
}

bool take(const Content& content, const RiffChunk& chunk, Cursor& cursor) {
  if (chunk.name == four_letters("anih")) {
    if (cursor.has_header || chunk.length != header_length) return false;
    Reader reader(content, chunk.data);
    cursor.has_header = reader.le32() == header_length;
    cursor.frames = reader.le32();
    return cursor.has_header && reader.ok() && cursor.frames > 0;
  }
  if (chunk.name == four_letters("LIST")) {
    const std::uint32_t kind = letters_at(content, chunk.data);
    if (kind == four_letters("fram")) return !cursor.has_frames && count_icons(content, chunk, cursor);
    return kind == four_letters("INFO");
  }
  return chunk.name == four_letters("rate") || chunk.name == four_letters("seq ") ||
         chunk.name == four_letters("JUNK") || chunk.name == four_letters("DISP");
}

Verdict validate(const Content& content, Memory&) {
  const auto riff = read_chunk(content, 0);
  if (!riff || riff->name != four_letters("RIFF") || letters_at(content, riff->data) != four_letters("ACON")) return {};
  Cursor cursor;
  std::uint64_t position = riff_header;
  while (position < riff->end()) {
    const auto chunk = read_chunk(content, position);
    const bool is_within = chunk && chunk->end() <= riff->end() && chunk->end() <= content.size();
    if (!is_within || !take(content, *chunk, cursor)) {
      if (!cursor.has_header) return {};
      return Verdict::broken(position, std::min(position + riff_chunk_header, content.size()),
                             std::min(position, content.size()), DoubtCause::missing_segment);
    }
    position = std::min(chunk->next(), riff->end());
  }
  if (cursor.frames == 0 || cursor.icons != cursor.frames) return {};
  return Verdict::whole(position);
}

}  // namespace

extern const Validator ani_validator;
const Validator ani_validator = {"ani", validate};

}  // namespace exhibit::carve
