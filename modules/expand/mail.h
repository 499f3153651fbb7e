#pragma once
// Messages (RFC 5322, MIME: RFC 2045 to 2047) and mailboxes of them (RFC 4155).

#include "expand/reader.h"

namespace exhibit::expand {

// A message's parts that hold no others, decoded; or a mailbox's messages, as they stand in it: by the first line.
// Error: it is neither.
Result<std::unique_ptr<Reader>> open_mail(ByteSource& content);

}  // namespace exhibit::expand
