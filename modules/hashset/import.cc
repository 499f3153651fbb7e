#include "hashset/import.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/json.h"
#include "base/text.h"
#include "hashset/line_reader.h"

namespace exhibit::hashset {
namespace {

constexpr std::string_view byte_order_mark = "\xef\xbb\xbf";  // of UTF-8

bool blank(std::string_view line) { return line.find_first_not_of(" \t") == std::string_view::npos; }

std::string format_names() {
  std::string names;
  for (const FormatRow* row : format_table()) names += (names.empty() ? "" : ", ") + std::string(row->name);
  return names;
}

// Counts what is taken and what isn't.
class Import final : public Sink {
 public:
  Import(const ImportOptions& options, Builder& builder) : options_(options), builder_(builder) {}

  Result<void> take(std::uint64_t line, const Entry& entry) override {
    const auto& wanted = options_.categories;
    if (!wanted.empty() && std::ranges::find(wanted, entry.category) == wanted.end()) {
      ++done.facts.passed_over;
      return {};
    }
    auto [refusal, trivial] = EXHIBIT_TRY(builder_.take(entry, options_.refuse_trivial));
    if (!refusal) {
      ++done.facts.entries;
    } else {
      done.facts.trivial += trivial;
      refuse(line, std::string(entry.place) + refusal->why);
    }
    return {};
  }
  void refuse(std::uint64_t line, std::string why) override {
    ++done.facts.refused;
    if (done.refused.size() < refused_listed) done.refused.push_back({line, std::move(why)});
  }

  Imported done;

 private:
  const ImportOptions& options_;
  Builder& builder_;
};

Result<void> take_line(Parser& parser, const TextLine& line, Sink& sink) {
  if (line.too_long) {
    sink.refuse(line.number, "longer than " + std::to_string(LineReader::longest_line) + " bytes");
  } else if (line.text.find('\0') != std::string_view::npos) {
    sink.refuse(line.number, "it holds NUL bytes, so it isn't text");
  } else if (!blank(line.text)) {
    Line parsed = EXHIBIT_TRY(parser.parse(line.text));
    if (auto* entry = std::get_if<const Entry*>(&parsed)) return sink.take(line.number, **entry);
    if (auto* refused = std::get_if<Refusal>(&parsed)) sink.refuse(line.number, std::move(refused->why));
  }
  return {};
}

// Lines are digested as they are read.
Result<std::string> read_lines(const InputFile& file, const FormatRow& row, Sink& sink) {
  const std::unique_ptr<Parser> parser = row.parser();
  LineReader lines = EXHIBIT_TRY(LineReader::create(file.fd, file.name));
  while (const std::optional<TextLine> line = EXHIBIT_TRY(lines.next())) {
    Result<void> taken = take_line(*parser, *line, sink);
    if (!taken.ok()) {
      Error error = taken.take_error();
      error.where = file.name;
      error.message = file.name + ": line " + std::to_string(line->number) + ": " + error.message;
      return error;
    }
  }
  return base::to_hex(lines.sha256());
}

Result<std::string> read_beginning(const InputFile& file) {
  std::string bytes(beginning_bytes, '\0');
  ssize_t got = -1;
  do {
    got = ::pread(file.fd, bytes.data(), bytes.size(), 0);
  } while (got < 0 && errno == EINTR);
  if (got < 0) return Error{ErrorCode::io_error, file.name + ": cannot be read: " + std::strerror(errno), file.name, 0};
  bytes.resize(static_cast<std::size_t>(got));
  if (bytes.starts_with(byte_order_mark)) bytes.erase(0, byte_order_mark.size());
  return bytes;
}

// Whatever else `sign` says is a second claim on the same file.
Result<const FormatRow*> only_one(const InputFile& file, const std::string& where, auto sign) {
  const FormatRow* found = nullptr;
  for (const FormatRow* row : format_table()) {
    if (!sign(*row)) continue;
    if (found != nullptr) {
      return Error{ErrorCode::ambiguous,
                   file.name + ": " + where + " could be " + std::string(found->name) + " or " + std::string(row->name),
                   file.name,
                   {}};
    }
    found = row;
  }
  return found;
}

Result<std::string> sha256_of(const InputFile& file) {
  auto hasher = EXHIBIT_TRY(hash::create("sha256"));
  std::vector<std::byte> buffer(std::size_t{1} << 20);
  for (std::uint64_t offset = 0;;) {
    const ssize_t got = ::pread(file.fd, buffer.data(), buffer.size(), static_cast<off_t>(offset));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) {
      return Error{ErrorCode::io_error, file.name + ": cannot be read: " + std::strerror(errno), file.name, offset};
    }
    if (got == 0) return base::to_hex(hasher->finish());
    hasher->update(std::span(buffer).first(static_cast<std::size_t>(got)));
    offset += static_cast<std::uint64_t>(got);
  }
}

}  // namespace

