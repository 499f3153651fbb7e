#include "expand/pdf_input.h"

#include <algorithm>
#include <cstdio>
#include <stdexcept>

namespace exhibit::expand {
namespace {

constexpr std::size_t window_size = std::size_t{64} << 10;

}  // namespace

PdfInput::PdfInput(ByteSource& content) : content_(content) {}

std::string_view PdfInput::window() {
  if (position_ < window_at_ || position_ - window_at_ >= window_.size()) {
    window_.resize(window_size);
    const auto got = content_.read_at(position_, std::as_writable_bytes(std::span(window_)));
    if (!got.ok()) throw std::runtime_error(got.error().message);
    window_.resize(*got);
    window_at_ = position_;
  }
  return std::string_view(window_).substr(position_ - window_at_);
}

std::size_t PdfInput::read(char* out, std::size_t length) {
  last_offset = tell();
  std::size_t done = 0;
  while (done < length) {
    const std::string_view there = window().substr(0, length - done);
    if (there.empty()) break;
    std::copy(there.begin(), there.end(), out + done);
    done += there.size();
    position_ += there.size();
  }
  return done;
}

void PdfInput::seek(qpdf_offset_t offset, int whence) {
  std::int64_t from = 0;
  if (whence == SEEK_CUR) from = tell();
  if (whence == SEEK_END) from = static_cast<std::int64_t>(content_.size());
  std::int64_t place = 0;
  if (__builtin_add_overflow(from, static_cast<std::int64_t>(offset), &place) || place < 0)
    throw std::runtime_error("a place before the beginning");
  position_ = static_cast<std::uint64_t>(place);
}

void PdfInput::unreadCh(char) {
  if (position_ > 0) --position_;
}

// Behind the next run of line ends; their place.
qpdf_offset_t PdfInput::findAndSkipNextEOL() {
  constexpr std::string_view ends = "\r\n";
  bool is_found = false;
  while (!is_found) {
    const std::string_view there = window();
    if (there.empty()) return tell();
    const std::size_t at = there.find_first_of(ends);
    is_found = at != std::string_view::npos;
    position_ += is_found ? at : there.size();
  }
  const qpdf_offset_t found = tell();
  while (true) {
    const std::string_view there = window();
    const std::size_t at = there.find_first_not_of(ends);
    if (there.empty() || at != std::string_view::npos) {
      position_ += there.empty() ? 0 : at;
      return found;
    }
    position_ += there.size();
  }
}

}  // namespace exhibit::expand
