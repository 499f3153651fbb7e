#pragma once
// Text of evidence made safe for where it is written: names are whatever a suspect chose.

#include <cstdint>
#include <string>
#include <string_view>

namespace exhibit::report {

// For people and line-based formats: characters that can't be seen or that change how others are shown (controls,
// direction overrides, zero-width ones, separators of lines) become \u{202E}; a backslash before u{ becomes \u{5C}, so
// that the text can be had back. What isn't UTF-8 is kept as it is where `keep_bytes`, else it becomes U+FFFD.
std::string visible(std::string_view text, bool keep_bytes = false);

// XML 1.0 character data or a value in double quotation marks. What XML can't hold (section 2.2) becomes U+FFFD; false
// says that some did.
bool append_xml(std::string& out, std::string_view text);

// HTML text or a value in double quotation marks, visible() first.
void append_html(std::string& out, std::string_view text);

// One field of RFC 4180, in quotation marks, visible() first; where a spreadsheet would take it for a formula, an
// apostrophe stands before it.
void append_csv(std::string& out, std::string_view text);

}  // namespace exhibit::report
