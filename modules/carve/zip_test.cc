// Damaged and hostile ZIP archives: what is told of them.

#include <gtest/gtest.h>
#include <zlib.h>

#include <string>

#include "carve/test_source.h"

namespace exhibit::carve {
namespace {

std::string le16(std::uint64_t value) { return {static_cast<char>(value), static_cast<char>(value >> 8)}; }
std::string le32(std::uint64_t value) { return le16(value & 0xffff) + le16(value >> 16); }

std::uint32_t crc_of(const std::string& data) {
  return static_cast<std::uint32_t>(
      ::crc32(0, reinterpret_cast<const Bytef*>(data.data()), static_cast<uInt>(data.size())));
}

// What a member's two headers have in common (APPNOTE 4.3.7, 4.3.12).
std::string fields(unsigned flags, unsigned method, const std::string& data, bool has_lengths = true) {
  const std::uint64_t length = has_lengths ? data.size() : 0;
  return le16(20) + le16(flags) + le16(method) + le32(0x58214a8e) + le32(has_lengths ? crc_of(data) : 0) +
         le32(length) + le32(length);
}

// An archive of stored members; `streamed`: with their lengths behind them only.
class Archive {
 public:
  explicit Archive(bool streamed = false) : streamed_(streamed) {}

  void add(const std::string& name, const std::string& data) {
    const unsigned flags = streamed_ ? 8 : 0;
    const std::uint64_t offset = bytes_.size();
    offsets_.push_back(offset);
    bytes_ += "PK\3\4" + fields(flags, 0, data, !streamed_) + le16(name.size()) + le16(0) + name + data;
    if (streamed_) bytes_ += "PK\7\x08" + le32(crc_of(data)) + le32(data.size()) + le32(data.size());
    directory_ +=
        "PK\1\2" + le16(20) + fields(flags, 0, data) + le16(name.size()) + std::string(12, '\0') + le32(offset) + name;
  }
  std::uint64_t offset_of(std::size_t member) const { return offsets_[member]; }
  std::uint64_t record_of(std::size_t member) const { return bytes_.size() + member * (46 + 1); }
  std::string whole() const {
    const std::uint64_t count = offsets_.size();
    return bytes_ + directory_ + "PK\5\6" + le32(0) + le16(count) + le16(count) + le32(directory_.size()) +
           le32(bytes_.size()) + le16(0);
  }

 private:
  bool streamed_;
  std::string bytes_, directory_;
  std::vector<std::uint64_t> offsets_;
};

Archive of_four(bool streamed) {
  Archive archive(streamed);
  for (const char letter : {'a', 'b', 'c', 'd'}) archive.add(std::string(1, letter), std::string(700, letter));
  return archive;
}

std::vector<Standing> carve(const std::string& text) {
  static const std::vector<Signature> all = signatures().take();
  std::vector<bool> wanted;
  for (const Signature& signature : all) wanted.push_back(signature.name == "zip");
  return carve_everything(all, wanted, {text.begin(), text.end()});
}

TEST(Zip, AWholeArchiveIsValidated) {
  for (const bool streamed : {false, true}) {
    const std::string archive = of_four(streamed).whole();
    const auto standing = carve(archive);
    ASSERT_EQ(standing.size(), 1U);
    EXPECT_EQ(standing[0].found.tier, Tier::validated);
    EXPECT_EQ(standing[0].found.size, archive.size());
  }
}

// Nothing of the archive holds before the damage; also where it goes on over the next member's header.
TEST(Zip, AnArchiveWhoseFirstMemberIsDamagedIsTold) {
  for (const bool streamed : {false, true}) {
    for (const std::size_t length : {1, 200, 1000}) {
      const Archive archive = of_four(streamed);
      std::string damaged = archive.whole();
      damaged.replace(300, length, length, '?');
      const auto standing = carve(damaged);
      ASSERT_EQ(standing.size(), 1U) << streamed << " " << length;
      const Found& found = standing[0].found;
      EXPECT_EQ(found.tier, Tier::plausible);
      EXPECT_EQ(found.size, damaged.size());
      ASSERT_EQ(found.doubts.size(), 1U);
      EXPECT_EQ(found.doubts[0].offset, 0U);
      EXPECT_EQ(found.doubts[0].length, archive.offset_of(length < 500 ? 1 : 2));
      EXPECT_EQ(found.doubts[0].cause, DoubtCause::crc_error);
    }
  }
}

// Both headers say the same, but for what only one has: program, attributes; versions may differ.
TEST(Zip, AWrongBitOfAHeaderIsNoticed) {
  for (const bool streamed : {false, true}) {
    const Archive archive = of_four(streamed);
    const std::string whole = archive.whole();
    const auto is_unnoticed = [&](std::uint64_t at, unsigned bit) {
      std::vector<std::uint8_t> bytes(whole.begin(), whole.end());
      bytes[at] = static_cast<std::uint8_t>(bytes[at] ^ 1U << bit);
      Memory memory;
      const Verdict verdict = find_validator("zip")->validate(MemoryContent(bytes), memory);
      return verdict.tier == Tier::validated && verdict.length == bytes.size();
    };
    for (unsigned bit = 0; bit < 8; ++bit) {
      for (std::uint64_t at = 6; at < 31; ++at) {
        EXPECT_FALSE(is_unnoticed(archive.offset_of(1) + at, bit)) << "local header, byte " << at << ", bit " << bit;
      }
      for (std::uint64_t at = 8; at < 47; ++at) {
        if (at >= 36 && at < 42) continue;  // attributes
        EXPECT_FALSE(is_unnoticed(archive.record_of(1) + at, bit)) << "record, byte " << at << ", bit " << bit;
      }
      for (std::uint64_t at = whole.size() - 22; at < whole.size(); ++at) {
        EXPECT_FALSE(is_unnoticed(at, bit)) << "end, byte " << at << ", bit " << bit;
      }
    }
  }
}

// Nothing can be said of its data without the key, so it is no archive's beginning either.
TEST(Zip, AnEncryptedMemberAloneIsNoArchive) {
  const std::string data(5000, 'x');
  for (const unsigned method : {0U, 8U}) {
    EXPECT_TRUE(
        carve("PK\3\4" + fields(1, method, data) + le16(1) + le16(0) + "a" + data + std::string(5000, 'y')).empty());
  }
}

}  // namespace
}  // namespace exhibit::carve
