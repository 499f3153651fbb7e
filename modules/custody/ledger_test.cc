#include "custody/ledger.h"

#include <thread>

#include "custody/test_ledger.h"

namespace exhibit::custody {
namespace {

using exhibit::test::read_file;
using exhibit::test::run;
using exhibit::test::write_file;
using manifest::Checks;
using test::now;
using test::text_of;

class Ledger : public test::LedgerTest {};

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
  const auto eve = open("eve");
  add("received");
  add(event_of("acquired", "as usual", "CN=eve"), *eve);
  EXPECT_THAT(failures(check(read_file(path_))), testing::ElementsAre("ledger: certificate path"));
}

}  // namespace
}  // namespace exhibit::custody
