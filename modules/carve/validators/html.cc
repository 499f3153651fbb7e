// HTML (WHATWG HTML Living Standard, "13.2 Parsing HTML documents"; RFC 1866): from the doctype or <html> to </html>.
// Browsers forgive everything, so the standard proves little: `validated` is what a careful author's document shows -
// every element that must be closed is closed, in order, and no cluster of it could be any text.

#include <array>
#include <utility>

#include "base/utf8.h"
#include "carve/text.h"
#include "carve/validator.h"

namespace exhibit::carve {
namespace {

constexpr std::size_t deepest = 512;
constexpr std::size_t longest_name = 32;
constexpr std::uint64_t least = 256;         // bytes that must hold of a broken one
constexpr std::uint32_t least_elements = 4;  // html, head, title, body

// Elements with both tags in every document that is in order (13.1.2.4: all but these may be left open).
constexpr std::array<std::string_view, 35> paired = {
    "html",   "head",   "body",     "title",  "div",        "span",    "table",  "ul",     "ol",
    "dl",     "a",      "b",        "i",      "u",          "em",      "strong", "h1",     "h2",
    "h3",     "h4",     "h5",       "h6",     "pre",        "code",    "script", "style",  "form",
    "select", "button", "textarea", "iframe", "blockquote", "section", "nav",    "article"};

int index_of(std::string_view name) {
  for (std::size_t i = 0; i < paired.size(); ++i) {
    if (paired[i] == name) return static_cast<int>(i);
  }
  return -1;
}

class Scanner {
 public:
  explicit Scanner(const Content& content) : cursor_(content) {}

  enum class End { whole, unbalanced, broken };

  End scan() {
    cursor_.take("\xef\xbb\xbf");
    while (!is_done_) {
      cursor_.skip_while([](std::uint8_t byte) {
        return (byte >= 0x20 && byte < 0x7f && byte != '<') || byte == '\n' || byte == '\t' || byte == '\r';
      });
      if (cursor_.peek() == '<' ? !markup() : !character()) return End::broken;
    }
    return is_balanced_ && open_.empty() && elements_ >= least_elements ? End::whole : End::unbalanced;
  }
  bool is_utf8() const { return is_utf8_; }
  std::uint64_t position() const { return cursor_.position(); }
  // Behind the last tag: what follows it may be any text.
  std::uint64_t last_tag() const { return last_tag_; }
  bool is_much() const { return has_body_ && elements_ >= least_elements * 2; }
  std::uint32_t elements() const { return elements_; }

