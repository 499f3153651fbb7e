// The quarterly changes to an NSRL RDSv3 database: SQL statements, one INSERT a row, within one transaction. What they
// add to FILE (or METADATA, of the full edition) is taken; what they take away from it can't be, and is told.

#include <algorithm>
#include <istream>
#include <vector>

#include "hashset/file_reader.h"
#include "hashset/format.h"

namespace exhibit::hashset {
namespace {

constexpr std::size_t longest_statement = std::size_t{1} << 20;

char upper(char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - ('a' - 'A')) : c; }

bool begins(std::string_view text, std::string_view words) {
  return text.size() >= words.size() &&
         std::ranges::equal(text.substr(0, words.size()), words, {}, [](char c) { return upper(c); });
}

// One statement after the other, without its semicolon; quotes may hold semicolons and line ends.
class Statements {
 public:
  explicit Statements(FileReader& reader) : reader_(reader) {}

  // False at the end, or where it can't be read on: then `cut` says whether a statement was begun.
  bool next() {
    text_.clear();
    too_long_ = false;
    char quote = 0;
    while (true) {
      const int got = reader_.sbumpc();
      if (got == FileReader::traits_type::eof()) return cut_ = !text_.empty(), false;
      const char c = FileReader::traits_type::to_char_type(got);
      if (quote == 0 && c == ';') return true;
      if (text_.empty() && (c == ' ' || c == '\t' || c == '\r' || c == '\n')) continue;
      if (text_.empty()) line_ = reader_.line();
      if (quote == 0 && (c == '\'' || c == '"')) {
        quote = c;
      } else if (c == quote) {
        quote = 0;
      }
      too_long_ = too_long_ || text_.size() == longest_statement;
      if (!too_long_) text_ += c;
    }
  }

  std::string_view text() const { return text_; }
  std::uint64_t line() const { return line_; }
  bool too_long() const { return too_long_; }
  bool cut() const { return cut_; }

 private:
  FileReader& reader_;
  std::string text_;
  std::uint64_t line_ = 1;
  bool too_long_ = false, cut_ = false;
};

// The words and values of a statement.
class Tokens {
 public:
  explicit Tokens(std::string_view text) : rest_(text) {}

  // A name, a number, a mark, or what quotes hold; false at the end.
  bool next(std::string& token) {
    const std::size_t begin = rest_.find_first_not_of(" \t\r\n");
    if (begin == std::string_view::npos) return false;
    rest_.remove_prefix(begin);
    token.clear();
    const char first = rest_.front();
    if (first == '\'' || first == '"') return quoted(first, token);
    std::size_t length = rest_.find_first_of(" \t\r\n(),'\"");
    length = std::clamp<std::size_t>(length, 1, rest_.size());
    token = rest_.substr(0, length);
    rest_.remove_prefix(length);
    return true;
  }

 private:
  bool quoted(char quote, std::string& token) {
    for (std::size_t i = 1; i < rest_.size(); ++i) {
      if (rest_[i] == quote && (i + 1 == rest_.size() || rest_[i + 1] != quote)) {
        rest_.remove_prefix(i + 1);
        return true;
      }
      i += rest_[i] == quote;
      token += rest_[i];
    }
    return false;
  }

  std::string_view rest_;
};

bool is_of_files(const std::string& table) { return begins(table, "FILE") || begins(table, "METADATA"); }

// `FILE(sha256, …) VALUES('…', …)`, what follows INSERT INTO.
class Row {
 public:
  // False where it isn't of this shape.
  bool read(Tokens& tokens) {
    std::string token;
    columns_ = {"sha256", "sha1", "md5", "crc32", "file_name", "file_size", "package_id"};  // as FILE is made
    if (!tokens.next(token)) return false;
    if (token == "(") {
      if (!list(tokens, columns_) || !tokens.next(token)) return false;
    }
    return begins(token, "VALUES") && tokens.next(token) && token == "(" && list(tokens, values_) &&
           values_.size() == columns_.size() && !tokens.next(token);
  }
  std::string_view value(std::string_view column) const {
    const auto found = std::ranges::find(columns_, column);
    const auto place = static_cast<std::size_t>(found - columns_.begin());
    return found == columns_.end() || values_[place] == "NULL" ? std::string_view() : values_[place];
  }

 private:
  static bool list(Tokens& tokens, std::vector<std::string>& into) {
    into.clear();
    for (std::string token; tokens.next(token);) {
      into.push_back(token);
      if (!tokens.next(token) || (token != "," && token != ")")) return false;
      if (token == ")") return true;
    }
    return false;
  }

