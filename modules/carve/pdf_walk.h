#pragma once
// Goes over a PDF (ISO 32000-1:2008) from one object to the next (7.3.10) to its last `%%EOF` (7.5.5), and looks at the
// data of each stream.

#include <memory>

#include "carve/inflate.h"
#include "carve/pdf_syntax.h"
#include "carve/validator.h"

namespace exhibit::carve::pdf {

inline constexpr std::string_view start_mark = "startxref";
inline constexpr std::uint64_t cluster = 4096;                          // bytes: where cuts are
inline constexpr std::uint64_t farthest_end = std::uint64_t{16} << 20;  // bytes from a break to the file's end

// How far a walk came.
struct State : Memory::State {
  std::uint64_t position = 0;
  std::uint64_t objects = 0;
  std::uint64_t unproved = 0;                                     // bytes of streams
  bool is_seam_unproved = false;                                  // nothing tells which bytes lie at the seam
  bool has_wrong_length = false;                                  // a stream isn't as long as it says
  std::uint64_t inflated = 0;                                     // streams whose checksum held, but for sections
  bool is_headless = false;                                       // begins with an object
  bool is_encrypted = false;                                      // streams aren't what their filters say
  std::uint64_t start = 0;                                        // what the last `startxref` says
  std::uint64_t section = 0;                                      // where the last cross-reference section lies
  std::uint64_t tail = 0;                                         // behind it, or the `startxref` behind it
  std::uint64_t end = 0;                                          // behind the last `%%EOF`
  std::uint64_t whole = 0;                                        // the length that a linearized file states (annex F)
  std::uint64_t length_object = 0, length = 0, length_begin = 0;  // of a stream whose length is the next object
  std::optional<Object> stream;                                   // in whose data `position` is
  Checkpoint checkpoint;
};

// Whether a file begins here (7.5.2).
bool is_header(ByteSpan head);
// Where `pattern` lies in [from, to), else `to`; not beyond another file's header, so that many of them cost no more
// than one.
std::uint64_t find_in_file(const Content& content, std::string_view pattern, std::uint64_t from, std::uint64_t to);

class Walk {
 public:
  Walk(const Content& content, Memory& memory);

  enum class Step { on, broken, finished };

  // Up to the file's end, or to where it breaks: then sound() and suspect() tell where.
  Step run();

  State& state() { return state_; }
  bool is_new() const { return is_new_; }
  void keep();
  void resume(std::uint64_t position);
  std::uint64_t sound() const { return sound_; }
  std::uint64_t suspect() const { return suspect_; }
  bool in_packed_data() const { return in_packed_data_; }
  // Whether it broke at the first packed stream, which doesn't even begin like one.
  bool looks_encrypted() const { return looks_encrypted_; }

 private:
  Step broken(std::uint64_t sound, std::uint64_t suspect, bool in_packed_data = false);
  Step step();
  Step comment(std::uint64_t at);
  Step table(std::uint64_t at);
  void note_section(std::uint64_t at, const Dictionary& dictionary);
  // Whether what lies from the section's end to `at` is no more than programs write there.
  bool is_right_behind_section(std::uint64_t at) const;
  Step start(std::uint64_t at);
  // `%%EOF` with the line's end as programs write it. A later revision may follow, or the rest of a linearized file.
  Step end(std::uint64_t at);
  Step object(std::uint64_t at);
  // Where `endstream` follows at `position`, behind it and `endobj`; 0: it doesn't.
  std::uint64_t behind_stream(std::uint64_t position) const;
  Step stream();
  void close_packed(const Object& object, std::uint64_t data_end, std::uint64_t end);
  // FlateDecode: the stream's own checksum. `state_.stream` stays: it may be encrypted.
  Step packed(const Object& object, std::uint64_t known_end);
  bool is_encryption_told(std::uint64_t from) const;
  // What can't be unpacked, or isn't packed: it ends where its length or `endstream` says.
  Step plain(const Object& object, std::uint64_t data_end, std::uint64_t end);
  // Pictures are judged by their own format.
  bool is_proved(const Object& object, std::uint64_t data_end) const;
  bool is_text(std::uint64_t from, std::uint64_t to) const;
  void close(const Object& object, std::uint64_t data_end, std::uint64_t end);
  // So that a search for fragments goes on from where the stream was still in order.
  void keep_within(const Object& object, const std::deque<Checkpoint>& recent);

  const Content& content_;
  Memory& memory_;
  State state_;
  bool is_new_ = false, in_packed_data_ = false, looks_encrypted_ = false;
  std::uint64_t kept_ = 0, sound_ = 0, suspect_ = 0;
};

}  // namespace exhibit::carve::pdf
