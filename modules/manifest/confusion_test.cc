// What a forger would try on the suites: each piece of a signature wrong in turn, under a key that is good.

#include <gtest/gtest.h>

#include "base/json.h"
#include "manifest/bign.h"
#include "manifest/signature.h"
#include "manifest/test_forge.h"

namespace exhibit::manifest {
namespace {

using test::corpus_certificate;
using test::corpus_key;

constexpr const char* message = R"({"case":"demo"})";
constexpr const char* now = "261125120000Z";

// One CMS in pieces; what isn't set is right.
struct Pieces {
  std::string suite = "bign128-belt";
  std::string key_of;  // another suite's key signs
  std::string digest_oid, signature_oid;
  std::string digest;                // messageDigest; empty: right
  std::vector<std::string> without;  // attributes left out, by OID
  std::vector<std::string> more;     // attributes beside
  std::string content_type;
  bool mark_of_authority = false;  // signingCertificateV2 names the authority
  std::function<void(std::string&)> signature = [](std::string&) {};
  openssl::Certificate certificate;  // another certificate than the corpora's
};

std::string attribute(const char* oid, const std::string& value) {
  return der::sequence({der::oid(oid), der::set_of({value})});
}

std::string mark_of(X509* certificate, const Pairing& pairing) {
  const std::string digest = der::octet_string(digest_of(pairing.digest, openssl::der_of(certificate, i2d_X509)));
  const bool is_default = std::string_view(pairing.digest) == "SHA2-256";
  return der::sequence({der::sequence(
      {der::sequence({is_default ? std::string() : der::algorithm(pairing.digest_oid, true), digest})})});
}

std::string put_together(const Pieces& pieces) {
  const auto key = corpus_key(pieces.key_of.empty() ? pieces.suite : pieces.key_of, "signer");
  const auto own_key = corpus_key(pieces.suite, "signer");
  const Pairing& pairing = own_key->pairing();
  openssl::Certificate given = corpus_certificate(pieces.suite, "signer");
  const openssl::Certificate authority = corpus_certificate(pieces.suite, "ca");
  X509* const certificate = pieces.certificate ? pieces.certificate.get() : given.get();
  std::vector<std::string> attributes;
  const auto add = [&](const char* oid, const std::string& value) {
    if (std::find(pieces.without.begin(), pieces.without.end(), oid) == pieces.without.end())
      attributes.push_back(attribute(oid, value));
  };
  add("1.2.840.113549.1.9.3",
      der::oid(pieces.content_type.empty() ? "1.2.840.113549.1.7.1" : pieces.content_type.c_str()));
  add("1.2.840.113549.1.9.5", test::utc(now));
  add("1.2.840.113549.1.9.4",
      der::octet_string(pieces.digest.empty() ? digest_of(pairing.digest, message) : pieces.digest));
  add("1.2.840.113549.1.9.16.2.47", mark_of(pieces.mark_of_authority ? authority.get() : certificate, pairing));
  attributes.insert(attributes.end(), pieces.more.begin(), pieces.more.end());
  const std::string signed_attributes = der::sorted(attributes);
  std::string signature = test::signature_by(*key, der::element(der::set_tag, signed_attributes));
  pieces.signature(signature);
  const std::string digest_algorithm =
      der::algorithm(pieces.digest_oid.empty() ? pairing.digest_oid : pieces.digest_oid.c_str(), true);
  const std::string name = der::sequence({openssl::der_of(X509_get_issuer_name(certificate), i2d_X509_NAME),
                                          openssl::der_of(X509_get0_serialNumber(certificate), i2d_ASN1_INTEGER)});
  const std::string signer = der::sequence(
      {der::small_integer(1), name, digest_algorithm, der::element(der::context_tag(0), signed_attributes),
       der::algorithm(pieces.signature_oid.empty() ? pairing.signature_oid : pieces.signature_oid.c_str(), true),
       der::octet_string(signature)});
  const std::string data = der::sequence(
      {der::small_integer(1), der::set_of({digest_algorithm}), der::sequence({der::oid("1.2.840.113549.1.7.1")}),
       der::element(der::context_tag(0), openssl::der_of(certificate, i2d_X509)), der::set_of({signer})});
  return der::sequence({der::oid("1.2.840.113549.1.7.2"), der::element(der::context_tag(0), data)});
}

Check judge(std::string_view signature, const std::string& content = message) {
  SignatureRequest request;
  request.subject = "m.p7s";
  request.signature = signature;
  Checks checks;
  check_signature(Content::of(content), request, checks);
  EXPECT_EQ(checks.front().name, signature_check);
  EXPECT_EQ(verdict(checks).verified, checks.front().status == Status::ok) << checks.front().detail;
  return checks.front();
}

const char* const suites_of_corpora[] = {"p256-sha256", "rsa3072-sha256", "gost2012-256", "gost2012-512",
                                         "bign128-belt"};

class EverySuite : public testing::TestWithParam<const char*> {
 protected:
  Status with(const std::function<void(Pieces&)>& change) {
    Pieces pieces;
    pieces.suite = GetParam();
    change(pieces);
    const Check check = judge(put_together(pieces));
    said_ = check.detail;
    return check.status;
  }
  std::string said_;
};

INSTANTIATE_TEST_SUITE_P(Corpora, EverySuite, testing::ValuesIn(suites_of_corpora), [](const auto& suite) {
  std::string text = suite.param;
  std::erase(text, '-');
  return text;
});

TEST_P(EverySuite, TakesAGoodOne) {
  EXPECT_EQ(with([](Pieces&) {}), Status::ok) << said_;
}

TEST_P(EverySuite, RefusesMissingAttributes) {
  for (const char* oid :
       {"1.2.840.113549.1.9.3", "1.2.840.113549.1.9.5", "1.2.840.113549.1.9.4", "1.2.840.113549.1.9.16.2.47"}) {
    EXPECT_EQ(with([&](Pieces& pieces) { pieces.without = {oid}; }), Status::failed) << oid << ": " << said_;
  }
}

TEST_P(EverySuite, RefusesTwofoldAttributes) {
  const std::string digest = attribute("1.2.840.113549.1.9.4", der::octet_string("another"));
  EXPECT_EQ(with([&](Pieces& pieces) { pieces.more = {digest}; }), Status::failed) << said_;
  const std::string time = attribute("1.2.840.113549.1.9.5", test::utc("250101000000Z"));
  EXPECT_EQ(with([&](Pieces& pieces) { pieces.more = {time}; }), Status::failed) << said_;
}

TEST_P(EverySuite, RefusesAnotherContentType) {
  EXPECT_EQ(with([](Pieces& pieces) { pieces.content_type = "1.2.840.113549.1.9.16.1.4"; }), Status::failed) << said_;
}

TEST_P(EverySuite, RefusesAMarkOfAnotherCertificate) {
  EXPECT_EQ(with([](Pieces& pieces) { pieces.mark_of_authority = true; }), Status::failed) << said_;
}

TEST_P(EverySuite, RefusesAnotherDigestInTheAttributes) {
  for (const char* digest : {"SHA2-256", "Streebog-256", "Streebog-512", "belt-hash"}) {
    const std::string other = digest_of(digest, message);
    if (other == digest_of(corpus_key(GetParam(), "signer")->pairing().digest, message)) continue;
    EXPECT_EQ(with([&](Pieces& pieces) { pieces.digest = other; }), Status::failed) << digest << ": " << said_;
  }
}

// Every pair of a digest's OID and a signature's OID that isn't the suite's own.
TEST_P(EverySuite, NeverTakesAlgorithmsThatArentItsOwn) {
  const Suite& suite = corpus_key(GetParam(), "signer")->suite();
  const std::string right = corpus_key(GetParam(), "signer")->pairing().digest_oid;
  std::vector<std::string> digest_oids, signature_oids;
  for (const Suite* one : suites()) {
    for (const Pairing& pairing : one->pairings) {
      digest_oids.emplace_back(pairing.digest_oid);
      signature_oids.emplace_back(pairing.signature_oid);
    }
  }
  digest_oids.emplace_back("1.3.14.3.2.26");  // SHA-1
  for (const std::string& digest : digest_oids) {
    for (const std::string& signature : signature_oids) {
      bool own = false;
      for (const Pairing& pairing : suite.pairings)
        own = own || (digest == right && signature == pairing.signature_oid);
      if (own) continue;
      EXPECT_NE(with([&](Pieces& pieces) {
                  pieces.digest_oid = digest;
                  pieces.signature_oid = signature;
                }),
                Status::ok)
          << digest << " with " << signature << ": " << said_;
    }
  }
}

TEST_P(EverySuite, RefusesAnotherSuitesSignature) {
  for (const char* other : suites_of_corpora) {
    if (std::string(other) == GetParam()) continue;
    EXPECT_EQ(with([&](Pieces& pieces) { pieces.key_of = other; }), Status::failed) << other << ": " << said_;
  }
}

TEST_P(EverySuite, RefusesMisshapenSignatures) {
  const std::vector<std::pair<const char*, std::function<void(std::string&)>>> changes = {
      {"nothing", [](std::string& s) { s.clear(); }},
      {"a byte more", [](std::string& s) { s += '\0'; }},
      {"a byte more before", [](std::string& s) { s.insert(s.begin(), '\0'); }},
      {"a byte fewer", [](std::string& s) { s.pop_back(); }},
      {"half", [](std::string& s) { s.resize(s.size() / 2); }},
      {"twice", [](std::string& s) { s += s; }},
      {"zeros", [](std::string& s) { s.assign(s.size(), '\0'); }},
      {"ones", [](std::string& s) { s.assign(s.size(), '\xff'); }},
      {"the first half zero", [](std::string& s) { std::fill_n(s.begin(), s.size() / 2, '\0'); }},
      {"the second half zero", [](std::string& s) { std::fill_n(s.rbegin(), s.size() / 2, '\0'); }},
      {"the halves changed over", [](std::string& s) { s = s.substr(s.size() / 2) + s.substr(0, s.size() / 2); }},
      {"backwards", [](std::string& s) { s = std::string(s.rbegin(), s.rend()); }}};
  for (const auto& [what, change] : changes) {
    EXPECT_EQ(with([&, change = change](Pieces& pieces) { pieces.signature = change; }), Status::failed)
        << what << ": " << said_;
  }
}

TEST_P(EverySuite, RefusesBytesAfterTheMessage) {
  Pieces pieces;
  pieces.suite = GetParam();
  const std::string good = put_together(pieces);
  EXPECT_EQ(judge(good + '\0').status, Status::failed);
  EXPECT_EQ(judge(good + good).status, Status::failed);
  EXPECT_EQ(judge(good, std::string(message) + "\n").status, Status::failed);
}

// ---- keys

// A certificate with a forged key, under which the signature would be good if anybody computed with it.
openssl::Certificate certificate_with(const std::string& suite, const std::string& key_info) {
  test::CertificateForm form;
  form.key_info = key_info;
  const auto key = corpus_key(suite, "signer");
  return test::forge_certificate(form, *key, key->pairing().signature_oid);
}

Check judge_key(const std::string& suite, const std::string& key_info) {
  Pieces pieces;
  pieces.suite = suite;
  pieces.certificate = certificate_with(suite, key_info);
  return judge(put_together(pieces));
}

std::string key_bytes_of(const std::string& suite) {
  return key_bytes(X509_get_X509_PUBKEY(corpus_certificate(suite, "signer").get()));
}

std::string bign_key(const std::string& parameters, const std::string& bytes) {
  return der::sequence({der::sequence({der::oid(bign::key_oid), parameters}), test::bit_string(bytes)});
}

TEST(BignKeys, ParametersMustBeTheCurvesByNameOrWrittenOut) {
  const std::string bytes = key_bytes_of("bign128-belt");
  EXPECT_EQ(judge_key("bign128-belt", bign_key(der::oid(bign::curve_oid), bytes)).status, Status::ok);
  EXPECT_EQ(judge_key("bign128-belt", bign_key(bign::curve_parameters(), bytes)).status, Status::ok);
  std::string other = bign::curve_parameters();
  for (std::size_t at = 30; at < other.size(); at += 31) {
    std::string changed = other;
    changed[at] = static_cast<char>(changed[at] ^ 1);
    EXPECT_NE(judge_key("bign128-belt", bign_key(changed, bytes)).status, Status::ok) << at;
  }
  for (const std::string& parameters : {der::oid("1.2.112.0.2.0.34.101.45.3.2"), der::oid("1.2.840.10045.3.1.7"),
                                        std::string(), der::element(der::null_tag, {})}) {
    EXPECT_EQ(judge_key("bign128-belt", bign_key(parameters, bytes)).status, Status::failed);
  }
}

TEST(BignKeys, ThePointMustBeOnTheCurve) {
  const std::string bytes = key_bytes_of("bign128-belt");
  std::string beside = bytes;
  beside.back() = static_cast<char>(beside.back() ^ 1);
  for (const std::string& point : {beside, std::string(64, '\0'), std::string(64, '\xff'), bytes.substr(1),
                                   bytes + '\0', std::string("\x04") + bytes, std::string()}) {
    EXPECT_EQ(judge_key("bign128-belt", bign_key(der::oid(bign::curve_oid), point)).status, Status::failed);
  }
}

// A P-256 key under the OID of bign keys, and the other way round.
TEST(BignKeys, AKeyUnderAnotherAlgorithmsNameIsNone) {
  const std::string p256 = key_bytes_of("p256-sha256");
  EXPECT_EQ(judge_key("bign128-belt", bign_key(der::oid(bign::curve_oid), p256)).status, Status::failed);
  EXPECT_EQ(judge_key("bign128-belt", bign_key(der::oid(bign::curve_oid), p256.substr(1))).status, Status::failed);
  const std::string as_ec =
      der::sequence({der::sequence({der::oid("1.2.840.10045.2.1"), der::oid("1.2.840.10045.3.1.7")}),
                     test::bit_string("\x04" + key_bytes_of("bign128-belt"))});
  EXPECT_NE(judge_key("bign128-belt", as_ec).status, Status::ok);
}

std::string gost_key(const char* algorithm, const std::vector<std::string>& parameters, const std::string& point) {
  std::string inside;
  for (const std::string& one : parameters) inside += der::oid(one.c_str());
  return der::sequence(
      {der::sequence({der::oid(algorithm), der::sequence({inside})}), test::bit_string(der::octet_string(point))});
}

TEST(GostKeys, ParametersAndPointMustFit) {
  const std::string whole = key_bytes_of("gost2012-256");
  const std::string point(der::only(whole, der::octet_string_tag)->content);
  const char* const key = "1.2.643.7.1.1.1.1";
  const std::string curve = "1.2.643.2.2.35.1", digest = "1.2.643.7.1.1.2.2";
  ASSERT_EQ(judge_key("gost2012-256", gost_key(key, {curve, digest}, point)).status, Status::ok);
  std::string beside = point;
  beside[40] = static_cast<char>(beside[40] ^ 1);
  EXPECT_EQ(judge_key("gost2012-256", gost_key(key, {curve, digest}, beside)).status, Status::failed);
  EXPECT_EQ(judge_key("gost2012-256", gost_key(key, {curve, digest}, std::string(64, '\0'))).status, Status::failed);
  EXPECT_EQ(judge_key("gost2012-256", gost_key(key, {curve, digest}, point.substr(1))).status, Status::failed);
  EXPECT_EQ(judge_key("gost2012-256", gost_key(key, {curve, digest}, point + point)).status, Status::failed);
  EXPECT_EQ(judge_key("gost2012-256", gost_key(key, {}, point)).status, Status::failed) << "no curve";
  EXPECT_EQ(judge_key("gost2012-256", gost_key(key, {curve, "1.2.643.7.1.1.2.3"}, point)).status, Status::failed)
      << "for Streebog-512";
  EXPECT_EQ(judge_key("gost2012-256", gost_key(key, {"1.2.643.7.1.2.1.2.1", digest}, point)).status, Status::failed)
      << "a curve of 512 bits";
  EXPECT_EQ(judge_key("gost2012-256", gost_key(key, {"1.2.643.2.2.35.2", digest}, point)).status, Status::failed)
      << "another curve, on which the point isn't";
  EXPECT_NE(judge_key("gost2012-256", gost_key("1.2.643.7.1.1.1.2", {curve, digest}, point)).status, Status::ok);
}

}  // namespace
}  // namespace exhibit::manifest
