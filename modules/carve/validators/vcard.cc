// vCard (RFC 6350; RFC 2426) and iCalendar (RFC 5545): content lines between BEGIN and END. Objects that follow each
// other directly are one file.

#include <vector>

#include "carve/text.h"
#include "carve/validator.h"

namespace exhibit::carve {
namespace {

constexpr std::size_t deepest = 8;
constexpr std::size_t longest_line = std::size_t{64} << 10;   // a photo in one line
constexpr std::uint64_t least = 128;                          // bytes that must hold of a broken one
constexpr std::uint64_t farthest = std::uint64_t{256} << 10;  // bytes in which the object before is looked for

struct Part {
  bool is_whole = false;
  std::uint64_t position = 0;  // behind it, or where it breaks
};

// A content line's name with its group, up to `:` or `;` (RFC 6350, 3.3).
bool is_content_line(std::string_view line) {
  std::size_t length = 0;
  while (length < line.size() && (is_letter(line[length]) || is_digit(line[length]) || line[length] == '-' ||
                                  line[length] == '.' || line[length] == '_')) {
    ++length;
  }
  return length > 0 && length < line.size() && (line[length] == ':' || line[length] == ';') &&
         line.find(':', length) != line.npos;
}

// What lets the next line, without a name, belong to this one: encodings of vCard 2.1.
bool is_folded_otherwise(std::string_view line, bool is_base64) { return line.ends_with('=') || is_base64; }

Part read_part(const Content& content, std::uint64_t position) {
  Lines lines(content, position);
  std::vector<std::string> open;
  bool is_continued = false, is_base64 = false, has_version = false;
  for (;;) {
    const std::uint64_t before = lines.position();
    const Line line = lines.next(longest_line);
    std::string_view text = line.text;
    if (!line.ok) {
      // The last line of a file may lack its end.
      constexpr std::string_view ends[] = {"END:VCARD", "END:VCALENDAR"};
      for (const std::string_view end : ends) {
        if (open.size() == 1 && has_version && end.substr(4) == open.back() &&
            starts_with(content.at(before, end.size()), end)) {
          return {true, before + end.size()};
        }
      }
      return {false, before};
    }
    if (text.starts_with("BEGIN:")) {
      // Another object begins: this one's end is lost.
      if (open.size() == deepest || (!open.empty() && open.back() == text.substr(6))) return {false, before};
      open.emplace_back(text.substr(6));
      is_continued = is_base64 = false;
    } else if (text.starts_with("END:")) {
      if (open.empty() || open.back() != text.substr(4)) return {false, before};
      open.pop_back();
      if (open.empty()) return {has_version, lines.position()};
    } else {
      const bool is_fold = text.empty() || is_blank(text.front());
      if (open.empty() || (!is_fold && !is_continued && !is_content_line(text))) return {false, before};
      if (text.starts_with("VERSION:")) has_version = true;
      if (!is_fold && is_content_line(text)) {
        is_base64 = text.find("BASE64") != text.npos || text.find("ENCODING=b") != text.npos;
      }
      if (text.empty()) is_base64 = false;
      is_continued = is_folded_otherwise(text, is_base64);
    }
  }
}

bool is_begin(const Content& content, std::uint64_t position) {
  const ByteSpan bytes = content.at(position, 16);
  return starts_with(bytes, "BEGIN:VCARD") || starts_with(bytes, "BEGIN:VCALENDAR");
}

// Found by the first of a file.
std::optional<std::uint64_t> begin_of(const Content& before, std::uint64_t anchor) {
  const std::uint64_t from = anchor - std::min(anchor, farthest);
  const std::string_view mark = starts_with(before.at(anchor, 11), "BEGIN:VCARD") ? "BEGIN:VCARD" : "BEGIN:VCALENDAR";
  const std::uint64_t begin = find_last_near(before, mark, from, anchor);
  if (begin == anchor) return anchor;
  const Part part = read_part(before, begin);
  return part.is_whole && (part.position == anchor || behind_blank_line(before, part.position) == anchor)
             ? std::nullopt
             : std::optional(anchor);
}

Verdict validate(const Content& content, Memory&) {
  if (!is_begin(content, 0)) return {};
  const std::string extension = starts_with(content.at(0, 11), "BEGIN:VCARD") ? "vcf" : "ics";
  Part part = read_part(content, 0);
  if (!part.is_whole) {
    Verdict verdict = broken_text(part.position, least);
    verdict.extension = extension;
    return verdict;
  }
  std::uint64_t end = part.position;
  for (;;) {
    const std::uint64_t next = is_begin(content, end) ? end : behind_blank_line(content, end);
    if (!is_begin(content, next)) break;
    part = read_part(content, next);
    if (!part.is_whole) break;
    end = part.position;
  }
  return Verdict::whole(end, extension);
}

}  // namespace

extern const Validator vcard_validator;
const Validator vcard_validator = {"vcard", validate, nullptr, begin_of};

}  // namespace exhibit::carve
