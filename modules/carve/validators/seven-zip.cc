// 7z (7zFormat.txt of the LZMA SDK): a start header that tells where the end header lies, both with a CRC-32. What lies
// between them is packed, and its checksums are of what comes out: the end is proved, the body isn't gone through.

#include "carve/validator.h"

namespace exhibit::carve {
namespace {

constexpr std::string_view mark("7z\xbc\xaf\x27\x1c", 6);
constexpr std::uint64_t start_header = 32;  // bytes, with the mark
constexpr std::uint64_t largest_end_header = std::uint64_t{256} << 20;
constexpr unsigned header = 1, encoded_header = 0x17;  // the end header's first byte

Verdict validate(const Content& content, Memory&) {
  Reader reader(content);
  if (!reader.take(mark)) return {};
  const unsigned major = reader.u8();
  reader.u8();
  const std::uint32_t start_sum = reader.le32();
  const std::uint64_t offset = reader.le64(), length = reader.le64();
  const std::uint32_t end_sum = reader.le32();
  if (!reader.ok() || major != 0 || crc32(content, 12, 20) != start_sum) return {};
  if (length == 0) return Verdict::whole(start_header);
  if (length > largest_end_header || offset > UINT64_MAX / 2) return {};
  const std::uint64_t end = start_header + offset + length;
  if (end > content.size()) {
    // It says how long it would be, not how much of that is here.
    return Verdict::broken(start_header, content.size(), start_header, DoubtCause::missing_segment);
  }
  const ByteSpan first = content.at(start_header + offset, 1);
  const bool is_header = !first.empty() && (first[0] == header || first[0] == encoded_header);
  if (!is_header || crc32(content, start_header + offset, length) != end_sum)
    return Verdict::broken(start_header, end, end, DoubtCause::crc_error);
  return Verdict::whole(end);
}

}  // namespace

extern const Validator seven_zip_validator;
const Validator seven_zip_validator = {"seven-zip", validate};

}  // namespace exhibit::carve
