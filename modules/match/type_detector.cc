#include <magic.h>

#include <algorithm>

#include "match/content.h"
#include "match/entry_sieve.h"
#include "match/magic_database.h"

namespace exhibit::match {
namespace {

// The distribution's compiled database, by its own name: libmagic's default would also ask $MAGIC and $HOME/.magic, and
// the types would differ from machine to machine.
constexpr const char* databases[] = {"/usr/share/misc/magic.mgc", "/usr/lib/file/magic.mgc"};
// Never unpacks (that forks), never follows anything outside the buffer.
constexpr int magic_flags = MAGIC_MIME_TYPE | MAGIC_NO_CHECK_COMPRESS;
constexpr const char* empty_type = "inode/x-empty";
constexpr const char* unknown_type = "application/octet-stream";
// The one whose ways entry_sieve and magic_database know. Any other is asked without them.
constexpr int known_libmagic = 544;

struct MagicDeleter {
  void operator()(magic_t magic) const { magic_close(magic); }
};
using Magic = std::unique_ptr<std::remove_pointer_t<magic_t>, MagicDeleter>;

// The most that a database of some entries may have: 2.2 MB. One with more isn't worth what it saves.
constexpr std::size_t most_records = 6000;

// libmagic on a database that lies in memory, the caller's or its own.
class Library {
 public:
  Library() : magic_(magic_open(magic_flags)) {}

  // The records must stay where they are.
  bool load(std::vector<MagicRecord>& records) {
    void* buffer = records.data();
    std::size_t size = records.size() * sizeof(MagicRecord);
    return magic_ && magic_load_buffers(magic_.get(), &buffer, &size, 1) == 0;
  }
  bool load_own(std::vector<MagicRecord> records) {
    const bool loaded = load(records);
    records_ = std::move(records);  // the old ones are let go after libmagic did
    return loaded;
  }
  bool load_file(const char* path) { return magic_ && magic_load(magic_.get(), path) == 0; }
  std::vector<MagicRecord>& own() { return records_; }
  bool opened() const { return magic_ != nullptr; }
  std::size_t parameter(int which) const {
    std::size_t value = 0;
    return magic_ && magic_getparam(magic_.get(), which, &value) == 0 ? value : 0;
  }

  std::string ask(std::span<const std::byte> head) const {
    const char* type = magic_buffer(magic_.get(), head.data(), head.size());
    // No answer at all is a failure (of memory, say); that it knows no type it would say.
    return type == nullptr ? "" : *type == '\0' ? unknown_type : type;
  }

 private:
  std::vector<MagicRecord> records_;
  Magic magic_;  // goes first: it points into the records
};

// A database of the entries that contents often don't rule out, of which those that a content rules out are switched
// off. So libmagic keeps the regular expressions that it compiled, and nothing is built for each content.
class Switchboard {
 public:
  Switchboard(const MagicDatabase& database, const EntrySieve& sieve)
      : database_(database), place_(database.entries().size()), met_(database.entries().size()) {
    for (std::uint32_t entry = 0; entry < met_.size(); ++entry) {
      const bool text = (database.test_of(entry).flags & magic_flag::text_test) != 0;
      const bool weak = sieve.weak(entry) && database.entries()[entry].records <= most_weak_records;
      if (text || weak || sieve.always(entry)) met_[entry] = worth_a_place;
    }
  }

  // False: libmagic refuses it, and it holds nothing.
  bool build() {
    std::vector<std::uint32_t> chosen, place(met_.size());
    std::uint32_t next = 1;  // behind the header
    for (std::uint32_t entry = 0; entry < met_.size(); ++entry) {
      if (met_[entry] < worth_a_place || database_.entries()[entry].whole_only) continue;
      chosen.push_back(entry);
      place[entry] = next;
      next += database_.entries()[entry].records;
    }
    std::vector<MagicRecord> records = database_.excerpt(chosen);
    for (const std::uint32_t entry : chosen) records[place[entry]].flags = 0;
    full_ = records.size() > most_records;
    if (full_) return true;  // as it was
    const bool loaded = library_.load_own(std::move(records));
    place_ = loaded ? std::move(place) : std::vector<std::uint32_t>(met_.size());
    return loaded;
  }

  bool holds(const std::vector<std::uint32_t>& entries) const {
    return std::all_of(entries.begin(), entries.end(), [this](std::uint32_t entry) { return place_[entry] != 0; });
  }

