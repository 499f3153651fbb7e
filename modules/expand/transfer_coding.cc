#include "expand/transfer_coding.h"

namespace exhibit::expand {
namespace {

int base64_value(char c) {
  if (c >= 'A' && c <= 'Z') return c - 'A';
  if (c >= 'a' && c <= 'z') return c - 'a' + 26;
  if (c >= '0' && c <= '9') return c - '0' + 52;
  return c == '+' ? 62 : c == '/' ? 63 : -1;
}

}  // namespace

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

void Base64Decoder::run(std::string_view in, bool is_last, std::string& out) {
  for (const char c : in) {
    if (is_done_) {
      has_rest_ = has_rest_ || (c != '\r' && c != '\n' && c != ' ' && c != '\t' && c != '=');
      continue;
    }
    if (c == '=' && count_ >= 2) is_done_ = count_ + ++pads_ >= 4;
    const int value = base64_value(c);
    if (value < 0) continue;
    bits_ = bits_ << 6 | static_cast<unsigned>(value);
    pads_ = 0;
    if (++count_ < 4) continue;
    for (const int shift : {16, 8, 0}) out += static_cast<char>(bits_ >> shift & 0xff);
    bits_ = count_ = 0;
  }
  // What the last characters hold: 12 bits one byte, 18 bits two.
  if ((is_done_ || is_last) && count_ >= 2) {
    out += static_cast<char>(bits_ >> (count_ == 2 ? 4 : 10) & 0xff);
    if (count_ == 3) out += static_cast<char>(bits_ >> 2 & 0xff);
    bits_ = count_ = 0;
  }
}

void QuotedDecoder::run(std::string_view in, bool is_last, std::string& out) {
  for (const char c : in) {
    if (pending_.empty()) {
      if (c == '=') {
        pending_.assign(1, c);
      } else {
        out += c;
      }
      continue;
    }
    pending_ += c;
    const char first = pending_[1];
    if (pending_.size() == 2 && c == '\n') {
      pending_.clear();  // a soft line break
    } else if (pending_.size() == 2 && (hex_value(c) >= 0 || c == '\r')) {
      continue;
    } else if (pending_.size() == 3 && first == '\r' && c == '\n') {
      pending_.clear();
    } else if (pending_.size() == 3 && hex_value(first) >= 0 && hex_value(c) >= 0) {
      out += static_cast<char>(hex_value(first) * 16 + hex_value(c));
      pending_.clear();
    } else {
      // No code: it stands for itself, but for what may begin one.
      const bool begins = c == '=';
      out.append(pending_, 0, pending_.size() - (begins ? 1 : 0));
      pending_.assign(begins ? 1 : 0, '=');
    }
  }
  if (is_last) {
    if (pending_ != "=" && pending_ != "=\r") out += pending_;
    pending_.clear();
  }
}

std::string decode_whole(bool is_base64, std::string_view text) {
  std::string out;
  if (is_base64) {
    Base64Decoder().run(text, true, out);
  } else {
    QuotedDecoder().run(text, true, out);
  }
  return out;
}

}  // namespace exhibit::expand
