// XML 1.0 (W3C, fifth edition, 2008): well-formed from the declaration or the root's start-tag to the root's end-tag.
// What is built on it (SVG, KML, GPX, FictionBook, property lists, ...) is told apart by the root element.

#include "base/utf8.h"
#include "carve/text.h"
#include "carve/validator.h"

namespace exhibit::carve {
namespace {

constexpr std::uint64_t step = std::uint64_t{256} << 10;  // bytes between remembered states
constexpr std::size_t deepest = 1024;                     // elements in elements
constexpr std::size_t longest_name = 256;
constexpr std::uint64_t least = 256;  // bytes that must hold of a broken one
constexpr std::uint32_t least_elements = 2;

struct State : Memory::State {
  std::uint64_t position = 0;
  bool is_utf8 = true;
  bool is_strict = true;  // in order, and no stretch of it could be any text
  std::uint32_t elements = 0;
  std::vector<std::uint64_t> open;  // hashes of the names of the elements that aren't closed yet
  std::string root;
};

bool is_name_start(int byte) { return is_letter(byte) || byte == '_' || byte == ':' || byte >= 0x80; }
bool is_name(int byte) { return is_name_start(byte) || is_digit(byte) || byte == '-' || byte == '.'; }

struct Dialect {
  std::string_view root, extension;
};
constexpr Dialect dialects[] = {{"svg", "svg"},       {"kml", "kml"},         {"gpx", "gpx"},
                                {"plist", "plist"},   {"FictionBook", "fb2"}, {"html", "xhtml"},
                                {"rss", "rss"},       {"feed", "atom"},       {"xsl:stylesheet", "xsl"},
                                {"xs:schema", "xsd"}, {"xsd:schema", "xsd"}};

class Scanner {
 public:
  Scanner(const Content& content, State& state) : cursor_(content, state.position), state_(state) {}

  std::uint64_t position() const { return cursor_.position(); }

  // "<?xml version=... encoding=...?>" (2.8, production 23).
  bool declaration() {
    cursor_.take("\xef\xbb\xbf");
    if (!cursor_.take("<?xml")) return true;
    if (!is_space(cursor_.peek())) return false;
    const ByteSpan head = cursor_.ahead(200);
    const std::string_view text(reinterpret_cast<const char*>(head.data()), head.size());
    const std::size_t end = text.find("?>");
    if (end == text.npos || text.find("version=") > end) return false;
    std::string encoding;
    if (const std::size_t at = text.find("encoding="); at < end) {
      for (std::size_t i = at + 10; i < end && text[i] != '"' && text[i] != '\''; ++i) encoding += lower(text[i]);
    }
    state_.is_utf8 = encoding.empty() || encoding == "utf-8" || encoding == "utf8" || encoding == "us-ascii";
    if (text_run(head.first(end), false) != end) return false;
    cursor_.skip(end + 2);
    return true;
  }

  // The next piece of text or markup; false: it isn't well-formed.
  bool step_on() {
    const std::uint64_t begin = cursor_.position();
    const bool is_text = cursor_.peek() != '<' || cursor_.is_at("<!--") || cursor_.is_at("<![CDATA[");
    if (!piece()) return false;
    if (is_text && covers_cluster(begin, cursor_.position())) state_.is_strict = false;
    return true;
  }
  bool is_done() const { return state_.elements > 0 && state_.open.empty(); }

 private:
  bool piece() {
    if (cursor_.peek() != '<') return text();
    cursor_.skip(1);
    if (cursor_.take("!--")) return comment();
    if (cursor_.take("![CDATA[")) return !state_.open.empty() && until("]]>");
    if (cursor_.take("!DOCTYPE")) return state_.elements == 0 && doctype();
    // The declaration of another document (2.6: no instruction has that name).
    if (cursor_.is_at("?xml ")) return false;
    if (cursor_.take("?")) return is_name_start(cursor_.peek()) && until("?>");
    return cursor_.take("/") ? end_tag() : start_tag();
  }

