#include "base/external_sorter.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/disk.h"

namespace exhibit::base {
namespace {

// Runs that are read at once. With 32 MiB a run holds 16 MiB: 64 * 64 of them, merged once before they are read, are
// 64 GiB.
constexpr std::size_t fan_in = 64;
// Half of the memory gathers entries. The other half is for the buffers of a merge, the one that is written among them.
constexpr std::uint64_t buffers = 2 * (fan_in + 1);
constexpr std::uint64_t smallest_buffer = 4096, largest_buffer = std::uint64_t{1} << 20;

// How an entry stands in memory and in a run: this, then key and value. Runs are read by the process that wrote them.
struct Header {
  std::uint32_t section, key_size, value_size;
};

struct Entry {
  std::uint32_t section = 0;
  std::string_view key, value;
  auto operator<=>(const Entry&) const = default;  // NOLINT(modernize-use-nullptr)
};

void append_packed(std::string& out, const Entry& entry) {
  EXHIBIT_CHECK(entry.key.size() <= UINT32_MAX && entry.value.size() <= UINT32_MAX);
  const Header header = {entry.section, static_cast<std::uint32_t>(entry.key.size()),
                         static_cast<std::uint32_t>(entry.value.size())};
  char bytes[sizeof header];
  std::memcpy(bytes, &header, sizeof header);
  out.append(bytes, sizeof bytes).append(entry.key).append(entry.value);
}

Header header_at(const char* bytes) {
  Header header;
  std::memcpy(&header, bytes, sizeof header);
  return header;
}

Entry entry_at(const char* bytes) {
  const Header header = header_at(bytes);
  const char* key = bytes + sizeof header;
  return {header.section, {key, header.key_size}, {key + header.key_size, header.value_size}};
}

}  // namespace

// Sorted entries in the file.
struct ExternalSorter::Run {
  struct Section {
    std::uint32_t number;
    std::uint64_t begin;
  };
  std::uint64_t begin = 0, end = 0;
  std::vector<Section> sections;  // ascending

  // Where the sections from `number` on begin.
  std::uint64_t begin_of(std::uint64_t number) const {
    const auto found = std::lower_bound(sections.begin(), sections.end(), number,
                                        [](const Section& each, std::uint64_t wanted) { return each.number < wanted; });
    return found == sections.end() ? end : found->begin;
  }
};

// Writes a run behind whatever the file holds.
class ExternalSorter::RunWriter {
 public:
  static Result<RunWriter> create(int fd, const std::string& folder, std::size_t buffer_bytes) {
    const off_t end = lseek(fd, 0, SEEK_END);
    if (end < 0) return write_error(folder);
    return RunWriter(fd, folder, static_cast<std::uint64_t>(end), buffer_bytes);
  }

  Result<void> put(const Entry& entry) {
    if (run_.sections.empty() || run_.sections.back().number != entry.section)
      run_.sections.push_back({entry.section, run_.end});
    const std::size_t before = pending_.size();
    append_packed(pending_, entry);
    run_.end += pending_.size() - before;
    return pending_.size() < buffer_bytes_ ? Result<void>() : flush();
  }

  Result<Run> finish() {
    EXHIBIT_TRY(flush());
    return std::move(run_);
  }

 private:
  RunWriter(int fd, std::string folder, std::uint64_t begin, std::size_t buffer_bytes)
      : fd_(fd), folder_(std::move(folder)), buffer_bytes_(buffer_bytes), run_{begin, begin, {}} {}

  Result<void> flush() {
    EXHIBIT_TRY(write_all(fd_, pending_, folder_));
    pending_.clear();
    if (pending_.capacity() > 4 * buffer_bytes_) pending_.shrink_to_fit();  // after one long entry
    return {};
  }

  int fd_;
  std::string folder_;
  std::size_t buffer_bytes_;
  Run run_;
  std::string pending_;
};

// Sorted entries, one at a time.
class ExternalSorter::Source {
 public:
  virtual ~Source() = default;
  // Goes to the next entry; false after the last. What the last one gave is gone.
  virtual Result<bool> next() = 0;
  virtual std::uint32_t section() const = 0;
  virtual std::string_view key() const = 0;
  // Read only when it is asked for, as lines may be long, and the keys of most entries differ.
  virtual Result<std::string_view> value() = 0;
};

class ExternalSorter::MemorySource : public Source {
 public:
  using Places = std::vector<std::size_t>::const_iterator;
  MemorySource(const std::string& bytes, Places begin, Places end) : bytes_(bytes), next_(begin), end_(end) {}
  Result<bool> next() override {
    if (next_ == end_) return false;
    entry_ = entry_at(bytes_.data() + *next_++);
    return true;
  }
  std::uint32_t section() const override { return entry_.section; }
  std::string_view key() const override { return entry_.key; }
  Result<std::string_view> value() override { return entry_.value; }

