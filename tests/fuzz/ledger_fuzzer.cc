// The custody ledger, signatures included.

#include "custody/ledger.h"
#include "custody/ledger_line.h"
#include "fuzz/fuzz.h"

using namespace exhibit;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = fuzz::text_of(data, size);
  const custody::Chain chain = custody::read_chain(text);
  FUZZ_CHECK(chain.lines.size() == chain.texts.size());
  for (const auto& line : chain.lines) {
    if (line) FUZZ_CHECK(base::canonical(line->record) == line->text);
  }
  manifest::Checks checks;
  const manifest::CustodyClaim claim{1, manifest::no_digest};
  custody::check_ledger(text, &claim, nullptr, checks);
  FUZZ_CHECK(!checks.empty());
  return 0;
}
