#include "volume/nest.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <fstream>

#include "base/json.h"
#include "hash/multi_digest.h"
#include "support/memory_source.h"
#include "support/test_support.h"

namespace exhibit::volume {
namespace {

using base::Json;
using test::TemporaryDirectory;
using testing::SizeIs;

// Truth lines that say how a volume is opened and what then lies in it.
std::vector<Json> unlocks(const std::string& image) {
  std::vector<Json> found;
  std::ifstream truth(test::corpus("truth/" + image + ".jsonl"));
  for (std::string line; std::getline(truth, line);) {
    Json record = Json::parse(line);
    if (record.value("check", "") == "unlock") found.push_back(std::move(record));
  }
  return found;
}

Key key_of(const Json& unlock) {
  const std::string kind = unlock.at("kind").get<std::string>();
  if (kind == "startup_key") {
    return {"startup-key", test::read_file(test::corpus("images/" + unlock.at("secret").get<std::string>()))};
  }
  return {kind == "recovery_password" ? "recovery-key" : "password", unlock.at("secret").get<std::string>()};
}

std::string image_bytes(const std::string& relative) {
  const TemporaryDirectory directory;
  return test::read_file(test::unpack(relative, directory));
}

std::string sha256_of(ByteSource& source) {
  const std::vector<std::string> names = {"sha256"};
  auto digest = hash::MultiDigest::create(names).take();
  std::vector<std::byte> buffer(1 << 20);
  for (std::uint64_t at = 0; at < source.size();) {
    const auto got = source.read_at(at, buffer);
    if (!got.ok() || *got == 0) return "unreadable";
    digest.update(std::span(buffer).first(*got));
    at += *got;
  }
  return digest.finish().at("sha256");
}

// A medium that is one volume.
class Whole {
 public:
  explicit Whole(std::string bytes, std::vector<Key> keys = {})
      : medium_(std::move(bytes)), keys_({{"E1/p0", std::move(keys)}}), nest_(medium_, 512, keys_) {}
  const Holding& holding() { return *nest_.holding("E1/p0", {0, medium_.size()}).take(); }
  Result<ByteSource*> bytes(const std::string& id) { return nest_.bytes(id, {0, medium_.size()}); }

