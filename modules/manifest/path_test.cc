// Certificate paths that our own code follows, each rule broken in turn, and revocation.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/x509v3.h>

#include "base/json.h"
#include "manifest/bign.h"
#include "manifest/test_forge.h"
#include "manifest/test_pki.h"
#include "manifest/trust_path.h"

namespace exhibit::manifest {
namespace {

using exhibit::test::read_file;
using exhibit::test::TemporaryDirectory;
using exhibit::test::write_file;
using test::CertificateForm;
using test::corpus_certificate;
using test::corpus_key;

constexpr const char* suite = "bign128-belt";
constexpr const char* sealed_with = bign::signature_oid;
constexpr std::int64_t now = 1'795'608'000;  // 2026-11-25T12:00:00Z

// A root, an intermediate authority and a signer, with the corpora's three keys; a test changes one of them.
struct Chain {
  CertificateForm root, middle, leaf;
  std::unique_ptr<SigningKey> root_key = corpus_key(suite, "ca"), middle_key = corpus_key(suite, "tsa");
  bool trust_root = true;

  Chain() {
    root.subject = root.issuer = middle.issuer = test::name("root");
    middle.subject = leaf.issuer = test::name("middle");
    leaf.subject = test::name("leaf");
    root.extensions = middle.extensions = {test::basic_constraints(true), test::key_usage(0x06, 1)};
    root.key_info = test::key_info_of(corpus_certificate(suite, "ca").get());
    middle.key_info = test::key_info_of(corpus_certificate(suite, "tsa").get());
    leaf.key_info = test::key_info_of(corpus_certificate(suite, "signer").get());
    root.serial = 1;
    middle.serial = 2;
    leaf.serial = 3;
  }

