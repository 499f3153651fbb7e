#include "expand/outlook_message.h"

#include <algorithm>
#include <utility>

#include "base/text.h"
#include "carve/compound_file.h"

namespace exhibit::expand {
namespace {

using carve::CompoundFile;

constexpr std::uint8_t storage = 1, stream = 2;  // an entry's type
constexpr std::size_t longest_name = 4096;       // bytes of UTF-16
// [MS-OXMSG] 2.2.2: an attachment's storage, and in it the streams of its content and of its names.
constexpr std::string_view attachment_storage = "__attach_version1.0_#", attachment_data = "__substg1.0_37010102";
constexpr std::string_view long_name = "__substg1.0_3707001F", short_name = "__substg1.0_3704001F";

// A source as the carver's formats read one.
class SourceContent final : public carve::Content {
 public:
  explicit SourceContent(ByteSource& source) : source_(source), buffer_(window) {}
  std::uint64_t size() const override { return source_.size(); }
  carve::ByteSpan at(std::uint64_t offset, std::size_t wanted) const override {
    const auto got = source_.read_at(offset, std::span(buffer_).first(std::min(wanted, window)));
    return {reinterpret_cast<const std::uint8_t*>(buffer_.data()), got.ok() ? *got : 0};
  }

 private:
  ByteSource& source_;
  mutable std::vector<std::byte> buffer_;
};

class MessageReader final : public Reader {
 public:
  explicit MessageReader(ByteSource& source) : source_(source), content_(source) {}

  Result<void> open() {
    const auto header = CompoundFile::read_header(content_);
    if (!header) return Error{ErrorCode::corrupt, "it doesn't begin as a compound file does", {}, {}};
    file_.emplace(content_, *header);
    const bool holds = file_->read_tables() && file_->chains_hold();
    if (!holds)
      unsound_ = trouble_ = Error{ErrorCode::corrupt, "the compound file's tables contradict each other", {}, {}};
    if (!file_->entries().empty()) list(file_->entries()[0].child);
    return {};
  }

  Result<std::optional<Entry>> next() override {
    if (next_ == members_.size()) return std::optional<Entry>();
    const Member& member = members_[next_++];
    const CompoundFile::Entry& found = file_->entries()[member.entry];
    Entry entry;
    entry.path = member.path;
    entry.kind = found.type == stream ? ItemKind::file : ItemKind::directory;
    size_ = found.type == stream ? found.size : 0;
    if (found.type == stream) entry.size = size_;
    places_ = found.type == stream ? file_->places_of(found) : std::vector<CompoundFile::Place>();
    place_ = 0;
    within_ = given_ = 0;
    return std::optional<Entry>(std::move(entry));
  }

  Result<std::size_t> read(std::span<std::byte> buffer) override {
    std::size_t done = 0;
    while (done < buffer.size() && place_ < places_.size()) {
      const CompoundFile::Place& place = places_[place_];
      const auto wanted =
          static_cast<std::size_t>(std::min<std::uint64_t>(buffer.size() - done, place.length - within_));
      const std::size_t got = EXHIBIT_TRY(source_.read_at(place.offset + within_, buffer.subspan(done, wanted)));
      if (got == 0) break;
      done += got;
      within_ += got;
      if (within_ == place.length) {
        ++place_;
        within_ = 0;
      }
    }
    given_ += done;
    if (done > 0) return done;
    if (given_ != size_) return Error{ErrorCode::corrupt, "its chain of sectors ends early", {}, {}};
    if (unsound_) return *unsound_;
    return done;
  }

  std::optional<Error> take_trouble() override { return std::exchange(trouble_, std::nullopt); }

 private:
  struct Member {
    std::uint32_t entry = 0;
    std::string path;
  };

  // A storage's entries are a tree of siblings (2.6.4 of [MS-CFB]); each entry is told once, wherever links lead.
  void list(std::uint32_t root) {
    struct Step {
      std::uint32_t entry;
      std::string folder;
    };
    const auto& entries = file_->entries();
    std::vector<bool> seen(entries.size(), false);
    std::vector<Step> steps = {{root, ""}};
    while (!steps.empty()) {
      const Step step = std::move(steps.back());
      steps.pop_back();
      if (step.entry >= entries.size() || seen[step.entry]) continue;
      seen[step.entry] = true;
      const CompoundFile::Entry& entry = entries[step.entry];
      if (entry.type == storage || entry.type == stream) members_.push_back({step.entry, step.folder + entry.name});
      if (entry.type == storage) {
        steps.push_back({entry.child, step.folder + entry.name + "/"});
        if (entry.name.starts_with(attachment_storage)) name_attachment(entry.child, step.folder + entry.name + "/");
      }
      steps.push_back({entry.left, step.folder});
      steps.push_back({entry.right, step.folder});
    }
    for (Member& member : members_) {
      const auto named =
          std::find_if(names_.begin(), names_.end(), [&](const Member& name) { return member.path == name.path; });
      if (named != names_.end()) member.path = "attachments/" + text_of(named->entry);
    }
  }

  // Remembers which stream holds the name of the attachment whose storage is `folder`.
  void name_attachment(std::uint32_t root, const std::string& folder) {
    const auto& entries = file_->entries();
    std::vector<std::uint32_t> steps = {root};
    std::optional<std::uint32_t> name;
    for (std::size_t looked = 0; !steps.empty() && looked < entries.size(); ++looked) {
      const std::uint32_t at = steps.back();
      steps.pop_back();
      if (at >= entries.size()) continue;
      const CompoundFile::Entry& entry = entries[at];
      if (entry.name == long_name || (entry.name == short_name && !name)) name = at;
      steps.push_back(entry.left);
      steps.push_back(entry.right);
    }
    if (name) names_.push_back({*name, folder + std::string(attachment_data)});
  }

  std::string text_of(std::uint32_t index) {
    std::string bytes;
    for (const CompoundFile::Place& place : file_->places_of(file_->entries()[index])) {
      const std::size_t wanted =
          std::min<std::uint64_t>(place.length, longest_name - std::min(longest_name, bytes.size()));
      std::string part(wanted, '\0');
      const auto got = source_.read_at(place.offset, std::as_writable_bytes(std::span(part)));
      bytes += part.substr(0, got.ok() ? *got : 0);
    }
    const std::string text = base::from_utf16le(bytes);
    return text.empty() ? "unnamed" : text;
  }

  ByteSource& source_;
  SourceContent content_;
  std::optional<CompoundFile> file_;
  std::vector<Member> members_, names_;  // names_: the stream that holds the name, and the path of what it names
  std::size_t next_ = 0;
  std::optional<Error> trouble_, unsound_;
  // The stream at hand.
  std::vector<CompoundFile::Place> places_;
  std::size_t place_ = 0;
  std::uint64_t within_ = 0, given_ = 0, size_ = 0;
};

}  // namespace

Result<std::unique_ptr<Reader>> open_outlook_message(ByteSource& content) {
  auto reader = std::make_unique<MessageReader>(content);
  EXHIBIT_TRY(reader->open());
  return std::unique_ptr<Reader>(std::move(reader));
}

}  // namespace exhibit::expand
