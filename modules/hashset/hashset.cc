#include "hashset/hashset.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/json.h"
#include "base/text.h"
#include "hashset/format.h"
#include "hashset/line_reader.h"
#include "hashset/store.h"

namespace exhibit::hashset {
namespace {

class LoadedSet final : public HashSet {
 public:
  explicit LoadedSet(std::string name) : name_(std::move(name)) {}

  const std::string& name() const override { return name_; }
  const std::string& file_sha256() const override { return sha256_; }
  const std::string& format() const override { return format_; }
  std::uint64_t entries() const override { return store_.entries(); }
  const std::vector<Refused>& refused() const override { return refused_; }
  std::uint64_t refused_total() const override { return refused_total_; }
  std::vector<Match> look_up(const Item& item) const override;

  // Reads the whole file as one of this format.
  Result<void> read(int fd, const FormatRow& row);

 private:
  Result<void> take(Parser& parser, const TextLine& line);
  void refuse(std::uint64_t line, std::string why);

  std::string name_, sha256_, format_;
  Store store_;
  std::vector<Refused> refused_;
  std::uint64_t refused_total_ = 0;
};

bool blank(std::string_view line) { return line.find_first_not_of(" \t") == std::string_view::npos; }

std::vector<Match> LoadedSet::look_up(const Item& item) const {
  std::vector<Match> matches;
  if (item.size == 0) return matches;
  for (std::size_t i = algorithm_count; i-- > 0;) {
    const std::string algorithm(algorithm_facts[i].name);
    const auto digest = item.digests.find(algorithm);
    if (digest == item.digests.end()) continue;
    const auto found = store_.find(static_cast<Algorithm>(i), digest->second);
    if (!found) continue;
    Match match;
    match.item = item.id;
    match.by = "hashset";
    match.source = name_;
    match.source_sha256 = sha256_;
    match.rule = found->empty() ? digest->second : base::clean_utf8(*found).text;
    match.algorithm = algorithm;
    matches.push_back(std::move(match));
  }
  return matches;
}

void LoadedSet::refuse(std::uint64_t line, std::string why) {
  ++refused_total_;
  if (refused_.size() < HashSet::refused_listed) refused_.push_back({line, std::move(why)});
}

Result<void> LoadedSet::take(Parser& parser, const TextLine& line) {
  if (line.too_long) {
    refuse(line.number, "longer than " + std::to_string(LineReader::longest_line) + " bytes");
  } else if (line.text.find('\0') != std::string_view::npos) {
    refuse(line.number, "it holds NUL bytes, so it isn't text");
  } else if (!blank(line.text)) {
    Line parsed = EXHIBIT_TRY(parser.parse(line.text));
    std::optional<Refusal> refusal;
    if (auto* entry = std::get_if<Entry>(&parsed)) refusal = store_.add(*entry);
    if (auto* refused = std::get_if<Refusal>(&parsed)) refusal = std::move(*refused);
    if (refusal) refuse(line.number, std::move(refusal->why));
  }
  return {};
}

Result<void> LoadedSet::read(int fd, const FormatRow& row) {
  format_ = row.name;
  const std::unique_ptr<Parser> parser = row.parser();
  LineReader lines = EXHIBIT_TRY(LineReader::create(fd, name_));
  while (const std::optional<TextLine> line = EXHIBIT_TRY(lines.next())) {
    Result<void> taken = take(*parser, *line);
    if (!taken.ok()) {
      Error error = taken.take_error();
      error.where = name_;
      error.message = name_ + ": line " + std::to_string(line->number) + ": " + error.message;
      return error;
    }
  }
  sha256_ = base::to_hex(lines.sha256());
  store_.sort();
  return {};
}

std::string format_names() {
  std::string names;
  for (const FormatRow* row : format_table()) names += (names.empty() ? "" : ", ") + std::string(row->name);
  return names;
}

// The format whose telling line comes first.
Result<const FormatRow*> recognise(int fd, const std::string& name) {
  LineReader lines = EXHIBIT_TRY(LineReader::create(fd, name));
  while (const std::optional<TextLine> line = EXHIBIT_TRY(lines.next())) {
    if (line->number == 1 && line->text.starts_with("SQLite format 3")) {
      return Error{ErrorCode::unsupported,
                   name + ": an SQLite database (NSRL RDSv3?), which isn't read; export its digests as text",
                   name,
                   {}};
    }
    if (line->too_long || blank(line->text) || line->text.find('\0') != std::string_view::npos) continue;
    const FormatRow* found = nullptr;
    for (const FormatRow* row : format_table()) {
      if (!row->begins_with(line->text)) continue;
      if (found != nullptr) {
        return Error{ErrorCode::ambiguous,
                     name + ": line " + std::to_string(line->number) + " could be " + std::string(found->name) +
                         " or " + std::string(row->name),
                     name,
                     {}};
      }
      found = row;
    }
    if (found != nullptr) return found;
  }
  return Error{ErrorCode::unsupported,
               name + ": no line of it is a digest; a hash set is UTF-8 text: " + format_names(),
               name,
               {}};
}

Result<base::UniqueFd> open_file(const std::string& path, const std::string& name) {
  base::UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK));
  struct stat status = {};
  if (!fd || ::fstat(fd.get(), &status) != 0) {
    const ErrorCode code = errno == ENOENT ? ErrorCode::not_found : ErrorCode::io_error;
    return Error{code, path + ": cannot be opened: " + std::strerror(errno), name, {}};
  }
  if (!S_ISREG(status.st_mode)) {
    return Error{ErrorCode::invalid_argument, path + ": not a regular file; a hash set must be one", name, {}};
  }
  return fd;
}

}  // namespace

Result<std::unique_ptr<HashSet>> load(const std::string& path) {
  const std::string name = base::clean_utf8(path.substr(path.rfind('/') + 1)).text;
  const base::UniqueFd fd = EXHIBIT_TRY(open_file(path, name));
  const FormatRow* format = EXHIBIT_TRY(recognise(fd.get(), name));
  auto set = std::make_unique<LoadedSet>(name);
  EXHIBIT_TRY(set->read(fd.get(), *format));
  if (set->entries() == 0) {
    return Error{
        ErrorCode::corrupt,
        name + ": none of its lines was taken as " + set->format() + "; the first refused is line " +
            (set->refused().empty() ? "0" : std::to_string(set->refused()[0].line) + ": " + set->refused()[0].why),
        name,
        {}};
  }
  return std::unique_ptr<HashSet>(std::move(set));
}

}  // namespace exhibit::hashset
