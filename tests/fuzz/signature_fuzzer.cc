// A CMS signature and the answer of a time-stamp authority: the first two bytes say how long the signature is.

#include "fuzz/fuzz.h"
#include "manifest/signature.h"

using namespace exhibit;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const std::string_view text = fuzz::text_of(data + 2, size - 2);
  const std::size_t length = std::min<std::size_t>(data[0] * std::size_t{256} + data[1], text.size());
  manifest::SignatureRequest request;
  request.subject = "fuzz";
  request.signature = text.substr(0, length);
  if (length < text.size()) request.timestamp_answer = text.substr(length);
  manifest::Checks checks;
  manifest::check_signature(manifest::Content::of("{}"), request, checks);
  FUZZ_CHECK(!checks.empty());
  return 0;
}
