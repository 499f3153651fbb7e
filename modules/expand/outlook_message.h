#pragma once
// Outlook's messages (MSG, [MS-OXMSG]): compound files.

#include "expand/reader.h"

namespace exhibit::expand {

// Its streams, by the names of their storages; an attachment's content by the name that the message gives it.
Result<std::unique_ptr<Reader>> open_outlook_message(ByteSource& content);

}  // namespace exhibit::expand
