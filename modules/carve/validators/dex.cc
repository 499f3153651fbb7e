// Android's executables (Dalvik Executable format): the header tells the length, with an Adler-32 and a SHA-1 over it.

#include <libdeflate.h>

#include <algorithm>

#include "carve/validator.h"

namespace exhibit::carve {
namespace {

constexpr std::uint64_t header_length = 0x70;  // bytes
constexpr std::uint64_t first_checked = 12;    // byte that the Adler-32 covers
constexpr std::uint32_t byte_order = 0x12345678;

std::uint32_t adler32(const Content& content, std::uint64_t at, std::uint64_t end) {
  std::uint32_t sum = 1;
  while (at < end) {
    ByteSpan bytes = content.at(at, std::min<std::uint64_t>(Content::window, end - at));
    bytes = bytes.first(std::min<std::uint64_t>(bytes.size(), end - at));
    if (bytes.empty()) return ~sum;
    sum = libdeflate_adler32(sum, bytes.data(), bytes.size());
    at += bytes.size();
  }
  return sum;
}

Verdict validate(const Content& content, Memory&) {
  Reader reader(content);
  if (!reader.take("dex\n")) return {};
  reader.skip(3);
  if (reader.u8() != 0) return {};
  const std::uint32_t sum = reader.le32();
  reader.skip(20);
  const std::uint64_t length = reader.le32(), header = reader.le32();
  const std::uint32_t order = reader.le32();
  reader.skip(8);
  const std::uint64_t map = reader.le32();
  if (!reader.ok() || order != byte_order || header != header_length || length < header || map >= length) return {};
  if (length <= content.size() && adler32(content, first_checked, length) == sum) return Verdict::whole(length);
  // The map of what the file holds begins with the header's own entry: type, nothing, one, at 0.
  Reader items(content, map + 4);
  const bool has_map = items.le32() == 0 && items.le32() == 1 && items.le32() == 0 && items.ok();
  const std::uint64_t end = std::min(has_map ? length : header_length, content.size());
  Verdict verdict = Verdict::broken(header_length, std::min(length, content.size()), end,
                                    has_map ? DoubtCause::crc_error : DoubtCause::missing_segment);
  if (!has_map) verdict.tier = Tier::header_only;
  return verdict;
}

}  // namespace

extern const Validator dex_validator;
const Validator dex_validator = {"dex", validate};

}  // namespace exhibit::carve
