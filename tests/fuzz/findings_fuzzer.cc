// A findings file as verify and seal read it.

#include "fuzz/fuzz.h"
#include "manifest/findings.h"

using namespace exhibit;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = fuzz::text_of(data, size);
  const fuzz::MemoryFile file(text);
  const auto reading = manifest::read_findings(file.path(), {.salt_key = std::string(manifest::salt_key_size, 'k')});
  FUZZ_CHECK(reading.ok());
  FUZZ_CHECK(reading->summary.bytes == size);
  const auto lines = static_cast<std::uint64_t>(std::count(text.begin(), text.end(), '\n'));
  FUZZ_CHECK(reading->summary.records == lines || reading->summary.records == lines + 1);
  FUZZ_CHECK(text.empty() || text.back() == '\n' || !reading->form.empty());
  return 0;
}