  // Entries that a content didn't rule out, not all of them here. Those that come often are taken in.
  void meet(const std::vector<std::uint32_t>& entries) {
    bool due = false;
    for (const std::uint32_t entry : entries) {
      if (place_[entry] != 0 || database_.entries()[entry].whole_only) continue;
      if (++met_[entry] % often == 0) due = true;
    }
    if (due && !full_) build();
  }

  std::string ask(const std::vector<std::uint32_t>& entries, std::span<const std::byte> head) {
    // An entry without either flag is tried on nothing.
    for (const std::uint32_t entry : entries) library_.own()[place_[entry]].flags = database_.test_of(entry).flags;
    std::string type = library_.ask(head);
    for (const std::uint32_t entry : entries) library_.own()[place_[entry]].flags = 0;
    return type;
  }

 private:
  // libmagic steps over each record of an entry that is switched off.
  static constexpr std::uint32_t most_weak_records = 12;
  // One entry met so often makes it worth the time to take in all that were met more than once or twice.
  static constexpr std::uint32_t often = 16, worth_a_place = 4;

  const MagicDatabase& database_;
  Library library_;
  std::vector<std::uint32_t> place_;  // of an entry's first record; 0: not there
  std::vector<std::uint32_t> met_;
  bool full_ = false;
};

// Asks libmagic with as few of the database's entries as can matter.
class SievedDetector final : public TypeDetector {
 public:
  // nullptr: not the libmagic, or not a database, whose ways are known here.
  static std::unique_ptr<TypeDetector> load(const char* path) {
    auto database = MagicDatabase::read(path);
    if (magic_version() != known_libmagic || !database) return nullptr;
    auto detector = std::unique_ptr<SievedDetector>(new SievedDetector(std::move(*database)));
    if (detector->encoding_limit_ == 0 || detector->regex_limit_ == 0) return nullptr;
    if (!detector->whole_.load(detector->database_.all()) || !detector->switchboard_.build()) return nullptr;
    return detector;
  }

  std::string type_of(std::span<const std::byte> head) override {
    if (head.empty()) return empty_type;
    head = head.first(std::min(head.size(), head_size));
    const auto text = text_size(head, encoding_limit_);
    if (!text) return whole_.ask(head);
    sieve_.sift(head, *text, entries_);
    const std::string type = ask_about_entries(head);
    return type == restart_type ? whole_.ask(head) : type;
  }

 private:
  explicit SievedDetector(MagicDatabase database)
      : database_(std::move(database)),
        regex_limit_(whole_.parameter(MAGIC_PARAM_REGEX_MAX)),
        encoding_limit_(whole_.parameter(MAGIC_PARAM_ENCODING_MAX)),
        sieve_(database_, regex_limit_),
        switchboard_(database_, sieve_) {}

  std::string ask_about_entries(std::span<const std::byte> head) {
    if (switchboard_.holds(entries_)) return switchboard_.ask(entries_, head);
    std::string type = load_excerpt() ? excerpt_.ask(head) : restart_type;
    switchboard_.meet(entries_);
    return type;
  }

  bool load_excerpt() {
    if (entries_ == excerpted_) return true;
    excerpted_.clear();
    const auto whole_only = [this](std::uint32_t entry) { return database_.entries()[entry].whole_only; };
    if (std::any_of(entries_.begin(), entries_.end(), whole_only)) return false;
    std::vector<MagicRecord> records = database_.excerpt(entries_);
    if (records.size() > most_records || !excerpt_.load_own(std::move(records))) return false;
    excerpted_ = entries_;
    return true;
  }

  MagicDatabase database_;
  Library whole_;
  std::size_t regex_limit_, encoding_limit_;
  EntrySieve sieve_;
  Switchboard switchboard_;
  Library excerpt_;
  std::vector<std::uint32_t> entries_, excerpted_;
};

class PlainDetector final : public TypeDetector {
 public:
  explicit PlainDetector(Library library) : library_(std::move(library)) {}

  std::string type_of(std::span<const std::byte> head) override {
    return head.empty() ? empty_type : library_.ask(head.first(std::min(head.size(), head_size)));
  }

 private:
  Library library_;
};

}  // namespace

Result<std::unique_ptr<TypeDetector>> TypeDetector::load() {
  for (const char* path : databases) {
    if (auto sieved = SievedDetector::load(path)) return sieved;
    Library plain;
    if (!plain.opened()) return Error{ErrorCode::memory_limit, "libmagic can't be initialised", {}, {}};
    if (plain.load_file(path)) return std::unique_ptr<TypeDetector>(new PlainDetector(std::move(plain)));
  }
  return Error{ErrorCode::not_found, "libmagic's database isn't there; install the package libmagic-mgc", {}, {}};
}

}  // namespace exhibit::match
