// Wallets kept as JSON: Ethereum's Web3 Secret Storage (version 3, and what geth, MyEtherWallet and others write),
// Electrum's wallet files, MetaMask's vault. The members are what tells them from other JSON.

#include "carve/json_text.h"
#include "carve/text.h"
#include "carve/validator.h"

namespace exhibit::carve {
namespace {

constexpr std::uint64_t farthest = std::uint64_t{256} << 10;     // bytes from a wallet's begin to the anchor in it
constexpr std::uint64_t farthest_end = std::uint64_t{16} << 20;  // and from there to its end
constexpr std::string_view marks[] = {"\"kdfparams\"", "\"seed_version\""};  // the anchors
constexpr int most_tries = 4;                                                // objects in objects around the anchor

bool is_wallet(const JsonText& json) {
  if (!json.is_whole) return false;
  const bool is_keystore = (json.has("crypto") || json.has("Crypto")) && json.has("version");
  const bool is_electrum = json.has("seed_version") && (json.has("wallet_type") || json.has("accounts") ||
                                                        json.has("keystore") || json.has("addr_history"));
  const bool is_vault = json.has("data") && json.has("iv") && json.has("salt");
  return is_keystore || is_electrum || is_vault;
}

// The objects that hold the anchor, the innermost first: the first that is a wallet.
std::optional<std::uint64_t> begin_of(const Content& before, std::uint64_t anchor) {
  std::uint64_t from = anchor - std::min(anchor, farthest);
  // An object with an earlier anchor is found by that.
  for (const std::string_view mark : marks) {
    const std::uint64_t earlier = find_last_near(before, mark, from, anchor);
    if (earlier != anchor) from = earlier;
  }
  const ByteSpan bytes = before.at(from, anchor - from);
  const std::vector<std::uint8_t> copy(
      bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(std::min<std::uint64_t>(bytes.size(), anchor - from)));
  int depth = 0, tries = 0;
  for (std::size_t i = copy.size(); i-- > 0 && tries < most_tries;) {
    if (is_control(copy[i])) break;
    if (copy[i] == '}') ++depth;
    if (copy[i] != '{' || --depth >= 0) continue;
    depth = 0;
    ++tries;
    const PartContent object(before, from + i, (anchor - from - i) + farthest_end);
    if (is_wallet(scan_json(object, 0))) return from + i;
  }
  return std::nullopt;
}

Verdict validate(const Content& content, Memory&) {
  const JsonText json = scan_json(content, 0);
  return is_wallet(json) ? Verdict::whole(text_file_end(content, json.end)) : Verdict{};
}

}  // namespace

extern const Validator json_wallet_validator;
const Validator json_wallet_validator = {"json-wallet", validate, nullptr, begin_of};

}  // namespace exhibit::carve
