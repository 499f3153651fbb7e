// A mailbox in one file (RFC 4155): messages, each behind a postmark, each followed by an empty line.

#include "carve/mail.h"
#include "carve/text.h"
#include "carve/validator.h"

namespace exhibit::carve {
namespace {

using MessageState = Message::State;

constexpr std::uint64_t step = std::uint64_t{64} << 10;     // bytes between remembered states
constexpr std::uint64_t farthest = std::uint64_t{1} << 20;  // bytes in which an earlier postmark is looked for
constexpr std::uint64_t longest_header = std::uint64_t{64} << 10;
constexpr std::uint64_t least = 256;  // bytes that must hold of a broken one

struct State : Memory::State {
  std::uint32_t messages = 0;
  bool is_provable = true;  // each message before this one is
  MessageState message;
};

// A mailbox is found by its first postmark: one behind an empty line, with text and another postmark before, isn't.
std::optional<std::uint64_t> begin_of(const Content& before, std::uint64_t anchor) {
  if (!is_postmark(before.at(anchor, 200))) return std::nullopt;
  const std::uint64_t from_end = anchor - std::min<std::uint64_t>(anchor, 4);
  const ByteSpan end = before.at(from_end, 4);
  const std::string_view text(reinterpret_cast<const char*>(end.data()),
                              std::min<std::size_t>(end.size(), anchor - from_end));
  if (text.ends_with('>')) return std::nullopt;  // quoted
  if (!text.ends_with("\n\n") && !text.ends_with("\n\r\n")) return anchor;
  std::uint64_t from = anchor - std::min(anchor, farthest), to = anchor;
  while (to > from) {
    const std::uint64_t hit = find_last_near(before, "From ", from, to);
    if (hit == to) return anchor;
    if (is_postmark(before.at(hit, 200))) {
      // Only if text leads from there to here.
      return find(before, std::string_view("\0", 1), hit, anchor) == anchor ? std::nullopt : std::optional(anchor);
    }
    to = hit;
  }
  return anchor;
}

MessageState next_message(std::uint64_t position) {
  MessageState state;
  state.is_mailbox = true;
  state.position = state.structure_end = position;
  return state;
}

// The next one within what a program may put behind a message; 0: none.
std::uint64_t next_postmark(const Content& content, std::uint64_t position) {
  constexpr std::uint64_t reach = std::uint64_t{16} << 10;  // bytes
  for (std::uint64_t at = position;;) {
    const std::uint64_t end = std::min(content.size(), position + reach);
    const std::uint64_t hit = find(content, "\nFrom ", at - 1, end);
    if (hit == end) return 0;
    const ByteSpan between = content.at(position, reach);
    if (hit + 1 > position && text_run(between.first(hit + 1 - position), false) != hit + 1 - position) return 0;
    if (is_postmark(content.at(hit + 1, 200))) return hit + 1;
    at = hit + 2;
  }
}

// Where text ended: with the empty line behind the last message, or in the midst of one.
Verdict ended(const Content& content, const State& state) {
  const std::uint64_t position = state.message.position;
  const ByteSpan behind = content.at(position, 1);
  Verdict verdict = Verdict::whole(position);
  if (!behind.empty() && behind[0] != 0 && state.message.in != MessageState::In::done) {
    const std::uint64_t from = position - std::min<std::uint64_t>(position, 512);
    const std::uint64_t line = find_last(content, "\n\n", from, position);
    if (line == position) return broken_text(position, least);
    verdict.length = verdict.sound = line + 2;
  }
  const bool is_closed = state.message.was_blank || verdict.length < position;
  // One message, or one without the empty line behind it, doesn't tell that it is all.
  const bool is_provable =
      state.is_provable && state.message.is_provable && !covers_cluster(state.message.structure_end, verdict.length);
  if (state.messages < 2 || !is_closed || !is_provable) verdict.tier = Tier::plausible;
  return verdict;
}

Verdict validate(const Content& content, Memory& memory) {
  State state;
  if (const auto* known = static_cast<const State*>(memory.latest())) {
    state = *known;
  } else {
    if (!is_postmark(content.at(0, 200))) return {};
    state.message = next_message(0);
  }
  for (;;) {
    Message message(content, state.message);
    while (message.step(step)) {
      state.message = message.state();
      if (state.message.is_top && state.message.in == MessageState::In::header &&
          state.message.position > longest_header && state.messages == 0) {
        return {};
      }
      memory.keep(state.message.position, std::make_shared<State>(state));
    }
    state.message = message.state();
    if (state.message.in == MessageState::In::done) {
      // What follows a multipart's end is for readers without MIME, and there only if another message follows.
      const std::uint64_t next = next_postmark(content, state.message.position);
      if (next == 0) {
        state.message.position = text_file_end(content, behind_blank_line(content, state.message.position));
        state.message.was_blank = true;
        ++state.messages;
        break;
      }
      state.message.position = next;
    }
    const bool has_header = Message::is_message(state.message);
    if (!has_header && state.messages == 0) return {};
    if (!has_header) return broken_text(state.message.position, least);
    ++state.messages;
    if (!is_postmark(content.at(state.message.position, 200))) break;
    if (covers_cluster(state.message.structure_end, state.message.position)) state.message.is_provable = false;
    state.is_provable &= state.message.is_provable;
    state.message = next_message(state.message.position);
  }
  if (!state.message.boundaries.empty() || state.message.coding == MessageState::Coding::base64) {
    return broken_text(state.message.position, least);
  }
  return ended(content, state);
}

}  // namespace

extern const Validator mbox_validator;
const Validator mbox_validator = {"mbox", validate, nullptr, begin_of};

}  // namespace exhibit::carve
