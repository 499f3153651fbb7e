#include "manifest/signature.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <ctime>

#include "base/json.h"
#include "manifest/seal.h"
#include "manifest/signer.h"
#include "manifest/test_pki.h"
#include "manifest/timestamp.h"

namespace exhibit::manifest {
namespace {

using exhibit::test::read_file;
using exhibit::test::run;
using exhibit::test::TemporaryDirectory;
using exhibit::test::write_file;
using test::Pki;

constexpr const char* message = R"({"case":"demo"})";

std::int64_t clock_now() { return static_cast<std::int64_t>(std::time(nullptr)); }

std::string text_of(const Checks& checks) {
  std::string text;
  for (const Check& check : checks)
    text += check.name + " [" + check.subject + "] " + name_of(check.status) + ": " + check.detail + "\n";
  return text;
}

Status status_of(const Checks& checks, const std::string& name) {
  Status worst = Status::ok;
  bool found = false;
  for (const Check& check : checks) {
    if (check.name != name) continue;
    found = true;
    if (check.status != Status::ok && worst != Status::failed) worst = check.status;
  }
  EXPECT_TRUE(found) << "no check " << name << " in\n" << text_of(checks);
  return worst;
}

Trust trust_in(const std::filesystem::path& pem) {
  auto trust = Trust::from_pem(pem);
  EXPECT_TRUE(trust.ok()) << (trust.ok() ? "" : trust.error().message);
  return trust.take();
}

std::unique_ptr<Signer> signer_of(const Pki& pki, const std::string& name) {
  auto signer = open_signer(pki.key(name).string(), {pki.certificate(name)});
  if (!signer.ok()) throw std::runtime_error(signer.error().message);
  return signer.take();
}

Checks check(std::string_view content, std::string_view signature, const Trust* trust,
             std::optional<std::string_view> answer = {}) {
  SignatureRequest request;
  request.subject = "m.p7s";
  request.signature = signature;
  request.trust = trust;
  request.timestamp_answer = answer;
  Checks checks;
  check_signature(Content::of(content), request, checks);
  return checks;
}

// A folder with a signed manifest.json.
class Signed : public testing::Test {
 protected:
  void sign(const std::string& who, const std::vector<std::string>& authorities = {}) {
    write_file(folder_ / "manifest.json", message);
    const auto files =
        add_signature(folder_ / "manifest.json", *signer_of(pki_, who), clock_now(), {.names = authorities});
    ASSERT_TRUE(files.ok()) << files.error().message;
    p7s_ = files->signature;
    if (files->timestamp) tsr_ = *files->timestamp;
  }
  Checks check_files(const Trust* trust) {
    auto checks = check_signature_files(folder_ / "manifest.json", p7s_,
                                        tsr_.empty() ? std::nullopt : std::optional(tsr_), trust);
    EXPECT_TRUE(checks.ok());
    return checks.take();
  }
  exhibit::test::Finished openssl_verify() {
    return run({"openssl", "cms", "-verify", "-binary", "-inform", "DER", "-in", p7s_, "-content",
                folder_ / "manifest.json", "-CAfile", pki_.certificate("ca"), "-purpose", "any", "-out", "/dev/null"});
  }

