#include "engine/assemble.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <set>

namespace exhibit::engine {
namespace {

enum Rank { item_rank, match_rank, problem_rank };

std::string text(const base::Json& record, const char* key) {
  const auto found = record.find(key);
  return found != record.end() && found->is_string() ? found->get<std::string>() : std::string();
}

// Big-endian, so that numbers compare as text.
std::string number_key(std::uint64_t number) {
  std::string key(sizeof number, '\0');
  for (std::size_t i = key.size(); i-- > 0; number >>= 8) key[i] = static_cast<char>(number & 0xFF);
  return key;
}

constexpr char separator = '\0';  // sorts before any character of a name

// manifest.md: matches by (by, source, rule, first offset), problems by (stage, cause, detail).
std::string match_key(const base::Json& record) {
  std::uint64_t first = 0;
  const auto where = record.find("where");
  if (where != record.end() && where->is_array() && !where->empty())
    first = where->at(0).value("offset", std::uint64_t{0});
  return text(record, "by") + separator + text(record, "source") + separator + text(record, "rule") + separator +
         number_key(first);
}

std::string problem_key(const base::Json& record) {
  return text(record, "stage") + separator + text(record, "cause") + separator + text(record, "detail");
}

// Reads single lines back from several files, keeping the last one open.
class LineFetcher {
 public:
  explicit LineFetcher(const std::vector<std::string>& files) : files_(files) {}
  Result<std::string> fetch(std::size_t file, std::uint64_t offset, std::uint64_t length) {
    if (file != open_) {
      fd_.reset(open(files_[file].c_str(), O_RDONLY | O_CLOEXEC));
      open_ = file;
    }
    std::string line(static_cast<std::size_t>(length), '\0');
    if (pread(fd_.get(), line.data(), line.size(), static_cast<off_t>(offset)) != static_cast<ssize_t>(line.size())) {
      return Error{ErrorCode::io_error, files_[file] + ": cannot be read back", {}, {}};
    }
    return line;
  }

 private:
  const std::vector<std::string>& files_;
  std::size_t open_ = SIZE_MAX;
  base::UniqueFd fd_;
};

}  // namespace

Result<void> VolumeFindings::add(const std::string& path, bool items) {
  files_.push_back(path);
  std::uint64_t offset = 0;
  return for_each_line(path, [&](std::string_view line) -> Result<void> {
    const base::Json record = EXHIBIT_TRY(base::parse_json(line));
    if (items || record.value("record", "") != "item") add_line(record, files_.size() - 1, offset, line.size());
    offset += line.size() + 1;
    return {};
  });
}

void VolumeFindings::add(base::Json record) {
  extra_.push_back(base::canonical(record));
  add_line(record, SIZE_MAX, extra_.size() - 1, extra_.back().size());
}

void VolumeFindings::add_line(const base::Json& record, std::size_t file, std::uint64_t offset, std::uint64_t length) {
  const std::string kind = text(record, "record");
  if (kind == "item") {
    entries_.push_back({text(record, "id"), item_rank, {}, file, offset, length});
  } else if (kind == "match") {
    entries_.push_back({text(record, "item"), match_rank, match_key(record), file, offset, length});
  } else if (kind == "problem") {
    entries_.push_back({text(record, "where"), problem_rank, problem_key(record), file, offset, length});
  }
  sorted_ = false;
}

void VolumeFindings::sort() const {
  if (sorted_) return;
  // What names an item that isn't there (the walk died on it) belongs to the volume.
  std::set<std::string> known;
  for (const Entry& entry : entries_) {
    if (entry.rank == item_rank) known.insert(entry.owner);
  }
  for (Entry& entry : entries_) {
    if (entry.rank != item_rank && !known.contains(entry.owner)) entry.owner.clear();
  }
  std::sort(entries_.begin(), entries_.end(), [](const Entry& a, const Entry& b) {
    return std::tie(a.owner, a.rank, a.key) < std::tie(b.owner, b.rank, b.key);
  });
  sorted_ = true;
}

// Lines that are equal by their keys stand in order of their bytes, and what was told twice stands once.
Result<void> VolumeFindings::write(const LineCall& call, bool own) const {
  sort();
  LineFetcher fetcher(files_);
  const auto same_place = [](const Entry& a, const Entry& b) {
    return a.owner == b.owner && a.rank == b.rank && a.key == b.key;
  };
  for (std::size_t first = 0, end = 0; first < entries_.size(); first = end) {
    std::vector<std::string> lines;
    for (end = first; end < entries_.size() && same_place(entries_[first], entries_[end]); ++end) {
      const Entry& entry = entries_[end];
      if (entry.owner.empty() != own) continue;
      lines.push_back(entry.file == SIZE_MAX ? extra_[entry.offset]
                                             : EXHIBIT_TRY(fetcher.fetch(entry.file, entry.offset, entry.length)));
    }
    std::sort(lines.begin(), lines.end());
    lines.erase(std::unique(lines.begin(), lines.end()), lines.end());
    for (const std::string& line : lines) EXHIBIT_TRY(call(line));
  }
  return {};
}

Result<void> VolumeFindings::write_items(const LineCall& call) const { return write(call, false); }
Result<void> VolumeFindings::write_own(const LineCall& call) const { return write(call, true); }

}  // namespace exhibit::engine
