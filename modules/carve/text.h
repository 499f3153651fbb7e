#pragma once
// What the validators of text formats share: going over text byte by byte, what bytes text has, and where a file of
// text ends behind its last mark.

#include <string>
#include <string_view>

#include "carve/content.h"
#include "carve/validator.h"

namespace exhibit::carve {

// Goes over content a byte at a time. Whoever else reads the content in between must call refresh().
class Cursor {
 public:
  explicit Cursor(const Content& content, std::uint64_t position = 0) : content_(content) { seek(position); }

  std::uint64_t position() const { return begin_ + next_; }
  void seek(std::uint64_t position) {
    begin_ = position;
    next_ = 0;
    bytes_ = content_.at(position, least);
  }
  void refresh() { seek(position()); }
  bool at_end() { return next_ == bytes_.size() && !fill(); }
  // The byte here; -1 at the content's end.
  int peek() { return at_end() ? -1 : bytes_[next_]; }
  // The same, and moves behind it.
  int next() { return at_end() ? -1 : bytes_[next_++]; }
  // What lies at hand from here on: empty only at the content's end.
  ByteSpan at_hand() { return at_end() ? ByteSpan{} : bytes_.subspan(next_); }
  // `bytes` of what is at hand.
  void skip(std::size_t bytes) { next_ += bytes; }
  // Moves over every byte that `is` accepts.
  template <typename Predicate>
  void skip_while(Predicate is) {
    while (!at_end()) {
      while (next_ < bytes_.size() && is(bytes_[next_])) ++next_;
      if (next_ < bytes_.size()) return;
    }
  }
  // At least `length` bytes (few) from here on, or what is left.
  ByteSpan ahead(std::size_t length) {
    if (bytes_.size() - next_ < length) refresh();
    return bytes_.subspan(next_, std::min(bytes_.size() - next_, length));
  }
  bool is_at(std::string_view text) { return starts_with(ahead(text.size()), text); }
  bool take(std::string_view text) {
    if (!is_at(text)) return false;
    next_ += text.size();
    return true;
  }
  // The same for `text` in lower case, whatever the case there.
  bool take_any_case(std::string_view text);

 private:
  static constexpr std::size_t least = std::size_t{64} << 10;
  bool fill() {
    refresh();
    return !bytes_.empty();
  }

  const Content& content_;
  ByteSpan bytes_;
  std::uint64_t begin_ = 0;
  std::size_t next_ = 0;
};

inline bool is_digit(int byte) { return byte >= '0' && byte <= '9'; }
inline bool is_letter(int byte) { return (byte | 0x20) >= 'a' && (byte | 0x20) <= 'z'; }
inline bool is_blank(int byte) { return byte == ' ' || byte == '\t'; }
inline bool is_space(int byte) { return byte == ' ' || byte == '\t' || byte == '\r' || byte == '\n'; }
inline bool is_hex(int byte) { return is_digit(byte) || ((byte | 0x20) >= 'a' && (byte | 0x20) <= 'f'); }
inline char lower(int byte) { return static_cast<char>(byte >= 'A' && byte <= 'Z' ? byte | 0x20 : byte); }
// What no text has, in whatever encoding that keeps ASCII: C0 controls without tab, line ends, form feed and escape.
inline bool is_control(int byte) {
  return byte < 0x20 ? !((byte >= 0x09 && byte <= 0x0d) || byte == 0x1b) : byte == 0x7f;
}

// `text` in lower case begins with `lower_case`.
bool starts_with_any_case(ByteSpan bytes, std::string_view lower_case);

// How many of `bytes` from the first are text: no controls, and where `is_utf8` well-formed (a character cut by the
// bytes' end counts as text only if `is_end` is false).
std::size_t text_run(ByteSpan bytes, bool is_utf8);

// Where a file ends whose last mark ends at `end`: the line end behind it belongs to it, and further blank lines where
// nothing else follows them.
std::uint64_t text_file_end(const Content& content, std::uint64_t end);

// Whether [begin, end) has a whole cluster of a file system in it, counted from the object's first byte: text without
// any mark of the format there could be another file's, and then nothing proves that it is this one's.
inline constexpr std::uint64_t cluster = 4096;  // bytes, as most volumes have it
inline bool covers_cluster(std::uint64_t begin, std::uint64_t end) {
  return begin < end && end / cluster > (begin + cluster - 1) / cluster;
}

// Whether a whole cluster of the first `length` bytes, counted from the first, is a people's language and no code.
bool has_prose_cluster(const Content& content, std::uint64_t length);

// As find_last, for what is mostly near `to`: looks there first, so that a row of hits costs no row of windows.
std::uint64_t find_last_near(const Content& content, std::string_view pattern, std::uint64_t from, std::uint64_t to);

// Behind an empty line at `position`, where there is one.
std::uint64_t behind_blank_line(const Content& content, std::uint64_t position);

// An object of text whose structure breaks at `position`: bytes that aren't its own can look like it for a while.
// `least`: bytes that must have held, else it is a header at most.
Verdict broken_text(std::uint64_t position, std::uint64_t least);

// The line at the cursor without its end, which is consumed; none where it is longer than `longest`, has a control or
// the content ends before a line end. Valid until the next call.
struct Line {
  bool ok = false;
  std::string_view text;
};
class Lines {
 public:
  explicit Lines(const Content& content, std::uint64_t position = 0) : content_(content), position_(position) {}
  std::uint64_t position() const { return position_; }
  Line next(std::size_t longest = 1000);

 private:
  const Content& content_;
  std::uint64_t position_;
  ByteSpan bytes_;  // from position_ on
};

}  // namespace exhibit::carve
