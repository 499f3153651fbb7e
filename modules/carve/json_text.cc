#include "carve/json_text.h"

#include <algorithm>

#include "base/utf8.h"
#include "carve/text.h"

namespace exhibit::carve {
namespace {

constexpr std::size_t deepest = 256;
constexpr std::size_t most_members = 256, longest_member = 64;  // that are kept

class Scanner {
 public:
  Scanner(const Content& content, std::uint64_t begin) : cursor_(content, begin) {}

  JsonText scan() {
    JsonText found;
    found.is_whole = whole(found);
    found.end = cursor_.position();
    return found;
  }

 private:
  void space() {
    cursor_.skip_while([](std::uint8_t byte) { return is_space(byte); });
  }

  bool whole(JsonText& found) {
    if (!open()) return false;
    while (!open_.empty()) {
      space();
      const int byte = cursor_.peek();
      if (byte == (open_.back() ? '}' : ']')) {
        cursor_.skip(1);
        open_.pop_back();
        is_first_ = false;
        continue;
      }
      if (!is_first_ && !cursor_.take(",")) return false;
      space();
      if (open_.back() && !name(found)) return false;
      if (!value()) return false;
    }
    return true;
  }

  bool open() {
    const int byte = cursor_.next();
    if ((byte != '{' && byte != '[') || open_.size() == deepest) return false;
    open_.push_back(byte == '{');
    return is_first_ = true;
  }

  bool name(JsonText& found) {
    std::string text;
    if (!string(open_.size() == 1 && found.members.size() < most_members ? &text : nullptr)) return false;
    ++found.names;
    if (!text.empty()) found.members.push_back(std::move(text));
    space();
    if (!cursor_.take(":")) return false;
    space();
    return true;
  }

  bool value() {
    const int byte = cursor_.peek();
    if (byte == '{' || byte == '[') return open();
    is_first_ = false;
    if (byte == '"') return string(nullptr);
    if (byte == '-' || is_digit(byte)) return number();
    return cursor_.take("true") || cursor_.take("false") || cursor_.take("null");
  }

  bool number() {
    std::size_t length = 0;
    while (is_digit(cursor_.peek()) || cursor_.peek() == '-' || cursor_.peek() == '+' || cursor_.peek() == '.' ||
           (cursor_.peek() | 0x20) == 'e') {
      if (++length > 64) return false;
      cursor_.skip(1);
    }
    return true;
  }

  bool string(std::string* keep) {
    if (!cursor_.take("\"")) return false;
    for (;;) {
      if (keep == nullptr) {
        cursor_.skip_while([](std::uint8_t c) { return c >= 0x20 && c < 0x7f && c != '"' && c != '\\'; });
      }
      const int byte = cursor_.peek();
      if (byte < 0x20) return false;  // and the content's end
      if (byte >= 0x80) {
        const ByteSpan bytes = cursor_.ahead(4);
        const std::size_t length =
            base::utf8_sequence_length({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
        if (length == 0) return false;
        cursor_.skip(length);
        continue;
      }
      cursor_.skip(1);
      if (byte == '"') return true;
      if (byte == '\\' && !escape()) return false;
      if (keep != nullptr && keep->size() < longest_member) keep->push_back(static_cast<char>(byte));
    }
  }

  bool escape() {
    const int byte = cursor_.next();
    if (byte == 'u') {
      for (int i = 0; i < 4; ++i) {
        if (!is_hex(cursor_.next())) return false;
      }
      return true;
    }
    return std::string_view("\"\\/bfnrt").find(static_cast<char>(byte)) != std::string_view::npos;
  }

  Cursor cursor_;
  std::vector<bool> open_;  // whether an object, the outermost first
  bool is_first_ = true;
};

}  // namespace

bool JsonText::has(std::string_view name) const {
  return std::find(members.begin(), members.end(), name) != members.end();
}

JsonText scan_json(const Content& content, std::uint64_t begin) { return Scanner(content, begin).scan(); }

}  // namespace exhibit::carve
