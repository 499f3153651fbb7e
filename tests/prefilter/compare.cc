// Scans contents with and without the prefilter, compares all that is told, and measures both.
//   prefilter_compare [--generate N] [--rules PATH]... [PATH]...
// PATHs are files or folders to be scanned; --generate N makes contents for every N-th rule from its own strings.

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "match/content.h"
#include "samples.h"

namespace {

namespace fs = std::filesystem;
using namespace exhibit;

class FileSource final : public ByteSource {
 public:
  explicit FileSource(const fs::path& path) : fd_(::open(path.c_str(), O_RDONLY | O_CLOEXEC)) {
    struct stat status {};
    if (fd_ >= 0 && ::fstat(fd_, &status) == 0) size_ = static_cast<std::uint64_t>(status.st_size);
  }
  FileSource(const FileSource&) = delete;
  FileSource& operator=(const FileSource&) = delete;
  ~FileSource() override {
    if (fd_ >= 0) ::close(fd_);
  }
  std::uint64_t size() const override { return size_; }
  Result<std::size_t> read_at(std::uint64_t offset, std::span<std::byte> buffer) override {
    const ssize_t got = ::pread(fd_, buffer.data(), buffer.size(), static_cast<off_t>(offset));
    if (got < 0) return Error{ErrorCode::io_error, "read error", {}, offset};
    return static_cast<std::size_t>(got);
  }
  std::vector<Doubt> doubts(std::uint64_t, std::uint64_t) const override { return {}; }
  std::uint64_t damaged_reads() const override { return 0; }

 private:
  int fd_;
  std::uint64_t size_ = 0;
};

class TextSource final : public ByteSource {
 public:
  explicit TextSource(std::string text) : text_(std::move(text)) {}
  std::uint64_t size() const override { return text_.size(); }
  Result<std::size_t> read_at(std::uint64_t offset, std::span<std::byte> buffer) override {
    const std::size_t length = std::min<std::size_t>(buffer.size(), text_.size() - offset);
    std::memcpy(buffer.data(), text_.data() + offset, length);
    return length;
  }
  std::vector<Doubt> doubts(std::uint64_t, std::uint64_t) const override { return {}; }
  std::uint64_t damaged_reads() const override { return 0; }

