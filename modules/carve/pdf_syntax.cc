#include "carve/pdf_syntax.h"

#include <algorithm>
#include <array>

namespace exhibit::carve::pdf {
namespace {

constexpr std::size_t deepest = 100;          // dictionaries and arrays within each other
constexpr std::uint64_t longest_space = 512;  // bytes in a row: more is a gap
constexpr std::uint64_t most_blanks = std::uint64_t{64} << 10;
constexpr std::uint64_t longest_string = std::uint64_t{8} << 20;  // bytes
constexpr std::size_t longest_word = 256;                         // bytes
constexpr std::size_t most_index = std::size_t{1} << 16;          // numbers of /Index
constexpr std::size_t chunk = 64;  // bytes at a time: what is asked for counts in a search, and more lies at hand

// What a trailer or a cross-reference stream says of itself (tables 5, 15 and 17; 7.5.8.4), and what programs add.
constexpr std::array<std::string_view, 15> trailer_keys = {"Type",   "Size",        "Index",   "Prev",        "W",
                                                           "Root",   "Encrypt",     "Info",    "ID",          "Length",
                                                           "Filter", "DecodeParms", "XRefStm", "DocChecksum", "DL"};

bool is_delimiter(int byte) {  // table 2
  return byte == '(' || byte == ')' || byte == '<' || byte == '>' || byte == '[' || byte == ']' || byte == '{' ||
         byte == '}' || byte == '/' || byte == '%';
}

// Goes over content byte by byte; nothing else may read the content meanwhile.
class Cursor {
 public:
  Cursor(const Content& content, std::uint64_t position) : content_(content), base_(position) {}

  std::uint64_t position() const { return base_ + at_; }
  int peek() {  // -1: the content's end
    if (at_ == bytes_.size()) {
      base_ += at_;
      at_ = 0;
      bytes_ = content_.at(base_, chunk);
      if (bytes_.empty()) return -1;
    }
    return bytes_[at_];
  }
  int next() {
    const int byte = peek();
    if (byte >= 0) ++at_;
    return byte;
  }
  // False: there is more than belongs into a file as programs write it.
  bool skip_space() {
    std::uint64_t skipped = 0, blanks = 0;
    for (int byte = peek(); byte >= 0; byte = peek()) {
      if (byte == '%') {
        while (byte >= 0 && byte != '\n' && byte != '\r' && skipped <= longest_space) {
          next();
          byte = peek();
          ++skipped;
        }
      } else if (!is_space(static_cast<std::uint8_t>(byte))) {
        return true;
      } else {
        next();
        // Programs keep room for later with blanks, and with nothing else.
        if (byte == ' ' && ++blanks < most_blanks) continue;
      }
      if (++skipped > longest_space) return false;
    }
    return true;
  }
  // Regular characters (7.2.2) in a row; empty: none, or ones that no program writes there.
  std::string word() {
    std::string word;
    for (int byte = peek(); byte > 0x20 && byte < 0x7f && !is_delimiter(byte); byte = peek()) {
      if (word.size() == longest_word) return {};
      word.push_back(static_cast<char>(next()));
    }
    return word;
  }
  bool literal_string() {  // 7.3.4.2, behind its first parenthesis
    std::uint64_t depth = 1;
    for (std::uint64_t i = 0; i < longest_string; ++i) {
      const int byte = next();
      if (byte < 0) return false;
      if (byte == '\\') {
        next();
      } else if (byte == '(') {
        ++depth;
      } else if (byte == ')' && --depth == 0) {
        return true;
      }
    }
    return false;
  }
  bool hex_string() {  // 7.3.4.3, behind its first bracket
    for (std::uint64_t i = 0; i < longest_string; ++i) {
      const int byte = next();
      if (byte == '>') return true;
      const bool is_digit = (byte >= '0' && byte <= '9') || ((byte | 0x20) >= 'a' && (byte | 0x20) <= 'f');
      // Zero bytes, which are white space too, are no program's, but a gap's.
      if (byte <= 0 || (!is_digit && !is_space(static_cast<std::uint8_t>(byte)))) return false;
    }
    return false;
  }

 private:
  const Content& content_;
  std::uint64_t base_;
  std::size_t at_ = 0;
  ByteSpan bytes_;
};

std::optional<std::uint64_t> to_integer(const std::string& word) {
  std::uint64_t value = 0;
  if (word.empty() || word.size() > 18) return std::nullopt;
  for (const char c : word) {
    if (c < '0' || c > '9') return std::nullopt;
    value = value * 10 + static_cast<std::uint64_t>(c - '0');
  }
  return value;
}

bool is_number(const std::string& word) { return word.find_first_not_of("0123456789+-.") == word.npos; }

// Takes a value, of whatever kind, to its end, and notes what the outermost dictionary says.
class Parser {
 public:
  // `begin`: of the object, or where the dictionary may begin.
  Parser(Cursor& cursor, std::uint64_t begin) : cursor_(cursor), last_key_(begin) {}