 private:
  bool character() {
    const int byte = cursor_.peek();
    if (byte < 0 || is_control(byte)) return false;
    std::size_t length = 1;
    if (byte >= 0x80) {
      const ByteSpan bytes = cursor_.ahead(4);
      length = base::utf8_sequence_length({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
      if (length == 0) is_utf8_ = false;  // an older encoding: nothing to check
    }
    cursor_.skip(std::max<std::size_t>(length, 1));
    return true;
  }

  bool until(std::string_view end) {
    for (;;) {
      const char first = end.front();
      cursor_.skip_while([first](std::uint8_t byte) {
        return byte != first && ((byte >= 0x20 && byte < 0x7f) || byte == '\n' || byte == '\t' || byte == '\r');
      });
      if (cursor_.take_any_case(end)) return true;
      if (!character()) return false;
    }
  }

  bool markup() {
    if (cursor_.take("<!--")) return until("-->");
    if (elements_ > 0 && starts_with_any_case(cursor_.ahead(14), "<!doctype html")) return false;  // another document
    if (cursor_.take("<!") || cursor_.take("<?")) return until(">");
    const std::uint64_t tag_begin = cursor_.position();
    cursor_.skip(1);
    const bool is_end = cursor_.take("/");
    if (!is_letter(cursor_.peek())) return true;  // a bare `<` is text
    char name[longest_name];
    std::size_t length = 0;
    while (is_letter(cursor_.peek()) || is_digit(cursor_.peek())) {
      const char byte = lower(cursor_.next());
      if (length < longest_name) name[length++] = byte;
    }
    // An address in angle brackets is text.
    if (!is_space(cursor_.peek()) && cursor_.peek() != '>' && cursor_.peek() != '/') return cursor_.peek() >= 0;
    if (!attributes()) return cursor_.peek() == '<';  // it was no tag
    const std::string_view tag(name, length);
    if (covers_cluster(last_tag_, tag_begin)) is_balanced_ = false;
    last_tag_ = cursor_.position();
    return is_end ? end_tag(tag) : start_tag(tag);
  }

  // Up to the tag's `>`.
  bool attributes() {
    for (int before = 0;;) {
      const int byte = cursor_.peek();
      if (byte == '>') {
        is_closed_at_once_ = before == '/';
        cursor_.skip(1);
        return true;
      }
      if (before == '=' && (byte == '"' || byte == '\'')) {
        if (!quoted(byte)) return false;
        before = byte;
        continue;
      }
      if (byte == '<') {
        is_balanced_ = false;
        return false;
      }
      if (!is_space(byte) || before != '=') before = byte;
      if (!character()) return false;
    }
  }
  bool quoted(int quote) {
    cursor_.skip(1);
    while (cursor_.peek() != quote) {
      if (!character()) return false;
    }
    cursor_.skip(1);
    return true;
  }

  bool start_tag(std::string_view tag) {
    if (elements_ == 0 && tag != "html" && tag != "head" && tag != "title" && tag != "meta") is_balanced_ = false;
    // Another document begins: this one's end is lost.
    if (tag == "html" && std::exchange(has_html_, true)) return false;
    if (tag == "body" || tag == "frameset") has_body_ = true;
    ++elements_;
    const int index = index_of(tag);
    if (index < 0 || is_closed_at_once_) return true;
    if (open_.size() == deepest) return false;
    open_.push_back(index);
    // Their text isn't markup (13.2.5.2-4).
    if (tag == "script" || tag == "style" || tag == "textarea" || tag == "title") {
      if (!until(tag == "script"  ? "</script"
                 : tag == "style" ? "</style"
                 : tag == "title" ? "</title"
                                  : "</textarea")) {
        return false;
      }
      open_.pop_back();
      if (covers_cluster(last_tag_, cursor_.position())) is_balanced_ = false;
      return until(">");
    }
    return true;
  }

  bool end_tag(std::string_view tag) {
    is_done_ = tag == "html";
    const int index = index_of(tag);
    if (index < 0) return true;
    if (!open_.empty() && open_.back() == index) {
      open_.pop_back();
    } else {
      is_balanced_ = false;
    }
    return true;
  }

  Cursor cursor_;
  std::vector<int> open_;
  std::uint32_t elements_ = 0;
  std::uint64_t last_tag_ = 0;
  bool has_html_ = false, has_body_ = false;
  bool is_balanced_ = true, is_done_ = false, is_closed_at_once_ = false, is_utf8_ = true;
};

bool begins(ByteSpan head) {
  if (starts_with(head, "\xef\xbb\xbf")) head = head.subspan(3);
  if (starts_with_any_case(head, "<!doctype html")) return head.size() > 14 && (is_space(head[14]) || head[14] == '>');
  return starts_with_any_case(head, "<html") && head.size() > 5 && (is_space(head[5]) || head[5] == '>');
}

// Whether the document names an encoding other than UTF-8.
bool names_encoding(const Content& content) {
  constexpr std::uint64_t farthest = 1024;  // bytes (13.2.3.2: where a reader looks for it)
  const std::uint64_t at = find(content, "charset=", 0, farthest);
  if (at == farthest) return false;
  Cursor cursor(content, at + 8);
  if (cursor.peek() == '"' || cursor.peek() == '\'') cursor.next();
  return is_letter(cursor.peek()) && !cursor.take_any_case("utf");
}

Verdict validate(const Content& content, Memory&) {
  if (!begins(content.at(0, 64))) return {};
  Scanner scanner(content);
  const Scanner::End end = scanner.scan();
  if (end == Scanner::End::broken) {
    if (scanner.elements() < least_elements) return {};
    Verdict verdict = broken_text(scanner.last_tag(), least);
    verdict.suspect = std::min(scanner.position() + 1, content.size());
    if (!scanner.is_much()) verdict.tier = Tier::header_only;
    return verdict;
  }
  Verdict verdict = Verdict::whole(text_file_end(content, scanner.position()));
  if (end == Scanner::End::unbalanced || has_prose_cluster(content, verdict.length) ||
      (!scanner.is_utf8() && !names_encoding(content)))
    verdict.tier = Tier::plausible;
  return verdict;
}

}  // namespace

extern const Validator html_validator;
const Validator html_validator = {"html", validate, begins};

}  // namespace exhibit::carve
