// exhibit-verify: checks a case, a manifest, a disclosure or a signature of Exhibit's, and shares no code with it. It
// needs nothing but the C++ library, so that its sources can be read whole. Each header is a chapter and builds on
// those before:
//   base.h         bytes, files, what is answered          key.h          public keys, RSA
//   sha2.h streebog.h belt.h bash.h  digests               certificate.h  X.509 and paths
//   digest.h       HMAC, the tree and its proofs           signature.h    CMS and time-stamps
//   json.h         canonical JSON                          form.h         the forms of the JSON files, the manifest
//   der.h          DER                                     findings.h     a findings file
//   number.h       big numbers                             ledger.h       the custody ledger
//   curves.h       ECDSA, GOST R 34.10, bign               disclosure.h case.h  what is given to a court

#include "case.h"

namespace exhibit_verify {
namespace {

constexpr int exit_usage = 2, exit_cannot_open = 3;

constexpr const char* usage =
    "usage: exhibit-verify CASE|manifest.json|disclosure.json [--trust CA.pem]\n"
    "       exhibit-verify --content FILE --signature P7S [--timestamp TSR] [--trust CA.pem]\n"
    "A line a check: ok, FAILED, or not checked: why. Exit 0 verified, 1 not verified, 2 usage, 3 can't be opened.\n";

int fail(int code, const std::string& why) {
  std::fprintf(stderr, "exhibit-verify: %s\n%s", why.c_str(), code == exit_usage ? usage : "");
  return code;
}

int verify(std::map<std::string, std::string>& given) {
  for (const auto& [option, path] : given) {
    if (!fs::exists(path)) return fail(exit_cannot_open, path + " isn't there");
  }
  std::optional<Trust> trusted;
  if (given.count("--trust") != 0) trusted.emplace(read_file(given["--trust"]));
  const Trust* trust = trusted ? &*trusted : nullptr;
  const std::string& target = given["target"];
  Report report;
  report.not_checked("revocation", "certificates", "no revocation list is looked at");
  if (target.empty()) {
    check_file(given["--content"], given["--signature"], given["--timestamp"], trust, report);
  } else if (fs::is_directory(target)) {
    check_case(target, trust, report);
  } else if (const Bytes bytes = read_file(target); bytes.find("\"format\":\"exhibit-disclosure/") != Bytes::npos) {
    check_disclosure(bytes, trust, report);
  } else {
    check_case(target, trust, report);
  }
  return report.verdict();
}

int run(const std::vector<std::string>& words) {
  static const std::set<std::string> options = {"--trust", "--content", "--signature", "--timestamp"};
  std::map<std::string, std::string> given;
  for (std::size_t i = 0; i < words.size(); ++i) {
    const std::string name = options.count(words[i]) != 0 ? words[i] : "target";
    if (name == "target" && words[i].starts_with("-")) return fail(exit_usage, "no such option: " + words[i]);
    if (name != "target" && ++i == words.size()) return fail(exit_usage, name + " wants a file");
    if (!given.emplace(name, words[i]).second) return fail(exit_usage, "given twice: " + name);
  }
  const std::size_t files = given.count("--content") + given.count("--signature");
  if (given.count("target") != 0 ? files + given.count("--timestamp") != 0 : files != 2)
    return fail(exit_usage, "give a case, a manifest or a disclosure, or --content and --signature");
  return verify(given);
}

}  // namespace
}  // namespace exhibit_verify

int main(int argc, char** argv) {
  try {
    return exhibit_verify::run({argv + 1, argv + argc});
  } catch (const exhibit_verify::Refused& refused) {
    return exhibit_verify::fail(exhibit_verify::exit_cannot_open, refused.why);
  } catch (const std::exception& error) {
    return exhibit_verify::fail(exhibit_verify::exit_cannot_open, error.what());
  }
}
