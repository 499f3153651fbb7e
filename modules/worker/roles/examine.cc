// Items' content in one reading each: digests, type, rules. What a record says besides is passed on as it came.

#include <algorithm>

#include "base/record.h"
#include "worker/task.h"

namespace exhibit::worker {
namespace {

using base::Json;

constexpr std::size_t read_size = std::size_t{1} << 20;

// Only content that belongs to the entry is examined: none is claimed for an overwritten one, nor for the folders that
// a library makes up, nor where what is left of a deleted entry names no byte (that it was empty is not known).
bool has_content(const Item& item) {
  if (item.state == ItemState::overwritten) return false;
  if (item.kind == ItemKind::virtual_file) return item.size > 0;
  return item.kind == ItemKind::file && (item.size > 0 || item.state == ItemState::allocated);
}

// Takes each byte once, as it is read.
class Examination {
 public:
  explicit Examination(hash::MultiDigest digests) : digests_(std::move(digests)) {}
  void take(std::span<const std::byte> bytes) {
    digests_.update(bytes);
    const std::size_t missing = match::TypeDetector::head_size - head_.size();
    const auto more = bytes.first(std::min(missing, bytes.size()));
    head_.insert(head_.end(), more.begin(), more.end());
    taken_ += bytes.size();
  }
  Digests digests() { return digests_.finish(); }
  std::span<const std::byte> head() const { return head_; }
  std::uint64_t taken() const { return taken_; }

 private:
  hash::MultiDigest digests_;
  std::vector<std::byte> head_;
  std::uint64_t taken_ = 0;
};

Result<void> read_through(ByteSource& content, Examination& examination) {
  std::vector<std::byte> buffer(static_cast<std::size_t>(std::min<std::uint64_t>(read_size, content.size())));
  for (std::uint64_t offset = 0; offset < content.size();) {
    const std::size_t got = EXHIBIT_TRY(content.read_at(offset, buffer));
    if (got == 0) return Error{ErrorCode::io_error, "the content ends before its size", {}, offset};
    examination.take(std::span(buffer).first(got));
    offset += got;
  }
  return {};
}

void tell_doubts(const Item& item, const std::vector<Doubt>& doubts, Output& output) {
  for (const Doubt& doubt : doubts) {
    const ErrorCode cause = doubt.cause == DoubtCause::read_error ? ErrorCode::io_error : ErrorCode::corrupt;
    output.problem({item.id,
                    "read",
                    name_of(cause),
                    {{doubt.offset, doubt.length}},
                    std::string("the content could not be read here: ") + name_of(doubt.cause)});
  }
}

// `address` of Item::content: what follows the volume and "/i".
std::string address_of(const Item& item) {
  return item.content.substr(std::min(item.content.size(), item.volume.size() + 1));
}

// Said of a content that was scanned in several blocks: what spans more than their overlap may be missed.
Json windows() { return {{"size", match::RuleScanner::window_size}, {"overlap", match::RuleScanner::overlap}}; }

class Examiner {
 public:
  Examiner(Context& context, filesystem::FileSystem& filesystem, const Json& arguments, Output& output)
      : context_(context),
        filesystem_(filesystem),
        output_(output),
        wanted_(arguments.value("digests", std::vector<std::string>())) {}

  Result<void> examine(Json record) {
    const Item item = EXHIBIT_TRY(base::item_from_record(record));
    if (!has_content(item)) {
      output_.record(record);
      return {};
    }
    output_.touch(item.id, item.size);
    auto content = filesystem_.open_content(address_of(item));
    auto examined = content.ok() ? read(item, **content, record) : Result<void>(content.take_error());
    if (!examined.ok()) {
      output_.record(record);
      const Error& error = examined.error();
      std::optional<std::array<std::uint64_t, 2>> extent;
      if (error.offset && *error.offset <= item.size) extent = {*error.offset, item.size - *error.offset};
      output_.problem({item.id, "read", name_of(error.code), extent, error.message});
    }
    return {};
  }

 private:
  Result<void> read(const Item& item, ByteSource& content, Json& record) {
    Examination examination(EXHIBIT_TRY(hash::MultiDigest::create(wanted_)));
    match::ScanResult scanned;
    if (content.size() != item.size) {
      return Error{ErrorCode::corrupt, "the content's size isn't the item's", item.id, {}};
    }
    if (context_.rules != nullptr) {
      scanned = EXHIBIT_TRY(context_.rules->scan(content, [&](auto bytes) { examination.take(bytes); }));
    } else {
      EXHIBIT_TRY(read_through(content, examination));
    }
    const std::vector<Doubt> doubts = content.doubts(0, item.size);
    if (examination.taken() != item.size) {
      return Error{ErrorCode::io_error, "the content could not be read to its end", item.id, examination.taken()};
    }
    // A digest is claimed only of bytes that are vouched for.
    const bool unread = std::any_of(scanned.troubles.begin(), scanned.troubles.end(),
                                    [](const auto& trouble) { return trouble.cause == name_of(ErrorCode::io_error); });
    if (doubts.empty() && !unread && !wanted_.empty()) {
      Json& digests = record["digests"];
      for (auto& [name, digest] : examination.digests()) digests[name] = digest;
    }
    if (!doubts.empty()) record["doubt"] = base::to_json(doubts);
    if (scanned.windowed) record["windows"] = windows();
    record["type"] = context_.types->type_of(examination.head());
    if (match::extension_mismatch(item.path, record["type"].get<std::string>())) record["extension_mismatch"] = true;
    output_.record(record);
    tell_doubts(item, doubts, output_);
    tell_scan(item, scanned);
    return {};
  }

  void tell_scan(const Item& item, const match::ScanResult& scanned) {
    for (Match match : scanned.matches) {
      match.item = item.id;
      Json line = base::to_record(match);
      if (scanned.windowed) line["windows"] = windows();
      output_.record(line);
    }
    for (const auto& trouble : scanned.troubles) output_.problem({item.id, "scan", trouble.cause, {}, trouble.detail});
  }

  Context& context_;
  filesystem::FileSystem& filesystem_;
  Output& output_;
  std::vector<std::string> wanted_;
};

}  // namespace

Result<void> run_examine(Context& context, const Task& task, Output& output) {
  OpenVolume* volume = EXHIBIT_TRY(context.open_volume(task.arguments));
  filesystem::FileSystem* filesystem = EXHIBIT_TRY(volume->filesystem());
  if (filesystem == nullptr) return Error{ErrorCode::not_found, "the volume has no file system", volume->id(), {}};
  Examiner examiner(context, *filesystem, task.arguments, output);
  while (auto record = task.next_record()) EXHIBIT_TRY(examiner.examine(std::move(*record)));
  return {};
}

extern const Role examine_role;
const Role examine_role = {"examine", run_examine};

}  // namespace exhibit::worker
