#include "engine/journal.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include "base/disk.h"

namespace exhibit::engine {
namespace {

constexpr std::size_t buffer_size = std::size_t{1} << 18;
constexpr std::size_t piece_size = std::size_t{1} << 15;  // of one file of many

Result<std::string> read_whole(const std::string& path) {
  base::UniqueFd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) return Error{ErrorCode::not_found, path + ": " + std::strerror(errno), {}, {}};
  std::string text;
  std::array<char, 65536> bytes;
  ssize_t got = 0;
  while ((got = read(fd.get(), bytes.data(), bytes.size())) > 0)
    text.append(bytes.data(), static_cast<std::size_t>(got));
  if (got < 0) return Error{ErrorCode::io_error, path + ": " + std::strerror(errno), {}, {}};
  return text;
}

// Which keys of two plans differ, for a person.
std::string difference(const base::Json& before, const base::Json& now) {
  std::string names;
  for (const auto& [key, value] : now.items()) {
    if (before.contains(key) && before.at(key) == value) continue;
    names += (names.empty() ? "" : ", ") + key;
  }
  return names.empty() ? "its shape" : names;
}

}  // namespace

Result<std::string> file_sha256(const std::string& path) {
  base::UniqueFd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) return Error{ErrorCode::not_found, path + ": " + std::strerror(errno), {}, {}};
  auto hasher = EXHIBIT_TRY(hash::create("sha256"));
  std::string bytes(buffer_size, '\0');
  ssize_t got = 0;
  while ((got = read(fd.get(), bytes.data(), bytes.size())) > 0) {
    hasher->update(std::as_bytes(std::span(bytes.data(), static_cast<std::size_t>(got))));
  }
  if (got < 0) return Error{ErrorCode::io_error, path + ": " + std::strerror(errno), {}, {}};
  return base::to_hex(hasher->finish());
}

Result<OutputFile> OutputFile::create(const std::string& path) {
  OutputFile file;
  file.path_ = path;
  file.fd_.reset(open(path.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
  if (!file.fd_) return base::write_error(path);
  return file;
}

Result<OutputFile> OutputFile::create_one_of_many(const std::string& path) {
  OutputFile file = EXHIBIT_TRY(create(path));
  file.fd_.reset();
  file.stays_open_ = false;
  return file;
}

Result<void> OutputFile::write(std::string_view line) {
  pending_.append(line) += '\n';
  size_ += line.size() + 1;
  ++lines_;
  return pending_.size() < (stays_open_ ? buffer_size : piece_size) ? Result<void>() : flush();
}

Result<void> OutputFile::flush() {
  if (!stays_open_) fd_.reset(open(path_.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC));
  if (!fd_) return base::write_error(path_);
  EXHIBIT_TRY(base::write_all(fd_.get(), pending_, path_));
  pending_.clear();
  if (!stays_open_) fd_.reset();
  return {};
}

Result<void> OutputFile::truncate(std::uint64_t size, std::uint64_t lines) {
  EXHIBIT_TRY(flush());
  if (ftruncate(fd_.get(), static_cast<off_t>(size)) != 0 || lseek(fd_.get(), static_cast<off_t>(size), SEEK_SET) < 0) {
    return base::write_error(path_);
  }
  size_ = size;
  lines_ = lines;
  return {};
}

Result<void> OutputFile::finish() {
  EXHIBIT_TRY(flush());
  fd_.reset();
  return {};
}

Result<std::string> OutputFile::close() {
  EXHIBIT_TRY(flush());
  if (fsync(fd_.get()) != 0) return base::write_error(path_);
  fd_.reset();
  return file_sha256(path_);
}

Result<std::unique_ptr<Journal>> Journal::open(const std::string& folder, const base::Json& plan, bool durable) {
  auto journal = std::make_unique<Journal>();
  journal->folder_ = folder;
  journal->durable_ = durable;
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) return Error{ErrorCode::io_error, folder + ": cannot be made: " + error.message(), {}, {}};
  const std::string path = folder + "/journal.jsonl";
  if (std::filesystem::exists(path)) EXHIBIT_TRY(journal->load(EXHIBIT_TRY(read_whole(path)), plan));
  // A last line that was cut off by a crash is dropped: what it told of is done again.
  const std::string written = path + ".new";
  journal->fd_.reset(::open(written.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | O_TRUNC, 0600));
  if (!journal->fd_) return base::write_error(written);
  EXHIBIT_TRY(journal->append({{"plan", plan}}));
  for (const auto& [id, output] : journal->finished_) {
    EXHIBIT_TRY(
        journal->append({{"task", id}, {"lines", output.lines}, {"sha256", EXHIBIT_TRY(file_sha256(output.path))}}));
  }
  if (rename(written.c_str(), path.c_str()) != 0) return base::write_error(path);
  return journal;
}

Result<void> Journal::load(const std::string& text, const base::Json& plan) {
  bool first = true;
  for (std::size_t start = 0, end = 0; (end = text.find('\n', start)) != std::string::npos; start = end + 1) {
    auto line = base::parse_json(std::string_view(text).substr(start, end - start));
    if (!line.ok() || !line->is_object()) break;
    if (first) {
      const base::Json before = line->value("plan", base::Json());
      if (before != plan) {
        return Error{ErrorCode::invalid_argument,
                     folder_ + ": holds unfinished work over other inputs (changed: " + difference(before, plan) +
                         "); finish it with the same inputs, or begin another case",
                     {},
                     {}};
      }
      first = false;
      continue;
    }
    const std::string id = line->value("task", "");
    const std::string path = folder_ + "/" + id + ".jsonl";
    const auto sha256 = file_sha256(path);
    if (!sha256.ok() || *sha256 != line->value("sha256", "")) continue;  // not whole: done again
    finished_[id] = {path, line->value("lines", std::uint64_t{0})};
  }
  return {};
}

Result<void> Journal::append(const base::Json& line) {
  EXHIBIT_TRY(base::write_all(fd_.get(), base::canonical(line) + "\n", folder_ + "/journal.jsonl"));
  if (durable_ && fsync(fd_.get()) != 0) return base::write_error(folder_ + "/journal.jsonl");
  return {};
}

const TaskOutput* Journal::find(const Task& task) const {
  const auto found = finished_.find(task.id);
  return found == finished_.end() ? nullptr : &found->second;
}

Result<void> Journal::add(const Task& task, const TaskOutput& output, const std::string& sha256) {
  return append({{"task", task.id}, {"lines", output.lines}, {"sha256", sha256}});
}

}  // namespace exhibit::engine
