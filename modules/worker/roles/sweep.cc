// One stretch of the medium, read once: its share of the medium's digests, and every item that begins in it. Or one of
// a volume that lies in another (`volume`), in which objects are looked for alone.
//
// The medium's digests are a chain: what the stretch before came to is handed over by the coordinator (`chain`) while
// the items are being examined, and what this one comes to is handed on as soon as it is known. So several workers go
// over the medium side by side.

#include <algorithm>

#include "base/checked.h"
#include "base/record.h"
#include "base/zeros.h"
#include "filesystem/run_content.h"
#include "hash/batch_digest.h"
#include "hash/chain_digest.h"
#include "hash/merkle.h"
#include "volume/volumes.h"
#include "worker/examination.h"
#include "worker/stretch.h"

namespace exhibit::worker {
namespace {

using base::Json;

// How many items pass between two looks whether the stretch before has been handed over.
constexpr std::size_t items_per_look = 64;

std::string subject_of(const Task& task) {
  const auto volume = task.arguments.find("volume");
  return volume != task.arguments.end() ? volume->value("id", "") : task.arguments.at("evidence").get<std::string>();
}

struct SweptItem {
  std::string record;  // its line
  Item item;
  std::uint64_t volume_offset = 0, volume_size = 0;
  std::optional<hash::BatchContent> in_memory;  // where all of it lies in the stretch, without a doubt
};

class Sweep {
 public:
  // `media`: nullptr where `source` is a volume.
  Sweep(Context& context, ByteSource& source, image::Image* media, const Task& task, Output& output)
      : task_(task),
        output_(output),
        source_(source),
        media_(media),
        wanted_(task.arguments.value("digests", std::vector<std::string>())),
        stretch_(source, context.stretch_buffer, task.arguments.at("stretch").at(0).get<std::uint64_t>(),
                 task.arguments.at("stretch").at(1).get<std::uint64_t>()),
        object_(subject_of(task) + "#" + std::to_string(stretch_.offset()) + "-" + std::to_string(stretch_.length())),
        chain_owed_(media != nullptr && task.arguments.contains("chain")),
        searches_(task.arguments.value("carve", false) && context.carving != nullptr),
        searches_items_(task.arguments.value("carve_items", true)),
        context_(context),
        examiner_(context, wanted_, output) {
    examiner_.pass_over(task.skip());
  }

  Result<void> run() {
    EXHIBIT_TRY(take_items());
    output_.touch(object_, stretch_.length());
    if (!is_missing() && (chain_owed_ || searches_ || is_worth_loading())) {
      EXHIBIT_TRY(stretch_.load(searches_ ? carve::CandidateSearch::lookahead + carve::longest_pattern : 0));
    }
    // Before the chain is asked for: whoever follows waits for its state alone.
    if (chain_owed_) {
      for (const std::string& digest : hash::block_digests(stretch_.bytes())) blocks_ += digest;
    }
    EXHIBIT_TRY(follow_chain(false));
    if (searches_ && stretch_.loaded()) EXHIBIT_TRY(search_candidates());
    EXHIBIT_TRY(follow_chain(false));
    EXHIBIT_TRY(examine_items());
    return follow_chain(true);
  }

 private:
  Result<void> take_items();
  bool is_missing() const;
  bool is_worth_loading() const;
  void find_in_memory(SweptItem& swept) const;
  Result<void> search_candidates();
  std::vector<carve::CandidateSearch::Part> held_by_items() const;
  Result<void> examine_items();
  void examine(SweptItem& swept, const Digests* digests);
  std::span<const std::byte> head_of(const hash::BatchContent& content);
  Result<void> follow_chain(bool wait);
  Result<Json> next_link(const Json& before);

