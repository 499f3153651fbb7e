// exhibit-verify: checks a case, a manifest or a disclosure of Exhibit's, sharing no code with it. It needs nothing but
// the C++ library, so that its sources can be read whole: digests and tree first (digest.h, tree.h), then JSON, DER,
// numbers, curves and keys, then certificates and signatures, and last the case itself (checks.h).

#include <cstdio>
#include <map>

#include "checks.h"

namespace exhibit_verify {
namespace {

constexpr int exit_usage = 2, exit_cannot_open = 3;

constexpr const char* usage =
    "usage: exhibit-verify CASE|manifest.json|disclosure.json [--trust CA.pem]\n"
    "       exhibit-verify --content FILE --signature P7S [--timestamp TSR] [--trust CA.pem]\n"
    "A line a check: ok, FAILED, or not checked: why. Exit 0 verified, 1 not verified, 2 usage, 3 can't be opened.\n";

int fail(int code, const std::string& why) {
  std::fprintf(stderr, "exhibit-verify: %s\n", why.c_str());
  if (code == exit_usage) std::fputs(usage, stderr);
  return code;
}

int verify(std::map<std::string, std::string>& given) {
  for (const auto& [option, path] : given) {
    std::error_code error;
    if (!fs::exists(path, error)) return fail(exit_cannot_open, path + " isn't there");
  }
  Report report;
  std::optional<Trust> trusted;
  if (given.count("--trust") != 0) {
    try {
      trusted.emplace(read_file(given["--trust"]));
    } catch (const Refused& refused) {
      return fail(exit_cannot_open, given["--trust"] + ": " + refused.why);
    }
  }
  const Trust* trust = trusted ? &*trusted : nullptr;
  const std::string& target = given["target"];
  report.not_checked("revocation", "certificates", "no revocation list is looked at");
  if (target.empty()) {
    check_file(given["--content"], given["--signature"], given["--timestamp"], trust, report);
  } else if (fs::is_directory(target)) {
    check_case(target, trust, report);
  } else {
    // A manifest and a disclosure are told apart by their first key.
    const Bytes bytes = read_file(target);
    if (bytes.find("\"format\":\"exhibit-disclosure/") == Bytes::npos) {
      check_case(target, trust, report);
    } else {
      report.guard("disclosure form", "the file", [&] { check_disclosure(parse_canonical(bytes), trust, report); });
    }
  }
  return report.verdict();
}

int run(const std::vector<std::string>& words) {
  std::map<std::string, std::string> given;
  for (std::size_t i = 0; i < words.size(); ++i) {
    const bool option =
        words[i] == "--trust" || words[i] == "--content" || words[i] == "--signature" || words[i] == "--timestamp";
    if (option && ++i == words.size()) return fail(exit_usage, words[i - 1] + " wants a file");
    if (!option && words[i].substr(0, 1) == "-") return fail(exit_usage, "no such option: " + words[i]);
    if (!given.emplace(option ? words[i - 1] : "target", words[i]).second)
      return fail(exit_usage, "given twice: " + words[i]);
  }
  const bool one_file = given.count("--content") != 0 && given.count("--signature") != 0;
  const bool neither = given.count("--content") + given.count("--signature") + given.count("--timestamp") == 0;
  if (given.count("target") != 0 ? !neither : !one_file)
    return fail(exit_usage, "give a case, a manifest or a disclosure, or --content and --signature");
  return verify(given);
}

}  // namespace
}  // namespace exhibit_verify

int main(int argc, char** argv) {
  try {
    return exhibit_verify::run({argv + 1, argv + argc});
  } catch (const exhibit_verify::Refused& refused) {
    std::fprintf(stderr, "exhibit-verify: %s\n", refused.why.c_str());
  } catch (const std::exception& error) {
    std::fprintf(stderr, "exhibit-verify: %s\n", error.what());
  }
  return 3;
}
