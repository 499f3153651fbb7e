#include "carve/text.h"

#include <cstring>

#include "base/utf8.h"

namespace exhibit::carve {
namespace {

constexpr std::uint64_t humble = 256;  // bytes that foreign ones may look like an object's own text

std::string_view view(ByteSpan bytes) { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }
constexpr std::uint64_t longest_line = 1000;  // bytes (RFC 5322, 2.1.1)

constexpr std::size_t lane = 32;  // bytes that are looked at together

// Whether `lane` bytes are ASCII without any control but tab and line ends.
bool is_plain(const std::uint8_t* bytes) {
  std::uint8_t bad = 0;
  for (std::size_t i = 0; i < lane; ++i) {
    const std::uint8_t byte = bytes[i];
    const auto is_space = static_cast<std::uint8_t>(static_cast<std::uint8_t>(byte - 0x09) <= 0x0d - 0x09);
    const auto is_graphic = static_cast<std::uint8_t>(static_cast<std::uint8_t>(byte - 0x20) < 0x5f);
    bad = static_cast<std::uint8_t>(bad | ((is_space | is_graphic) ^ 1));
  }
  return bad == 0;
}

}  // namespace

bool Cursor::take_any_case(std::string_view text) {
  if (!starts_with_any_case(ahead(text.size()), text)) return false;
  next_ += text.size();
  return true;
}

bool starts_with_any_case(ByteSpan bytes, std::string_view lower_case) {
  if (bytes.size() < lower_case.size()) return false;
  for (std::size_t i = 0; i < lower_case.size(); ++i) {
    if (lower(bytes[i]) != lower_case[i]) return false;
  }
  return true;
}

std::size_t text_run(ByteSpan bytes, bool is_utf8) {
  std::size_t at = 0;
  while (at < bytes.size()) {
    if (bytes.size() - at >= lane && is_plain(bytes.data() + at)) {
      at += lane;
      continue;
    }
    if (is_control(bytes[at])) return at;
    if (bytes[at] < 0x80 || !is_utf8) {
      ++at;
      continue;
    }
    const std::size_t length = base::utf8_sequence_length(view(bytes.subspan(at)));
    if (length == 0) return at;
    at += length;
  }
  return at;
}

std::uint64_t text_file_end(const Content& content, std::uint64_t end) {
  constexpr std::size_t farthest = 64;  // bytes of blank lines that a program may leave
  const bool is_behind_line = end > 0 && starts_with(content.at(end - 1, 1), "\n");
  const ByteSpan behind = content.at(end, farthest);
  const auto at = [&](std::size_t i) { return i < behind.size() && i < farthest ? behind[i] : 0; };
  const std::size_t line_end = is_behind_line ? 0 : at(0) == '\n' ? 1 : at(0) == '\r' && at(1) == '\n' ? 2 : 0;
  std::size_t blank = 0;
  while (is_space(at(blank))) ++blank;
  return end + (blank < farthest && at(blank) == 0 ? blank : line_end);
}

// A tag is as rare in a language as many other marks.
static constexpr std::uint32_t of_tag = 7;

bool has_prose_cluster(const Content& content, std::uint64_t length) {
  for (std::uint64_t at = 0; at + cluster <= length; at += cluster) {
    const ByteSpan bytes = content.at(at, cluster);
    if (bytes.size() < cluster) return false;
    std::uint32_t letters = 0, spaces = 0, digits = 0, marks = 0;
    for (const std::uint8_t byte : bytes.first(cluster)) {
      letters += is_letter(byte) || byte >= 0x80 ? 1 : 0;
      spaces += is_space(byte) ? 1 : 0;
      digits += is_digit(byte) ? 1 : 0;
      if (byte == '<') marks += of_tag;
      marks += std::string_view("{}[]%\\=_").find(static_cast<char>(byte)) != std::string_view::npos ? 1 : 0;
    }
    // In hundredths, with room around what licences, letters and articles have.
    const bool has_words = letters * 100 > cluster * 65 && spaces * 100 > cluster * 8;
    if (has_words && digits * 100 < cluster * 5 && marks * 100 < cluster) return true;
  }
  return false;
}

std::uint64_t find_last_near(const Content& content, std::string_view pattern, std::uint64_t from, std::uint64_t to) {
  for (std::uint64_t reach = 512; reach < to - from; reach *= 16) {
    const std::uint64_t hit = find_last(content, pattern, to - reach, to);
    if (hit != to) return hit;
  }
  return find_last(content, pattern, from, to);
}

std::uint64_t behind_blank_line(const Content& content, std::uint64_t position) {
  const ByteSpan bytes = content.at(position, 2);
  if (starts_with(bytes, "\n")) return position + 1;
  return starts_with(bytes, "\r\n") ? position + 2 : position;
}

Verdict broken_text(std::uint64_t position, std::uint64_t least) {
  if (position < least) {
    Verdict verdict;
    verdict.tier = Tier::header_only;
    verdict.length = position;
    return verdict;
  }
  // A line that can't be is told by any of its bytes.
  return Verdict::broken(position - std::min(position, humble), position + longest_line, position,
                         DoubtCause::missing_segment);
}

Line Lines::next(std::size_t longest) {
  const auto* found = static_cast<const std::uint8_t*>(
      bytes_.empty() ? nullptr : std::memchr(bytes_.data(), '\n', std::min(bytes_.size(), longest + 2)));
  if (found == nullptr) {
    bytes_ = content_.at(position_, std::max<std::size_t>(longest + 2, 4096));
    if (bytes_.empty()) return {};
    found = static_cast<const std::uint8_t*>(
        std::memchr(bytes_.data(), '\n', std::min<std::size_t>(bytes_.size(), longest + 2)));
  }
  if (found == nullptr) return {};
  const auto length = static_cast<std::size_t>(found - bytes_.data());
  const ByteSpan line = bytes_.first(length > 0 && bytes_[length - 1] == '\r' ? length - 1 : length);
  bytes_ = bytes_.subspan(length + 1);
  if (text_run(line, false) != line.size()) return {};
  position_ += length + 1;
  return {true, view(line)};
}

}  // namespace exhibit::carve
