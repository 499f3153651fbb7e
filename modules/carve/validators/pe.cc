// Portable executables (Microsoft, PE Format): the end is that of the last section, of the certificate table or of the
// symbols behind it. What a program appended for itself (an overlay) can't be told from what lies there by chance and
// is left out, except where a certificate table lies behind it. The optional checksum proves the whole file.

#include <algorithm>

#include "carve/validator.h"

namespace exhibit::carve {
namespace {

constexpr std::uint64_t most_length = std::uint64_t{4} << 30;  // bytes
constexpr std::uint32_t most_sections = 96;
constexpr std::uint32_t certificate_directory = 4;
constexpr std::uint64_t section_header = 40;  // bytes
constexpr std::uint64_t symbol = 18;          // bytes

struct Headers {
  std::uint64_t optional = 0;  // offset
  std::uint64_t sections = 0;  // offset of their table
  std::uint32_t section_count = 0, checksum = 0, file_alignment = 0, headers = 0;
  std::uint64_t symbols = 0, symbol_count = 0;
  std::uint64_t certificates = 0, certificates_size = 0;
  std::uint32_t characteristics = 0;
};

bool read_headers(const Content& content, Headers& headers) {
  Reader reader(content);
  if (!reader.take("MZ")) return false;
  reader.seek(0x3c);
  const std::uint32_t at = reader.le32();
  if (!reader.ok() || at < 0x40 || at > 0x10000) return false;
  reader.seek(at);
  if (!reader.take({"PE\0\0", 4})) return false;
  reader.le16();
  headers.section_count = reader.le16();
  reader.le32();
  headers.symbols = reader.le32();
  headers.symbol_count = reader.le32();
  const std::uint32_t optional_size = reader.le16();
  headers.characteristics = reader.le16();
  headers.optional = reader.position();
  const std::uint32_t magic = reader.le16();
  const bool is_wide = magic == 0x20b;
  if (!reader.ok() || (magic != 0x10b && !is_wide) || headers.section_count > most_sections) return false;
  reader.seek(headers.optional + 36);
  headers.file_alignment = reader.le32();
  reader.seek(headers.optional + 60);
  headers.headers = reader.le32();
  headers.checksum = reader.le32();
  const std::uint64_t directories = headers.optional + (is_wide ? 108 : 92);
  reader.seek(directories);
  const std::uint32_t count = reader.le32();
  headers.sections = headers.optional + optional_size;
  if (count > certificate_directory && directories + 4 + 8 * (certificate_directory + 1) <= headers.sections) {
    reader.seek(directories + 4 + 8 * certificate_directory);
    headers.certificates = reader.le32();
    headers.certificates_size = reader.le32();
  }
  const bool is_aligned = headers.file_alignment > 0 && (headers.file_alignment & (headers.file_alignment - 1)) == 0;
  return reader.ok() && is_aligned && headers.file_alignment <= 0x10000 && headers.headers >= headers.sections - at &&
         headers.headers <= 0x100000;
}

// The end of the last section; 0: they can't be.
std::uint64_t end_of_sections(const Content& content, const Headers& headers) {
  std::uint64_t end = headers.headers, last_address = 0;
  for (std::uint32_t i = 0; i < headers.section_count; ++i) {
    Reader reader(content, headers.sections + i * section_header + 8);
    reader.le32();
    const std::uint64_t address = reader.le32(), size = reader.le32(), offset = reader.le32();
    reader.skip(12);
    const std::uint32_t flags = reader.le32();
    if (!reader.ok() || address < last_address || size > most_length || (flags & 0xf20000e0) == 0) return 0;
    last_address = address;
    if (size > 0 && offset > 0) end = std::max(end, offset + size);
  }
  return end <= most_length ? end : 0;
}

// The string table behind the symbols: its length, which counts itself.
std::uint64_t end_of_symbols(const Content& content, const Headers& headers) {
  const std::uint64_t at = headers.symbols + headers.symbol_count * symbol;
  const std::uint64_t length = Reader(content, at).le32();
  return length >= 4 && length <= 0x10000000 ? at + length : at;
}

// Certificates one behind the other, on multiples of eight; their end, 0: there are none.
std::uint64_t end_of_certificates(const Content& content, const Headers& headers) {
  const std::uint64_t end = headers.certificates + headers.certificates_size;
  std::uint64_t at = headers.certificates;
  while (at < end) {
    Reader reader(content, at);
    const std::uint64_t length = reader.le32();
    const std::uint32_t revision = reader.le16(), type = reader.le16();
    if (!reader.ok() || length < 8 || length > end - at || (revision != 0x100 && revision != 0x200) || type > 4)
      return 0;
    at += (length + 7) / 8 * 8;
  }
  return std::max(at, end);
}

// The checksum as the loader computes it: 16-bit words with the carry, without the field itself.
std::uint32_t checksum(const Content& content, std::uint64_t field, std::uint64_t length) {
  std::uint64_t sum = 0;
  for (std::uint64_t at = 0; at < length;) {
    ByteSpan bytes = content.at(at, std::min<std::uint64_t>(Content::window, length - at));
    bytes = bytes.first(std::min<std::uint64_t>(bytes.size(), length - at));
    if (bytes.size() > 1 && bytes.size() % 2 != 0 && at + bytes.size() < length) bytes = bytes.first(bytes.size() - 1);
    if (bytes.empty()) return 0;
    for (std::size_t i = 0; i < bytes.size(); i += 2) {
      if (at + i == field || at + i == field + 2) continue;
      sum += bytes[i] | (i + 1 < bytes.size() ? std::uint32_t{bytes[i + 1]} << 8 : 0);
    }
    at += bytes.size();
  }
  while (sum >> 16 != 0) sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<std::uint32_t>(sum + length);
}

Verdict validate(const Content& content, Memory&) {
  Headers headers;
  if (!read_headers(content, headers)) return {};
  std::uint64_t end = end_of_sections(content, headers);
  if (end == 0) return {};
  const std::string extension = (headers.characteristics & 0x2000) != 0 ? "dll" : "exe";
  if (headers.symbols > 0 && headers.symbol_count > 0 && headers.symbols < most_length &&
      headers.symbol_count < (1 << 24)) {
    end = std::max(end, end_of_symbols(content, headers));
  }
  bool is_signed = false;
  if (headers.certificates > 0 && headers.certificates_size > 0) {
    const std::uint64_t certificates = end_of_certificates(content, headers);
    if (certificates == 0 || certificates > content.size()) {
      const std::uint64_t reached = std::min(end, content.size());
      Verdict verdict =
          Verdict::broken(std::min<std::uint64_t>(headers.headers, reached),
                          std::min(headers.certificates + 8, content.size()), reached, DoubtCause::missing_segment);
      verdict.extension = extension;
      return verdict;
    }
    is_signed = certificates >= end;
    end = std::max(end, certificates);
  }
  if (end > content.size()) {
    Verdict verdict = Verdict::broken(std::min<std::uint64_t>(headers.headers, content.size()), content.size(),
                                      content.size(), DoubtCause::missing_segment);
    verdict.tier = Tier::header_only;
    verdict.length = std::min<std::uint64_t>(headers.headers, content.size());
    verdict.doubts = {{verdict.length, 0, DoubtCause::missing_segment}};
    verdict.extension = extension;
    return verdict;
  }
  Verdict verdict = Verdict::whole(end, extension);
  const bool is_proved = headers.checksum != 0 && checksum(content, headers.optional + 64, end) == headers.checksum;
  // Headers alone don't speak for what the sections hold.
  if (!is_proved && !is_signed) verdict.tier = Tier::plausible;
  return verdict;
}

bool glance(ByteSpan head) {
  if (head.size() < 0x40) return false;
  const std::uint32_t at =
      head[0x3c] | std::uint32_t{head[0x3d]} << 8 | std::uint32_t{head[0x3e]} << 16 | std::uint32_t{head[0x3f]} << 24;
  if (at < 0x40 || at > 0x10000) return false;
  return at + 4 > head.size() || starts_with(head.subspan(at), {"PE\0\0", 4});
}

}  // namespace

extern const Validator pe_validator;
const Validator pe_validator = {"pe", validate, glance};

}  // namespace exhibit::carve
