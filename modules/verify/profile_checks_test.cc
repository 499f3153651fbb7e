// What a manifest is held against that says under which profiles it was made.

#include "verify/profile_checks.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/test_support.h"

namespace exhibit::verify {
namespace {

using base::Json;
using manifest::Check;
using manifest::Status;
using testing::HasSubstr;
using testing::Not;

class ProfileChecks : public testing::Test {
 protected:
  // A case that nobody has signed, with a tree by belt-hash, all of whose fields are told by the case itself.
  ProfileChecks() {
    manifest::EvidenceClaim claim;
    claim.id = "E1";
    claim.digests["sha256"] = std::string(64, '0');
    claim.integrity = "match";
    for (const char* name : {"sha256", "belt256"}) {
      claim.findings.digests[name] = std::string(64, '0');
      claim.findings.trees[name] = std::string(64, '0');
    }
    manifest_.evidence = {claim};
    manifest_.case_fields = {{"number", "7"},
                             {"authority", "an order"},
                             {"examiner", "Ann"},
                             {"profile", "int"},
                             {"profile_versions", {{"int", "1"}}},
                             {"received",
                              {{"place", "Minsk"},
                               {"local_time", "2024-01-15T10:00+03:00"},
                               {"time_zone", "Europe/Minsk"},
                               {"source_medium", "a stick"},
                               {"received_from", "Bob"},
                               {"purpose", "search"}}}};
  }
  Check check(const std::string& name) const {
    manifest::Checks checks;
    check_profiles(folder_.path(), folder_ / "manifest.json", manifest_, checks);
    for (const Check& one : checks) {
      if (one.name == name) return one;
    }
    return {};
  }

  exhibit::test::TemporaryDirectory folder_;
  manifest::Manifest manifest_;
};

TEST_F(ProfileChecks, ACompleteCaseIsFoundComplete) {
  EXPECT_EQ(check("required fields").status, Status::ok) << check("required fields").detail;
  EXPECT_EQ(check("profile digests").status, Status::ok) << check("profile digests").detail;
  EXPECT_EQ(check("profile signatures").status, Status::not_checked);
  EXPECT_THAT(check("profile signatures").detail, HasSubstr("ECDSA or RSA"));
}

TEST_F(ProfileChecks, WhatIsMissingIsAFailureUnlessTheManifestSaysWhy) {
  manifest_.case_fields["received"].erase("source_medium");
  EXPECT_EQ(check("required fields").status, Status::failed);
  EXPECT_THAT(check("required fields").detail, HasSubstr("event:received source_medium"));
  manifest_.case_fields["incomplete"] = {{"reason", "on paper"}};
  EXPECT_EQ(check("required fields").status, Status::not_checked);
  EXPECT_THAT(check("required fields").detail, HasSubstr("on paper"));
  manifest_.case_fields["incomplete"] = {{"reason", " "}};
  EXPECT_EQ(check("required fields").status, Status::failed);
}

TEST_F(ProfileChecks, AnotherVersionOfAProfileIsNotThisOne) {
  manifest_.case_fields.erase("number");
  manifest_.case_fields["profile_versions"] = {{"int", "2031"}};
  EXPECT_EQ(check("required fields").status, Status::not_checked);
  EXPECT_THAT(check("required fields").detail, HasSubstr("2031"));
  manifest_.case_fields["profile_versions"] = {{"su", "1"}};
  EXPECT_EQ(check("required fields").status, Status::not_checked);
  manifest_.case_fields.erase("profile_versions");
  EXPECT_EQ(check("required fields").status, Status::not_checked);
}

TEST_F(ProfileChecks, ATreeThatTheProfileDemandsIsMissed) {
  manifest_.case_fields["profile_versions"] = {{"by", "1"}};
  EXPECT_EQ(check("profile digests").status, Status::ok) << check("profile digests").detail;
  manifest_.case_fields["profile_versions"] = {{"ru", "1"}};
  EXPECT_EQ(check("profile digests").status, Status::failed);
  EXPECT_THAT(check("profile digests").detail, HasSubstr("streebog256 of E1's tree"));
  EXPECT_THAT(check("profile digests").detail, Not(HasSubstr("medium")));
}

}  // namespace
}  // namespace exhibit::verify
