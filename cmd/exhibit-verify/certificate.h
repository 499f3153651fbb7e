#pragma once
// X.509 certificates (RFC 5280) and the paths from one to another.

#include "key.h"

namespace exhibit_verify {

// It looks into the bytes that it was read from, which must outlive it.
struct Certificate {
  static Certificate read(const Element& element);

  View whole, body, serial, issuer, subject, signature, key_identifier;
  std::string signature_oid;
  std::int64_t from = 0, to = 0;  // seconds since 1970
  PublicKey key;
  bool is_authority = false;  // basicConstraints
  std::uint64_t path_length = UINT64_MAX;
  unsigned key_usage = UINT32_MAX;    // the first eight bits of the extension, the first the highest; all where absent
  std::vector<std::string> purposes;  // extendedKeyUsage
  bool purposes_are_critical = false;
  std::string not_understood;  // an extension that can't be passed over

  std::string name() const;  // of its subject, for people
  bool is_signed_by(const Certificate& authority) const;
};

// Why a certificate can't have made a signature at that time, its path apart; "" where it can.
std::string certificate_defect(const Certificate& certificate, std::int64_t seconds, bool for_time_stamps);

// What --trust gave: self-signed certificates at which paths end.
class Trust {
 public:
  explicit Trust(View pem);
  // Why no path leads from a certificate over `others` to a trusted one, all valid at that time; "" where one does.
  std::string path_defect(const Certificate& certificate, const std::vector<Certificate>& others,
                          std::int64_t seconds) const;

 private:
  std::vector<Bytes> bytes_;
  std::vector<Certificate> certificates_;
};

}  // namespace exhibit_verify
