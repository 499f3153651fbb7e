// What of Outlook's formats we read ourselves: a store's trees and blocks, and the streams of a message.

#include "expand/outlook_message.h"
#include "expand/pst_blocks.h"
#include "fuzz/fuzz.h"

using namespace exhibit;

namespace {

void read_store(ByteSource& content) {
  expand::CheckedStore store(content);
  if (!store.read_trees().ok()) return;
  std::vector<std::byte> buffer(512);
  for (std::uint64_t offset = 0; offset < content.size(); offset += buffer.size()) {
    const auto got = store.read_at(offset, buffer);
    FUZZ_CHECK(got.ok() && *got <= buffer.size());
  }
}

void read_message(ByteSource& content) {
  auto reader = expand::open_outlook_message(content);
  if (!reader.ok()) return;
  std::vector<std::byte> buffer(777);
  while (true) {
    const auto entry = (*reader)->next();
    FUZZ_CHECK(entry.ok());
    if (!*entry) return;
    FUZZ_CHECK(!(*entry)->path.empty());
    std::uint64_t all = 0;
    auto got = (*reader)->read(buffer);
    for (; got.ok() && *got > 0; got = (*reader)->read(buffer)) all += *got;
    // Whole is what has the size that was said.
    FUZZ_CHECK(!got.ok() || all == (*entry)->size.value_or(0));
    FUZZ_CHECK(all <= content.size());
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = fuzz::text_of(data, size);
  fuzz::MemorySource content(text, size);
  if (text.starts_with("!BDN")) {
    read_store(content);
  } else {
    read_message(content);
  }
  return 0;
}
