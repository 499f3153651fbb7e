#pragma once
// OpenPGP packets (RFC 9580, 4).

#include <cstdint>
#include <optional>
#include <string>

#include "carve/content.h"

namespace exhibit::carve {

// A chain of packets from the content's first byte on, in an order that keys, messages and signatures have (10).
struct PgpChain {
  std::uint64_t length = 0;  // to the end of the last packet that fits
  std::uint32_t packets = 0;
  bool is_complete = false;  // nothing that must follow is missing
  bool is_checked = false;   // numbers inside fill their packets exactly
  std::string extension;     // pgp, sig
};
std::optional<PgpChain> pgp_chain(const Content& content);

}  // namespace exhibit::carve
