#include "exhibit/common.h"

#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <iostream>

#include "base/text.h"

namespace exhibit::cmd {

int fail(const Error& error) {
  std::fflush(stdout);
  std::fprintf(stderr, "exhibit: %s\n", printable(error.message).c_str());
  switch (error.code) {
    case ErrorCode::invalid_argument:
      return exit_usage;
    case ErrorCode::interrupted:
      return exit_stopped;
    case ErrorCode::internal:
      return exit_internal;
    default:
      return exit_input;
  }
}

Parsed parse(const Verb& verb, const std::vector<std::string>& arguments, options::options_description described,
             const std::string& positional, int at_most) {
  described.add_options()("help,h", "this page");
  options::options_description all;
  all.add(described);
  options::options_description hidden;
  options::positional_options_description places;
  if (!positional.empty()) {
    hidden.add_options()(positional.c_str(), options::value<std::vector<std::string>>());
    places.add(positional.c_str(), at_most);
  }
  hidden.add_options()("worker-program", options::value<std::string>())("object-seconds",
                                                                        options::value<std::uint64_t>());
  all.add(hidden);
  Parsed parsed;
  try {
    options::store(options::command_line_parser(arguments).options(all).positional(places).run(), parsed.values);
    // Who asks for help need not give what else is required.
    parsed.help = parsed.values.count("help") != 0;
    if (!parsed.help) options::notify(parsed.values);
  } catch (const options::error& error) {
    throw Usage{error.what()};
  }
  if (parsed.help) {
    std::cout << "usage: exhibit " << verb.name << " " << verb.usage << "\n" << verb.summary << "\n\n" << described;
  }
  return parsed;
}

std::uint64_t parse_size(const std::string& text) {
  std::size_t used = 0;
  std::uint64_t size = 0;
  try {
    size = std::stoull(text, &used);
  } catch (const std::exception&) {
    throw Usage{"a size is a number and K, M, G or T: " + text};
  }
  static const std::string units = "KMGT";
  if (used == text.size()) return size;
  const auto unit = units.find(text[used]);
  if (used + 1 != text.size() || unit == std::string::npos || size > (UINT64_MAX >> 50)) {
    throw Usage{"a size is a number and K, M, G or T: " + text};
  }
  return size << (10 * (unit + 1));
}

std::vector<std::string> comma_list(const std::string& text) {
  std::vector<std::string> words;
  for (std::size_t start = 0; start <= text.size() && !text.empty();) {
    const std::size_t end = std::min(text.find(',', start), text.size());
    words.push_back(text.substr(start, end - start));
    start = end + 1;
  }
  return words;
}

bool wants_records(const options::variables_map& values) {
  return values.count("json") != 0 || isatty(STDOUT_FILENO) == 0;
}

std::string now_text() {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  return *base::rfc3339(now.tv_sec, static_cast<std::uint32_t>(now.tv_nsec), 9);
}

std::int64_t now_seconds() { return time(nullptr); }

std::string beside_this_program(const char* name) {
  std::error_code error;
  const std::filesystem::path self = std::filesystem::read_symlink("/proc/self/exe", error);
  return (self.parent_path() / name).string();
}

// Canonical form has no white space, and a quote within a text is escaped.
bool is_known_content(std::string_view line) {
  return line.find(R"("class":"known")") != std::string_view::npos &&
         line.find(R"("record":"match")") != std::string_view::npos;
}

bool is_of_likeness(std::string_view line) {
  return line.find(R"("by":"perceptual")") != std::string_view::npos &&
         line.find(R"("record":"match")") != std::string_view::npos;
}

bool put_line(std::string_view line) {
  std::fwrite(line.data(), 1, line.size(), stdout);
  std::fputc('\n', stdout);
  return std::ferror(stdout) == 0;
}

std::string printable(std::string_view text) {
  std::string shown;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7F) {
      char escaped[8];
      std::snprintf(escaped, sizeof escaped, "\\x%02x", byte);
      shown += escaped;
    } else {
      shown += c;
    }
  }
  return shown;
}

void Table::print() const {
  const auto width = [](const std::string& text) {  // code points, near enough to columns
    return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xC0) != 0x80; }));
  };
  std::vector<std::size_t> widths;
  for (const auto& row : rows_) {
    widths.resize(std::max(widths.size(), row.size()));
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], width(row[i]));
  }
  for (const auto& row : rows_) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) {
      line += row[i];
      if (i + 1 < row.size()) line += std::string(widths[i] - width(row[i]) + 2, ' ');
    }
    put_line(line);
  }
}

}  // namespace exhibit::cmd