  enum class Token { value, end_of_object, stream, broken };

  Token token() {
    is_trailer_key_ = false;
    const Token token = next_token();
    note_distance();
    // An index may hold any amount of numbers.
    if (is_trailer_key_ || (token == Token::value && is_in_index())) last_key_ = cursor_.position();
    return token;
  }
  // Notes how far the cursor is from the last key.
  void note_distance() {
    dictionary_.longest_between_keys = std::max(dictionary_.longest_between_keys, cursor_.position() - last_key_);
  }

  std::size_t depth() const { return depth_; }
  bool is_dictionary() const { return nesting_[0] == '<'; }
  const Dictionary& dictionary() const { return dictionary_; }
  std::optional<std::uint64_t> only_integer() const { return tokens_ == 1 ? last_integer_ : std::nullopt; }

 private:
  Token next_token() {
    if (!cursor_.skip_space()) return Token::broken;
    const int byte = cursor_.peek();
    switch (byte) {
      case '(':
        cursor_.next();
        return from(string(&Cursor::literal_string));
      case '/':
        cursor_.next();
        return from(name());
      case '[':
        cursor_.next();
        return from(open('['));
      case ']':
        cursor_.next();
        return from(close('['));
      case '<':
        cursor_.next();
        return from(angle());
      case '>':
        cursor_.next();
        return from(cursor_.next() == '>' && close('<'));
      default:
        return keyword();
    }
  }

  Token from(bool good) {
    ++tokens_;
    return good ? Token::value : Token::broken;
  }
  bool end_value(bool good) {
    if (depth_ == 1) key_.clear();
    return good;
  }
  bool string(bool (Cursor::*take)()) {
    const std::uint64_t begin = cursor_.position();
    const bool good = (cursor_.*take)();
    dictionary_.longest_string = std::max(dictionary_.longest_string, cursor_.position() - begin);
    return end_value(good);
  }
  bool open(char kind) {
    if (depth_ == deepest) return false;
    nesting_[depth_++] = kind;
    return true;
  }
  bool close(char kind) {
    if (depth_ == 0 || nesting_[depth_ - 1] != kind) return false;
    --depth_;
    if (depth_ <= 1) key_.clear();
    return true;
  }
  bool angle() {
    if (cursor_.peek() != '<') return string(&Cursor::hex_string);
    cursor_.next();
    return open('<');
  }
  // Whether what follows belongs to the outermost dictionary's key, directly or in an array.
  bool is_outer() const {
    return depth_ >= 1 && nesting_[0] == '<' && (depth_ == 1 || (depth_ == 2 && nesting_[1] == '['));
  }
  bool is_in_index() const { return key_ == "Index" && depth_ == 2 && nesting_[1] == '['; }
  bool is_parameters() const { return depth_ >= 2 && nesting_[0] == '<' && key_ == "DecodeParms"; }

  bool name() {
    const std::string word = cursor_.word();
    // A number may be the first of a reference: only what follows ends it.
    const bool is_key = depth_ == 1 && (key_.empty() || pending_);
    pending_ = false;
    if (is_in_index()) dictionary_.longest_between_keys = UINT64_MAX;  // only numbers belong there
    if (is_key) {
      key_ = word;
      note_trailer_key();
      if (word == "Encrypt") dictionary_.is_encrypted = true;
      if (word == "Root") dictionary_.has_root = true;
    } else if (is_parameters()) {
      parameter_ = word;
    } else {
      if (is_outer() && key_ == "Type") dictionary_.type = word;
      if (is_outer() && key_ == "Filter" && !has_filter_) set_filter(word);
      if (depth_ == 1) key_.clear();
    }
    return true;
  }
  // Each once: of other dictionaries' bytes, the second one of a kind doesn't count.
  void note_trailer_key() {
    const auto known = std::find(trailer_keys.begin(), trailer_keys.end(), key_);
    if (known == trailer_keys.end()) return;
    bool& is_seen = is_key_seen_[static_cast<std::size_t>(known - trailer_keys.begin())];
    is_trailer_key_ = !is_seen;
    is_seen = true;
  }
  void set_filter(const std::string& word) {
    has_filter_ = true;
    dictionary_.filter = word == "FlateDecode" || word == "Fl"  ? Filter::flate
                         : word == "DCTDecode" || word == "DCT" ? Filter::dct
                         : word == "JPXDecode"                  ? Filter::jpx
                                                                : Filter::other;
  }
  void number(const std::string& word) {
    const auto integer = to_integer(word);
    last_integer_ = integer;
    if (!integer) return;
    if (is_parameters()) {
      if (parameter_ == "Predictor") dictionary_.predictor = static_cast<unsigned>(*integer);
      if (parameter_ == "Columns") dictionary_.columns = static_cast<unsigned>(*integer);
      return;
    }
    if (!is_outer()) return;
    if (key_ == "Length" && !dictionary_.length) dictionary_.length = integer;
    if (key_ == "Prev") dictionary_.previous = integer;
    if (key_ == "Size") dictionary_.size = integer;
    if (key_ == "L") dictionary_.linearized_length = integer;
    if (key_ == "W" && dictionary_.widths.size() < 3) dictionary_.widths.push_back(*integer);
    if (key_ == "Index" && dictionary_.index.size() < most_index) dictionary_.index.push_back(*integer);
  }
  // `12 0 R`: the key's value isn't the first number.
  void reference() {
    if (depth_ != 1) return;
    pending_ = false;
    if (key_ == "Length") {
      dictionary_.length_object = dictionary_.length;
      dictionary_.length.reset();
    }
    key_.clear();
  }
  Token keyword() {
    const std::string word = cursor_.word();
    if (word == "endobj") return Token::end_of_object;
    if (word == "stream") return Token::stream;
    if (word.empty()) return Token::broken;
    ++tokens_;
    if (is_number(word)) {
      number(word);
      pending_ = depth_ == 1;
      return Token::value;
    }
    if (word == "R") {
      reference();
      return Token::value;
    }
    if (depth_ == 1) key_.clear();
    return word == "true" || word == "false" || word == "null" ? Token::value : Token::broken;
  }

