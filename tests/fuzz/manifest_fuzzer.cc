// manifest.json: what is read is, written again, the same bytes; so nothing stands in it that was not looked at.

#include "fuzz/fuzz.h"
#include "manifest/manifest.h"

using namespace exhibit;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = fuzz::text_of(data, size);
  const auto read = manifest::read_manifest(text);
  if (!read.ok()) return 0;
  const auto written = manifest::write_manifest(*read);
  FUZZ_CHECK(written.ok() && *written == text);
  return 0;
}
