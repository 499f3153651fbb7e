#include "custody/ledger.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>
#include <thread>

#include "manifest/test_pki.h"

namespace exhibit::custody {
namespace {

using exhibit::test::read_file;
using exhibit::test::run;
using exhibit::test::TemporaryDirectory;
using exhibit::test::write_file;
using manifest::Checks;
using manifest::Status;

constexpr std::int64_t now = 1'800'000'000;  // 2027-01-15T08:00:00Z

std::string text_of(const Checks& checks) {
  std::string text;
  for (const auto& check : checks)
    text += check.name + " [" + check.subject + "] " + name_of(check.status) + ": " + check.detail + "\n";
  return text;
}

class Ledger : public testing::Test {
 protected:
  Ledger() {
    signer_ = manifest::open_signer(pki_.key("signer"), {pki_.certificate("signer")}).take();
    trust_ = manifest::Trust::from_pem(pki_.certificate("ca")).take();
  }
  static Event event_of(const std::string& name, base::Json detail = "as usual") {
    Event event;
    event.time = "2027-01-15T08:00:00Z";
    event.event = name;
    event.actor = {"Ann", "examiner", "Laboratory", "signer"};
    event.participants = {{"Bob", "witness"}};
    event.place = "Minsk";
    event.evidence = {"E1"};
    event.detail = std::move(detail);
    return event;
  }
  Head add(const std::string& name, base::Json detail = "as usual") {
    auto head = append(path_, event_of(name, std::move(detail)), *signer_, now);
    if (!head.ok()) throw std::runtime_error(head.error().message);
    return *head;
  }
  Head three() {
    add("received");
    add("acquired");
    return add("processed", {{"command", {"exhibit", "process"}}, {"status", 0}});
  }
  std::vector<std::string> lines() const {
    std::vector<std::string> found;
    std::istringstream in(read_file(path_));
    for (std::string line; std::getline(in, line);) found.push_back(line);
    return found;
  }
  static std::string bytes_of(const std::vector<std::string>& lines) {
    std::string bytes;
    for (const auto& line : lines) bytes += line + "\n";
    return bytes;
  }
  Checks check(const std::string& bytes, const Head* head = nullptr) const {
    Checks checks;
    const manifest::CustodyClaim claim =
        head == nullptr ? manifest::CustodyClaim{} : manifest::CustodyClaim{head->events, head->digest};
    check_ledger(bytes, head == nullptr ? nullptr : &claim, &trust_, checks);
    return checks;
  }
  // The names of the checks that failed.
  static std::vector<std::string> failures(const Checks& checks) {
    std::vector<std::string> names;
    for (const auto& one : checks) {
      if (one.status == Status::failed) names.push_back(one.name);
    }
    return names;
  }