 private:
  std::string text_;
};

std::string told(const match::ScanResult& result) {
  std::string text = result.windowed ? "in windows\n" : "";
  for (const Match& match : result.matches) {
    text += "  " + match.source + " " + match.source_sha256 + " " + match.rule + " " + match.category.value_or("-") +
            " " + match.severity.value_or("-") + (match.where_truncated ? " and more:" : ":");
    for (const MatchPlace& place : match.where) {
      text += " " + std::to_string(place.offset) + "+" + std::to_string(place.length) + place.string;
    }
    text += "\n";
  }
  for (const match::ScanTrouble& trouble : result.troubles) text += "  " + trouble.cause + ": " + trouble.detail + "\n";
  return text;
}

double processor_seconds() {
  timespec time{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}

class Comparison {
 public:
  explicit Comparison(const std::vector<std::string>& rules) : with_(load(rules, true)), without_(load(rules, false)) {}

  void compare(const std::string& name, ByteSource& content) {
    scan(*with_, content);  // whatever is cold
    const double start = processor_seconds();
    const match::ScanResult with = scan(*with_, content);
    const double between = processor_seconds();
    const match::ScanResult without = scan(*without_, content);
    seconds_without_ += processor_seconds() - between;
    seconds_with_ += between - start;
    ++contents_;
    bytes_ += content.size();
    matches_ += without.matches.size();
    troubles_ += without.troubles.size();
    if (with.rules_judged == 0) ++free_contents_, free_bytes_ += content.size();
    for (const Match& match : without.matches) matched_.insert(match.source + match.rule);
    if (told(with) == told(without)) return;
    ++differences_;
    std::printf("%s differs\n with the prefilter:\n%s without:\n%s", name.c_str(), told(with).c_str(),
                told(without).c_str());
  }

  void report() const {
    const double megabytes = static_cast<double>(bytes_) / 1e6;
    std::printf(
        "%llu contents, %.1f MB: %llu matches of %zu rules, %llu troubles, %llu differences\n"
        "prefilter on %.1f MB/s, off %.1f MB/s of processor time (%.1f times)\n"
        "nothing for libyara to do: %.1f %% of contents, %.1f %% of bytes\n",
        contents_, megabytes, matches_, matched_.size(), troubles_, differences_, megabytes / seconds_with_,
        megabytes / seconds_without_, seconds_without_ / seconds_with_,
        100 * static_cast<double>(free_contents_) / static_cast<double>(contents_),
        100 * static_cast<double>(free_bytes_) / static_cast<double>(bytes_));
  }
  bool same() const { return differences_ == 0 && contents_ > 0; }

 private:
  static std::unique_ptr<match::RuleScanner> load(const std::vector<std::string>& rules, bool prefilter) {
    const double start = processor_seconds();
    auto scanner = match::RuleScanner::load(rules, {.prefilter = prefilter});
    if (!scanner.ok()) {
      std::fprintf(stderr, "%s\n", scanner.error().message.c_str());
      std::exit(2);
    }
    std::printf("loaded with the prefilter %s in %.2f s\n", prefilter ? "on" : "off", processor_seconds() - start);
    return scanner.take();
  }
  static match::ScanResult scan(match::RuleScanner& scanner, ByteSource& content) {
    return scanner.scan(content, {}).take();
  }

  std::unique_ptr<match::RuleScanner> with_, without_;
  unsigned long long contents_ = 0, bytes_ = 0, matches_ = 0, troubles_ = 0, differences_ = 0;
  unsigned long long free_contents_ = 0, free_bytes_ = 0;
  std::set<std::string> matched_;
  double seconds_with_ = 0, seconds_without_ = 0;
};

std::vector<std::string> files_below(const std::vector<std::string>& paths, bool rules_only) {
  std::vector<std::string> files;
  for (const std::string& path : paths) {
    if (!fs::is_directory(path)) {
      files.push_back(path);
      continue;
    }
    for (const auto& entry : fs::recursive_directory_iterator(path, fs::directory_options::skip_permission_denied)) {
      const std::string extension = entry.path().extension().string();
      const bool wanted = !rules_only || extension == ".yar" || extension == ".yara";
      if (wanted && entry.is_regular_file() && !entry.is_symlink()) files.push_back(entry.path());
    }
  }
  std::sort(files.begin(), files.end());
  return files;
}

}  // namespace

int main(int count, char** arguments) {
  std::vector<std::string> rules, paths;
  int every = 0;
  for (int i = 1; i < count; ++i) {
    const std::string argument = arguments[i];
    if (argument == "--generate" && i + 1 < count) {
      every = std::atoi(arguments[++i]);
    } else if (argument == "--rules" && i + 1 < count) {
      rules.emplace_back(arguments[++i]);
    } else {
      paths.push_back(argument);
    }
  }
  Comparison comparison(rules);
  for (const std::string& file : files_below(paths, false)) {
    FileSource content(file);
    comparison.compare(file, content);
  }
  std::mt19937 random(3);
  const auto samples =
      every > 0 ? prefilter::make_samples(files_below(rules, true), random) : std::vector<prefilter::RuleSamples>{};
  for (std::size_t i = 0; i < samples.size(); i += static_cast<std::size_t>(every)) {
    for (int variant = 0; variant < prefilter::variants; ++variant) {
      TextSource content(prefilter::make_content(samples[i], variant, random));
      comparison.compare(samples[i].name + ", variant " + std::to_string(variant), content);
    }
  }
  comparison.report();
  return comparison.same() ? 0 : 1;
}
