#pragma once
// What a protocol says, block after block, without how it looks: exhibit-protocol makes pages of it. One JSON object:
//   title, head, foot (of each page; {page} and {pages} stand for numbers), time (RFC 3339), blocks: [{kind, …}]
//   title subject heading subheading text small notice command: {text}
//   row: {cells: [{text, style, width}]}   styles: value label head missing mono digest tiny tiny-mono; widths add to 1
//   code: {text}, as a QR code      signature: {text, name, beneath}      ruled: {lines}, to write on      page
// Every text went through visible(): a name from evidence can't turn or hide what stands beside it.

#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"

namespace exhibit::report {

struct DocumentCell {
  std::string text;
  const char* style;
  double width;
};

class Document {
 public:
  void set(const char* key, std::string_view text);
  void text(const char* kind, std::string_view text);
  void row(const std::vector<DocumentCell>& cells);
  // A label and what it is of; `style` of the latter.
  void field(std::string_view label, std::string_view value, const char* style = "value");
  // Hexadecimal digits in groups of four, eight groups a line, so that two people can compare them aloud.
  void digest(std::string_view label, std::string_view hex);
  void code(std::string_view text);
  void signature(std::string_view label, std::string_view name, std::string_view beneath);
  void ruled(int lines);
  void page();

  std::string json() const;

 private:
  base::Json object_ = base::Json::object();
  base::Json blocks_ = base::Json::array();
};

}  // namespace exhibit::report
