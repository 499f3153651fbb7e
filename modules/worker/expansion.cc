#include "worker/expansion.h"

#include <algorithm>

#include "base/checked.h"
#include "base/record.h"
#include "base/text.h"
#include "worker/member_names.h"

namespace exhibit::worker {
namespace {

// So much of one member's content is held in memory, and of all that are open at a time; what is longer is unpacked as
// it is read. Fixed, whatever --memory says: findings must not depend on it.
constexpr std::uint64_t most_held = std::uint64_t{8} << 20, most_held_in_all = std::uint64_t{24} << 20;
// What is unpacked again, to go back in it, counts too.
constexpr std::uint64_t most_times_unpacked = 8;
constexpr std::uint64_t most_name_bytes = std::uint64_t{256} << 20;  // of all members of an item
constexpr std::size_t read_size = std::size_t{1} << 20;
constexpr std::uint64_t largest_size = std::uint64_t{1} << 53;  // that a record may say

std::uint64_t times(std::uint64_t a, std::uint64_t b) { return base::checked_multiply(a, b).value_or(UINT64_MAX); }

std::string_view base_name(std::string_view path) { return path.substr(path.rfind('/') + 1); }

// What stands before a member's own path.
std::string path_prefix(const Item& parent) {
  return parent.path + (parent.stream ? ":" + *parent.stream : std::string()) + "!/";
}

std::string raw_prefix(const Item& parent) {
  if (parent.path_raw) {
    auto raw = base::base64_decode(*parent.path_raw);
    if (raw.ok()) return *raw + "!/";
  }
  return path_prefix(parent);
}

std::string member_line(const Item& item, const Item& parent) {
  const std::string text = base::to_line(item);
  base::RecordLine line;
  EXHIBIT_CHECK(line.read(text));
  return base::with_members(line, {{"parent", base::canonical(parent.id)}});
}

}  // namespace

// A container on the way down.
struct Expander::Level {
  const Item& item;
  Cursor cursor;
  bool is_sure = true;  // that it is such a container
  std::uint64_t depth = 1;
  // Of its own content, none of which is vouched for.
  std::optional<DoubtCause> doubt;
  MemberNames names;
};

ExpandLimits expand_limits(const base::Json& arguments) {
  const auto number = [&](const char* key) { return arguments.at(key).get<std::uint64_t>(); };
  return {number("depth"), number("size"), number("ratio"), number("always"), number("members")};
}

Expander::Expander(Context& context, const Task& task, ExpandLimits limits, Output& output)
    : context_(context),
      task_(task),
      limits_(limits),
      output_(output),
      wanted_(task.arguments.value("digests", std::vector<std::string>())),
      examiner_(context, wanted_, output, "expand") {
  examiner_.pass_over(task.skip());
}

void Expander::expand(const Item& item, base::ContainerGuess guess, ByteSource& content) {
  const std::uint64_t bytes = std::min(limits_.size, std::max(limits_.always, times(item.size, limits_.ratio)));
  meter_.emplace(bytes, times(bytes, most_times_unpacked),
                 [this](std::uint64_t worked) { output_.touch(touched_, worked); });
  members_ = name_bytes_ = 0;
  room_ = most_held_in_all;
  stopped_.reset();
  Level level{item, Cursor(content, guess.container, std::string(base_name(item.path)), *meter_), guess.is_sure, 1, {},
              {}};
  expand_level(level);
}

void Expander::expand_level(Level& level) {
  if (task_.skips(level.item.id + "!/")) return;
  touch(level.item.id + "!/", 0);
  auto opened = level.cursor.open();
  if (!opened.ok() && !level.is_sure) return;
  if (!opened.ok()) return tell(level.item, opened.error());
  while (!stopped_) {
    const auto more = take_member(level);
    if (!more.ok()) return tell(level.item, more.error());
    if (const auto trouble = level.cursor.take_trouble()) tell(level.item, *trouble);
    if (!*more) return end_of(level);
  }
  tell(level.item, {stopped_->code, "not expanded to its end: " + stopped_->message, {}, {}});
}

// Zeros for what can't be read may look like the end.
void Expander::end_of(const Level& level) {
  if (level.cursor.is_damaged())
    tell(level.item, {ErrorCode::io_error, "not all of it can be read: members may be missing", {}, {}});
}

void Expander::touch(std::string object, std::uint64_t bytes) {
  touched_ = std::move(object);
  output_.touch(touched_, bytes);
}

void Expander::tell(const Item& container, const Error& error) {
  output_.problem({container.id, "expand", name_of(error.code), {}, base::clean_utf8(error.message).text});
}

// False: there are no more.
Result<bool> Expander::take_member(Level& level) {
  touch(level.item.id + "!/", 0);
  const auto entry = EXHIBIT_TRY(level.cursor.next());
  if (!entry) return false;
  name_bytes_ += entry->path.size();
  if (++members_ > limits_.members || name_bytes_ > most_name_bytes) {
    stopped_ = Error{ErrorCode::size_limit, "it has more members than are told", {}, {}};
    return true;
  }
  Item item = describe(level, *entry);
  if (item.kind != ItemKind::file || !entry->has_content || task_.skips(item.id)) {
    output_.line(member_line(item, level.item));
    return true;
  }
  touch(item.id, item.size);
  if (entry->is_encrypted) {
    refuse(item, level.item, {ErrorCode::encrypted, "its content is encrypted, and no key was given", {}, {}});
  } else {
    take_content(level, item, *entry);
  }
  return true;
}

Item Expander::describe(Level& level, const expand::Entry& entry) {
  const MemberName name = level.names.take(entry);
  if (name.is_cut)
    tell(level.item, {ErrorCode::size_limit, "a member's name is cut: it is longer than any path may be", {}, {}});
  Item item;
  item.id = item.content = level.item.id + "!/" + name.unique;
  item.volume = level.item.volume;
  item.path = path_prefix(level.item) + name.clean.text;
  if (!name.clean.exact || level.item.path_raw) item.path_raw = base::base64_encode(raw_prefix(level.item) + name.raw);
  item.kind = entry.kind;
  item.state = ItemState::member;
  item.size = std::min(entry.size.value_or(0), largest_size);
  item.mode = entry.mode;
  item.uid = entry.uid;
  item.gid = entry.gid;
  if (entry.link_target) item.link_target = base::clean_utf8(*entry.link_target).text;
  item.times = entry.times;
  item.transform = "member";
  return item;
}

void Expander::refuse(const Item& item, const Item& parent, const Error& error) {
  examiner_.refuse(item, member_line(item, parent), error);
}

void Expander::take_content(Level& level, Item& item, const expand::Entry& entry) {
  MemberSource source(level.cursor);
  const std::uint64_t room = std::min(room_, most_held);
  const bool is_whole = source.hold(entry.size.value_or(0), room);
  const std::uint64_t held = source.held().capacity();
  room_ -= std::min(room_, held);
  if (source.error() && source.error()->code == ErrorCode::size_limit) {
    stopped_ = source.error();
    refuse(item, level.item, *stopped_);
  } else if (!is_whole) {
    take_large(level, item, source, entry.size.has_value());
  } else {
    item.size = source.error() && entry.size ? item.size : source.size();
    take_small(level, item, source);
  }
  room_ += held;
}

// All that there is of it is in memory.
void Expander::take_small(Level& level, Item& item, MemberSource& source) {
  if (source.error()) {
    tell(item, *source.error());
    // What wasn't delivered stands as zeros, in doubt; what was contradicts its checksum.
    if (source.held().empty() || item.size > most_held) return output_.line(member_line(item, level.item));
    source.set_size(item.size);
    source.hold_zeros();
    if (source.doubts(0, item.size).empty()) source.doubt_all(DoubtCause::crc_error);
  }
  if (level.doubt) source.doubt_all(*level.doubt);
  examiner_.examine(item, member_line(item, level.item), source);
  examined(level, item, source);
}

void Expander::take_large(Level& level, Item& item, MemberSource& source, bool is_size_known) {
  source.set_size(item.size);
  std::optional<Digests> digests;
  if (!is_size_known) digests = measure(level, source);
  item.size = source.size();
  if (level.doubt) source.doubt_all(*level.doubt);
  const bool is_sound = !source.error() && source.doubts(0, item.size).empty();
  if (digests && is_sound) {
    const std::span<const std::byte> held(source.held());
    const auto head = held.first(std::min(held.size(), match::TypeDetector::head_size));
    examiner_.examine(item, member_line(item, level.item), source, *digests, head);
  } else if (source.error()) {
    refuse(item, level.item, *source.error());
  } else {
    examiner_.examine(item, member_line(item, level.item), source);
  }
  if (source.error()) {
    if (source.error()->code == ErrorCode::size_limit) stopped_ = source.error();
    return tell(item, *source.error());
  }
  examined(level, item, source);
}

// Reads on to the end, wherever that is.
std::optional<Digests> Expander::measure(Level& level, MemberSource& source) {
  auto digests = hash::MultiDigest::create(wanted_);
  if (!digests.ok()) return std::nullopt;
  digests->update(source.held());
  std::vector<std::byte> buffer(read_size);
  std::uint64_t size = source.held().size();
  while (true) {
    const auto got = level.cursor.read(buffer);
    if (!got.ok()) source.fail(got.error());
    if (!got.ok() || *got == 0) break;
    digests->update(std::span(buffer).first(*got));
    size += *got;
  }
  source.set_size(size);
  source.set_end_checked();
  return digests->finish();
}

// What was examined may hold others in its turn.
void Expander::examined(Level& level, const Item& item, MemberSource& source) {
  const auto guess = base::container_of(examiner_.last_type(), item.path);
  if (!guess || item.size == 0) return;
  if (level.depth >= limits_.depth)
    return tell(item, {ErrorCode::depth_limit, "it may hold others; not so deep (--expand-depth)", {}, {}});
  Level inner{item,           Cursor(source, guess->container, std::string(base_name(item.path)), *meter_),
              guess->is_sure, level.depth + 1,
              level.doubt,    {}};
  if (const auto doubts = source.doubts(0, item.size); !doubts.empty()) inner.doubt = doubts.front().cause;
  expand_level(inner);
}

}  // namespace exhibit::worker
