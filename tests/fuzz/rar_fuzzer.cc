// The headers of RAR files, as we follow them ourselves.

#include "expand/rar_headers.h"
#include "fuzz/fuzz.h"

using namespace exhibit;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::size_t most = 4096;
  fuzz::MemorySource content(fuzz::text_of(data, size), size);
  const auto files = expand::rar_files(content, most);
  FUZZ_CHECK(files.size() <= most);
  FUZZ_CHECK(files.size() <= size / 4);  // no header is shorter
  return 0;
}