  // A character that isn't markup; moves behind it.
  bool character() {
    const int byte = cursor_.peek();
    if (byte < 0 || is_control(byte)) return false;
    if (byte < 0x80 || !state_.is_utf8) {
      cursor_.skip(1);
      return true;
    }
    const ByteSpan bytes = cursor_.ahead(4);
    const std::size_t length = base::utf8_sequence_length({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
    cursor_.skip(length);
    return length > 0;
  }

  bool plain_run() {
    cursor_.skip_while([](std::uint8_t byte) {
      return (byte >= 0x20 && byte < 0x7f && byte != '<' && byte != '&' && byte != '>') || byte == '\n' ||
             byte == '\t' || byte == '\r';
    });
    return true;
  }

  // Character data (2.4); outside the root only space.
  bool text() {
    if (state_.open.empty()) {
      if (!is_space(cursor_.peek())) return false;
      cursor_.skip_while([](std::uint8_t byte) { return is_space(byte); });
      return true;
    }
    for (;;) {
      plain_run();
      const int byte = cursor_.peek();
      if (byte == '<') return true;
      if (byte == '&' ? !reference() : !character()) return false;
    }
  }

  // "&name;" or "&#number;" (4.1).
  bool reference() {
    cursor_.skip(1);
    const bool is_number = cursor_.take("#");
    std::size_t length = 0;
    while (is_number ? is_hex(cursor_.peek()) || cursor_.peek() == 'x' : is_name(cursor_.peek())) {
      if (++length > longest_name) return false;
      cursor_.skip(1);
    }
    return length > 0 && cursor_.take(";");
  }

  bool until(std::string_view end) {
    for (;;) {
      const char first = end.front();
      cursor_.skip_while([first](std::uint8_t byte) {
        return byte != first && ((byte >= 0x20 && byte < 0x7f) || byte == '\n' || byte == '\t' || byte == '\r');
      });
      if (cursor_.take(end)) return true;
      if (!character()) return false;
    }
  }

  // 2.5: "--" is not allowed within; people do write it.
  bool comment() {
    if (!until("--")) return false;
    while (!cursor_.take(">")) {
      state_.is_strict = false;
      if (!until("--")) return false;
    }
    return true;
  }

  // A name's hash (FNV-1a); 0: none.
  std::uint64_t name(std::string* keep = nullptr) {
    if (!is_name_start(cursor_.peek())) return 0;
    std::uint64_t hash = 0xcbf29ce484222325;
    for (std::size_t length = 0; is_name(cursor_.peek()); ++length) {
      if (length == longest_name) return 0;
      const int byte = cursor_.next();
      if (keep != nullptr) keep->push_back(static_cast<char>(byte));
      hash = (hash ^ static_cast<std::uint64_t>(byte)) * 0x100000001b3;
    }
    return hash | 1;
  }

  bool quoted() {
    const int quote = cursor_.next();
    if (quote != '"' && quote != '\'') return false;
    for (;;) {
      plain_run_until(quote);
      const int byte = cursor_.peek();
      if (byte == quote) break;
      if (byte == '<' || !character()) return false;
    }
    cursor_.skip(1);
    return true;
  }
  void plain_run_until(int quote) {
    cursor_.skip_while([quote](std::uint8_t byte) {
      return byte >= 0x20 && byte < 0x7f && byte != '<' && byte != static_cast<std::uint8_t>(quote);
    });
  }
  bool space() {
    if (!is_space(cursor_.peek())) return false;
    cursor_.skip_while([](std::uint8_t byte) { return is_space(byte); });
    return true;
  }

  bool start_tag() {
    if (state_.elements > 0 && state_.open.empty()) return false;  // one root
    const std::uint64_t hash = name(state_.elements == 0 ? &state_.root : nullptr);
    if (hash == 0 || state_.open.size() == deepest) return false;
    ++state_.elements;
    for (;;) {
      const bool has_space = space();
      if (cursor_.take("/>")) return true;
      if (cursor_.take(">")) break;
      if (!has_space || name() == 0) return false;
      space();
      if (!cursor_.take("=")) return false;
      space();
      if (!quoted()) return false;
    }
    state_.open.push_back(hash);
    return true;
  }

  bool end_tag() {
    const std::uint64_t hash = name();
    if (state_.open.empty() || hash != state_.open.back()) return false;
    state_.open.pop_back();
    space();
    return cursor_.take(">");
  }

  // "<!DOCTYPE name ... [internal subset]>" (2.8, production 28).
  bool doctype() {
    bool is_inside = false;
    for (;;) {
      const int byte = cursor_.peek();
      if (byte == '"' || byte == '\'') {
        if (!doctype_literal()) return false;
      } else if (cursor_.take("<!--")) {
        if (!comment()) return false;
      } else if (byte == '>' && !is_inside) {
        cursor_.skip(1);
        return true;
      } else {
        if (byte == '[') is_inside = true;
        if (byte == ']') is_inside = false;
        if (!character()) return false;
      }
    }
  }
  // May have markup in it.
  bool doctype_literal() {
    const int quote = cursor_.next();
    while (cursor_.peek() != quote) {
      if (!character()) return false;
    }
    cursor_.skip(1);
    return true;
  }

  Cursor cursor_;
  State& state_;
};

std::string extension_of(const std::string& root) {
  for (const Dialect& dialect : dialects) {
    if (root == dialect.root) return std::string(dialect.extension);
  }
  return {};
}

Verdict whole(const Content& content, const State& state) {
  Verdict verdict = Verdict::whole(text_file_end(content, state.position), extension_of(state.root));
  // One empty element isn't structure that could prove anything.
  if (state.elements < least_elements || !state.is_strict) verdict.tier = Tier::plausible;
  return verdict;
}

// A root without a declaration is a file's only where a file can begin: elsewhere it is a part of a page.
std::optional<std::uint64_t> begin_of(const Content& before, std::uint64_t anchor) {
  constexpr std::uint64_t sector = 512;  // bytes
  const bool is_begin = anchor % sector == 0 || is_control(before.at(anchor - 1, 1)[0]);
  return is_begin ? std::optional(anchor) : std::nullopt;
}

Verdict validate(const Content& content, Memory& memory) {
  State state;
  if (const auto* known = static_cast<const State*>(memory.latest())) state = *known;
  Scanner scanner(content, state);
  if (state.position == 0 && !scanner.declaration()) return {};
  std::uint64_t kept = state.position;
  for (;;) {
    if (!scanner.step_on()) break;
    state.position = scanner.position();
    if (scanner.is_done()) return whole(content, state);
    if (state.position - kept < step) continue;
    memory.keep(state.position, std::make_shared<State>(state));
    kept = state.position;
  }
  if (state.elements == 0 || state.open.size() == deepest) return {};
  Verdict verdict = broken_text(std::min(scanner.position(), content.size()), least);
  verdict.extension = extension_of(state.root);
  return verdict;
}

}  // namespace

extern const Validator xml_validator;
const Validator xml_validator = {"xml", validate, nullptr, begin_of};

}  // namespace exhibit::carve
