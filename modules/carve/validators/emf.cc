// Windows metafiles: records that tell their lengths, to the last of them; the header tells their number and the bytes
// of all (MS-EMF 2.3.4.2, 2.3.4.1; MS-WMF 2.3.2.2, 2.3.2.3).

#include <algorithm>

#include "carve/validator.h"

namespace exhibit::carve {
namespace {

constexpr std::uint32_t most_records = 10'000'000;

Verdict broken_at(const Content& content, std::uint64_t at, std::uint64_t records) {
  constexpr std::uint64_t rich = 32;  // records that held
  const std::uint64_t end = std::min(at, content.size());
  Verdict verdict = Verdict::broken(end, std::min(end + 8, content.size()), end, DoubtCause::missing_segment);
  if (records < rich) verdict.tier = Tier::header_only;
  return verdict;
}

// MS-EMF
Verdict validate_extended(const Content& content) {
  constexpr std::uint32_t first_record = 1, last_record = 14, least_header = 88;  // EMR_HEADER, EMR_EOF
  Reader header(content);
  const std::uint32_t type = header.le32(), header_length = header.le32();
  header.seek(40);
  const bool has_mark = header.take(" EMF");
  header.le32();
  const std::uint64_t bytes = header.le32();
  const std::uint32_t records = header.le32();
  if (!has_mark || type != first_record || header_length < least_header || !header.ok() || records < 2) return {};
  if (records > most_records || bytes < header_length) return {};
  std::uint64_t at = header_length;
  for (std::uint32_t i = 1; i < records; ++i) {
    Reader record(content, at);
    const std::uint32_t kind = record.le32();
    const std::uint64_t length = record.le32();
    const bool is_record = kind > first_record && kind <= 0x7a && length >= 8 && length % 4 == 0;
    if (!record.ok() || !is_record || (kind == last_record) != (i + 1 == records)) return broken_at(content, at, i);
    at += length;
    if (at > bytes || at > content.size()) return broken_at(content, at - length, i);
  }
  return at == bytes ? Verdict::whole(at, "emf") : broken_at(content, at, records);
}

constexpr std::uint64_t placeable_length = 22;

// The header that Aldus added: ten words whose exclusive or is the eleventh.
bool is_placeable(const Content& content) {
  Reader reader(content);
  unsigned sum = 0;
  for (int i = 0; i < 10; ++i) sum ^= reader.le16();
  return reader.le16() == sum && reader.ok();
}

// MS-WMF, from its header at `begin` on.
Verdict validate_windows(const Content& content, std::uint64_t begin) {
  constexpr std::uint64_t header_length = 18;
  Reader reader(content, begin);
  const unsigned type = reader.le16(), words = reader.le16(), version = reader.le16();
  const std::uint64_t length = std::uint64_t{reader.le32()} * 2;
  reader.le16();
  const std::uint64_t largest = std::uint64_t{reader.le32()} * 2;
  if (!reader.ok() || type != 1 || words != 9 || (version != 0x100 && version != 0x300)) return {};
  std::uint64_t at = begin + header_length;
  for (std::uint32_t i = 0; i < most_records; ++i) {
    Reader record(content, at);
    const std::uint64_t bytes = std::uint64_t{record.le32()} * 2;
    const unsigned function = record.le16();
    if (!record.ok() || bytes < 6 || bytes > std::max<std::uint64_t>(largest, 6)) return broken_at(content, at, i);
    at += bytes;
    if (at > begin + length || at > content.size()) return broken_at(content, at - bytes, i);
    if (function == 0) {
      return at == begin + length ? Verdict::whole(at, "wmf") : broken_at(content, at, i);
    }
  }
  return {};
}

Verdict validate(const Content& content, Memory&) {
  const ByteSpan head = content.at(0, 4);
  if (starts_with(head, "\xd7\xcd\xc6\x9a")) {
    return is_placeable(content) ? validate_windows(content, placeable_length) : Verdict{};
  }
  return starts_with(head, {"\x01\0\x09\0", 4}) ? validate_windows(content, 0) : validate_extended(content);
}

}  // namespace

extern const Validator emf_validator;
const Validator emf_validator = {"emf", validate};

}  // namespace exhibit::carve