  Path find(std::int64_t seconds = now) const {
    const auto top = test::forge_certificate(root, *root_key, sealed_with);
    const auto between = test::forge_certificate(middle, *root_key, sealed_with);
    const auto bottom = test::forge_certificate(leaf, *middle_key, sealed_with);
    const TemporaryDirectory folder;
    write_file(folder / "trust.pem",
               test::pem_of(trust_root ? top.get() : corpus_certificate("p256-sha256", "ca").get()));
    const Trust trust = Trust::from_pem(folder / "trust.pem").take();
    const openssl::BorrowedCertificates others(sk_X509_new_null());
    for (X509* one : {top.get(), between.get(), bottom.get()}) sk_X509_push(others.get(), one);
    return find_path(trust, bottom.get(), others.get(), seconds, X509_PURPOSE_ANY);
  }
};

void expect_refused(const Chain& chain, const char* because, std::int64_t seconds = now) {
  const Path path = chain.find(seconds);
  EXPECT_EQ(path.answer.status, Status::failed) << because;
  EXPECT_THAT(path.answer.detail, testing::HasSubstr(because));
  EXPECT_TRUE(path.chain.empty());
}

TEST(OwnPath, LeadsToATrustedRoot) {
  const Path path = Chain().find();
  EXPECT_EQ(path.answer.status, Status::ok) << path.answer.detail;
  EXPECT_EQ(path.chain.size(), 3U);
}

TEST(OwnPath, EndsAtACertificateThatIsTrusted) {
  Chain chain;
  chain.trust_root = false;
  expect_refused(chain, "isn't trusted");
}

TEST(OwnPath, DatesOfEveryCertificate) {
  for (CertificateForm Chain::*which : {&Chain::root, &Chain::middle, &Chain::leaf}) {
    Chain expired;
    (expired.*which).to = "261101000000Z";
    expect_refused(expired, "expired");
    Chain early;
    (early.*which).from = "261201000000Z";
    expect_refused(early, "valid only from");
  }
}

TEST(OwnPath, AuthoritiesMustBeAuthorities) {
  for (CertificateForm Chain::*which : {&Chain::root, &Chain::middle}) {
    Chain chain;
    (chain.*which).extensions = {test::basic_constraints(false), test::key_usage(0x06, 1)};
    expect_refused(chain, "isn't the certificate of an authority");
    (chain.*which).extensions = {test::key_usage(0x06, 1)};
    expect_refused(chain, "isn't the certificate of an authority");
    (chain.*which).extensions = {test::basic_constraints(true), test::key_usage(0xC0, 6)};
    expect_refused(chain, "isn't the certificate of an authority");
    (chain.*which).extensions = {test::basic_constraints(true)};
    EXPECT_EQ(chain.find().answer.status, Status::ok) << "no key usage: anything";
  }
}

TEST(OwnPath, PathLengthIsKept) {
  Chain chain;
  chain.root.extensions = {test::basic_constraints(true, 1), test::key_usage(0x06, 1)};
  EXPECT_EQ(chain.find().answer.status, Status::ok);
  chain.root.extensions = {test::basic_constraints(true, 0), test::key_usage(0x06, 1)};
  expect_refused(chain, "pathLenConstraint");
}

TEST(OwnPath, WhatItDoesntUnderstandItRefuses) {
  for (CertificateForm Chain::*which : {&Chain::root, &Chain::middle, &Chain::leaf}) {
    Chain unknown;
    (unknown.*which).extensions.push_back(test::extension("1.2.3.4", true, der::element(der::null_tag, {})));
    expect_refused(unknown, "isn't understood");
    Chain harmless;
    (harmless.*which).extensions.push_back(test::extension("1.2.3.4", false, der::element(der::null_tag, {})));
    EXPECT_EQ(harmless.find().answer.status, Status::ok);
    Chain names;  // nameConstraints
    (names.*which).extensions.push_back(test::extension("2.5.29.30", false, der::sequence({})));
    EXPECT_EQ(names.find().answer.status, Status::failed);
  }
}

TEST(OwnPath, SignaturesOfEveryCertificate) {
  Chain chain;
  chain.middle_key = corpus_key(suite, "signer");  // the leaf signs itself under the authority's name
  expect_refused(chain, "its signature is another's");
  Chain root;
  root.root_key = corpus_key(suite, "signer");
  expect_refused(root, "its signature is another's");
}

TEST(OwnPath, NamesMustLinkUp) {
  Chain chain;
  chain.leaf.issuer = test::name("somebody");
  expect_refused(chain, "no certificate of its issuer");
}

TEST(OwnPath, TheAlgorithmInsideIsTheOneOutside) {
  for (const std::string& other : {der::algorithm("1.2.840.10045.4.3.2", true), der::algorithm(sealed_with, false)}) {
    Chain inside;
    inside.leaf.inner_algorithm = other;
    EXPECT_EQ(inside.find().answer.status, Status::failed);
    Chain outside;
    outside.leaf.outer_algorithm = other;
    EXPECT_EQ(outside.find().answer.status, Status::failed);
  }
}

// ---- revocation

std::string list_of(const std::vector<test::Revoked>& revoked, const char* from = "261101000000Z",
                    const char* next = "270101000000Z", const char* key = "ca", const std::string& extensions = {}) {
  return test::forge_revocation_list(test::name("root"), revoked, from, next, *corpus_key(suite, key), sealed_with,
                                     extensions);
}

Answer ask(const std::string& list, bool vouched = true) {
  Chain chain;
  chain.leaf.issuer = chain.root.subject;
  chain.middle_key = corpus_key(suite, "ca");
  const Path path = chain.find();
  EXPECT_EQ(path.answer.status, Status::ok) << path.answer.detail;
  const TemporaryDirectory folder;
  write_file(folder / "trust.pem", test::pem_of(path.chain.back().get()));
  Trust trust = Trust::from_pem(folder / "trust.pem").take();
  if (!list.empty()) {
    write_file(folder / "list.crl", list);
    EXPECT_TRUE(trust.add_revocation_lists(folder / "list.crl").ok());
  }
  return check_revocation(trust, path.chain, now, vouched);
}

TEST(Revocation, WithoutAListNothingIsSaid) { EXPECT_EQ(ask({}).status, Status::not_checked); }

TEST(Revocation, ACertificateThatIsInNoListIsFine) {
  EXPECT_EQ(ask(list_of({})).status, Status::ok) << ask(list_of({})).detail;
  EXPECT_EQ(ask(list_of({{2, "261110000000Z"}})).status, Status::ok);
}

TEST(Revocation, RevokedBeforeTheSignatureFails) {
  const Answer answer = ask(list_of({{3, "261110000000Z"}}));
  EXPECT_EQ(answer.status, Status::failed);
  EXPECT_THAT(answer.detail, testing::HasSubstr("2026-11-10T00:00:00Z"));
  EXPECT_EQ(ask(list_of({{3, "261125120000Z"}})).status, Status::failed) << "at that very second";
}

TEST(Revocation, RevokedLaterHoldsOnlyWithATimeStamp) {
  const std::string list = list_of({{3, "261201000000Z"}}, "261202000000Z");
  EXPECT_EQ(ask(list, true).status, Status::ok);
  EXPECT_EQ(ask(list, false).status, Status::failed);
}

TEST(Revocation, AListThatEndsBeforeTheSignatureSaysNothing) {
  EXPECT_EQ(ask(list_of({}, "260101000000Z", "260201000000Z")).status, Status::not_checked);
  EXPECT_EQ(ask(list_of({{3, "260110000000Z"}}, "260101000000Z", "260201000000Z")).status, Status::failed);
  EXPECT_EQ(ask(list_of({}, "261201000000Z")).status, Status::ok) << "made later, it knows of that time too";
}

TEST(Revocation, AListOfAnotherKeyOrAPartialOneDoesntCount) {
  EXPECT_EQ(ask(list_of({}, "261101000000Z", "270101000000Z", "signer")).status, Status::not_checked);
  EXPECT_EQ(ask(list_of({{3, "261110000000Z"}}, "261101000000Z", "270101000000Z", "signer")).status,
            Status::not_checked);
  const std::string distribution_point = test::extension("2.5.29.28", true, der::sequence({}));
  EXPECT_EQ(ask(list_of({}, "261101000000Z", "270101000000Z", "ca", distribution_point)).status, Status::not_checked);
}

TEST(Revocation, AFileThatHoldsNoListIsRefused) {
  const TemporaryDirectory folder;
  write_file(folder / "trust.pem", test::pem_of(corpus_certificate(suite, "ca").get()));
  Trust trust = Trust::from_pem(folder / "trust.pem").take();
  EXPECT_FALSE(trust.add_revocation_lists(folder / "trust.pem").ok());
  write_file(folder / "list.crl", list_of({}) + "x");
  EXPECT_FALSE(trust.add_revocation_lists(folder / "list.crl").ok());
  EXPECT_FALSE(trust.add_revocation_lists(folder / "nowhere").ok());
}

}  // namespace
}  // namespace exhibit::manifest
