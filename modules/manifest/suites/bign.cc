// bign-curve256v1 with belt-hash (STB 34.101.45, STB 34.101.31), by our own arithmetic (bign.h).

#include "manifest/bign.h"

#include <array>

#include "manifest/der.h"
#include "manifest/suite.h"

namespace exhibit::manifest {
namespace {

constexpr std::array pairings = {Pairing{bign::hash_oid, "belt-hash", bign::signature_oid, true}};

std::optional<std::string> weakness(X509_PUBKEY* key, Office) {
  const std::string parameters = key_parameters(key);
  if (parameters != der::oid(bign::curve_oid) && parameters != bign::curve_parameters())
    return "its key isn't on bign-curve256v1";
  if (!bign::is_point(key_bytes(key))) return "its public key is no point of bign-curve256v1";
  return {};
}

std::optional<std::string> unfit_for_signing(X509_PUBKEY*) { return {}; }

Result<bool> verify(X509_PUBKEY* key, const Pairing&, std::string_view digest, std::string_view signature) {
  return bign::verify(key_bytes(key), digest, signature);
}

}  // namespace

constinit const Suite bign_suite = {.name = "bign-curve256v1",
                                    .key_oid = bign::key_oid,
                                    .pairings = pairings,
                                    .weakness = weakness,
                                    .unfit_for_signing = unfit_for_signing,
                                    .verify = verify,
                                    .known_to_openssl = false};

}  // namespace exhibit::manifest
