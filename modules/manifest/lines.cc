#include "manifest/lines.h"

namespace exhibit::manifest {

void LineCutter::take(std::string_view piece, const Call& call) {
  while (!piece.empty()) {
    const std::size_t end = piece.find('\n');
    if (end == std::string_view::npos) return keep(piece);
    if (rest_.empty() && !is_too_long_ && end <= longest_) {
      call({piece.substr(0, end)});
    } else {
      keep(piece.substr(0, end));
      end_kept(call, true);
    }
    piece.remove_prefix(end + 1);
  }
}

void LineCutter::finish(const Call& call) {
  if (!rest_.empty() || is_too_long_) end_kept(call, false);
}

void LineCutter::keep(std::string_view piece) {
  if (rest_.size() + piece.size() > longest_) is_too_long_ = true;
  if (is_too_long_) {
    rest_.clear();
  } else {
    rest_ += piece;
  }
}

void LineCutter::end_kept(const Call& call, bool is_ended) {
  call({rest_, is_too_long_, is_ended});
  rest_.clear();
  is_too_long_ = false;
}

}  // namespace exhibit::manifest