 private:
  const std::string& bytes_;
  Places next_, end_;
  Entry entry_;
};

class ExternalSorter::RunSource : public Source {
 public:
  RunSource(int fd, std::uint64_t begin, std::uint64_t end, std::size_t buffer_bytes)
      : fd_(fd), position_(begin), end_(end), buffer_bytes_(buffer_bytes) {}

  Result<bool> next() override {
    skip(std::exchange(value_left_, 0));
    if (unread() == 0) return false;
    header_ = header_at(EXHIBIT_TRY(read(sizeof(Header))).data());
    key_ = EXHIBIT_TRY(read(header_.key_size));
    value_left_ = header_.value_size;
    value_.reset();
    return true;
  }
  std::uint32_t section() const override { return header_.section; }
  std::string_view key() const override { return key_; }
  Result<std::string_view> value() override {
    if (!value_) value_ = EXHIBIT_TRY(read(std::exchange(value_left_, 0)));
    return *value_;
  }

 private:
  std::uint64_t unread() const { return buffer_.size() - used_ + (end_ - position_); }

  void skip(std::uint64_t count) {
    const std::uint64_t buffered = std::min<std::uint64_t>(count, buffer_.size() - used_);
    used_ += buffered;
    position_ += count - buffered;
  }

  // The next `count` bytes; they last until the next call.
  Result<std::string_view> read(std::size_t count) {
    if (buffer_.size() - used_ < count) EXHIBIT_TRY(fill(count));
    used_ += count;
    return std::string_view(buffer_).substr(used_ - count, count);
  }

  Result<void> fill(std::size_t count) {
    buffer_.erase(0, used_);
    used_ = 0;
    std::size_t filled = buffer_.size();
    const std::uint64_t wanted = std::min<std::uint64_t>(std::max(count, buffer_bytes_), unread());
    EXHIBIT_CHECK(wanted >= count);
    buffer_.resize(static_cast<std::size_t>(wanted));
    if (buffer_.capacity() > 2 * std::max(buffer_.size(), buffer_bytes_)) buffer_.shrink_to_fit();
    while (filled < buffer_.size()) {
      const ssize_t got = pread(fd_, buffer_.data() + filled, buffer_.size() - filled, static_cast<off_t>(position_));
      if (got < 0 && errno == EINTR) continue;
      if (got <= 0) {
        const std::string why = got < 0 ? std::strerror(errno) : "it is cut short";
        return Error{ErrorCode::io_error, "a sorted run of records cannot be read back: " + why, {}, {}};
      }
      filled += static_cast<std::size_t>(got);
      position_ += static_cast<std::uint64_t>(got);
    }
    return {};
  }

  int fd_;
  std::uint64_t position_, end_;  // in the file; what is buffered lies before position_
  std::size_t buffer_bytes_;
  std::string buffer_;
  std::size_t used_ = 0;  // of buffer_
  Header header_{};
  std::string key_;
  std::size_t value_left_ = 0;  // bytes of the value that were not read
  std::optional<std::string_view> value_;
};

// Many sources as one, by a heap of those that still have entries.
class ExternalSorter::Merge {
 public:
  using Call = std::function<Result<void>(const Entry&)>;

  Result<void> add(std::unique_ptr<Source> source) {
    if (EXHIBIT_TRY(source->next())) heap_.push_back(std::move(source));
    return {};
  }

  Result<void> for_each(const Call& call) {
    const auto later = [this](const auto& a, const auto& b) { return is_later(*a, *b); };
    std::make_heap(heap_.begin(), heap_.end(), later);
    while (!failure_ && !heap_.empty()) {
      std::pop_heap(heap_.begin(), heap_.end(), later);
      if (failure_) break;
      EXHIBIT_TRY(pass_on(*heap_.back(), call));
      if (EXHIBIT_TRY(heap_.back()->next())) {
        std::push_heap(heap_.begin(), heap_.end(), later);
      } else {
        heap_.pop_back();
      }
    }
    if (failure_) return *failure_;
    return {};
  }

 private:
  Result<void> pass_on(Source& source, const Call& call) {
    const Entry entry = {source.section(), source.key(), EXHIBIT_TRY(source.value())};
    if (last_section_ == entry.section && last_key_ == entry.key && last_value_ == entry.value) return {};
    last_section_ = entry.section;
    last_key_ = entry.key;
    last_value_ = entry.value;
    return call(entry);
  }

  bool is_later(Source& a, Source& b) {
    if (a.section() != b.section()) return a.section() > b.section();
    if (const int order = a.key().compare(b.key()); order != 0) return order > 0;
    const auto first = a.value(), second = b.value();
    if (first.ok() && second.ok()) return *first > *second;
    if (!failure_) failure_ = first.ok() ? second.error() : first.error();
    return false;
  }

