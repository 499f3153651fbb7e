#pragma once
// Files embedded in a PDF (ISO 32000-1, 7.11.4), by libqpdf.

#include "expand/reader.h"

namespace exhibit::expand {

// Each embedded file stream of the document as it stands after its last update, whether the list of attachments, an
// annotation or nothing at all names it, in order of object numbers. Error: its objects can't be read, or not without a
// password.
Result<std::unique_ptr<Reader>> open_pdf(ByteSource& content);

}  // namespace exhibit::expand
