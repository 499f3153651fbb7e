// A message (RFC 5322) with its parts (RFC 2046): a multipart ends with its closing boundary; a message of one part has
// no end of its own.

#include <array>

#include "carve/mail.h"
#include "carve/text.h"
#include "carve/validator.h"

namespace exhibit::carve {
namespace {

using State = Message::State;

constexpr std::uint64_t step = std::uint64_t{64} << 10;            // bytes between remembered states
constexpr std::uint64_t longest_header = std::uint64_t{64} << 10;  // bytes
constexpr std::uint64_t least = 256;                               // bytes that must hold of a broken one

bool is_header_line(std::string_view line) {
  return !line.empty() && (is_blank(line.front()) || field_name_length(line) > 0);
}

// Names that stand in front of a message in the files of real programs.
constexpr std::array<std::string_view, 20> first_names = {"Return-Path: ",
                                                          "Return-path: ",
                                                          "Delivered-To: ",
                                                          "Received: ",
                                                          "From: ",
                                                          "Date: ",
                                                          "Message-ID: ",
                                                          "Message-Id: ",
                                                          "To: ",
                                                          "Subject: ",
                                                          "Cc: ",
                                                          "Sender: ",
                                                          "Reply-To: ",
                                                          "X-Mozilla-Status: ",
                                                          "MIME-Version: ",
                                                          "Mime-Version: ",
                                                          "X-Original-To: ",
                                                          "Envelope-to: ",
                                                          "Content-Type: ",
                                                          "X-Account-Key: "};

// Where in a line a known field begins behind foreign bytes; npos: nowhere.
std::size_t field_in(std::string_view line) {
  std::size_t least_place = line.npos;
  for (const std::string_view name : first_names) {
    const std::size_t at = line.find(name);
    // "To: " is also the end of "Reply-To: ".
    if (at < least_place && (at == 0 || line[at - 1] != '-')) least_place = at;
  }
  return least_place;
}

// The header that the anchor lies in, from its first line on: found once, by the first anchor in it.
std::optional<std::uint64_t> begin_of(const Content& before, std::uint64_t anchor) {
  const std::uint64_t from = anchor - std::min(anchor, longest_header);
  const ByteSpan bytes = before.at(from, anchor - from);
  const std::string_view all(reinterpret_cast<const char*>(bytes.data()),
                             std::min<std::size_t>(bytes.size(), anchor - from));
  std::size_t begin = all.size();
  // Each turn: the line that ends where the header begins so far.
  while (begin > 0 && all[begin - 1] == '\n') {
    std::size_t line = begin - 1;
    while (line > 0 && all[line - 1] != '\n' && !is_control(static_cast<std::uint8_t>(all[line - 1]))) --line;
    std::string_view text = all.substr(line, begin - 1 - line);
    if (text.ends_with('\r')) text.remove_suffix(1);
    if (is_postmark(bytes.subspan(line, begin - line))) return std::nullopt;  // a mailbox's
    const std::size_t name = field_name_length(text);
    const bool is_known = name > 0 && field_in(text) == 0;
    if (!is_header_line(text) || (line > 0 && all[line - 1] != '\n' && !is_known)) {
      // Foreign bytes may lie in front of the first field.
      if (const std::size_t at = field_in(text); at != text.npos) begin = line + at;
      break;
    }
    if (begins_with_mark(text)) return std::nullopt;
    begin = line;
  }
  // What goes on from a line that isn't there.
  while (begin < all.size() && is_blank(all[begin])) {
    const std::size_t end = all.find('\n', begin);
    if (const std::size_t at = field_in(all.substr(begin, end - begin)); at != all.npos) return from + begin + at;
    begin = end == all.npos ? all.size() : end + 1;
  }
  // A file begins at a sector, even if what lies before makes another name of its first field.
  constexpr std::uint64_t sector = 512;  // bytes
  const std::size_t at = field_in(all.substr(begin, all.find('\n', begin) - begin));
  return from + begin + (at != all.npos && (from + begin + at) % sector == 0 ? at : 0);
}

// Nothing in it tells where a message of one part ends, but that text does.
Verdict single(const Content& content, const State& state) {
  const ByteSpan behind = content.at(state.position, 1);
  const bool is_next = state.fields_begin == state.position && state.position > 0;
  const bool ends_here = behind.empty() || behind[0] == 0 || is_next;
  Verdict verdict = Verdict::whole(state.position);
  verdict.tier = Tier::plausible;
  if (!ends_here) {
    // Foreign bytes look like text for some way: the last line that is whole.
    const std::uint64_t from = state.position - std::min<std::uint64_t>(state.position, 512);
    const std::uint64_t line = find_last(content, "\n", from, state.position);
    if (line < state.position) verdict.length = verdict.sound = line + 1;
    verdict.doubts = {{verdict.length, 0, DoubtCause::missing_segment}};
  }
  return verdict;
}

Verdict validate(const Content& content, Memory& memory) {
  State state;
  if (const auto* known = static_cast<const State*>(memory.latest())) state = *known;
  Message message(content, state);
  while (message.step(step)) {
    if (message.state().in == State::In::header && message.state().is_top &&
        message.state().position > longest_header) {
      return {};
    }
    memory.keep(message.state().position, std::make_shared<State>(message.state()));
  }
  const State& end = message.state();
  if (!Message::is_message(end)) return {};
  if (end.in == State::In::done) {
    Verdict verdict = Verdict::whole(text_file_end(content, behind_blank_line(content, end.position)));
    if (!end.is_clean || !end.is_provable) verdict.tier = Tier::plausible;
    return verdict;
  }
  if (!end.is_multipart && end.in == State::In::body) return single(content, end);
  return broken_text(end.position, least);
}

}  // namespace

extern const Validator eml_validator;
const Validator eml_validator = {"eml", validate, nullptr, begin_of};

}  // namespace exhibit::carve
