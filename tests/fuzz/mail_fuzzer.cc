// Messages and mailboxes: whatever is told of a part lies in what was given, and reads alike twice.

#include "expand/mail.h"
#include "fuzz/fuzz.h"

using namespace exhibit;

namespace {

std::string read_all(expand::Reader& reader, std::size_t most, std::size_t step) {
  std::string content;
  std::vector<std::byte> buffer(step);
  while (true) {
    const auto got = reader.read(buffer);
    if (!got.ok() || *got == 0) return content;
    FUZZ_CHECK(*got <= buffer.size());
    content.append(reinterpret_cast<const char*>(buffer.data()), *got);
    FUZZ_CHECK(content.size() <= most);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = fuzz::text_of(data, size);
  fuzz::MemorySource content(text, size);
  auto once = expand::open_mail(content), again = expand::open_mail(content);
  FUZZ_CHECK(once.ok() == again.ok());
  if (!once.ok()) return 0;
  std::size_t all = 0;
  while (true) {
    const auto entry = (*once)->next(), same = (*again)->next();
    FUZZ_CHECK(entry.ok() && same.ok());
    FUZZ_CHECK(entry->has_value() == same->has_value());
    if (!*entry) break;
    FUZZ_CHECK(!(*entry)->path.empty() && (*entry)->path == (**same).path);
    // Neither coding makes more than it takes.
    const std::string read = read_all(**once, size, 4096);
    FUZZ_CHECK(read == read_all(**again, size, 7));
    FUZZ_CHECK(!(*entry)->size || *(*entry)->size == read.size());
    all += read.size();
    (*once)->take_trouble();
  }
  FUZZ_CHECK(all <= size);
  return 0;
}
