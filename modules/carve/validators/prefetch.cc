// Windows prefetch files (libscca, Windows Prefetch File (PF) format): a header that tells the length, and sections
// that lie within it. Since Windows 10 they are compressed as a whole (MAM, with [MS-XCA] 2.1's Huffman codes).

#include <algorithm>
#include <vector>

#include "carve/lzxpress.h"
#include "carve/validator.h"

namespace exhibit::carve {
namespace {

constexpr std::uint64_t header_length = 84;                       // bytes
constexpr std::uint64_t information_length = 36;                  // bytes: the offsets and counts of four sections
constexpr std::uint64_t most_length = 16 << 20;                   // bytes
constexpr std::uint64_t packed_header = 8, packed_with_sum = 12;  // bytes of MAM

struct Header {
  std::uint32_t version = 0;
  std::uint64_t length = 0;
};

bool is_version(std::uint32_t version) {
  return version == 17 || version == 23 || version == 26 || version == 30 || version == 31;
}

bool read_header(const Content& content, Header& header) {
  Reader reader(content);
  header.version = reader.le32();
  if (!is_version(header.version) || !reader.take("SCCA")) return false;
  reader.le32();
  header.length = reader.le32();
  // The program's name, in UTF-16, ends within its 60 bytes.
  const ByteSpan name = reader.bytes(60);
  if (!reader.ok() || header.length < header_length + information_length || header.length > most_length) return false;
  for (std::size_t i = 0; i < 60; i += 2) {
    if (name[i] == 0 && name[i + 1] == 0) return i > 0;
  }
  return false;
}

// Whether metrics, traces, names and volumes lie within the file, in that order, and the names are as long as told.
bool sections_hold(const Content& content, const Header& header) {
  Reader reader(content, header_length);
  const std::uint64_t metrics = reader.le32(), metric_count = reader.le32(), traces = reader.le32(),
                      trace_count = reader.le32(), names = reader.le32(), names_length = reader.le32(),
                      volumes = reader.le32(), volume_count = reader.le32(), volumes_length = reader.le32();
  const std::uint64_t metric = header.version == 17 ? 20 : 32, trace = header.version >= 30 ? 8 : 12;
  const bool is_ordered = metrics >= header_length + information_length && metrics + metric_count * metric <= traces &&
                          traces + trace_count * trace <= names && names + names_length <= volumes &&
                          volumes + volumes_length <= header.length && volume_count <= 64;
  if (!reader.ok() || !is_ordered || names_length < 2) return false;
  reader.seek(names + names_length - 2);
  if (reader.le16() != 0) return false;
  // Each volume names its device by an offset in the section and a count of characters.
  reader.seek(volumes);
  const std::uint64_t device = reader.le32(), characters = reader.le32();
  if (volume_count > 0 && (device + 2 * characters > volumes_length || characters == 0)) return false;
  reader.seek(volumes + device);
  return volume_count == 0 || (reader.le16() == '\\' && reader.ok());
}

Verdict validate_plain(const Content& content) {
  Header header;
  if (!read_header(content, header)) return {};
  const bool holds = sections_hold(content, header);
  if (holds && header.length <= content.size()) return Verdict::whole(header.length);
  const std::uint64_t end = std::min(header_length, content.size());
  return Verdict::broken(end, std::min(header.length, content.size()), end, DoubtCause::missing_segment);
}

Verdict validate_packed(const Content& content) {
  Reader reader(content);
  if (!reader.take("MAM")) return {};
  const bool has_sum = reader.u8() == 0x84;
  const std::uint64_t length = reader.le32();
  if (!reader.ok() || length < header_length || length > most_length) return {};
  std::vector<std::uint8_t> plain;
  const std::uint64_t begin = has_sum ? packed_with_sum : packed_header;
  const std::uint64_t end = unpack_lzxpress(content, begin, length, plain);
  if (end == 0) return {};
  const MemoryContent unpacked{ByteSpan(plain)};
  Header header;
  if (!read_header(unpacked, header) || header.length != length || !sections_hold(unpacked, header)) return {};
  return Verdict::whole(end);
}

Verdict validate(const Content& content, Memory&) {
  return starts_with(content.at(0, 3), "MAM") ? validate_packed(content) : validate_plain(content);
}

}  // namespace

extern const Validator prefetch_validator;
const Validator prefetch_validator = {"prefetch", validate};

}  // namespace exhibit::carve
