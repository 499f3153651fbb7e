#pragma once
// Detached CMS signatures (RFC 5652, CAdES-BES and -T of ETSI EN 319 122-1) and time-stamps (RFC 3161).

#include <functional>

#include "certificate.h"

namespace exhibit_verify {

struct SignatureRequest {
  std::string name;    // of the check; others' names begin with `prefix`
  std::string prefix;  // "" or "ledger: "
  std::string subject;
  View cms;  // DER
  std::function<Bytes(View algorithm)> digest_of_content;
  std::optional<View> answer;  // the time-stamp authority's, as it lies beside the signature
  const Trust* trust = nullptr;
  bool mention_no_stamp = true;
};

// Tells everything about one signature: its bytes, its time-stamps, its certificate, the path.
void check_signature(const SignatureRequest& request, Report& report);

}  // namespace exhibit_verify
