#include "engine/given.h"

#include <algorithm>
#include <cstdlib>

#include "base/channel.h"
#include "base/record.h"
#include "engine/journal.h"

namespace exhibit::engine {
namespace {

using base::Json;

std::string text(const Json& record, const char* key) { return record.value(key, std::string()); }

std::string evidence_of(const std::string& id) { return id.substr(0, id.find('/')); }

// The volume that an id lies in: up to the "/i" or "/c" of an item, or the id itself.
std::string volume_of(const std::string& id) {
  for (const char* mark : {"/i", "/c"}) {
    const std::size_t at = id.find(mark);
    if (at != std::string::npos && at + 2 < id.size() && id[at + 2] >= '0' && id[at + 2] <= '9')
      return id.substr(0, at);
  }
  return id;
}

class Sorter {
 public:
  Sorter(Given& given, std::string folder) : given_(given), folder_(std::move(folder)) {}

  Result<void> take(const Json& record) {
    const std::string kind = text(record, "record");
    if (kind == "source") given_.sources[text(record, "evidence")] = text(record, "path");
    if (kind == "evidence") given_.evidence[text(record, "id")] = record;
    if (kind == "volume") volume(text(record, "id")).record = record;
    if (kind == "coverage") return take_coverage(record);
    if (kind == "item") {
      if (text(record, "kind") == "file" && text(record, "state") != "overwritten" && !record.contains("digests"))
        given_.digested = false;
      return write(text(record, "volume"), record);
    }
    if (kind == "match") return write(volume_of(text(record, "item")), record);
    if (kind == "problem") {
      const std::string where = volume_of(text(record, "where"));
      if (where.find('/') != std::string::npos) return write(where, record);
      given_.problems[where].push_back(record);
    }
    return {};
  }

  Result<void> close() {
    for (auto& [id, file] : files_) EXHIBIT_TRY(file.finish());
    return {};
  }

 private:
  Result<void> take_coverage(const Json& record) {
    const std::string where = text(record, "where");
    (where.find('/') == std::string::npos ? given_.coverage[where] : volume(where).coverage) = record;
    return {};
  }

  Given::Volume& volume(const std::string& id) {
    Given::Volume& found = given_.volumes[id];
    found.evidence = evidence_of(id);
    return found;
  }

  Result<void> write(const std::string& id, const Json& record) {
    auto file = files_.find(id);
    if (file == files_.end()) {
      Given::Volume& owner = volume(id);
      owner.items = folder_ + "/given." + std::to_string(files_.size()) + ".jsonl";
      file = files_.emplace(id, EXHIBIT_TRY(OutputFile::create(owner.items))).first;
    }
    return file->second.write(base::canonical(record));
  }

  Given& given_;
  std::string folder_;
  std::map<std::string, OutputFile> files_;
};

Error at_line(std::uint64_t number, const std::string& why) {
  return {ErrorCode::corrupt, "standard input, line " + std::to_string(number) + ": " + why, {}, {}};
}

}  // namespace

Result<Given> read_given(std::FILE* input, const std::string& folder) {
  Given given;
  Sorter sorter(given, folder);
  char* buffer = nullptr;
  std::size_t capacity = 0;
  std::uint64_t number = 0;
  Result<void> done;
  for (ssize_t length = 0; done.ok() && (length = getline(&buffer, &capacity, input)) > 0;) {
    ++number;
    if (buffer[length - 1] == '\n') --length;
    auto record = base::parse_json(std::string_view(buffer, static_cast<std::size_t>(length)));
    auto checked = record.ok() ? base::check_record(*record) : Result<void>(record.take_error());
    done = checked.ok() ? sorter.take(*record) : Result<void>(at_line(number, checked.error().message));
  }
  std::free(buffer);
  if (!done.ok()) return done.take_error();
  if (std::ferror(input) != 0) return at_line(number, "cannot be read");
  EXHIBIT_TRY(sorter.close());
  return given;
}

}  // namespace exhibit::engine
