#pragma once
// What tests share: real evidence, scratch folders, and running a program as a user would.

#include <filesystem>
#include <string>
#include <vector>

namespace exhibit::test {

// A folder of its own, removed with everything in it at the end of the scope.
class TemporaryDirectory {
 public:
  TemporaryDirectory();
  ~TemporaryDirectory();
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path operator/(const std::string& name) const { return path_ / name; }

 private:
  std::filesystem::path path_;
};

// The corpora's folder (DESIGN.md, `corpora/`), or a file in it.
std::filesystem::path corpus(const std::string& relative = {});

// A corpus file unpacked (.xz, .gz, .bz2) into `directory`; a file that isn't packed is copied. Returns its path there.
std::filesystem::path unpack(const std::string& relative, const TemporaryDirectory& directory);

struct Finished {
  int status = -1;  // exit code, or 128 + signal
  std::string out, err;
};

// Runs a program found in PATH or by its path; `input` goes to its standard input. LC_ALL and TZ as the caller has
// them.
Finished run(const std::vector<std::string>& arguments, const std::string& input = {});

// build/bin/NAME
std::string program(const std::string& name);

std::string read_file(const std::filesystem::path& path);
void write_file(const std::filesystem::path& path, const std::string& bytes);

}  // namespace exhibit::test