  Pki pki_;
  TemporaryDirectory folder_;
  std::filesystem::path p7s_, tsr_;
};

TEST_F(Signed, StockOpensslAcceptsEcdsaAndSoDoWe) {
  sign("signer");
  EXPECT_EQ(openssl_verify().status, 0) << openssl_verify().err;
  const Trust trust = trust_in(pki_.certificate("ca"));
  const Checks checks = check_files(&trust);
  EXPECT_EQ(status_of(checks, signature_check), Status::ok) << text_of(checks);
  EXPECT_EQ(status_of(checks, "certificate path"), Status::ok) << text_of(checks);
  EXPECT_EQ(status_of(checks, "time-stamp"), Status::not_checked) << text_of(checks);
  EXPECT_TRUE(verdict(checks).verified);
}

TEST_F(Signed, StockOpensslAcceptsRsa3072AndSoDoWe) {
  pki_.issue("rsa", "signer_ext", "RSA-3072");
  sign("rsa");
  EXPECT_EQ(openssl_verify().status, 0) << openssl_verify().err;
  const Trust trust = trust_in(pki_.certificate("ca"));
  EXPECT_TRUE(verdict(check_files(&trust)).verified) << text_of(check_files(&trust));
}

TEST_F(Signed, HasTheAttributesOfCadesAndNoCapabilities) {
  sign("signer");
  const std::string print = Pki::openssl({"cms", "-cmsout", "-print", "-inform", "DER", "-in", p7s_.string()});
  for (const char* attribute : {"contentType", "messageDigest", "signingTime", "id-smime-aa-signingCertificateV2"})
    EXPECT_THAT(print, testing::HasSubstr(attribute));
  EXPECT_THAT(print, testing::Not(testing::HasSubstr("SMIMECapabilities")));
  EXPECT_THAT(print, testing::HasSubstr("eContent: <ABSENT>"));
}

TEST_F(Signed, TimeStampOfALocalAuthorityHoldsForOpensslToo) {
  sign("signer", {pki_.configuration().string()});
  const Trust trust = trust_in(pki_.certificate("ca"));
  const Checks checks = check_files(&trust);
  EXPECT_EQ(status_of(checks, "time-stamp"), Status::ok) << text_of(checks);
  EXPECT_TRUE(verdict(checks).verified) << text_of(checks);
  EXPECT_EQ(openssl_verify().status, 0) << "the unsigned attribute must not disturb stock openssl";
  // The imprint is over the signature value, the last OCTET STRING before the unsigned attributes.
  const std::string tree = Pki::openssl({"asn1parse", "-inform", "DER", "-in", p7s_.string()});
  EXPECT_THAT(tree, testing::HasSubstr("id-smime-aa-timeStampToken"));
  const std::string before = tree.substr(0, tree.find("id-smime-aa-timeStampToken"));
  const std::size_t at = before.rfind("[HEX DUMP]:");
  const std::string hex = before.substr(at + 11, before.find('\n', at) - at - 11);
  std::string lower;
  for (const char c : hex) lower += static_cast<char>(std::tolower(c));
  write_file(folder_ / "value", *base::from_hex(lower));
  const auto verified =
      run({"openssl", "ts", "-verify", "-data", folder_ / "value", "-in", tsr_, "-CAfile", pki_.certificate("ca")});
  EXPECT_EQ(verified.status, 0) << verified.err;
}

// A server of a few lines that asks `openssl ts`, as a laboratory's authority would.
TEST_F(Signed, AsksAnAuthorityOverHttp) {
  write_file(folder_ / "server.py", R"(
import http.server, subprocess, sys, os
configuration, folder = sys.argv[1], sys.argv[2]
class Authority(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers['Content-Length']))
        assert self.headers['Content-Type'] == 'application/timestamp-query' and self.path == '/tsa?x=1'
        open(folder + '/q', 'wb').write(body)
        subprocess.check_call(['openssl', 'ts', '-reply', '-config', configuration, '-queryfile', folder + '/q', '-out',
                               folder + '/r'], stderr=subprocess.DEVNULL)
        answer = open(folder + '/r', 'rb').read()
        self.send_response(200)
        self.send_header('Content-Type', 'application/timestamp-reply')
        self.send_header('Content-Length', str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)
    def log_message(self, *args): pass
server = http.server.HTTPServer(('127.0.0.1', 0), Authority)
server.timeout = 20
print(server.server_port, flush=True)
server.handle_request()
)");
  const std::string command = "python3 " + (folder_ / "server.py").string() + " " + pki_.configuration().string() +
                              " " + folder_.path().string();
  FILE* server = popen(command.c_str(), "r");
  ASSERT_NE(server, nullptr);
  int port = 0;
  ASSERT_EQ(std::fscanf(server, "%d", &port), 1);
  sign("signer", {"http://127.0.0.1:" + std::to_string(port) + "/tsa?x=1"});
  EXPECT_EQ(pclose(server), 0);
  const Trust trust = trust_in(pki_.certificate("ca"));
  EXPECT_EQ(status_of(check_files(&trust), "time-stamp"), Status::ok) << text_of(check_files(&trust));
}

TEST_F(Signed, AnAuthorityThatCannotBeReachedIsAnErrorAndLeavesNothing) {
  write_file(folder_ / "manifest.json", message);
  for (const char* authority : {"http://127.0.0.1:1/", "https://127.0.0.1:1/", "/no/such/file"}) {
    EXPECT_FALSE(
        add_signature(folder_ / "manifest.json", *signer_of(pki_, "signer"), clock_now(), {.names = {authority}}).ok());
  }
  EXPECT_FALSE(std::filesystem::exists(folder_ / "manifest.json.1.p7s"));
}

TEST_F(Signed, SeveralSignersSignSeveralFiles) {
  sign("signer");
  sign("signer");
  EXPECT_EQ(p7s_.filename(), "manifest.json.2.p7s");
  const auto imported = import_signature(folder_ / "manifest.json", read_file(p7s_));
  ASSERT_TRUE(imported.ok());
  EXPECT_EQ(imported->number, 3U);
  EXPECT_FALSE(import_signature(folder_ / "manifest.json", "not a signature").ok());
}

TEST_F(Signed, RefusesKeysThatMustNotSign) {
  const auto refusal = [&](const std::string& key, const std::string& certificate) {
    const auto signer = open_signer(pki_.key(key).string(), {pki_.certificate(certificate)});
    return signer.ok() ? std::string("accepted") : signer.error().message;
  };
  pki_.issue("rsa2048", "signer_ext", "RSA-2048");
  EXPECT_THAT(refusal("rsa2048", "rsa2048"), testing::HasSubstr("2048 bits"));
  pki_.issue("p384", "signer_ext", "P-384");
  EXPECT_THAT(refusal("p384", "p384"), testing::HasSubstr("P-256"));
  EXPECT_THAT(refusal("tsa", "signer"), testing::HasSubstr("isn't the key of the certificate"));
  Pki::openssl({"ec", "-aes256", "-passout", "pass:x", "-in", pki_.key("signer"), "-out", pki_.key("locked")});
  EXPECT_THAT(refusal("locked", "signer"), testing::HasSubstr("passphrase"));
  Pki::openssl({"pkcs8", "-topk8", "-passout", "pass:x", "-in", pki_.key("signer"), "-out", pki_.key("locked8")});
  EXPECT_THAT(refusal("locked8", "signer"), testing::HasSubstr("passphrase"));
  Pki::openssl({"genpkey", "-algorithm", "ED25519", "-out", pki_.key("ed")});
  EXPECT_THAT(refusal("ed", "signer"), testing::HasSubstr("can't sign"));
  // Opened, but not for this: a time-stamp authority's, one for encryption, one out of its dates.
  pki_.issue("encipher", "encipher_ext");
  EXPECT_FALSE(signer_of(pki_, "tsa")->sign(message, clock_now()).ok());
  EXPECT_FALSE(signer_of(pki_, "encipher")->sign(message, clock_now()).ok());
  EXPECT_FALSE(signer_of(pki_, "signer")->sign(message, 1'500'000'000).ok());
}

// What must never be accepted, each named by what was done.
struct Forgery {
  const char* name;
  std::string (*make)(const Pki& pki, const TemporaryDirectory& folder);  // the signature over `message`
  const char* check;                                                      // that must not be ok
};

void PrintTo(const Forgery& forgery, std::ostream* out) { *out << forgery.name; }

std::string cms_sign(const Pki& pki, const TemporaryDirectory& folder, const std::string& who,
                     const std::vector<std::string>& more, const std::string& content = message) {
  write_file(folder / "in", content);
  std::vector<std::string> arguments = {"cms",         "-sign",       "-binary",
                                        "-in",         folder / "in", "-outform",
                                        "DER",         "-signer",     pki.certificate(who),
                                        "-inkey",      pki.key(who),  "-out",
                                        folder / "out"};
  arguments.insert(arguments.end(), more.begin(), more.end());
  Pki::openssl(arguments);
  return read_file(folder / "out");
}

std::string good(const Pki& pki) { return *signer_of(pki, "signer")->sign(message, clock_now()); }

const Forgery forgeries[] = {
    {"OneBitOfTheSignature",
     [](const Pki& pki, const TemporaryDirectory&) {
       std::string der = good(pki);
       der.back() = static_cast<char>(der.back() ^ 1);
       return der;
     },
     signature_check},
    {"OverOtherBytes",
     [](const Pki& pki, const TemporaryDirectory&) { return *signer_of(pki, "signer")->sign("other", clock_now()); },
     signature_check},
    {"BytesAfterIt", [](const Pki& pki, const TemporaryDirectory&) { return good(pki) + '\0'; }, signature_check},
    {"CutShort", [](const Pki& pki, const TemporaryDirectory&) { return good(pki).substr(0, 700); }, signature_check},
    {"Empty", [](const Pki&, const TemporaryDirectory&) { return std::string(); }, signature_check},
    {"ContentEncapsulated",
     [](const Pki& pki, const TemporaryDirectory& folder) {
       return cms_sign(pki, folder, "signer", {"-cades", "-nodetach"});
     },
     signature_check},
    {"WithoutSigningCertificate",
     [](const Pki& pki, const TemporaryDirectory& folder) { return cms_sign(pki, folder, "signer", {}); },
     signature_check},
    {"WithoutSignedAttributes",
     [](const Pki& pki, const TemporaryDirectory& folder) { return cms_sign(pki, folder, "signer", {"-noattr"}); },
     signature_check},
    {"WithoutItsCertificate",
     [](const Pki& pki, const TemporaryDirectory& folder) {
       return cms_sign(pki, folder, "signer", {"-cades", "-nocerts"});
     },
     signature_check},
    {"Sha1",
     [](const Pki& pki, const TemporaryDirectory& folder) {
       return cms_sign(pki, folder, "signer", {"-cades", "-md", "sha1"});
     },
     signature_check},
    {"TwoSigners",
     [](const Pki& pki, const TemporaryDirectory& folder) {
       return cms_sign(pki, folder, "signer", {"-cades", "-signer", pki.certificate("tsa"), "-inkey", pki.key("tsa")});
     },
     signature_check},
    {"ByATimeStampAuthority",
     [](const Pki& pki, const TemporaryDirectory& folder) { return cms_sign(pki, folder, "tsa", {"-cades"}); },
     "signer's certificate"},
    {"NotCmsButACertificate",
     [](const Pki& pki, const TemporaryDirectory& folder) {
       Pki::openssl({"x509", "-in", pki.certificate("signer"), "-outform", "DER", "-out", folder / "der"});
       return read_file(folder / "der");
     },
     signature_check},
    {"OnlyADigest",
     [](const Pki&, const TemporaryDirectory& folder) {
       write_file(folder / "in", message);
       Pki::openssl(
           {"cms", "-digest_create", "-binary", "-in", folder / "in", "-outform", "DER", "-out", folder / "out"});
       return read_file(folder / "out");
     },
     signature_check},
};

class Forgeries : public testing::TestWithParam<Forgery> {};

TEST_P(Forgeries, IsRefused) {
  const Pki pki;
  const TemporaryDirectory folder;
  const Trust trust = trust_in(pki.certificate("ca"));
  ASSERT_TRUE(verdict(check(message, good(pki), &trust)).verified);
  const Checks checks = check(message, GetParam().make(pki, folder), &trust);
  EXPECT_EQ(status_of(checks, GetParam().check), Status::failed) << text_of(checks);
  EXPECT_FALSE(verdict(checks).verified);
}

INSTANTIATE_TEST_SUITE_P(All, Forgeries, testing::ValuesIn(forgeries),
                         [](const auto& forgery) { return forgery.param.name; });

TEST_F(Signed, AnAttributeOfTheSignatureChanged) {
  sign("signer");
  std::string der = read_file(p7s_);
  const std::string digest =
      *base::from_hex(Pki::openssl({"dgst", "-sha256", "-r", folder_ / "manifest.json"}).substr(0, 64));
  const std::size_t at = der.find(digest);
  ASSERT_NE(at, std::string::npos);
  // Another message, and its digest put in place of the signed one.
  const std::string other = R"({"case":"DEMO"})";
  write_file(folder_ / "other", other);
  der.replace(at, 32, *base::from_hex(Pki::openssl({"dgst", "-sha256", "-r", folder_ / "other"}).substr(0, 64)));
  EXPECT_EQ(status_of(check(other, der, nullptr), signature_check), Status::failed);
}

TEST_F(Signed, SwappedCertificate) {
  sign("signer");
  std::string der = read_file(p7s_);
  Pki::openssl({"x509", "-in", pki_.certificate("signer"), "-outform", "DER", "-out", folder_ / "a"});
  const std::string before = read_file(folder_ / "a");
  // The same name, number and length, another key: all that a SignerInfo's reference to its certificate says.
  std::string after;
  for (int tries = 0; tries < 50 && after.size() != before.size(); ++tries) {
    write_file(pki_ / "index.txt", "");
    write_file(pki_ / "serial", pki_.serial("signer"));
    pki_.issue("twin", "signer_ext", "P-256", "20260101000000Z", "20350101000000Z", "ca", "signer");
    Pki::openssl({"x509", "-in", pki_.certificate("twin"), "-outform", "DER", "-out", folder_ / "b"});
    after = read_file(folder_ / "b");
  }
  ASSERT_EQ(after.size(), before.size());
  const std::size_t at = der.find(before);
  ASSERT_NE(at, std::string::npos);
  der.replace(at, before.size(), after);
  const Checks checks = check(message, der, nullptr);
  EXPECT_EQ(status_of(checks, signature_check), Status::failed) << text_of(checks);
  EXPECT_THAT(text_of(checks), testing::HasSubstr("names another certificate"));
}

TEST_F(Signed, PathIsCheckedAtTheTimeOfSigning) {
  pki_.issue("old", "signer_ext", "P-256", "20200101000000Z", "20210101000000Z");
  const Trust trust = trust_in(pki_.certificate("ca"));
  // The openssl command signs with it today all the same.
  const std::string late = cms_sign(pki_, folder_, "old", {"-cades"});
  EXPECT_EQ(status_of(check(message, late, &trust), "certificate path"), Status::failed);
  EXPECT_EQ(status_of(check(message, late, nullptr), "signer's certificate"), Status::failed);
  EXPECT_FALSE(verdict(check(message, late, nullptr)).verified);
}

TEST_F(Signed, ATimeStampOverrulesTheSignersOwnTime) {
  // The root is of today; only without --trust is a time in 2020 within everything's dates.
  pki_.issue("old", "signer_ext", "P-256", "20200101000000Z", "20210101000000Z");
  const std::string in_time = *signer_of(pki_, "old")->sign(message, 1'590'000'000);
  EXPECT_EQ(status_of(check(message, in_time, nullptr), "signer's certificate"), Status::ok);
  const std::string answer = *ask_timestamp(pki_.configuration(), in_time);
  const std::string stamped = *with_timestamp(in_time, answer);
  const Checks checks = check(message, stamped, nullptr, answer);
  EXPECT_EQ(status_of(checks, "signer's certificate"), Status::failed) << text_of(checks);
}

TEST_F(Signed, ASigningTimeAfterItsTimeStampIsFalse) {
  const std::string ahead = *signer_of(pki_, "signer")->sign(message, clock_now() + 7200);
  const std::string answer = *ask_timestamp(pki_.configuration(), ahead);
  EXPECT_EQ(status_of(check(message, ahead, nullptr, answer), "time-stamp"), Status::failed);
}

TEST_F(Signed, AnUntrustedAuthorityIsRefusedAndNoneIsNotChecked) {
  pki_.root("stranger");
  sign("signer");
  const Trust stranger = trust_in(pki_.certificate("stranger"));
  EXPECT_EQ(status_of(check_files(&stranger), "certificate path"), Status::failed);
  EXPECT_FALSE(verdict(check_files(&stranger)).verified);
  EXPECT_EQ(status_of(check_files(nullptr), "certificate path"), Status::not_checked);
  EXPECT_TRUE(verdict(check_files(nullptr)).verified);
  write_file(folder_ / "no.pem", "nothing");
  EXPECT_FALSE(Trust::from_pem(folder_ / "no.pem").ok());
}

TEST_F(Signed, TimeStampsThatMustNotCount) {
  sign("signer", {pki_.configuration().string()});
  const std::string p7s = read_file(p7s_);
  const std::string tsr = read_file(tsr_);
  const Trust trust = trust_in(pki_.certificate("ca"));
  ASSERT_TRUE(verdict(check(message, p7s, &trust, tsr)).verified);
  const auto status = [&](std::string_view signature, std::string_view answer, const Trust& whose) {
    const Checks checks = check(message, signature, &whose, answer);
    EXPECT_FALSE(verdict(checks).verified) << text_of(checks);
    return status_of(checks, "time-stamp");
  };
  const std::string other = good(pki_);
  EXPECT_EQ(status(other, tsr, trust), Status::failed) << "of another signature";
  const std::string other_answer = *ask_timestamp(pki_.configuration(), p7s);
  EXPECT_EQ(status(p7s, other_answer, trust), Status::failed) << "another token than in the signature";
  EXPECT_EQ(status(*with_timestamp(other, tsr), tsr, trust), Status::failed) << "moved into another signature";
  std::string flipped = tsr;
  flipped.back() = static_cast<char>(flipped.back() ^ 1);
  EXPECT_EQ(status(other, flipped, trust), Status::failed) << "one bit of the token";
  EXPECT_EQ(status(p7s, tsr + "x", trust), Status::failed) << "bytes after the answer";
  EXPECT_EQ(status(p7s, p7s, trust), Status::failed) << "not an answer";
  EXPECT_EQ(status(p7s, "", trust), Status::failed) << "empty";
  pki_.root("stranger");
  pki_.issue("signer2", "signer_ext", "P-256", "20260101000000Z", "20350101000000Z", "stranger");
  EXPECT_EQ(status(p7s, tsr, trust_in(pki_.certificate("stranger"))), Status::failed) << "an untrusted authority";
}

TEST_F(Signed, AnAuthorityWithoutTheTimeStampingPurposeIsRefused) {
  // openssl itself refuses to be such an authority, so the configuration names an honest certificate's twin in vain.
  std::string configuration = read_file(pki_.configuration());
  for (const char* name : {"tsa.pem", "tsa.key"}) configuration.replace(configuration.find(name), 3, "signer");
  write_file(folder_ / "tsa.cnf", configuration);
  EXPECT_FALSE(ask_timestamp(folder_ / "tsa.cnf", good(pki_)).ok());
}

struct Suite {
  const char* folder;
  bool known;
};

void PrintTo(const Suite& suite, std::ostream* out) { *out << suite.folder; }

class Corpus : public testing::TestWithParam<Suite> {
 protected:
  Checks check_corpus(const std::string& signature, bool with_answer, const Trust* trust) {
    const std::filesystem::path folder = exhibit::test::corpus(std::string("crypto/") + GetParam().folder);
    const std::optional<std::filesystem::path> answer =
        with_answer ? std::optional(folder / "message.json.tsr") : std::nullopt;
    auto checks =
        check_signature_files(exhibit::test::corpus("crypto/message.json"), folder / signature, answer, trust);
    EXPECT_TRUE(checks.ok());
    return checks.take();
  }
};

TEST_P(Corpus, GoodSignaturesHoldAndBadOnesNever) {
  const Trust trust = trust_in(exhibit::test::corpus(std::string("crypto/") + GetParam().folder + "/ca.pem"));
  for (const Trust* one : {&trust, static_cast<const Trust*>(nullptr)}) {
    const Checks good = check_corpus("message.json.p7s", true, one);
    EXPECT_EQ(verdict(good).verified, GetParam().known) << text_of(good);
    EXPECT_EQ(status_of(good, signature_check), GetParam().known ? Status::ok : Status::not_checked) << text_of(good);
    for (const char* bad : {"flipped.p7s", "other-message.p7s"}) {
      const Checks checks = check_corpus(bad, false, one);
      EXPECT_FALSE(verdict(checks).verified) << bad << "\n" << text_of(checks);
      if (GetParam().known) {
        EXPECT_EQ(status_of(checks, signature_check), Status::failed) << text_of(checks);
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(All, Corpus,
                         testing::Values(Suite{"p256-sha256", true}, Suite{"rsa3072-sha256", true},
                                         Suite{"gost2012-256", true}, Suite{"gost2012-512", true},
                                         Suite{"bign128-belt", true}),
                         [](const auto& suite) {
                           std::string name = suite.param.folder;
                           std::erase(name, '-');
                           return name;
                         });

// No byte of a signature or an answer can be changed so that it crashes us.
TEST_F(Signed, AnyByteChangedIsSurvived) {
  sign("signer", {pki_.configuration().string()});
  const std::string p7s = read_file(p7s_);
  const std::string tsr = read_file(tsr_);
  std::size_t refused = 0;
  for (std::size_t i = 0; i < p7s.size(); i += 7) {
    std::string changed = p7s;
    changed[i] = static_cast<char>(changed[i] ^ 0x20);
    refused += verdict(check(message, changed, nullptr)).verified ? 0 : 1;
  }
  EXPECT_GT(refused, p7s.size() / 14);
  for (std::size_t i = 0; i < tsr.size(); i += 7) {
    std::string changed = tsr;
    changed[i] = static_cast<char>(changed[i] ^ 0x20);
    check(message, p7s, nullptr, changed);
  }
}

}  // namespace
}  // namespace exhibit::manifest
