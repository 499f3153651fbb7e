// A disclosure: what is read is, written again, the same bytes; and what it claims is checked whatever it claims.

#include "fuzz/fuzz.h"
#include "manifest/disclosure.h"

using namespace exhibit;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = fuzz::text_of(data, size);
  const auto read = manifest::read_disclosure(text);
  if (!read.ok()) return 0;
  FUZZ_CHECK(manifest::write_disclosure(*read) == text);
  const auto claimed = manifest::read_manifest(read->manifest);
  if (!claimed.ok()) return 0;
  manifest::Checks checks;
  manifest::check_disclosure(*read, *claimed, checks);
  FUZZ_CHECK(checks.size() >= read->items.size() + read->volumes.size() + read->absent.size());
  return 0;
}
