#pragma once
// A stream cut into lines.

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

namespace exhibit::manifest {

struct Line {
  std::string_view text;  // without LF; empty where it is too long. Lasts as long as the call that gives it
  bool is_too_long = false;
  bool is_ended = true;  // by a line feed; only the last may not be
};

class LineCutter {
 public:
  using Call = std::function<void(const Line&)>;

  // `longest`: bytes that a line may have; of a longer one nothing is kept.
  explicit LineCutter(std::size_t longest) : longest_(longest) {}
  void take(std::string_view piece, const Call& call);
  // Gives what stands after the last line feed, if anything does.
  void finish(const Call& call);

 private:
  void keep(std::string_view piece);
  void end_kept(const Call& call, bool is_ended);

  std::size_t longest_;
  std::string rest_;  // of a line that goes on in the next piece
  bool is_too_long_ = false;
};

}  // namespace exhibit::manifest
