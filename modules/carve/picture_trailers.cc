#include "carve/picture_trailers.h"

#include <algorithm>
#include <string>

namespace exhibit::carve {
namespace {

constexpr std::uint64_t nearby = std::uint64_t{64} << 10;  // bytes within which a trailer ends that has no length
constexpr std::uint64_t samsung_most = std::uint64_t{128} << 20;  // bytes: it may hold a film
constexpr unsigned most_trailers = 16, most_entries = 256;

// Each finds where the trailer ends that begins at `at`; 0: there is none of its kind.

// AFCP: a directory whose offsets count from the file's beginning, and a footer that tells where it lies.
std::uint64_t end_of_afcp(const Content& content, std::uint64_t at) {
  Reader reader(content, at);
  if (!reader.take("AXS!")) return 0;
  reader.be16();
  const std::uint16_t entries = reader.be16();
  reader.be32();
  std::uint64_t end = reader.position();
  for (unsigned i = 0; i < std::min<unsigned>(entries, most_entries); ++i) {
    reader.be32();
    const std::uint64_t length = reader.be32(), offset = reader.be32();
    end = std::max(end, offset + length);
  }
  reader.seek(end);
  if (!reader.take("AXS!") || reader.be32() != at) return 0;
  reader.be32();
  return reader.ok() ? reader.position() : 0;
}

// Canon's VRD: a header and a footer that name themselves.
std::uint64_t end_of_canon(const Content& content, std::uint64_t at) {
  constexpr std::string_view name{"CANON OPTIONAL DATA\0", 20};
  constexpr std::uint64_t footer_length = 64;
  Reader reader(content, at);
  if (!reader.take(name)) return 0;
  reader.be32();
  const std::uint64_t length = reader.be32();
  const std::uint64_t footer = reader.position() + length;
  reader.seek(footer);
  if (!reader.take(name) || footer + footer_length > content.size()) return 0;
  return footer + footer_length;
}

// FotoStation: a footer of ten bytes, with the whole length before its mark.
std::uint64_t end_of_fotostation(const Content& content, std::uint64_t at) {
  constexpr std::string_view mark = "\xa1\xb2\xc3\xd4";
  const std::uint64_t found = find(content, mark, at, at + nearby);
  if (found < at + 6 || found >= std::min(at + nearby, content.size())) return 0;
  Reader reader(content, found - 4);
  const std::uint64_t length = reader.be32(), told = found + 4 - length;
  return length <= found + 4 && (told == at || told == at + 1) ? found + 4 : 0;  // one byte may pad
}

// Photo Mechanic: the same with the length of what is before.
std::uint64_t end_of_photo_mechanic(const Content& content, std::uint64_t at) {
  constexpr std::string_view mark = "cbipcbbl";
  const std::uint64_t found = find(content, mark, at, at + nearby);
  if (found < at + 4 || found >= std::min(at + nearby, content.size())) return 0;
  Reader reader(content, found - 4);
  return reader.be32() == found - 4 - at ? found + mark.size() : 0;
}

// MIE: groups, the last of which tells the length of all.
std::uint64_t end_of_mie(const Content& content, std::uint64_t at) {
  constexpr std::string_view last = "~\0\x04\0zmie~\0\0\x06";
  const std::string_view mark(last.data(), 12), first("0MIE", 4);
  Reader head(content, at);
  if (!head.take("~") || !head.skip(3) || !head.take(first)) return 0;
  const std::uint64_t found = find(content, mark, at, at + nearby);
  if (found >= std::min(at + nearby, content.size())) return 0;
  Reader reader(content, found + mark.size());
  const std::uint64_t length = reader.be32();
  const std::uint64_t end = reader.position() + 2;  // the order of bytes, and the length's length
  return length == end - at && end <= content.size() ? end : 0;
}

// Samsung: blocks, a directory (SEFH) that counts backwards to them, and a footer.
std::uint64_t end_of_samsung(const Content& content, std::uint64_t at) {
  Reader head(content, at);
  const bool is_block = head.le16() == 0 && head.le16() != 0 && head.le32() - 1 < 64;
  if (!head.ok() || !is_block) return 0;
  const std::uint64_t limit = std::min(at + samsung_most, content.size());
  for (std::uint64_t from = at, tries = 0; tries < most_trailers; ++tries) {
    const std::uint64_t directory = find(content, "SEFH", from, limit);
    if (directory >= limit) return 0;
    Reader reader(content, directory + 8);
    const std::uint32_t entries = std::min<std::uint32_t>(reader.le32(), most_entries);
    std::uint64_t farthest = 0;
    for (std::uint32_t i = 0; i < entries; ++i) {
      reader.le32();
      farthest = std::max<std::uint64_t>(farthest, reader.le32());
      reader.le32();
    }
    const std::uint64_t length = reader.position() - directory;
    if (farthest == directory - at && reader.le32() == length && reader.take("SEFT")) return reader.position();
    from = directory + 4;
  }
  return 0;
}

// Makers of telephones: from a mark to a mark.
std::uint64_t end_of_marked(const Content& content, std::uint64_t at, std::string_view first, std::string_view last) {
  Reader reader(content, at);
  if (!reader.take(first)) return 0;
  const std::uint64_t limit = std::min(at + nearby, content.size());
  const std::uint64_t found = find(content, last, at, limit);
  return found < limit ? found + last.size() : 0;
}

std::uint64_t end_of_trailer(const Content& content, std::uint64_t at) {
  for (const auto one : {end_of_afcp, end_of_canon, end_of_mie, end_of_samsung}) {
    if (const std::uint64_t end = one(content, at)) return end;
  }
  if (const auto end = end_of_marked(content, at, "QDIO", "QDIOBS")) return end;
  if (const auto end = end_of_marked(content, at, "vivo{\"", "\x1b\x2a\x39\x48\x57\x66\x75\x84\x93\xa2\xb1"))
    return end;
  for (const auto one : {end_of_fotostation, end_of_photo_mechanic}) {
    if (const std::uint64_t end = one(content, at)) return end;
  }
  return 0;
}

// The number behind `name` in the text, up to the next quotation mark.
std::uint64_t number_of(std::string_view text, std::string_view name) {
  const auto place = text.rfind(name);
  if (place == text.npos) return 0;
  std::uint64_t number = 0;
  for (const char c : text.substr(place + name.size(), 12)) {
    if (c < '0' || c > '9') break;
    number = number * 10 + static_cast<std::uint64_t>(c - '0');
  }
  return number;
}

}  // namespace

std::uint64_t end_of_trailers(const Content& content, std::uint64_t end) {
  for (unsigned i = 0; i < most_trailers; ++i) {
    // Zeros are what a file system leaves behind a file; no trailer begins with so many.
    const ByteSpan next = content.at(end, 8);
    if (next.size() < 8 || std::all_of(next.begin(), next.begin() + 8, [](auto byte) { return byte == 0; })) break;
    const std::uint64_t further = end_of_trailer(content, end);
    if (further <= end || further > content.size()) break;
    end = further;
  }
  return end;
}

std::uint64_t end_of_motion(const Content& content, std::uint64_t xmp, std::uint64_t length, std::uint64_t end) {
  const ByteSpan bytes = content.at(xmp, length);
  const std::string text(reinterpret_cast<const char*>(bytes.data()), std::min<std::uint64_t>(bytes.size(), length));
  std::uint64_t film = number_of(text, "MicroVideoOffset=\"");
  if (film == 0 && text.find("MotionPhoto=\"1\"") != text.npos) film = number_of(text, "Item:Length=\"");
  Reader reader(content, end + 4);
  if (film == 0 || film > content.size() - end || !reader.take("ftyp")) return end;
  // ISO/IEC 14496-12, 4.2: the film's boxes fill exactly what is told.
  std::uint64_t at = end;
  for (unsigned boxes = 0; at < end + film && boxes < most_entries; ++boxes) {
    reader.seek(at);
    const std::uint64_t size = reader.be32();
    if (size < 8) return end;
    at += size;
  }
  return at == end + film ? at : end;
}

}  // namespace exhibit::carve