  manifest::test::Pki pki_;
  TemporaryDirectory folder_;
  std::filesystem::path path_ = folder_ / "custody.jsonl";
  std::unique_ptr<manifest::Signer> signer_;
  manifest::Trust trust_;
};

TEST_F(Ledger, ChainsAndSignsAsAnotherProgramReadsIt) {
  const Head head = three();
  EXPECT_EQ(head.events, 3U);
  EXPECT_EQ(head_of(path_)->digest, head.digest);
  EXPECT_THAT(failures(check(read_file(path_), &head)), testing::IsEmpty()) << text_of(check(read_file(path_), &head));
  constexpr const char* reference = R"(
import sys, json, hashlib, base64, subprocess
path, ca, folder = sys.argv[1:]
previous = '0' * 64
for number, line in enumerate(open(path, 'rb').read().split(b'\n')[:-1], 1):
    record = json.loads(line)
    assert record['seq'] == number and record['previous'] == previous
    previous = hashlib.sha256(line).hexdigest()
    signature = base64.b64decode(record.pop('signature'))
    form = json.dumps(record, sort_keys=True, separators=(',', ':'), ensure_ascii=False).encode()
    open(folder + '/s', 'wb').write(signature)
    open(folder + '/c', 'wb').write(form)
    subprocess.check_call(['openssl', 'cms', '-verify', '-binary', '-inform', 'DER', '-in', folder + '/s', '-content',
                           folder + '/c', '-CAfile', ca, '-purpose', 'any', '-out', '/dev/null', '-attime', '1800000000'])
print(previous, end='')
)";
  const auto python = run({"python3", "-c", reference, path_, pki_.certificate("ca"), folder_.path()});
  EXPECT_EQ(python.out, head.digest) << python.err;
}

TEST_F(Ledger, AMissingLedgerIsEmpty) {
  EXPECT_EQ(head_of(path_)->events, 0U);
  EXPECT_EQ(head_of(path_)->digest, std::string(64, '0'));
  const Head head;
  EXPECT_THAT(failures(check("", &head)), testing::IsEmpty());
}

TEST_F(Ledger, RefusesToAppendWhatCouldNotBeVerified) {
  EXPECT_FALSE(append(path_, event_of("lost"), *signer_, now).ok()) << "an unknown event";
  EXPECT_FALSE(append(path_, event_of("corrected"), *signer_, now).ok()) << "a correction of nothing";
  EXPECT_FALSE(append(path_, event_of("corrected", {{"corrects", 1}}), *signer_, now).ok()) << "of itself";
  Event timeless = event_of("received");
  timeless.time = "15 January";
  EXPECT_FALSE(append(path_, timeless, *signer_, now).ok());
  EXPECT_EQ(head_of(path_)->events, 0U);
  add("received");
  add("corrected", {{"corrects", 1}, {"text", "it was E2"}});
  EXPECT_THAT(failures(check(read_file(path_))), testing::IsEmpty());
}

TEST_F(Ledger, RefusesToAppendToADamagedLedger) {
  three();
  const std::string good = read_file(path_);
  write_file(path_, good.substr(0, good.size() - 1));
  EXPECT_THAT(append(path_, event_of("sealed"), *signer_, now).error().message, testing::HasSubstr("unfinished"));
  EXPECT_FALSE(head_of(path_).ok());
  write_file(path_, good.substr(0, good.size() - 100));
  EXPECT_FALSE(append(path_, event_of("sealed"), *signer_, now).ok());
  auto swapped = lines();
  write_file(path_, bytes_of({swapped[0], swapped[0]}));
  EXPECT_FALSE(append(path_, event_of("sealed"), *signer_, now).ok());
}

TEST_F(Ledger, TwoWhoAppendAtOnceWaitForEachOther) {
  const auto write = [&] {
    for (int i = 0; i < 10; ++i) EXPECT_TRUE(append(path_, event_of("reviewed"), *signer_, now).ok());
  };
  std::thread other(write);
  write();
  other.join();
  EXPECT_EQ(head_of(path_)->events, 20U);
  EXPECT_THAT(failures(check(read_file(path_))), testing::IsEmpty());
}

TEST_F(Ledger, OpenTransfersAreTold) {
  add("received");
  add("transferred");
  const auto open_now = [&] {
    for (const auto& one : check(read_file(path_))) {
      if (one.name == "open transfers") return one;
    }
    return manifest::Check{};
  };
  EXPECT_EQ(open_now().status, Status::not_checked);
  EXPECT_THAT(open_now().detail, testing::HasSubstr("E1 since seq 2"));
  add("accepted");
  EXPECT_EQ(open_now().status, Status::ok);
}

TEST_F(Ledger, LaterEventsAreAllowedAndCounted) {
  const Head head = three();
  add("sealed");
  const Checks checks = check(read_file(path_), &head);
  EXPECT_THAT(failures(checks), testing::IsEmpty());
  EXPECT_THAT(text_of(checks), testing::HasSubstr("1 after it"));
}

TEST_F(Ledger, EveryTamperingIsNoticed) {
  const Head head = three();
  const auto good = lines();
  const auto failed = [&](std::vector<std::string> changed) { return failures(check(bytes_of(changed), &head)); };
  const auto edited = [&](std::size_t line, const std::string& from, const std::string& to) {
    auto changed = good;
    const std::size_t at = changed[line].find(from);
    EXPECT_NE(at, std::string::npos);
    changed[line].replace(at, from.size(), to);
    return failed(changed);
  };
  using testing::Contains;
  EXPECT_THAT(edited(0, "Ann", "Eve"), testing::AllOf(Contains("ledger chain"), Contains("ledger signature")));
  EXPECT_THAT(edited(2, "Ann", "Eve"), testing::AllOf(Contains("ledger head"), Contains("ledger signature")));
  EXPECT_THAT(edited(1, "\"actor\"", " \"actor\""), Contains("ledger form"));
  EXPECT_THAT(edited(1, "acquired", "stolen"), Contains("ledger form"));
  EXPECT_THAT(edited(1, "\"seq\":2", "\"seq\":3"), Contains("ledger chain"));
  EXPECT_THAT(edited(1, "\"signature\":\"MI", "\"signature\":\"!I"), Contains("ledger signature"));
  EXPECT_THAT(failed({good[0], good[1]}), Contains("ledger head")) << "truncated";
  EXPECT_THAT(failed({}), Contains("ledger head")) << "emptied";
  EXPECT_THAT(failed({good[1], good[2]}), Contains("ledger chain")) << "beheaded";
  EXPECT_THAT(failed({good[0], good[2]}), Contains("ledger chain")) << "an event dropped";
  EXPECT_THAT(failed({good[0], good[2], good[1]}), Contains("ledger chain")) << "reordered";
  EXPECT_THAT(failed({good[0], good[1], good[1], good[2]}), Contains("ledger chain")) << "doubled";
  // Forked: another third event, honestly chained and signed.
  write_file(path_, bytes_of({good[0], good[1]}));
  add("reviewed");
  EXPECT_THAT(failures(check(read_file(path_), &head)), testing::ElementsAre("ledger head"));
  // A signature moved from another line.
  auto moved = good;
  const auto signature_of = [](const std::string& line) {
    return base::parse_json(line)->at("signature").get<std::string>();
  };
  moved[2].replace(moved[2].find(signature_of(good[2])), signature_of(good[2]).size(), signature_of(good[1]));
  EXPECT_THAT(failed(moved), Contains("ledger signature"));
}

TEST_F(Ledger, AStrangersSignatureIsNoticed) {
  pki_.root("stranger");
  pki_.issue("eve", "signer_ext", "P-256", "20260101000000Z", "20350101000000Z", "stranger");
  const auto eve = manifest::open_signer(pki_.key("eve"), {pki_.certificate("eve")}).take();
  add("received");
  ASSERT_TRUE(append(path_, event_of("acquired"), *eve, now).ok());
  EXPECT_THAT(failures(check(read_file(path_))), testing::ElementsAre("ledger: certificate path"));
}

}  // namespace
}  // namespace exhibit::custody