  Cursor& cursor_;
  std::array<char, deepest> nesting_{};
  std::size_t depth_ = 0;
  std::string key_, parameter_;
  Dictionary dictionary_;
  std::optional<std::uint64_t> last_integer_;
  std::uint64_t tokens_ = 0;
  std::array<bool, trailer_keys.size()> is_key_seen_{};
  std::uint64_t last_key_;  // behind the last that belongs into a trailer
  bool has_filter_ = false, pending_ = false, is_trailer_key_ = false;
};

// Numbers `N G` and the word `obj` at the cursor.
std::optional<Object> object_head(Cursor& cursor) {
  Object object;
  const auto number = to_integer(cursor.word());
  if (!number || !cursor.skip_space()) return std::nullopt;
  const auto generation = to_integer(cursor.word());
  if (!generation || *generation > 0xffff || !cursor.skip_space()) return std::nullopt;
  if (cursor.next() != 'o' || cursor.next() != 'b' || cursor.next() != 'j') return std::nullopt;
  object.number = *number;
  object.generation = *generation;
  return object;
}

// `stream` is followed by a line feed, perhaps with a carriage return before it (7.3.8.1); some write that alone.
void end_line(Cursor& cursor) {
  while (cursor.peek() == ' ') cursor.next();
  if (cursor.peek() == '\r') cursor.next();
  if (cursor.peek() == '\n') cursor.next();
}

}  // namespace

std::optional<Object> read_object(const Content& content, std::uint64_t position, std::uint64_t* reached) {
  Cursor cursor(content, position);
  auto object = object_head(cursor);
  *reached = cursor.position();
  if (!object) return std::nullopt;
  object->begin = position;
  Parser parser(cursor, position);
  for (;;) {
    const Parser::Token token = parser.token();
    *reached = cursor.position();
    if (token == Parser::Token::value) continue;
    const bool is_end = token == Parser::Token::end_of_object || token == Parser::Token::stream;
    if (!is_end || parser.depth() != 0) return std::nullopt;
    object->is_stream = token == Parser::Token::stream;
    if (object->is_stream) end_line(cursor);
    parser.note_distance();
    object->dictionary = parser.dictionary();
    object->integer = parser.only_integer();
    object->end = *reached = cursor.position();
    return object;
  }
}

bool is_object_at(const Content& content, std::uint64_t position, std::uint64_t number, std::uint64_t generation) {
  Cursor cursor(content, position);
  const auto object = object_head(cursor);
  return object && object->number == number && object->generation == generation;
}

std::optional<Dictionary> read_dictionary(const Content& content, std::uint64_t position, std::uint64_t* end) {
  Cursor cursor(content, position);
  Parser parser(cursor, position);
  do {
    const bool is_value = parser.token() == Parser::Token::value;
    *end = cursor.position();
    if (!is_value) return std::nullopt;
    if (parser.depth() == 0 && !parser.is_dictionary()) return std::nullopt;
  } while (parser.depth() > 0);
  return parser.dictionary();
}

std::uint64_t skip_space(const Content& content, std::uint64_t position) {
  Cursor cursor(content, position);
  std::uint64_t blanks = 0;
  for (std::uint64_t i = 0; i < longest_space;) {
    const int byte = cursor.peek();
    if (byte < 0 || !is_space(static_cast<std::uint8_t>(byte))) break;
    cursor.next();
    if (byte != ' ' || ++blanks >= most_blanks) ++i;
  }
  return cursor.position();
}

std::optional<std::uint64_t> read_integer(const Content& content, std::uint64_t position, std::uint64_t* end) {
  Cursor cursor(content, position);
  const auto value = to_integer(cursor.word());
  *end = cursor.position();
  return value;
}

}  // namespace exhibit::carve::pdf
