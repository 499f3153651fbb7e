#include "carve/mail.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "carve/text.h"

namespace exhibit::carve {
namespace {

constexpr std::size_t longest_line = std::size_t{64} << 10;  // RFC 5322 says 998; programs don't keep to it
constexpr std::size_t longest_field = 8192;                  // bytes of a field that are kept
constexpr std::size_t longest_name = 76;
constexpr std::size_t deepest = 24;            // multiparts in multiparts
constexpr std::uint32_t most_marks = 1024;     // header fields of messages within a message
constexpr std::size_t longest_boundary = 200;  // RFC 2046, 5.1.1 says 70
constexpr std::size_t longest_base64_line = 998;

constexpr std::array<std::string_view, 9> proving = {
    "from:", "date:", "message-id:", "to:", "subject:", "received:", "return-path:", "mime-version:", "delivered-to:"};
constexpr std::uint32_t bit_from = 1, bit_date = 2, bit_id = 4;

std::string lower_case(std::string_view text) {
  std::string result(text);
  std::transform(result.begin(), result.end(), result.begin(),
                 [](char c) { return lower(static_cast<unsigned char>(c)); });
  return result;
}

bool is_base64_line(std::string_view text) {
  if (text.size() > longest_base64_line) return false;
  std::size_t length = text.size();
  while (length > 0 && is_blank(text[length - 1])) --length;
  std::size_t padding = 0;
  while (length > 0 && text[length - 1] == '=' && padding < 2) {
    --length;
    ++padding;
  }
  return std::all_of(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(length),
                     [](char c) { return is_letter(c) || is_digit(c) || c == '+' || c == '/'; });
}

// RFC 2045, 6.7: "=" with two hexadecimal digits, or at the line's end.
bool is_quoted_line(std::string_view text) {
  for (std::size_t i = text.find('='); i != text.npos; i = text.find('=', i + 1)) {
    const bool is_end = std::all_of(text.begin() + static_cast<std::ptrdiff_t>(i) + 1, text.end(), is_blank);
    if (!is_end && (i + 2 >= text.size() || !is_hex(text[i + 1]) || !is_hex(text[i + 2]))) return false;
  }
  return true;
}

// The boundary that a Content-Type in one line names; empty: none.
std::string boundary_of(std::string_view field) {
  const std::size_t at = lower_case(field).find("boundary=");
  if (at == std::string::npos) return {};
  std::string_view value = field.substr(at + 9);
  if (value.starts_with('"')) {
    value = value.substr(1, value.find('"', 1) == value.npos ? value.npos : value.find('"', 1) - 1);
  } else {
    value = value.substr(0, value.find_first_of("; \t"));
  }
  return value.size() <= longest_boundary ? std::string(value) : std::string{};
}

}  // namespace

bool is_postmark(ByteSpan line) {
  const std::string_view all(reinterpret_cast<const char*>(line.data()), std::min<std::size_t>(line.size(), 200));
  const std::string_view text = all.substr(0, all.find('\n'));
  if (!text.starts_with("From ") || text.size() == all.size()) return false;
  // The sender has no spaces; the date is as asctime() has it.
  const std::size_t space = text.find(' ', 5);
  if (space == text.npos || space == 5) return false;
  const std::size_t at = text.find_first_not_of(' ', space);
  const std::string_view date = at == text.npos ? std::string_view{} : text.substr(at);
  const auto is_one_of = [](std::string_view all_names, std::string_view name) {
    const std::size_t place = all_names.find(name);
    return place != all_names.npos && place % 3 == 0;
  };
  return date.size() >= 20 && is_one_of("MonTueWedThuFriSatSun", date.substr(0, 3)) && date[3] == ' ' &&
         is_one_of("JanFebMarAprMayJunJulAugSepOctNovDec", date.substr(4, 3)) && date[7] == ' ' && date.find(':') < 16;
}

bool begins_with_mark(std::string_view line) {
  return std::any_of(message_marks.begin(), message_marks.end(),
                     [&](std::string_view one) { return line.starts_with(one); });
}

std::size_t field_name_length(std::string_view line) {
  std::size_t length = 0;
  while (length < line.size() && length < longest_name && line[length] > 0x20 && line[length] < 0x7f &&
         line[length] != ':') {
    ++length;
  }
  return length < line.size() && line[length] == ':' ? length : 0;
}

bool Message::is_message(const State& state) {
  const int seen = __builtin_popcount(state.fields);
  return seen >= 3 && ((state.fields & bit_from) != 0 || seen >= 4) && (state.fields & (bit_date | bit_id)) != 0;
}

Message::TextLine Message::line() {
  for (bool is_fresh = false;; is_fresh = true) {
    const std::size_t reach = std::min(bytes_.size(), longest_line);
    const void* end = reach == 0 ? nullptr : std::memchr(bytes_.data(), '\n', reach);
    if (end == nullptr && !is_fresh) {
      bytes_ = content_.at(state_.position, longest_line);
      continue;
    }
    TextLine line;
    line.has_end = end != nullptr;
    std::size_t length =
        line.has_end ? static_cast<std::size_t>(static_cast<const std::uint8_t*>(end) - bytes_.data()) : reach;
    const std::size_t good = text_run(bytes_.first(length), false);
    line.has_end &= good == length;
    line.length = good + (line.has_end ? 1 : 0);
    if (line.has_end && good > 0 && bytes_[good - 1] == '\r') length = good - 1;
    line.text = {reinterpret_cast<const char*>(bytes_.data()), std::min(good, length)};
    return line;
  }
}

bool Message::step(std::uint64_t bytes) {
  const std::uint64_t until = state_.position + bytes;
  while (state_.position < until) {
    const TextLine next = line();
    if (!next.has_end) {
      // The last line may lack its end: what can be told of it counts.
      const bool is_header = state_.in == State::In::header;
      if (!is_header && next.length > 0 && take(next)) state_.position += next.length;
      return false;
    }
    if (state_.is_mailbox && state_.was_blank && is_postmark(bytes_.first(std::min<std::size_t>(next.length, 200)))) {
      return false;
    }
    if (!take(next)) return false;
    state_.was_blank = next.text.empty();
    state_.position += next.length;
    bytes_ = bytes_.subspan(next.length);
    if (state_.in == State::In::done) return false;
  }
  return true;
}

bool Message::take(const TextLine& line) {
  bool is_boundary = false;
  if (line.text.starts_with("--") && !boundary_line(line.text, is_boundary)) return false;
  if (is_boundary) return true;
  return state_.in == State::In::header ? header_line(line.text) : body_line(line.text);
}

void Message::mark_structure(std::uint64_t end) {
  if (covers_cluster(state_.structure_end, state_.position)) state_.is_provable = false;
  state_.structure_end = end;
}

bool Message::boundary_line(std::string_view text, bool& is_boundary) {
  const std::uint64_t line_end = state_.position + text.size();
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  for (std::size_t i = state_.boundaries.size(); i-- > 0;) {
    const std::string& boundary = state_.boundaries[i];
    if (text.substr(2, boundary.size()) != boundary) continue;
    const std::string_view rest = text.substr(2 + boundary.size());
    if (!rest.empty() && rest != "--") continue;
    is_boundary = true;
    if (i + 1 < state_.boundaries.size()) state_.is_clean = false;
    mark_structure(line_end);
    state_.is_preamble = false;
    state_.boundaries.resize(rest.empty() ? i + 1 : i);
    state_.coding = State::Coding::text;
    state_.is_top = false;
    state_.field.clear();
    state_.in = rest.empty() ? State::In::header : state_.boundaries.empty() ? State::In::done : State::In::body;
    return true;
  }
  return true;
}

bool Message::header_line(std::string_view text) {
  mark_structure(state_.position + text.size());
  if (text.empty()) {
    end_field();
    state_.in = State::In::body;
    return !state_.is_top || is_message(state_);
  }
  if (is_blank(text.front())) {
    if (state_.field.empty() && state_.is_top) return false;
    if (state_.field.size() + text.size() <= longest_field) state_.field += text;
    return true;
  }
  end_field();
  // A postmark that was quoted, and what a program wrote in front of a message.
  if (field_name_length(text) == 0)
    return text.starts_with(">From ") ||
           (state_.is_mailbox && state_.fields == 0 && !std::exchange(state_.has_postmark, true));
  state_.field = text.substr(0, longest_field);
  return true;
}

void Message::end_field() {
  const std::string field = lower_case(std::string_view(state_.field).substr(0, 64));
  for (std::size_t i = 0; state_.is_top && i < proving.size(); ++i) {
    if (field.starts_with(proving[i])) state_.fields |= 1U << i;
  }
  if (field.starts_with("content-transfer-encoding:")) {
    state_.coding = field.find("base64") != field.npos             ? State::Coding::base64
                    : field.find("quoted-printable") != field.npos ? State::Coding::quoted
                                                                   : State::Coding::text;
  }
  if (field.starts_with("content-type:") && field.find("multipart/") != field.npos) {
    const std::string boundary = boundary_of(state_.field);
    if (!boundary.empty() && state_.boundaries.size() < deepest) {
      state_.boundaries.push_back(boundary);
      state_.is_multipart |= state_.is_top;
    }
  }
  state_.field.clear();
}

// Text without a coding ends where the header of another message begins.
bool Message::is_next_message(std::string_view text) {
  if (text.empty() || (!is_blank(text.front()) && field_name_length(text) == 0)) {
    state_.fields_begin = 0;
    return false;
  }
  if (state_.fields_begin == 0 && field_name_length(text) > 0) state_.fields_begin = state_.position;
  if (state_.fields_begin == 0 || !begins_with_mark(text)) return false;
  // A part may be a message itself.
  if (state_.is_multipart && !state_.is_preamble && ++state_.marks <= most_marks) return false;
  state_.position = state_.fields_begin;
  return true;
}

bool Message::body_line(std::string_view text) {
  switch (state_.coding) {
    case State::Coding::base64:
      mark_structure(state_.position + text.size());
      // What lies between a part's end and the next boundary may be anything; a list's footer behind base64 is known.
      return is_base64_line(text);
    case State::Coding::quoted:
      if (text.find('=') != text.npos) mark_structure(state_.position + text.size());
      return is_quoted_line(text);
    case State::Coding::text:
      if (text.find('<') != text.npos) mark_structure(state_.position + text.size());
      return state_.is_mailbox || !is_next_message(text);
  }
  return false;
}

}  // namespace exhibit::carve