 private:
  test::MemorySource medium_;
  Nest::Keys keys_;
  Nest nest_;
};

MATCHER_P2(IsProblem, code, text, "") { return arg.code == code && arg.message.find(text) != std::string::npos; }

class Unlocks : public testing::TestWithParam<const char*> {};

// By every key that the truth knows: what lies in the volume is what other programs found there.
TEST_P(Unlocks, GivesTheBytesThatOtherProgramsFound) {
  const std::string image = GetParam(), bytes = image_bytes("images/" + image + ".img.xz");
  const auto expected = unlocks(image);
  ASSERT_FALSE(expected.empty());
  for (const Json& unlock : expected) {
    SCOPED_TRACE(unlock.dump());
    const bool has_clear_key = unlock.at("kind") == "clear_key";
    Whole whole(bytes, has_clear_key ? std::vector<Key>() : std::vector<Key>{key_of(unlock)});
    ASSERT_THAT(whole.holding().inner, SizeIs(1));
    EXPECT_EQ(whole.holding().inner.front().volume.facts.at("unlocked_by"),
              has_clear_key ? "clear-key" : key_of(unlock).kind);
    auto inner = whole.bytes("E1/p0/bitlocker");
    ASSERT_TRUE(inner.ok());
    EXPECT_EQ(sha256_of(**inner), unlock.at("plain_sha256"));
  }
}

INSTANTIATE_TEST_SUITE_P(BitLocker, Unlocks,
                         testing::Values("bitlk-aes-cbc-128", "bitlk-aes-cbc-elephant-128", "bitlk-aes-xts-128",
                                         "bitlk-aes-xts-128-startup-key", "bitlk-togo-aes-cbc-128"));

TEST(BitLocker, TellsWithoutAKeyFromAWrongOneFromDamage) {
  std::string bytes = image_bytes("images/bitlk-aes-xts-128.img.xz");
  const std::string id = "8f595209-f5b9-49a0-85d4-cb8f80258c27";
  Whole without(bytes);
  EXPECT_THAT(without.holding().problems,
              testing::ElementsAre(IsProblem(ErrorCode::encrypted, id + "); give its key with --unlock")));
  EXPECT_EQ(without.holding().layer.at("id"), id);
  EXPECT_EQ(without.holding().layer.at("protectors").size(), 2U);
  EXPECT_TRUE(without.holding().replaces_filesystem);
  EXPECT_EQ(without.bytes("E1/p0/bitlocker").error().code, ErrorCode::encrypted);

  Whole wrong(bytes, {{"password", "anacondas"}, {"recovery-key", "no recovery key"}});
  EXPECT_THAT(wrong.holding().problems, testing::ElementsAre(IsProblem(ErrorCode::encrypted, "it is not the key")));

  // Every copy of its metadata: where they lie is said in the boot sector.
  for (const std::size_t at : {176U, 184U, 192U}) {
    std::uint64_t place = 0;
    std::memcpy(&place, bytes.data() + at, sizeof place);
    bytes.replace(static_cast<std::size_t>(place), 4096, 4096, '\xa5');
  }
  Whole damaged(bytes, {{"password", "anaconda"}});
  EXPECT_THAT(damaged.holding().problems, testing::ElementsAre(IsProblem(ErrorCode::corrupt, "BitLocker")));
}

// libbde 20190102 knows neither the metadata of today's Windows 11 nor volumes that are encrypted as they are written
// to.
TEST(BitLocker, NamesWhatItsLibraryCannotRead) {
  for (const char* image :
       {"images/bitlk-partially-encrypted-aes-cbc-128.img.xz", "images/bitlk-aes-xts-128-clearkey-only.img.xz"}) {
    Whole whole(image_bytes(image), {{"password", "anaconda"}});
    EXPECT_THAT(whole.holding().problems, testing::ElementsAre(IsProblem(ErrorCode::unsupported, "libbde"))) << image;
    EXPECT_THAT(whole.holding().inner, SizeIs(0)) << image;
    EXPECT_TRUE(whole.holding().replaces_filesystem) << image;
  }
}

// Its header is sound, and its bytes: the plain medium is known.
TEST(Luks, GivesThePlainMedium) {
  const std::string plain = "0add63db3dc87ee60438e0fb94b526462502ba9f87e7a78bb0efe858668b1108";
  for (const char* image : {"images/con-p-luks1.luks.xz", "images/con-p-luks2.luks.xz"}) {
    Whole whole(image_bytes(image), {{"password", "correct horse p"}});
    auto inner = whole.bytes("E1/p0/luks");
    ASSERT_TRUE(inner.ok()) << inner.error().message;
    EXPECT_EQ(sha256_of(**inner), plain);
    // Any stretch, however it lies over the sectors.
    std::vector<std::byte> some(700), all(4096);
    ASSERT_TRUE((*inner)->read_at(0, all).ok());
    ASSERT_TRUE((*inner)->read_at(1234, some).ok());
    EXPECT_TRUE(std::equal(some.begin(), some.end(), all.begin() + 1234));
  }
}

TEST(Luks, ReadsTheSecondHeaderWhereTheFirstIsDamaged) {
  std::string bytes = image_bytes("images/con-p-luks2.luks.xz");
  bytes.replace(5000, 100, 100, 'x');
  Whole whole(bytes, {{"password", "correct horse p"}});
  EXPECT_THAT(whole.holding().problems, testing::ElementsAre(IsProblem(
                                            ErrorCode::corrupt, "the first copy of its header is missing or damaged")));
  EXPECT_TRUE(whole.bytes("E1/p0/luks").ok());
  bytes.replace(16384 + 5000, 100, 100, 'x');
  Whole both(bytes, {{"password", "correct horse p"}});
  EXPECT_THAT(both.holding().problems,
              testing::ElementsAre(IsProblem(ErrorCode::corrupt, "neither of its two copies")));
}

TEST(Luks, TellsAWrongKey) {
  for (const char* image : {"images/con-p-luks1.luks.xz", "images/con-p-luks2.luks.xz"}) {
    Whole whole(image_bytes(image), {{"password", "correct horse"}});
    EXPECT_THAT(whole.holding().problems, testing::ElementsAre(IsProblem(ErrorCode::encrypted, "it is not the key")));
    EXPECT_THAT(whole.holding().inner, testing::IsEmpty());
  }
}

TEST(CoreStorage, GivesTheBytesThatOtherProgramsFound) {
  test::MemorySource medium(image_bytes("images/small.xz"));
  const Range all{0, medium.size()};
  const Json unlock = unlocks("fvault2-small").at(0);
  const Nest::Keys right = {{"E1/p0", {key_of(unlock)}}}, wrong = {{"E1/p0", {{"password", "heslo"}}}}, none;
  Nest nest(medium, 512, right);
  const Holding* holding = nest.holding("E1/p0", all).take();
  EXPECT_EQ(holding->layer.at("family"), unlock.at("family_uuid"));
  ASSERT_THAT(holding->inner, SizeIs(1));
  EXPECT_EQ(holding->inner.front().volume.offset, unlock.at("volume_offset").get<std::uint64_t>());
  auto inner = nest.bytes("E1/p0/filevault", all);
  ASSERT_TRUE(inner.ok());
  EXPECT_EQ((*inner)->size(), unlock.at("plain_size").get<std::uint64_t>());
  EXPECT_EQ(sha256_of(**inner), unlock.at("plain_sha256"));

  Nest with_wrong(medium, 512, wrong), without(medium, 512, none);
  EXPECT_THAT(with_wrong.holding("E1/p0", all).take()->problems,
              testing::ElementsAre(IsProblem(ErrorCode::encrypted, "it is not the key")));
  EXPECT_THAT(without.holding("E1/p0", all).take()->problems,
              testing::ElementsAre(IsProblem(ErrorCode::encrypted, "FileVault 2")));
}

// mkfs leaves what lies behind its own structures: an old second header must not hide the file system of today.
TEST(Luks, WhoseSecondHeaderIsLeftDoesNotReplaceTheFileSystem) {
  std::string bytes = image_bytes("images/con-p-luks2.luks.xz");
  ASSERT_TRUE(Whole(bytes).holding().replaces_filesystem);
  bytes.replace(0, 4096, 4096, '\0');
  Whole left(bytes);
  EXPECT_THAT(left.holding().problems, testing::Contains(IsProblem(ErrorCode::encrypted, "give its key")));
  EXPECT_FALSE(left.holding().replaces_filesystem);
  Whole opened(bytes, {{"password", "correct horse p"}});
  EXPECT_THAT(opened.holding().inner, SizeIs(1));
  EXPECT_TRUE(opened.holding().replaces_filesystem);
}

TEST(Lvm, GivesLogicalVolumesAndNamesTheGroup) {
  Whole whole(image_bytes("images/lvm.bin.xz"));
  const Holding& holding = whole.holding();
  EXPECT_THAT(holding.problems, testing::IsEmpty());
  EXPECT_EQ(holding.layer.at("id"), "2Svcy0-cRH2-3Xrz-87Fv-zNUI-9CoI-Ycoyql");
  EXPECT_EQ(holding.layer.at("group_id"), "8HfEjs-9DNH-0dy1-U5u8-EYBF-Vce4-8BcSWU");
  ASSERT_THAT(holding.inner, SizeIs(1));
  EXPECT_EQ(holding.inner.front().volume.id, "E1/p0/lv-lv_test");
  EXPECT_EQ(holding.inner.front().volume.size, 4194304U);
  EXPECT_EQ(holding.held, (std::vector<Range>{{1048576, 4194304}}));
}

TEST(Lvm, TellsDamagedMetadata) {
  std::string bytes = image_bytes("images/lvm.bin.xz");
  const std::size_t at = bytes.find("logical_volumes");
  ASSERT_NE(at, std::string::npos);
  for (std::size_t each = at; each != std::string::npos; each = bytes.find("logical_volumes", each + 1))
    bytes[each] = 'L';
  Whole whole(bytes);
  EXPECT_THAT(whole.holding().problems,
              testing::ElementsAre(IsProblem(ErrorCode::corrupt, "don't match their checksum")));
}

TEST(Md, GivesAMirrorFromOneMember) {
  Whole whole(image_bytes("sampler/fs-mdraid.img.xz"));
  const Holding& holding = whole.holding();
  EXPECT_EQ(holding.layer.at("id"), "37c76b91:011a05c5:d30c1fd4:c5c3dbbc");  // mdadm --examine
  EXPECT_EQ(holding.layer.at("level"), "RAID 1");
  ASSERT_THAT(holding.inner, SizeIs(1));
  EXPECT_EQ(holding.inner.front().volume.size, 10176U * 1024);
}

}  // namespace
}  // namespace exhibit::volume
