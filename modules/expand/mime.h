#pragma once
// The fields of a message's or a part's header that say what its body is (RFC 2045, 2183, 2231, 2047).

#include <string>
#include <string_view>

namespace exhibit::expand {

struct PartHeader {
  std::string type = "text/plain";  // lower case
  std::string boundary;             // of a multipart
  std::string name;                 // the file's, as bytes: UTF-8 where its charset was understood; empty: none
  enum class Coding { plain, base64, quoted_printable } coding = Coding::plain;
};

// Takes fields as they stand, unfolded: "Content-Type: text/plain; …".
class PartHeaderReader {
 public:
  void take(std::string_view field);
  PartHeader finish();

 private:
  PartHeader header_;
  std::string disposition_name_, type_name_;
};

// Encoded words (RFC 2047) in UTF-8, US-ASCII or ISO-8859-1; others stay as they are.
std::string decode_words(std::string_view text);

}  // namespace exhibit::expand
