#include "worker/examination.h"

#include <algorithm>
#include <tuple>

#include "base/record.h"
#include "base/reporter.h"
#include "base/text.h"

namespace exhibit::worker {
namespace {

using base::Json;

constexpr std::size_t read_size = std::size_t{1} << 20;

// Takes each byte once, as it is read.
class Reading {
 public:
  explicit Reading(hash::MultiDigest digests) : digests_(std::move(digests)) {}
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

Result<void> read_through(ByteSource& content, Reading& reading) {
  std::vector<std::byte> buffer(static_cast<std::size_t>(std::min<std::uint64_t>(read_size, content.size())));
  for (std::uint64_t offset = 0; offset < content.size();) {
    const std::size_t got = EXHIBIT_TRY(content.read_at(offset, buffer));
    if (got == 0) return Error{ErrorCode::io_error, "the content ends before its size", {}, offset};
    reading.take(std::span(buffer).first(got));
    offset += got;
  }
  return {};
}

void tell_doubts(const Item& item, const std::vector<Doubt>& doubts, const char* stage, Output& output) {
  for (const Doubt& doubt : doubts) {
    const ErrorCode cause = doubt.cause == DoubtCause::read_error ? ErrorCode::io_error : ErrorCode::corrupt;
    output.problem({item.id,
                    stage,
                    name_of(cause),
                    {{doubt.offset, doubt.length}},
                    std::string("the content could not be read here: ") + name_of(doubt.cause)});
  }
}

// Said of a content that was scanned in several blocks: what spans more than their overlap may be missed.
Json windows() { return {{"size", match::RuleScanner::window_size}, {"overlap", match::RuleScanner::overlap}}; }

// What is known of the content already stays, but for what was made anew.
std::string digests_text(const Item& item, const Digests& digests, const Digests& of_likeness) {
  Json all = item.digests;
  for (const auto& [name, digest] : digests) all[name] = digest;
  for (const auto& [name, digest] : of_likeness) all[name] = digest;
  return base::canonical(all);
}

// Beside what was in doubt before the content was read: a carved object's own.
std::string doubts_text(const Item& item, std::vector<Doubt> doubts) {
  doubts.insert(doubts.end(), item.doubt.begin(), item.doubt.end());
  std::sort(doubts.begin(), doubts.end(), [](const Doubt& a, const Doubt& b) {
    return std::tie(a.offset, a.length, a.cause) < std::tie(b.offset, b.length, b.cause);
  });
  doubts.erase(std::unique(doubts.begin(), doubts.end()), doubts.end());
  return base::canonical(base::to_json(doubts));
}

}  // namespace

bool has_content(const Item& item) {
  if (item.state == ItemState::overwritten) return false;
  if (item.kind == ItemKind::virtual_file) return item.size > 0;
  return item.kind == ItemKind::file && (item.size > 0 || item.state == ItemState::allocated);
}

// Holes cost no room on a volume but time here: what is many times its volume's size is read up to this size only.
std::optional<Error> too_large(const Item& item, std::uint64_t volume_bytes) {
  constexpr std::uint64_t always_read = std::uint64_t{128} << 30, most_times = 8;
  if (item.size <= always_read || item.size / most_times <= volume_bytes) return std::nullopt;
  return Error{
      ErrorCode::size_limit,
      "its size is more than " + std::to_string(most_times) + " times that of its volume; its content isn't read",
      item.id,
      {}};
}

Examiner::Examiner(Context& context, std::vector<std::string> digests, Output& output, const char* stage)
    : context_(context), output_(output), wanted_(std::move(digests)), stage_(stage) {}

void Examiner::pass_on(std::string_view record) { output_.line(record); }

void Examiner::refuse(const Item& item, std::string_view record, const Error& error) {
  last_type_.clear();
  output_.line(record);
  std::optional<std::array<std::uint64_t, 2>> extent;
  if (error.offset && *error.offset <= item.size) extent = {*error.offset, item.size - *error.offset};
  output_.problem({item.id, stage_, name_of(error.code), extent, error.message});
}

void Examiner::examine(const Item& item, std::string_view record, ByteSource& content) {
  const auto examined = read(item, content, record);
  if (!examined.ok()) refuse(item, record, examined.error());
}

Result<void> Examiner::read(const Item& item, ByteSource& content, std::string_view record) {
  Reading reading(EXHIBIT_TRY(hash::MultiDigest::create(wanted_)));
  Judgement judged;
  if (content.size() != item.size) {
    return Error{ErrorCode::corrupt, "the content's size isn't the item's", item.id, {}};
  }
  if (context_.rules != nullptr) {
    judged.scanned = EXHIBIT_TRY(context_.rules->scan(content, [&](auto bytes) { reading.take(bytes); }));
  } else {
    EXHIBIT_TRY(read_through(content, reading));
  }
  const std::vector<Doubt> doubts = content.doubts(0, item.size);
  if (reading.taken() != item.size) {
    return Error{ErrorCode::io_error, "the content could not be read to its end", item.id, reading.taken()};
  }
  // A digest is claimed only of bytes that are vouched for.
  const bool unread = std::any_of(judged.scanned.troubles.begin(), judged.scanned.troubles.end(),
                                  [](const auto& trouble) { return trouble.cause == name_of(ErrorCode::io_error); });
  judged.type = context_.types->type_of(reading.head());
  const bool is_sound = doubts.empty() && !unread;
  if (is_sound) judged.perceived = perceive(item, judged.type, content);
  tell_found(item, record, is_sound ? reading.digests() : Digests(), doubts, judged);
  tell_doubts(item, doubts, stage_, output_);
  tell_type(item, judged.type);
  tell_perceived(item, judged.perceived);
  tell_scan(item, judged.scanned);
  return {};
}

void Examiner::examine(const Item& item, std::string_view record, ByteSource& content, const Digests& digests,
                       std::span<const std::byte> head) {
  const auto sha256 = digests.find("sha256");
  const std::string key = sha256 == digests.end() ? std::string() : sha256->second;
  const Judgement* known = key.empty() ? nullptr : context_.judgements.find(key);
  Judgement judged;
  if (known == nullptr) {
    judged.type = context_.types->type_of(head);
    if (context_.rules != nullptr) {
      auto scanned = context_.rules->scan(content, [](auto) {});
      if (!scanned.ok()) return refuse(item, record, scanned.error());
      judged.scanned = scanned.take();
    }
    judged.perceived = perceive(item, judged.type, content);
    // What a scan didn't get through may fare better another time.
    const bool is_final = judged.scanned.troubles.empty() && !judged.type.empty() && !judged.perceived.is_passed_over;
    if (!key.empty() && is_final) context_.judgements.keep(key, judged);
    known = &judged;
  }
  tell_found(item, record, digests, {}, *known);
  tell_type(item, known->type);
  tell_perceived(item, known->perceived);
  tell_scan(item, known->scanned);
}

// The record with what was found out, in the order of the keys.
void Examiner::tell_found(const Item& item, std::string_view record, const Digests& digests,
                          const std::vector<Doubt>& doubts, const Judgement& judged) {
  const std::string& type = judged.type;
  const match::Perceived& perceived = judged.perceived;
  std::vector<std::pair<std::string_view, std::string>> members;
  if (!digests.empty() || !perceived.digests.empty())
    members.emplace_back("digests", digests_text(item, digests, perceived.digests));
  if (!doubts.empty()) members.emplace_back("doubt", doubts_text(item, doubts));
  // A carved object has no name of its own that could mislead anybody.
  if (item.state != ItemState::carved && !type.empty() && match::extension_mismatch(item.path, type))
    members.emplace_back("extension_mismatch", "true");
  if (perceived.facts) members.emplace_back("pdq", base::canonical(*perceived.facts));
  if (!type.empty()) members.emplace_back("type", base::canonical(type));
  if (judged.scanned.windowed) members.emplace_back("windows", base::canonical(windows()));
  EXHIBIT_CHECK(line_.read(record));
  output_.line(base::with_members(line_, members));
}

void Examiner::tell_type(const Item& item, const std::string& type) {
  last_type_ = type;
  if (!type.empty()) return;
  output_.problem({item.id, "decode", name_of(ErrorCode::memory_limit), {}, "libmagic gave up; its type isn't told"});
}

// What kills a decoder costs this and no more: the item is examined anew without it.
match::Perceived Examiner::perceive(const Item& item, const std::string& type, ByteSource& content) {
  if (item.size == 0 || !match::is_perceived(type, context_.perceived)) return {};
  const std::string object = item.id + std::string(base::decoding_mark);
  if (passed_over_.contains(object)) {
    match::Perceived nothing;
    nothing.is_passed_over = true;
    return nothing;
  }
  output_.touch(object, item.size);
  return match::perceive(type, content, context_.perceived);
}

void Examiner::tell_perceived(const Item& item, const match::Perceived& perceived) {
  if (!perceived.trouble) return;
  const std::string detail = base::clean_utf8(perceived.trouble->message).text;
  output_.problem({item.id, "decode", name_of(perceived.trouble->code), {}, detail});
}

void Examiner::tell_scan(const Item& item, const match::ScanResult& scanned) {
  for (Match match : scanned.matches) {
    match.item = item.id;
    Json line = base::to_record(match);
    if (scanned.windowed) line["windows"] = windows();
    output_.record(line);
  }
  for (const auto& trouble : scanned.troubles) output_.problem({item.id, "scan", trouble.cause, {}, trouble.detail});
}

}  // namespace exhibit::worker
