#pragma once
// The work folder of a run: each finished task's lines in a file of its own, and a journal that says which files are
// whole, so that a run that was cut off goes on where it stopped.

#include <exhibit/result.h>

#include <map>
#include <memory>
#include <string>

#include "base/json.h"
#include "base/unique_fd.h"
#include "engine/task.h"
#include "hash/multi_digest.h"

namespace exhibit::engine {

// A file being written, digested as it goes.
class OutputFile {
 public:
  static Result<OutputFile> create(const std::string& path);
  // One of many: its file is open only while a piece is written to it. Not to be truncated.
  static Result<OutputFile> create_one_of_many(const std::string& path);
  Result<void> write(std::string_view line);  // without its LF
  std::uint64_t size() const { return size_; }
  std::uint64_t lines() const { return lines_; }
  // Back to an earlier size, which a line ended at.
  Result<void> truncate(std::uint64_t size, std::uint64_t lines);
  // The file is then as it will stay, for as long as this run.
  Result<void> finish();
  // The same for later runs too: synced. Returns its SHA-256.
  Result<std::string> close();
  const std::string& path() const { return path_; }

 private:
  Result<void> flush();
  std::string path_;
  base::UniqueFd fd_;
  std::string pending_;
  std::uint64_t size_ = 0, lines_ = 0;
  bool stays_open_ = true;
};

class Journal {
 public:
  // `plan`: all that the findings depend on. Where the folder holds a journal of the same plan, its finished tasks are
  // known; of another plan: Error (invalid_argument) that says what changed. `durable`: sync what is finished.
  static Result<std::unique_ptr<Journal>> open(const std::string& folder, const base::Json& plan, bool durable);

  const std::string& folder() const { return folder_; }
  std::string path_of(const Task& task) const { return folder_ + "/" + task.id + ".jsonl"; }

  // The task's output where it is done and its file still is what it was.
  const TaskOutput* find(const Task& task) const;

  Result<void> add(const Task& task, const TaskOutput& output, const std::string& sha256);

  // Whether anybody will ask for it after this run.
  bool durable() const { return durable_; }

  std::uint64_t resumed() const { return finished_.size(); }

 private:
  Result<void> load(const std::string& text, const base::Json& plan);
  Result<void> append(const base::Json& line);

  std::string folder_;
  bool durable_ = false;
  base::UniqueFd fd_;
  std::map<std::string, TaskOutput> finished_;
};

// The SHA-256 of a file in hex.
Result<std::string> file_sha256(const std::string& path);

}  // namespace exhibit::engine