  const Task& task_;
  Output& output_;
  ByteSource& source_;
  image::Image* media_;
  std::vector<std::string> wanted_;
  Stretch stretch_;
  std::string object_;
  bool chain_owed_, searches_, searches_items_;
  Context& context_;
  Examiner examiner_;
  std::string blocks_;  // the blocks' SHA-256, one after the other
  std::vector<SweptItem> items_;
  std::vector<std::byte> head_;
};

Result<void> Sweep::take_items() {
  const Json& volumes = task_.arguments.at("volumes");
  while (const base::RecordLine* record = task_.next_record()) {
    SweptItem swept{std::string(record->text()), EXHIBIT_TRY(base::item_from_record(*record)), 0, 0, {}};
    const auto volume = volumes.find(swept.item.volume);
    if (volume == volumes.end()) return Error{ErrorCode::invalid_argument, "task: an item of no volume", {}, {}};
    swept.volume_offset = volume->at("offset").get<std::uint64_t>();
    swept.volume_size = volume->at("size").get<std::uint64_t>();
    items_.push_back(std::move(swept));
  }
  return {};
}

// A container that ends early may lack most of its medium: where nothing can be had there is nothing to read.
bool Sweep::is_missing() const {
  std::uint64_t missing = 0;
  for (const Doubt& doubt : source_.doubts(stretch_.offset(), stretch_.length())) {
    if (doubt.cause == DoubtCause::missing_segment) missing += doubt.length;
  }
  return missing == stretch_.length();
}

// A few items of a stretch whose chain was followed before are read by themselves.
bool Sweep::is_worth_loading() const {
  std::uint64_t wanted = 0;
  for (const SweptItem& swept : items_) {
    if (has_content(swept.item)) wanted += std::min(swept.item.size, stretch_.length());
  }
  return wanted >= stretch_.length() / 4;
}

void Sweep::find_in_memory(SweptItem& swept) const {
  const Item& item = swept.item;
  if (!has_content(item) || !item.doubt.empty() || !item.extents) return;
  hash::BatchContent content;
  std::uint64_t length = 0;
  for (const Extent& extent : *item.extents) {
    if (extent.offset < 0) return;
    const auto offset = static_cast<std::uint64_t>(extent.offset);
    // Beyond its volume there is nothing of the item; what a hostile extent names is read, and refused, by itself.
    if (offset > swept.volume_size || extent.length > swept.volume_size - offset) return;
    const auto bytes = stretch_.sound_bytes(swept.volume_offset + offset, extent.length);
    if (!bytes) return;
    if (!bytes->empty()) content.pieces.push_back(*bytes);
    length += extent.length;
  }
  if (length == item.size) swept.in_memory = std::move(content);
}

// What the account will give to allocated items whatever else lies there (filesystem/account.h), so that it isn't
// carved: parts of the stretch, in order.
std::vector<carve::CandidateSearch::Part> Sweep::held_by_items() const {
  std::vector<carve::CandidateSearch::Part> held;
  const std::uint64_t begin = stretch_.offset(), end = begin + stretch_.length();
  for (const SweptItem& swept : items_) {
    if (swept.item.state != ItemState::allocated || !swept.item.extents) continue;
    for (const Extent& extent : *swept.item.extents) {
      const auto offset = static_cast<std::uint64_t>(extent.offset);
      if (extent.offset < 0 || offset >= swept.volume_size) continue;
      const std::uint64_t from = swept.volume_offset + offset;
      const std::uint64_t to = from + std::min(extent.length, swept.volume_size - offset);
      if (from < end && to > begin) held.push_back({std::max(from, begin) - begin, std::min(to, end) - begin});
    }
  }
  std::sort(held.begin(), held.end(), [](const auto& a, const auto& b) { return a.begin < b.begin; });
  std::size_t last = 0;
  for (std::size_t i = 1; i < held.size(); ++i) {
    if (held[i].begin <= held[last].end) {
      held[last].end = std::max(held[last].end, held[i].end);
    } else {
      held[++last] = held[i];
    }
  }
  held.resize(std::min(held.size(), last + 1));
  return held;
}

// Where objects could begin, as media offsets; which bytes of the medium may be carved is the coordinator's to say.
Result<void> Sweep::search_candidates() {
  const auto bytes = stretch_.bytes_and_ahead();
  CandidateTeller teller(*context_.carving, [&](const Json& message) { output_.message(message); });
  const carve::ByteSpan searched(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
  const auto unwanted = searches_items_ ? std::vector<carve::CandidateSearch::Part>() : held_by_items();
  // No signature begins with zeros alone, and they are no text.
  const bool done = base::all_zeros(bytes) || context_.carving->search.search_beside(
                                                  searched, stretch_.bytes().size(), stretch_.offset(), unwanted,
                                                  [&](const carve::Candidate& found) { teller.take(found); });
  if (!done) return Error{ErrorCode::internal, "the search for what could be carved failed", {}, {}};
  teller.finish();
  return {};
}

Result<void> Sweep::examine_items() {
  std::vector<hash::BatchContent> contents;
  for (SweptItem& swept : items_) {
    find_in_memory(swept);
    if (swept.in_memory) contents.push_back(*swept.in_memory);
  }
  const std::vector<Digests> digests = EXHIBIT_TRY(hash::digest_batch(wanted_, contents));
  std::size_t digested = 0, done = 0;
  for (SweptItem& swept : items_) {
    // Whoever follows in the chain would wait for as long as such an item takes (NTFS's $BadClus:$Bad is as long as its
    // volume).
    const bool is_long = has_content(swept.item) && !swept.in_memory && swept.item.size > stretch_.length();
    if (is_long) EXHIBIT_TRY(follow_chain(true));
    if (!has_content(swept.item)) {
      examiner_.pass_on(swept.record);
    } else {
      examine(swept, swept.in_memory ? &digests[digested++] : nullptr);
    }
    if (++done % items_per_look == 0) EXHIBIT_TRY(follow_chain(false));
  }
  return {};
}

void Sweep::examine(SweptItem& swept, const Digests* digests) {
  if (const auto refusal = too_large(swept.item, swept.volume_size))
    return examiner_.refuse(swept.item, swept.record, *refusal);
  output_.touch(swept.item.id, swept.item.size);
  const auto volume = volume::slice(stretch_, swept.volume_offset, swept.volume_size);
  const auto content =
      filesystem::run_content(*volume, {swept.item.extents.value_or(std::vector<Extent>()), swept.item.doubt});
  if (digests != nullptr) {
    examiner_.examine(swept.item, swept.record, *content, *digests, head_of(*swept.in_memory));
  } else {
    examiner_.examine(swept.item, swept.record, *content);
  }
}

// Valid until it is asked again.
std::span<const std::byte> Sweep::head_of(const hash::BatchContent& content) {
  if (content.pieces.empty()) return {};
  if (content.pieces.size() == 1 || content.pieces.front().size() >= match::TypeDetector::head_size) {
    return content.pieces.front().first(std::min(content.pieces.front().size(), match::TypeDetector::head_size));
  }
  head_.clear();
  for (const auto& piece : content.pieces) {
    const auto more = piece.first(std::min(piece.size(), match::TypeDetector::head_size - head_.size()));
    head_.insert(head_.end(), more.begin(), more.end());
  }
  return head_;
}

Result<void> Sweep::follow_chain(bool wait) {
  if (!chain_owed_) return {};
  const Json& given = task_.arguments.at("chain");
  std::optional<Json> before = given.value("follows", false) ? task_.link(wait) : given;
  if (!before) return {};
  chain_owed_ = false;
  output_.touch(object_, stretch_.length());
  output_.message(EXHIBIT_TRY(next_link(*before)));
  return {};
}

// `before` holds the state that the stretch before came to; without one the chain is broken and stays so.
Result<Json> Sweep::next_link(const Json& before) {
  const Json& arguments = task_.arguments.at("chain");
  Json link = {{"message", "chain"},
               {"blocks", base::to_hex(blocks_)},
               {"doubt", base::to_json(source_.doubts(stretch_.offset(), stretch_.length()))}};
  const bool first = stretch_.offset() == 0;
  // Of a medium that is damaged anywhere no digest is claimed: the chain ends here.
  if (!link.at("doubt").empty() || (!first && !before.contains("state"))) return link;
  auto digest = EXHIBIT_TRY(first ? hash::ChainDigest::create(arguments.at("digests").get<std::vector<std::string>>())
                                  : hash::ChainDigest::resume(before.at("state").get<std::string>()));
  digest.update(stretch_.bytes());
  link["state"] = digest.state();
  if (stretch_.offset() + stretch_.length() < source_.size()) return link;
  // What the container stores digests of may go on behind the last whole sector.
  auto with_tail = EXHIBIT_TRY(hash::ChainDigest::resume(digest.state()));
  const std::string tail = EXHIBIT_TRY(media_->tail());
  with_tail.update(std::as_bytes(std::span(tail)));
  link["digests"] = digest.finish();
  link["stored"] = with_tail.finish();
  return link;
}

}  // namespace

Result<void> run_sweep(Context& context, const Task& task, Output& output) {
  const bool is_volume = task.arguments.contains("volume");
  image::Image* media = is_volume ? nullptr : EXHIBIT_TRY(context.image(task.arguments));
  ByteSource* source = is_volume ? &EXHIBIT_TRY(context.open_volume(task.arguments))->bytes() : media;
  // A stretch that were cut short without a word would be missing in the medium's digests.
  const auto& stretch = task.arguments.at("stretch");
  const auto offset = stretch.at(0).get<std::uint64_t>(), length = stretch.at(1).get<std::uint64_t>();
  if (length > Stretch::largest) return Error{ErrorCode::invalid_argument, "task: the stretch is too long", {}, {}};
  if (!base::within(offset, length, source->size()))
    return Error{ErrorCode::io_error, "the medium ends before its size", {}, source->size()};
  return Sweep(context, *source, media, task, output).run();
}

extern const Role sweep_role;
const Role sweep_role = {"sweep", run_sweep};

}  // namespace exhibit::worker
