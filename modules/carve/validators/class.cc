// Java classes (The Java Virtual Machine Specification, chapter 4): every part has a length or a count; the end is that
// of the last attribute.

#include <algorithm>
#include <vector>

#include "carve/validator.h"

namespace exhibit::carve {
namespace {

constexpr std::uint32_t oldest = 45, newest = 80;      // major versions
constexpr std::uint64_t longest_attribute = 64 << 20;  // bytes

// The constant pool's tags, for what leads into it (4.4).
class Pool {
 public:
  bool read(Reader& reader) {
    const std::uint32_t count = reader.be16();
    if (!reader.ok() || count < 2) return false;
    tags_.assign(count, 0);
    links_.assign(count, {});
    for (std::uint32_t i = 1; i < count; ++i) {
      const unsigned tag = reader.u8();
      tags_[i] = static_cast<std::uint8_t>(tag);
      std::uint64_t length = 0;
      switch (tag) {
        case 1:
          length = reader.be16();
          break;
        case 3:
        case 4:
        case 9:
        case 10:
        case 11:
        case 12:
        case 17:
        case 18:
          length = 4;
          break;
        case 5:
        case 6:
          length = 8;
          break;
        case 7:
        case 8:
        case 16:
        case 19:
        case 20:
          length = 2;
          break;
        case 15:
          length = 3;
          break;
        default:
          return false;
      }
      if (tag >= 7 && length >= 2) {  // leads to one other, or two
        links_[i].first = static_cast<std::uint16_t>(reader.be16());
        if (length == 4) links_[i].second = static_cast<std::uint16_t>(reader.be16());
        length = 0;
        if (tag == 15) reader.seek(reader.position() + 1);
      } else if (tag == 1 && !is_text(reader.bytes(length))) {
        return false;
      } else if (tag == 1) {
        length = 0;
      }
      if (!reader.ok() || !reader.skip(length)) return false;
      if (tag == 5 || tag == 6) ++i;  // takes two places (4.4.5)
    }
    return links_hold();
  }
  bool is(std::uint32_t index, std::uint8_t tag) const { return index < tags_.size() && tags_[index] == tag; }

 private:
  struct Link {
    std::uint16_t first = 0, second = 0;
  };

  // 4.4.7: neither a zero nor what would be more than three bytes.
  static bool is_text(ByteSpan bytes) {
    return std::all_of(bytes.begin(), bytes.end(), [](std::uint8_t byte) { return byte != 0 && byte < 0xf0; });
  }

  bool links_hold() const {
    for (std::size_t i = 1; i < tags_.size(); ++i) {
      const Link& link = links_[i];
      bool holds = true;
      switch (tags_[i]) {
        case 7:
        case 8:
        case 16:
        case 19:
        case 20:
          holds = is(link.first, 1);
          break;
        case 9:
        case 10:
        case 11:
          holds = is(link.first, 7) && is(link.second, 12);
          break;
        case 12:
          holds = is(link.first, 1) && is(link.second, 1);
          break;
        default:
          break;
      }
      if (!holds) return false;
    }
    return true;
  }

  std::vector<std::uint8_t> tags_;
  std::vector<Link> links_;
};

// 4.7.
bool read_attributes(Reader& reader, const Pool& pool) {
  const std::uint32_t count = reader.be16();
  for (std::uint32_t i = 0; i < count; ++i) {
    const std::uint32_t name = reader.be16();
    const std::uint64_t length = reader.be32();
    if (!reader.ok() || !pool.is(name, 1) || length > longest_attribute || !reader.skip(length)) return false;
  }
  return reader.ok();
}

// Fields or methods (4.5, 4.6).
bool read_members(Reader& reader, const Pool& pool) {
  const std::uint32_t count = reader.be16();
  for (std::uint32_t i = 0; i < count; ++i) {
    reader.be16();
    const bool is_named = pool.is(reader.be16(), 1), is_typed = pool.is(reader.be16(), 1);
    if (!is_named || !is_typed || !read_attributes(reader, pool)) return false;
  }
  return reader.ok();
}

Verdict validate(const Content& content, Memory&) {
  Reader reader(content);
  const std::uint32_t magic = reader.be32(), minor = reader.be16(), major = reader.be16();
  if (magic != 0xcafebabe || major < oldest || major > newest || (minor > 3 && minor != 0xffff)) return {};
  Pool pool;
  if (!pool.read(reader)) return {};
  std::uint64_t sound = reader.position();
  const auto broken = [&] { return Verdict::broken(sound, sound, sound, DoubtCause::missing_segment); };
  reader.be16();
  const std::uint32_t self = reader.be16(), super = reader.be16(), interfaces = reader.be16();
  if (!reader.ok() || !pool.is(self, 7) || (super != 0 && !pool.is(super, 7))) return broken();
  for (std::uint32_t i = 0; i < interfaces; ++i) {
    if (!pool.is(reader.be16(), 7)) return broken();
  }
  sound = reader.position();
  for (int part = 0; part < 2; ++part) {
    if (!read_members(reader, pool)) return broken();
    sound = reader.position();
  }
  if (!read_attributes(reader, pool)) return broken();
  return Verdict::whole(reader.position());
}

bool glance(ByteSpan head) { return head.size() >= 10 && head[6] == 0 && head[7] >= oldest && head[7] <= newest; }

}  // namespace

extern const Validator class_validator;
const Validator class_validator = {"class", validate, glance};

}  // namespace exhibit::carve
