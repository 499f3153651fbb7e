#pragma once
// What the verbs share: exit codes, messages, options, output.

#include <exhibit/result.h>

#include <boost/program_options.hpp>
#include <functional>
#include <string>
#include <vector>

#include "base/json.h"
#include "exhibit/verb.h"

namespace exhibit::cmd {

extern const char* const version;
extern const char* const source_revision;

// manifest.md, "Exit codes".
enum Exit : int {
  exit_done = 0,
  exit_no = 1,
  exit_usage = 2,
  exit_input = 3,
  exit_problems = 4,
  exit_stopped = 5,
  exit_internal = 70
};

// Prints "exhibit: …" and gives the exit code that the error stands for.
int fail(const Error& error);

// What the user's words were wrong in.
struct Usage {
  std::string message;
};

namespace options = boost::program_options;

// Parses `arguments` by `described` and `positional` (all into the option of that name; empty: none). --help prints the
// verb's help and gives nothing. Throws Usage, which run_verb answers; it never leaves cmd/.
struct Parsed {
  options::variables_map values;
  bool help = false;
};
Parsed parse(const Verb& verb, const std::vector<std::string>& arguments, options::options_description described,
             const std::string& positional, int at_most = -1);

// "512M", "8G", "1048576". Throws Usage.
std::uint64_t parse_size(const std::string& text);

// The words of "a,b", empty ones too; none of "".
std::vector<std::string> comma_list(const std::string& text);

// Whether record lines go to standard output rather than a table.
bool wants_records(const options::variables_map& values);

// Now, RFC 3339 in UTC.
std::string now_text();
std::int64_t now_seconds();

// The path of another of our programs, which lies in the same folder.
std::string beside_this_program(const char* name);

// Whether a record line is a match with a set of known content, which is no lead.
bool is_known_content(std::string_view line);
// Whether it is a match by likeness: content like that of a set, which isn't the same content.
bool is_of_likeness(std::string_view line);

// Writes to standard output; false when whoever read it has gone.
bool put_line(std::string_view line);

// Columns of text, widened to fit, the last one free.
class Table {
 public:
  explicit Table(std::vector<std::string> heads) { rows_.push_back(std::move(heads)); }
  void add(std::vector<std::string> row) { rows_.push_back(std::move(row)); }
  void print() const;

 private:
  std::vector<std::vector<std::string>> rows_;
};

// Text for a terminal: control characters are shown as \xNN, so that a name in evidence can't drive it.
std::string printable(std::string_view text);

}  // namespace exhibit::cmd
