#pragma once
// What the events of a ledger must agree on beyond form and chain; for this module's own files.
//  - transfers: `accepted` names in detail.transfer the seq of a `transferred` before it, of exhibits that were handed
//    over there and that nobody has accepted yet, and is signed by another credential than that one;
//  - times: no signature is older than the one before it, no event later than its signature (both within a tolerance:
//    two agencies' clocks differ);
//  - credentials: actor.credential is the subject of the certificate that signed.

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "custody/ledger_line.h"
#include "manifest/signing_certificate.h"

namespace exhibit::custody {

inline constexpr const char* transfers_check = "ledger transfers";
inline constexpr const char* times_check = "ledger times";
inline constexpr const char* credentials_check = "ledger credentials";

// How far a clock may be behind another one, in seconds; as for time-stamps (manifest/signature.cc).
inline constexpr std::int64_t clock_tolerance = 300;

class LedgerRules {
 public:
  struct Complaint {
    const char* check;
    std::string what;
  };
  // Takes the next line and says what is wrong with it. A line whose signature can't be read is asked only what
  // needs none; that it can't is the signature's own check.
  std::vector<Complaint> next(const Line& line);

  // Exhibits handed over and not yet taken over, with the seq of the handing over. "the case": all of it.
  const std::map<std::uint64_t, std::set<std::string>>& open_transfers() const { return open_; }

 private:
  using Certificate = std::optional<manifest::SigningCertificate>;
  std::optional<std::string> accept(const Line& line, const Certificate& signer);
  std::optional<std::string> wrong_time(const Line& line, std::int64_t signed_at);

  struct Transfer {
    std::string time;
    Certificate signer;
  };
  std::map<std::uint64_t, Transfer> transfers_;
  std::map<std::uint64_t, std::set<std::string>> open_;
  std::int64_t last_signed_ = 0;  // seconds since 1970; the latest so far
};

}  // namespace exhibit::custody
