#include "engine/segments.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <map>
#include <optional>
#include <set>

namespace exhibit::engine {
namespace {
namespace fs = std::filesystem;

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'); }

// The number that an EWF segment's extension stands for (libewf's documentation, "Segment file extensions"): E01 to
// E99, then EAA to EZZ, FAA to ZZZ; s01 likewise. The first letter says the kind, and its case is kept.
std::optional<unsigned> ewf_number(const std::string& extension, char kind) {
  if (extension.size() != 3 || !is_letter(extension[0])) return std::nullopt;
  const char letter_base = kind >= 'a' ? 'a' : 'A';
  if ((extension[0] >= 'a') != (kind >= 'a') || extension[0] < kind) return std::nullopt;
  if (is_digit(extension[1]) && is_digit(extension[2])) {
    if (extension[0] != kind) return std::nullopt;
    return static_cast<unsigned>((extension[1] - '0') * 10 + (extension[2] - '0'));
  }
  const auto rank = [&](char c) { return c - letter_base; };
  for (const char c : {extension[1], extension[2]}) {
    if (rank(c) < 0 || rank(c) > 25) return std::nullopt;
  }
  constexpr unsigned first_lettered = 100;
  return first_lettered +
         static_cast<unsigned>((extension[0] - kind) * 676 + rank(extension[1]) * 26 + rank(extension[2]));
}

std::optional<unsigned> raw_number(const std::string& extension, std::size_t digits) {
  if (extension.size() != digits || !std::all_of(extension.begin(), extension.end(), is_digit)) return std::nullopt;
  return static_cast<unsigned>(std::stoul(extension));
}

Result<Segment> open_segment(const fs::path& path) {
  const std::string name = path.filename().string();
  Segment segment;
  segment.name = name;
  segment.fd.reset(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK));
  if (!segment.fd) {
    return Error{ErrorCode::not_found, path.string() + ": cannot be opened: " + std::strerror(errno), name, {}};
  }
  struct stat status {};
  if (fstat(segment.fd.get(), &status) != 0) return Error{ErrorCode::io_error, path.string() + ": no status", name, {}};
  if (S_ISREG(status.st_mode)) {
    segment.size = static_cast<std::uint64_t>(status.st_size);
    return segment;
  }
  if (S_ISBLK(status.st_mode) && ioctl(segment.fd.get(), BLKGETSIZE64, &segment.size) == 0) return segment;
  return Error{ErrorCode::invalid_argument, path.string() + ": is neither a file nor a block device", name, {}};
}

// A row of numbered files beside the first one: how its members' numbers are read.
struct Row {
  std::string stem;  // the name before the extension's dot
  char ewf_kind = 0;
  std::size_t raw_digits = 0;
  unsigned first = 0;

  std::optional<unsigned> number(const std::string& extension) const {
    return ewf_kind != 0 ? ewf_number(extension, ewf_kind) : raw_number(extension, raw_digits);
  }
};

// nullopt: the file stands alone.
std::optional<Row> row_of(const fs::path& path) {
  std::string extension = path.extension().string();
  if (extension.size() < 4) return std::nullopt;
  extension.erase(0, 1);
  Row row;
  row.stem = path.stem().string();
  if (extension == "E01" || extension == "e01" || extension == "s01" || extension == "S01") {
    row.ewf_kind = extension[0];
    row.first = 1;
    return row;
  }
  const auto number = raw_number(extension, extension.size());
  if (!number || *number > 1) return std::nullopt;
  row.raw_digits = extension.size();
  row.first = *number;
  return row;
}

Result<void> add_row(const fs::path& path, const Row& row, Evidence& evidence) {
  std::map<unsigned, fs::path> found;
  const fs::path folder = path.parent_path().empty() ? fs::path(".") : path.parent_path();
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder, error)) {
    const fs::path name = entry.path().filename();
    if (name.stem().string() != row.stem || name.extension().string().size() < 2) continue;
    const auto number = row.number(name.extension().string().substr(1));
    if (number && *number > row.first) found.emplace(*number, folder / name);
  }
  if (error) return Error{ErrorCode::io_error, folder.string() + ": cannot be listed: " + error.message(), {}, {}};
  unsigned expected = row.first + 1;
  for (const auto& [number, segment] : found) {
    if (number != expected) {
      return Error{ErrorCode::not_found,
                   path.filename().string() + ": segment " + std::to_string(expected - row.first + 1) +
                       " is missing though " + segment.filename().string() + " is there; put it beside the first",
                   path.filename().string(),
                   {}};
    }
    evidence.segments.push_back(EXHIBIT_TRY(open_segment(segment)));
    ++expected;
  }
  return {};
}

bool all_digits(const std::string& text) { return !text.empty() && std::all_of(text.begin(), text.end(), is_digit); }

// VMware's names for the extents of NAME.vmdk, that is, what stands behind NAME.
bool is_extent_ending(const std::string& ending) {
  if (ending == "-flat.vmdk" || ending == "-delta.vmdk") return true;
  const bool numbered = (ending.starts_with("-s") || ending.starts_with("-f")) && ending.ends_with(".vmdk");
  return numbered && all_digits(ending.substr(2, ending.size() - std::string("-s.vmdk").size()));
}

// Which of them belong to the disk its descriptor says, and that is read sealed.
Result<void> add_extents(const fs::path& path, Evidence& evidence) {
  if (path.extension() != ".vmdk") return {};
  const std::string stem = path.stem().string();
  const fs::path folder = path.parent_path().empty() ? fs::path(".") : path.parent_path();
  std::set<fs::path> found;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder, error)) {
    const std::string name = entry.path().filename().string();
    if (name.starts_with(stem) && is_extent_ending(name.substr(stem.size()))) found.insert(folder / name);
  }
  if (error) return Error{ErrorCode::io_error, folder.string() + ": cannot be listed: " + error.message(), {}, {}};
  for (const fs::path& extent : found) evidence.segments.push_back(EXHIBIT_TRY(open_segment(extent)));
  return {};
}

// Names tell the files apart for whoever reads the image.
Result<void> add_others(const std::vector<std::string>& others, Evidence& evidence) {
  for (const std::string& other : others) {
    Segment segment = EXHIBIT_TRY(open_segment(other));
    for (const Segment& known : evidence.segments) {
      if (known.name != segment.name) continue;
      return Error{ErrorCode::invalid_argument,
                   other + ": a file of that name belongs to the image already; leave it out of --segments",
                   segment.name,
                   {}};
    }
    evidence.segments.push_back(std::move(segment));
  }
  return {};
}

}  // namespace

Result<Evidence> open_evidence(const std::string& id, const std::string& path, const std::string& as,
                               const std::vector<std::string>& others) {
  Evidence evidence;
  evidence.id = id;
  evidence.path = path;
  evidence.as = as;
  const fs::path first(path);
  evidence.segments.push_back(EXHIBIT_TRY(open_segment(first)));
  if (const auto row = row_of(first)) EXHIBIT_TRY(add_row(first, *row, evidence));
  EXHIBIT_TRY(add_extents(first, evidence));
  EXHIBIT_TRY(add_others(others, evidence));
  return evidence;
}

}  // namespace exhibit::engine
