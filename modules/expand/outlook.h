#pragma once
// Outlook's stores (PST, OST; [MS-PST]) by libpff.

#include "expand/reader.h"

namespace exhibit::expand {

// Folders, messages as folders of what they consist of, attachments.
Result<std::unique_ptr<Reader>> open_outlook_store(ByteSource& content);

}  // namespace exhibit::expand
