#pragma once
// Pages of a report's document, by the program exhibit-protocol.

#include <exhibit/result.h>

#include <string>

namespace exhibit::cmd {

// Runs exhibit-protocol over the document (report/document.h) and lets it write PDF to `output`. It gets no environment
// of the user's, which could choose other fonts.
Result<void> make_pages(const std::string& document, int output);

}  // namespace exhibit::cmd
