#include "manifest/engines.h"

#include "base/json.h"
#include "manifest/crypto_process.h"

namespace exhibit::manifest {
namespace {

using base::Json;

// GOST R 34.10-2012, appendix A.1: the key as SubjectPublicKeyInfo, the digest, and the signature, s before r.
constexpr const char* example_key =
    "3066301f06082a85030701010101301306072a85030202230006082a8503070101020203430004400bd86fe5d8db89668f789b4e1dba8585"
    "c5508b45ec5b59d8906ddb70e2492b7fda77ff871a10fbdf2766d293c5d164afbb3c7b973a41c885d11d70d689b4f126";
constexpr const char* example_digest = "e53e042b67e6ec678e2e02b12a0352ce1fc6eee0529cc088119ad872b3c1fb2d";
constexpr const char* example_s = "01456c64ba4642a1653c235a98a60249bcd6d3f746b631df928014f6c5bf9c40";
constexpr const char* example_r = "41aa28d2f1ab148280cd9ed56feda41974053554a42767b83ad043fd39dc0493";

Result<bool> engine_accepts(CryptoProcess& process, const std::string& signature) {
  const Json answer = EXHIBIT_TRY(
      process.ask({{"do", "verify"}, {"key", example_key}, {"digest", example_digest}, {"signature", signature}}));
  return answer.value("valid", false);
}

std::string seal_text(const Json& state) {
  const Json seal = state.value("seal", Json::object());
  std::string lacks;
  for (const char* part : {"rlimits", "no_new_privs", "seccomp"}) {
    if (!seal.value(part, false)) lacks += std::string(" ") + part;
  }
  if (seal.value("landlock_abi", 0) == 0) lacks += " Landlock";
  return lacks.empty() ? "sealed" : "its seal lacks" + lacks;
}

Result<std::string> try_gost() {
  CryptoProcess process(CryptoProcess::Engine::gost);
  const Json state = EXHIBIT_TRY(process.ask({{"do", "state"}}));
  const bool good = EXHIBIT_TRY(engine_accepts(process, std::string(example_s) + example_r));
  const bool bad = EXHIBIT_TRY(engine_accepts(process, std::string(example_r) + example_s));
  if (!good || bad) return std::string("no: it judges the example of the standard (GOST R 34.10-2012, A.1) wrongly");
  return "works: judges the standard's example rightly; " + seal_text(state);
}

Result<std::string> try_tokens() {
  CryptoProcess process(CryptoProcess::Engine::token);
  const Json state = EXHIBIT_TRY(process.ask({{"do", "state"}}));
  if (!state.value("engine", false)) return std::string("no: install libengine-pkcs11-openssl");
  return "works: a token's module is loaded when a key in it is asked for; " + seal_text(state);
}

std::string text_of(const Result<std::string>& state) { return state.ok() ? *state : "no: " + state.error().message; }

}  // namespace

std::vector<EngineState> examine_engines() {
  return {{"GOST R 34.10-2012, by the gost engine", text_of(try_gost())},
          {"keys in tokens, by the pkcs11 engine", text_of(try_tokens())},
          {"Streebog, belt, bash, bign", "works: own code"},
          {"time-stamps", "RFC 3161, asked of --tsa alone, and of nobody else; what they are over: --tsa-digest"}};
}

}  // namespace exhibit::manifest
