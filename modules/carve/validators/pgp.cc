// OpenPGP keys and encrypted messages as they are (RFC 9580, 4, 5, 10): packets whose lengths chain and whose numbers
// fill them. There is no checksum that could be had without the key.

#include "carve/pgp.h"

#include "carve/validator.h"

namespace exhibit::carve {
namespace {

// A key of version 4 made since 1991, or a session key of version 3.
bool glance(ByteSpan head) {
  if (head.size() < 16) return false;
  const bool is_old = (head[0] & 0x40) == 0;
  const unsigned tag = is_old ? head[0] >> 2 & 0x0f : head[0] & 0x3f;
  const std::size_t at = is_old ? 2 + (head[0] & 3U) : head[1] < 192 ? 2 : head[1] < 224 ? 3 : 6;
  if (tag == 5 || tag == 6) return head[at] == 4 && head[at + 1] >= 0x27 && head[at + 5] <= 22;
  if (tag == 1) return head[at] == 3 && head[at + 9] <= 22;
  return tag == 3 && head[at] >= 4 && head[at] <= 6;
}

Verdict validate(const Content& content, Memory&) {
  if (!glance(content.at(0, 64))) return {};
  const auto chain = pgp_chain(content);
  if (!chain) return {};
  Verdict verdict = Verdict::whole(chain->length, chain->extension);
  if (chain->is_checked) return verdict;
  if (chain->is_complete) verdict.tier = Tier::plausible;
  if (chain->is_complete) return verdict;
  const bool is_much = chain->packets >= 3;
  if (is_much) verdict = Verdict::broken(chain->length, chain->length, chain->length, DoubtCause::missing_segment);
  if (!is_much) verdict.tier = Tier::header_only;
  verdict.extension = chain->extension;
  return verdict;
}

}  // namespace

extern const Validator pgp_validator;
const Validator pgp_validator = {"pgp", validate, glance};

}  // namespace exhibit::carve
