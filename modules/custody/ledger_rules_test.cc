// What the events of a ledger must agree on: transfers, times, credentials; and the heads that somebody noted.

#include "custody/ledger_rules.h"

#include "custody/test_ledger.h"

namespace exhibit::custody {
namespace {

using manifest::Status;
using test::now;
using test::text_of;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class LedgerRulesTest : public test::LedgerTest {
 protected:
  Event acceptance(std::uint64_t transfer, std::vector<std::string> evidence = {"E1"}) const {
    Event event = event_of("accepted", {{"transfer", transfer}}, "CN=bob");
    event.evidence = std::move(evidence);
    return event;
  }
  // What `append` says, and the checks that fail where the event stands in the ledger all the same.
  std::vector<std::string> refused(const Event& event, const manifest::Signer& signer, const std::string& why,
                                   std::int64_t at = now) {
    const auto appended = append(path_, event, signer, at);
    EXPECT_THAT(appended.ok() ? "" : appended.error().message, HasSubstr(why));
    auto forgery = lines();
    forgery.push_back(forged(event, signer, at));
    return failures(check(bytes_of(forgery)));
  }

  std::unique_ptr<manifest::Signer> bob_ = other("bob");
};

TEST_F(LedgerRulesTest, ATransferIsOpenUntilTheOtherSideAccepts) {
  add("received");
  add("transferred");
  EXPECT_EQ(find(check(), "open transfers").status, Status::not_checked);
  EXPECT_THAT(find(check(), "open transfers").detail, HasSubstr("E1 since seq 2"));
  EXPECT_EQ(open_transfers(path_)->front().seq, 2U);
  add(acceptance(2), *bob_);
  EXPECT_EQ(find(check(), "open transfers").status, Status::ok) << text_of(check());
  EXPECT_THAT(*open_transfers(path_), IsEmpty());
  EXPECT_THAT(failures(check()), IsEmpty()) << text_of(check());
}

TEST_F(LedgerRulesTest, OfTwoExhibitsEachIsAccepted) {
  Event both = event_of("transferred");
  both.evidence = {"E1", "E2"};
  add(both, *signer_);
  add(acceptance(1, {"E2"}), *bob_);
  EXPECT_THAT(open_transfers(path_)->front().evidence, ElementsAre("E1"));
  add(acceptance(1, {}), *bob_);  // all that is left
  EXPECT_THAT(*open_transfers(path_), IsEmpty());
  EXPECT_THAT(failures(check()), IsEmpty()) << text_of(check());
}

TEST_F(LedgerRulesTest, NobodyAcceptsFromHimself) {
  add("transferred");
  EXPECT_THAT(refused(event_of("accepted", {{"transfer", 1}}), *signer_, "by the side that handed over"),
              ElementsAre("ledger transfers"));
  const auto second_key = other("signer2", "signer");
  EXPECT_THAT(refused(event_of("accepted", {{"transfer", 1}}), *second_key, "by the side that handed over"),
              ElementsAre("ledger transfers"))
      << "the same name with another key";
}

TEST_F(LedgerRulesTest, OnlyWhatWasHandedOverIsAccepted) {
  add("received");
  EXPECT_THAT(refused(event_of("accepted", "here it is", "CN=bob"), *bob_, "detail.transfer"),
              ElementsAre("ledger transfers"));
  EXPECT_THAT(refused(acceptance(1), *bob_, "isn't a transfer"), ElementsAre("ledger transfers"));
  EXPECT_THAT(refused(acceptance(3), *bob_, "isn't a transfer"), ElementsAre("ledger transfers")) << "a later one";
  add("transferred");
  EXPECT_THAT(refused(acceptance(2, {"E2"}), *bob_, "didn't hand over"), ElementsAre("ledger transfers"));
  Event earlier = acceptance(2);
  earlier.time = "2027-01-15T07:59:59Z";
  EXPECT_THAT(refused(earlier, *bob_, "accepts at"), ElementsAre("ledger transfers"));
  add(acceptance(2), *bob_);
  EXPECT_THAT(refused(acceptance(2), *bob_, "accepted already"), ElementsAre("ledger transfers"));
}

TEST_F(LedgerRulesTest, TimeDoesNotGoBackwards) {
  add(event_of("received"), *signer_, now);
  add(event_of("opened"), *signer_, now - clock_tolerance);
  Event early = event_of("photographed");
  early.time = "2027-01-14T08:00:00Z";
  EXPECT_THAT(refused(early, *signer_, "one before it", now - clock_tolerance - 1), ElementsAre("ledger times"));
  Event future = event_of("photographed");
  future.time = "2027-01-15T08:05:01Z";
  EXPECT_THAT(refused(future, *signer_, "was signed before that"), ElementsAre("ledger times"));
  add(early, *signer_);  // written down late, which is allowed and shows
  EXPECT_THAT(failures(check()), IsEmpty()) << text_of(check());
}

TEST_F(LedgerRulesTest, AnotherMaySignOnlyInHisOwnName) {
  add("received");
  EXPECT_THAT(refused(event_of("acquired"), *bob_, "CN=bob"), ElementsAre("ledger credentials"));
  // The last event signed anew by somebody whom the court trusts too.
  three();
  auto changed = lines();
  changed.back() = signed_by(base::parse_json(changed.back()).take(), *bob_);
  EXPECT_THAT(failures(check(bytes_of(changed))), ElementsAre("ledger credentials"));
}

// After sealing the manifest's head covers what came before; a receipt covers what came after.
TEST_F(LedgerRulesTest, AReceiptShowsWhatWasCutOffOrWrittenAnew) {
  const Head sealed = three();
  const Head receipt = add("transferred", {{"to", "Bob"}});
  const auto with_receipt = [&](const std::vector<std::string>& lines) {
    return failures(check(bytes_of(lines), &sealed, {receipt.digest}));
  };
  const auto good = lines();
  EXPECT_THAT(with_receipt(good), IsEmpty());
  add("returned");
  EXPECT_THAT(with_receipt(lines()), IsEmpty());
  EXPECT_THAT(find(check(bytes_of(lines()), &sealed, {receipt.digest}), "ledger receipt").detail,
              HasSubstr("is event 4, 1 after it"));
  const std::vector<std::string> cut(good.begin(), good.begin() + 3);
  EXPECT_THAT(failures(check(bytes_of(cut), &sealed)), IsEmpty()) << "the manifest alone can't know";
  EXPECT_THAT(with_receipt(cut), ElementsAre("ledger receipt"));
  write(cut);
  add("transferred", {{"to", "Eve"}});
  EXPECT_THAT(failures(check(bytes_of(lines()), &sealed)), IsEmpty());
  EXPECT_THAT(with_receipt(lines()), ElementsAre("ledger receipt")) << "a fork after sealing";
}

}  // namespace
}  // namespace exhibit::custody