std::string input_name(const std::string& path) { return base::clean_utf8(path.substr(path.rfind('/') + 1)).text; }

Result<base::UniqueFd> open_input(const std::string& path) {
  base::UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK));
  struct stat status = {};
  if (!fd || ::fstat(fd.get(), &status) != 0) {
    const ErrorCode code = errno == ENOENT ? ErrorCode::not_found : ErrorCode::io_error;
    return Error{code, path + ": cannot be opened: " + std::strerror(errno), input_name(path), {}};
  }
  if (!S_ISREG(status.st_mode)) {
    return Error{
        ErrorCode::invalid_argument, path + ": not a regular file; a hash set must be one", input_name(path), {}};
  }
  return fd;
}

Result<const FormatRow*> recognise(const InputFile& file) {
  const std::string beginning = EXHIBIT_TRY(read_beginning(file));
  const FormatRow* whole = EXHIBIT_TRY(only_one(file, "its beginning", [&](const FormatRow& row) {
    return row.has_beginning != nullptr && row.has_beginning(beginning);
  }));
  if (whole != nullptr) return whole;
  LineReader lines = EXHIBIT_TRY(LineReader::create(file.fd, file.name));
  while (const std::optional<TextLine> line = EXHIBIT_TRY(lines.next())) {
    if (line->too_long || blank(line->text) || line->text.find('\0') != std::string_view::npos) continue;
    const FormatRow* found =
        EXHIBIT_TRY(only_one(file, "line " + std::to_string(line->number), [&](const FormatRow& row) {
          return row.begins_with != nullptr && row.begins_with(line->text);
        }));
    if (found != nullptr) return found;
  }
  return Error{ErrorCode::unsupported,
               file.name + ": no line of it is a digest; known formats: " + format_names(),
               file.name,
               {}};
}

Result<Imported> import(const InputFile& file, const ImportOptions& options, Builder& builder) {
  const FormatRow& format = options.format != nullptr ? *options.format : *EXHIBIT_TRY(recognise(file));
  struct stat status = {};
  if (::fstat(file.fd, &status) != 0) {
    return Error{ErrorCode::io_error, file.name + ": cannot be read: " + std::strerror(errno), file.name, {}};
  }
  Import into(options, builder);
  InputFacts& facts = into.done.facts;
  facts.name = file.name;
  facts.format = format.name;
  facts.bytes = static_cast<std::uint64_t>(status.st_size);
  builder.begin_input(file.name);
  if (format.read == nullptr) {
    facts.sha256 = EXHIBIT_TRY(read_lines(file, format, into));
  } else {
    EXHIBIT_TRY(format.read(file, into));
    facts.sha256 = EXHIBIT_TRY(sha256_of(file));
  }
  if (facts.entries == 0 && facts.passed_over == 0) {
    const auto& refused = into.done.refused;
    return Error{ErrorCode::corrupt,
                 file.name + ": none of its lines was taken as " + facts.format + "; the first refused is line " +
                     (refused.empty() ? "0" : std::to_string(refused[0].line) + ": " + refused[0].why),
                 file.name,
                 {}};
  }
  if (format.category_profile != nullptr) {
    into.done.category_profile = format.category_profile(EXHIBIT_TRY(read_beginning(file)));
  }
  builder.end_input(facts);
  return std::move(into.done);
}

}  // namespace exhibit::hashset
