// Monkey's Audio (Matthew T. Ashland, Monkey's Audio SDK, APEHeader.h): from version 3.98 on a descriptor tells the
// length of every part; the table of frames must rise within the sound.

#include <algorithm>

#include "carve/audio_tags.h"
#include "carve/validator.h"

namespace exhibit::carve {
namespace {

constexpr unsigned first_described = 3980, last_version = 4200;  // versions of the format, by 1000
constexpr std::uint64_t descriptor_length = 52, header_length = 24;

struct Parts {
  std::uint64_t seek = 0, seek_length = 0;  // the table of frames
  std::uint64_t sound = 0, end = 0;
  std::uint32_t last_blocks = 0, blocks = 0, frames = 0;
};

bool read_parts(const Content& content, Parts& parts) {
  Reader reader(content);
  if (!reader.take("MAC ")) return false;
  const unsigned version = reader.le16();
  reader.le16();
  const std::uint64_t descriptor = reader.le32(), header = reader.le32();
  parts.seek_length = reader.le32();
  const std::uint64_t wave = reader.le32(), low = reader.le32(), high = reader.le32(), tail = reader.le32();
  if (!reader.ok() || version < first_described || version > last_version || descriptor < descriptor_length ||
      descriptor > 4096 || header < header_length || header > 4096 || parts.seek_length % 4 != 0 || high > 0xffff) {
    return false;
  }
  parts.seek = descriptor + header;
  parts.sound = parts.seek + parts.seek_length + wave;
  parts.end = parts.sound + (high << 32 | low) + tail;
  reader.seek(descriptor);
  const unsigned level = reader.le16();  // of compression: 1000 to 5000
  reader.le16();
  parts.blocks = reader.le32();
  parts.last_blocks = reader.le32();
  parts.frames = reader.le32();
  const unsigned bits = reader.le16(), channels = reader.le16();
  const std::uint32_t rate = reader.le32();
  return reader.ok() && level >= 1000 && level <= 5000 && level % 1000 == 0 && parts.last_blocks <= parts.blocks &&
         (bits == 8 || bits == 16 || bits == 24 || bits == 32) && channels > 0 && channels <= 32 && rate > 0;
}

// Whether the frames' places rise, and lie within the sound.
bool rises(const Content& content, const Parts& parts) {
  if (parts.seek_length / 4 < parts.frames) return false;
  Reader reader(content, parts.seek);
  std::uint64_t before = 0;
  for (std::uint32_t i = 0; i < parts.frames; ++i) {
    std::uint64_t place = reader.le32();
    if (place < (before & 0xffffffff)) place += std::uint64_t{1} << 32;  // beyond 4 GiB the table wraps
    place += before >> 32 << 32;
    if (!reader.ok() || (i == 0 && place < parts.seek) || (i > 0 && place <= before) || place >= parts.end)
      return false;
    before = place;
  }
  return true;
}

Verdict validate(const Content& content, Memory&) {
  Parts parts;
  if (!read_parts(content, parts)) return {};
  if (parts.end > content.size()) {
    if (!rises(content, parts)) return {};
    return Verdict::broken(parts.sound, content.size(), content.size(), DoubtCause::missing_segment);
  }
  const std::uint64_t tag = audio_tags_length(content, parts.end);
  const bool is_proved = parts.frames > 1 && rises(content, parts) && tag > 0;
  Verdict verdict = Verdict::whole(parts.end + tag);
  if (!is_proved) verdict.tier = Tier::plausible;  // the sound's MD5 isn't gone through
  return verdict;
}

}  // namespace

extern const Validator ape_validator;
const Validator ape_validator = {"ape", validate};

}  // namespace exhibit::carve