  std::vector<std::unique_ptr<Source>> heap_;
  std::optional<Error> failure_;  // of a read within a comparison
  std::optional<std::uint32_t> last_section_;
  std::string last_key_, last_value_;
};

ExternalSorter::ExternalSorter(std::string folder, std::uint64_t memory_bytes)
    : folder_(std::move(folder)),
      entries_bytes_(memory_bytes / 2),
      buffer_bytes_(static_cast<std::size_t>(std::clamp(memory_bytes / buffers, smallest_buffer, largest_buffer))) {}

ExternalSorter::~ExternalSorter() = default;

Result<void> ExternalSorter::add(std::uint32_t section, std::string_view key, std::string_view value) {
  const std::uint64_t more = sizeof(Header) + key.size() + value.size();
  const std::uint64_t places = (places_.size() + 1) * 2 * sizeof(std::size_t);  // a vector that grows doubles
  if (!places_.empty() && bytes_.size() + more + places > entries_bytes_) EXHIBIT_TRY(spill());
  // Reserved at once, as growing would need the old and the new together; untouched memory costs nothing.
  bytes_.reserve(static_cast<std::size_t>(std::max(entries_bytes_, more)));
  places_.push_back(bytes_.size());
  append_packed(bytes_, {section, key, value});
  sorted_ = false;
  return {};
}

void ExternalSorter::sort() {
  if (sorted_) return;
  const char* bytes = bytes_.data();
  std::sort(places_.begin(), places_.end(),
            [bytes](std::size_t a, std::size_t b) { return entry_at(bytes + a) < entry_at(bytes + b); });
  sorted_ = true;
}

Result<void> ExternalSorter::spill() {
  if (!file_) EXHIBIT_TRY(open_file());
  sort();
  RunWriter writer = EXHIBIT_TRY(RunWriter::create(file_.get(), folder_, buffer_bytes_));
  for (const std::size_t place : places_) EXHIBIT_TRY(writer.put(entry_at(bytes_.data() + place)));
  runs_.push_back(EXHIBIT_TRY(writer.finish()));
  if (bytes_.capacity() > 2 * entries_bytes_) bytes_ = {};  // after one long entry
  bytes_.clear();
  places_.clear();
  return {};
}

Result<void> ExternalSorter::open_file() {
  std::string path = folder_ + "/sort.XXXXXX";
  file_.reset(mkostemp(path.data(), O_CLOEXEC));
  if (!file_ || unlink(path.c_str()) != 0) return write_error(path);
  return {};
}

// The oldest runs become one, until so few are left that they can be read at once.
Result<void> ExternalSorter::merge_runs() {
  while (runs_.size() > fan_in) {
    const auto end = runs_.begin() + fan_in;
    Merge merge;
    for (auto run = runs_.begin(); run != end; ++run)
      EXHIBIT_TRY(merge.add(std::make_unique<RunSource>(file_.get(), run->begin, run->end, buffer_bytes_)));
    RunWriter writer = EXHIBIT_TRY(RunWriter::create(file_.get(), folder_, buffer_bytes_));
    EXHIBIT_TRY(merge.for_each([&](const Entry& entry) { return writer.put(entry); }));
    Run merged = EXHIBIT_TRY(writer.finish());
    // The disk gets back what was merged, where the file system can give it.
    for (auto run = runs_.begin(); run != end; ++run) {
      fallocate(file_.get(), FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, static_cast<off_t>(run->begin),
                static_cast<off_t>(run->end - run->begin));
    }
    runs_.erase(runs_.begin(), end);
    runs_.push_back(std::move(merged));
  }
  return {};
}

Result<void> ExternalSorter::for_each(std::uint32_t section, const EntryCall& call) {
  sort();
  EXHIBIT_TRY(merge_runs());
  Merge merge;
  for (const Run& run : runs_) {
    EXHIBIT_TRY(merge.add(std::make_unique<RunSource>(file_.get(), run.begin_of(section),
                                                      run.begin_of(std::uint64_t{section} + 1), buffer_bytes_)));
  }
  const auto section_of = [this](std::size_t place) { return entry_at(bytes_.data() + place).section; };
  const auto begin =
      std::lower_bound(places_.begin(), places_.end(), section,
                       [&](std::size_t place, std::uint32_t wanted) { return section_of(place) < wanted; });
  const auto end = std::upper_bound(begin, places_.end(), section, [&](std::uint32_t wanted, std::size_t place) {
    return wanted < section_of(place);
  });
  EXHIBIT_TRY(merge.add(std::make_unique<MemorySource>(bytes_, begin, end)));
  return merge.for_each([&](const Entry& entry) { return call(entry.key, entry.value); });
}

}  // namespace exhibit::base
