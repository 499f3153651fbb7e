#pragma once
// Base64 and quoted-printable as mail uses them (RFC 2045, 6.7 and 6.8): what isn't valid is passed over, as every
// mail program does.

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace exhibit::expand {

int hex_value(char c);  // -1: none

class TransferDecoder {
 public:
  virtual ~TransferDecoder() = default;
  // Appends what `in` decodes to. `is_last`: nothing follows.
  virtual void run(std::string_view in, bool is_last, std::string& out) = 0;
  // Something was behind the end that the encoding itself marks, and is in nobody's content.
  virtual bool has_rest() const { return false; }
};

class Base64Decoder final : public TransferDecoder {
 public:
  void run(std::string_view in, bool is_last, std::string& out) override;
  bool has_rest() const override { return has_rest_; }

 private:
  unsigned bits_ = 0, count_ = 0;  // of the four characters at hand
  unsigned pads_ = 0;
  bool is_done_ = false, has_rest_ = false;
};

class QuotedDecoder final : public TransferDecoder {
 public:
  void run(std::string_view in, bool is_last, std::string& out) override;

 private:
  std::string pending_;  // begins with '=': not decided yet
};

std::string decode_whole(bool is_base64, std::string_view text);

}  // namespace exhibit::expand
