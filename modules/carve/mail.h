#pragma once
// Messages of the Internet (RFC 5322) with MIME's parts (RFC 2045, 2046), line by line.

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "carve/content.h"
#include "carve/validator.h"

namespace exhibit::carve {

// "From sender Thu Jan  1 00:00:00 2024" (RFC 4155, appendix A).
bool is_postmark(ByteSpan line);

// Length of a field's name at the line's front, its colon not counted (RFC 5322, 2.2); 0: none.
std::size_t field_name_length(std::string_view line);

// Fields that nearly every message has one of, as their lines begin: signatures/carver/eml.json has them as patterns.
inline constexpr std::array<std::string_view, 7> message_marks = {
    "Message-ID: ", "Message-Id: ",   "MIME-Version: 1.0", "Mime-Version: 1.0",
    "Received: ",   "Return-Path: <", "Delivered-To: "};
bool begins_with_mark(std::string_view line);

// Goes through one message.
class Message {
 public:
  // Where one is. Copied to be remembered.
  struct State : Memory::State {
    std::uint64_t position = 0;  // of the next line
    enum class In { header, body, done } in = In::header;
    enum class Coding { text, base64, quoted } coding = Coding::text;
    std::vector<std::string> boundaries;  // of the multiparts that are open, the outermost first
    bool is_top = true;                   // in the message's own header
    bool has_postmark = false;            // was seen, in a mailbox
    bool is_preamble = true;              // before the first boundary
    std::uint32_t marks = 0;              // of messages within this one
    bool is_multipart = false;            // the message is
    bool is_clean = true;                 // each part was closed before the one that holds it
    // Whether nowhere in it a whole cluster is text that could be any text.
    bool is_provable = true;
    std::uint64_t structure_end = 0;  // behind the last line that only this message can have
    bool was_blank = false;           // the last line was empty
    bool is_mailbox = false;          // a postmark ends the message
    std::uint32_t fields = 0;         // bits: which of the fields that prove a message were seen
    std::uint64_t fields_begin = 0;   // in a body: of the lines that look like fields, up to here; 0: none
    std::string field;                // the one that is being read, unfolded
  };

  Message(const Content& content, State state) : content_(content), state_(std::move(state)) {}

  // Goes on for about `bytes`. False: the message ended, or something can't be: state().in tells.
  bool step(std::uint64_t bytes);
  const State& state() const { return state_; }
  // Whether what was seen of the header is a message's.
  static bool is_message(const State& state);

 private:
  struct TextLine {
    std::string_view text;
    std::uint64_t length = 0;  // with its end; 0: no line
    bool has_end = false;
  };
  TextLine line();
  bool take(const TextLine& line);
  bool header_line(std::string_view text);
  bool body_line(std::string_view text);
  bool boundary_line(std::string_view text, bool& is_boundary);
  bool is_next_message(std::string_view text);
  void mark_structure(std::uint64_t end);
  void end_field();

  const Content& content_;
  State state_;
  ByteSpan bytes_;  // from the state's position on
};

}  // namespace exhibit::carve