  std::vector<std::string> columns_, values_;
};

Result<void> take(const Statements& statements, Row& row, Sink& sink) {
  Tokens tokens(statements.text());
  std::string word, table;
  tokens.next(word);
  const bool insert = begins(word, "INSERT");
  if (!insert && !begins(word, "DELETE") && !begins(word, "UPDATE")) return {};  // BEGIN, COMMIT, PRAGMA, …
  while (tokens.next(table)) {
    if (begins(table, "INTO") || begins(table, "FROM") || begins(table, "OR")) continue;
    if (!begins(table, "IGNORE") && !begins(table, "REPLACE")) break;
  }
  if (!is_of_files(table)) return {};  // of products, systems, makers
  if (!insert) {
    sink.refuse(
        statements.line(),
        "it takes away from the database or changes it, which an index can't: apply it there, and build from that");
    return {};
  }
  if (!row.read(tokens)) {
    sink.refuse(statements.line(), "it isn't one row of values, a value for each column");
    return {};
  }
  Entry entry;
  entry[Algorithm::sha256] = row.value("sha256");
  entry[Algorithm::sha1] = row.value("sha1");
  entry[Algorithm::md5] = row.value("md5");
  entry.name = row.value("file_name");
  return sink.take(statements.line(), entry);
}

Result<void> read(const InputFile& file, Sink& sink) {
  FileReader reader(file);
  Statements statements(reader);
  Row row;
  bool in_transaction = false;
  while (statements.next()) {
    if (statements.too_long()) {
      sink.refuse(statements.line(), "a statement of more than 1 MiB");
      continue;
    }
    if (begins(statements.text(), "BEGIN")) in_transaction = true;
    if (begins(statements.text(), "COMMIT") || begins(statements.text(), "END")) in_transaction = false;
    EXHIBIT_TRY(take(statements, row, sink));
  }
  if (reader.error()) return *reader.error();
  if (statements.cut() || in_transaction) {
    return Error{ErrorCode::corrupt,
                 file.name + ": cut: " +
                     (statements.cut() ? "the statement of line " + std::to_string(statements.line()) + " has no end"
                                       : "its transaction is never committed"),
                 file.name,
                 {}};
  }
  return {};
}

bool has_beginning(std::string_view bytes) {
  const std::size_t begin = bytes.find_first_not_of(" \t\r\n");
  if (begin == std::string_view::npos) return false;
  const std::string_view text = bytes.substr(begin);
  return begins(text, "BEGIN TRANSACTION") || begins(text, "INSERT INTO ") || begins(text, "PRAGMA ");
}

// The digests of "a", "b" and "c".
constexpr ExpectedEntry expected[] = {
    {"md5", "0cc175b9c0f1b6a831c399e269772661", "it's; a.txt"},
    {"sha256", "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb", "it's; a.txt"},
    {"md5", "92eb5ffee6ae2fec3ad71c777531578f", "b"},
    {"sha1", "84a516841ba77a5b4648de2cd0dfcb30ea46dbb4", "84a516841ba77a5b4648de2cd0dfcb30ea46dbb4"},
};

}  // namespace

extern constinit const FormatRow nsrl_rds3_delta_row = {
    .name = "nsrl-rds3-delta",
    .has_beginning = has_beginning,
    .read = read,
    .takes_mark = true,
    .sample = []() -> std::string {
      return "BEGIN TRANSACTION;\n"
             "INSERT INTO FILE(sha256,sha1,md5,crc32,file_name,file_size,package_id)\n"
             "VALUES('CA978112CA1BBDCAFAC231B39A23DC4DA786EFF8147C4E72B9807785AFEE48BB',"
             "'86F7E437FAA5A7FCE15D1DDCB9EAEAEA377667B8','0CC175B9C0F1B6A831C399E269772661','E8B7BE43',"
             "'it''s; a.txt',1,1);\n"
             "INSERT INTO FILE VALUES(NULL,NULL,'92EB5FFEE6AE2FEC3AD71C777531578F','71BEEFF9','b',1,1);\n"
             "insert or ignore into METADATA(sha1) values('84A516841BA77A5B4648DE2CD0DFCB30EA46DBB4');\n"
             "INSERT INTO PKG VALUES(1,'a product','1','1','1','English','Editor');\n"
             "INSERT INTO FILE VALUES(NULL,'few');\n"
             "DELETE FROM FILE WHERE md5='0CC175B9C0F1B6A831C399E269772661';\n"
             "UPDATE VERSION SET version='2026.09.1';\n"
             "COMMIT;\n";
    },
    .expected = expected,
    .sample_refused = 2};

}  // namespace exhibit::hashset
