#pragma once
// One line of the ledger, made and read; for this module's own files.

#include <exhibit/result.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "custody/ledger.h"

namespace exhibit::custody {

struct Line {        // NOLINT(bugprone-exception-escape)
  std::string text;  // without LF
  base::Json record;
  std::string previous;  // the link that it states

  std::string event() const { return record["event"].get<std::string>(); }
  std::uint64_t seq() const { return record["seq"].get<std::uint64_t>(); }
  // What the signature is over.
  std::string signed_form() const;
};

// Checks form: canonical, every key there and of the right type, a known event. Says what is wrong.
Result<Line> read_line(std::string_view text);

// The line for an event without `signature`.
base::Json unsigned_line(const Event& event, std::uint64_t seq, const std::string& previous);

// SHA-256, lower-case hex.
std::string link_of(std::string_view line);

// A whole ledger: the lines that can be read, where the chain holds.
struct Chain {
  std::vector<std::optional<Line>> lines;  // by seq - 1; nothing for one that can't be read
  std::vector<std::string> texts;          // the same lines, as bytes
  std::vector<std::string> form;           // complaints
  std::vector<std::string> links;          // complaints

  Head head() const;
};
Chain read_chain(std::string_view bytes);

}  // namespace exhibit::custody
