#include "filesystem/tsk/journal.h"

#include <gtest/gtest.h>

#include <cstring>
#include <string>
#include <vector>

#include "base/crc.h"
#include "support/memory_source.h"

namespace exhibit::filesystem::tsk {
namespace {

constexpr std::size_t block_size = 1024;
constexpr std::uint64_t file_system_blocks = 1000;
constexpr std::uint32_t magic = 0xC03B3998, descriptor = 1, commit = 2, revoke = 5;
constexpr std::uint32_t escaped = 1, same_uuid = 2, last = 8;
constexpr std::uint32_t checksums_3 = 0x10;

// A journal of 32 blocks that is written block by block, as jbd2 would.
class Writer {
 public:
  explicit Writer(bool has_checksums = false, std::uint32_t first = 1)
      : bytes_(32 * block_size, '\0'), has_checksums_(has_checksums), at_(first) {
    put(0, magic);
    put(4, 4);
    put(12, block_size);
    put(16, 32);
    put(20, 1);
    put(24, 100);  // the next transaction
    put(40, has_checksums ? checksums_3 : 1);
    std::memcpy(&bytes_[48], "0123456789abcdef", 16);
    bytes_[80] = 4;
    seed_ = crc(~std::uint32_t{0}, {&bytes_[48], 16});
  }

  void put(std::size_t at, std::uint32_t value) {
    for (std::size_t i = 0; i < 4; ++i) bytes_[at + i] = static_cast<char>(value >> (24 - 8 * i));
  }
  std::size_t place() const { return at_ * block_size; }

  void header(std::uint32_t type, std::uint32_t sequence) {
    put(place(), magic);
    put(place() + 4, type);
    put(place() + 8, sequence);
  }

  // One descriptor with a tag for each block, and the blocks, filled with a letter each.
  void blocks(std::uint32_t sequence, const std::vector<std::pair<std::uint32_t, char>>& blocks,
              std::uint32_t more_flags = 0) {
    const std::size_t head = at_;
    header(descriptor, sequence);
    std::size_t tag = place() + 12;
    next();
    for (std::size_t i = 0; i < blocks.size(); ++i) {
      std::memset(&bytes_[place()], blocks[i].second, block_size);
      const std::uint32_t flags = more_flags | same_uuid | (i + 1 == blocks.size() ? last : 0);
      put(tag, blocks[i].first);
      put(tag + 4, flags);
      if (has_checksums_) {
        std::string number(4, '\0');
        for (std::size_t j = 0; j < 4; ++j) number[j] = static_cast<char>(sequence >> (24 - 8 * j));
        put(tag + 12, crc(crc(seed_, number), {&bytes_[place()], block_size}));
      }
      tag += has_checksums_ ? 16 : 8;
      next();
    }
    sum(head, block_size - 4);
  }
  void mark(std::uint32_t type, std::uint32_t sequence) {
    const std::size_t head = at_;
    header(type, sequence);
    sum(head, type == commit ? 16 : block_size - 4);
    next();
  }
  void transaction(std::uint32_t sequence, const std::vector<std::pair<std::uint32_t, char>>& all) {
    blocks(sequence, all);
    mark(commit, sequence);
  }

  Result<Journal> read() const {
    return Journal::read(std::make_unique<test::MemorySource>(bytes_), block_size, file_system_blocks);
  }
  std::string& bytes() { return bytes_; }

 private:
  static std::uint32_t crc(std::uint32_t start, std::string_view text) {
    return base::crc32c(start, std::as_bytes(std::span(text)));
  }
  void sum(std::size_t block, std::size_t at) {
    if (has_checksums_) put(block * block_size + at, crc(seed_, {&bytes_[block * block_size], block_size}));
  }
  void next() { at_ = at_ + 1 == 32 ? 1 : at_ + 1; }

  std::string bytes_;
  bool has_checksums_;
  std::size_t at_;
  std::uint32_t seed_ = 0;
};

// Block numbers with the letters that their copies hold, in order; '?' for one that isn't given out.
std::string told(Journal& journal) {
  std::string text;
  for (const Journal::Copy& copy : journal.copies()) {
    const auto bytes = journal.bytes(copy);
    text += std::to_string(copy.block) + (bytes ? static_cast<char>(bytes->u8(100)) : '?') + ' ';
  }
  return text;
}

std::string told(const Writer& writer) {
  auto journal = writer.read();
  return journal.ok() ? told(*journal) : journal.error().message;
}

TEST(Journal, TellsEachCopyTheOldestFirst) {
  for (const bool has_checksums : {false, true}) {
    Writer writer(has_checksums);
    writer.transaction(98, {{7, 'a'}, {5, 'b'}});
    writer.mark(revoke, 99);
    writer.transaction(99, {{5, 'c'}});
    EXPECT_EQ(told(writer), "5b 5c 7a ") << has_checksums;
  }
}

TEST(Journal, ATransactionGoesOnAtTheLogsStart) {
  Writer writer(true, 30);
  writer.transaction(99, {{7, 'a'}, {5, 'b'}, {6, 'c'}});
  EXPECT_EQ(told(writer), "5b 6c 7a ");
}

// Without checksums nothing else tells that a later transaction lies over the copies.
TEST(Journal, WhatALaterTransactionOverwroteIsNotTold) {
  Writer later(false, 1), both(false, 29);
  later.transaction(99, {{9, 'z'}});
  both.transaction(98, {{7, 'a'}, {5, 'b'}, {6, 'c'}, {8, 'd'}, {4, 'e'}, {3, 'f'}});
  both.bytes().replace(block_size, 2 * block_size, later.bytes(), block_size, 2 * block_size);
  EXPECT_EQ(told(both), "");  // it has no commit block yet
  both.bytes().replace(block_size, 3 * block_size, later.bytes(), block_size, 3 * block_size);
  EXPECT_EQ(told(both), "9z ");
}

TEST(Journal, NothingOfATransactionWithoutItsCommitBlock) {
  Writer writer;
  writer.transaction(98, {{7, 'a'}});
  writer.blocks(99, {{5, 'b'}});
  EXPECT_EQ(told(writer), "7a ");
  writer.mark(commit, 100);  // of another
  EXPECT_EQ(told(writer), "7a ");
}

TEST(Journal, GivesBackWhatWasEscaped) {
  Writer writer;
  writer.blocks(99, {{7, 'a'}}, escaped);
  writer.mark(commit, 99);
  auto journal = writer.read();
  ASSERT_TRUE(journal.ok());
  EXPECT_EQ(journal->bytes(journal->copies()[0])->be32(0), magic);
}

TEST(Journal, GivesNothingThatContradictsItsChecksum) {
  Writer whole(true);
  whole.transaction(98, {{7, 'a'}, {5, 'b'}});
  whole.transaction(99, {{6, 'c'}});
  const struct {
    std::size_t at;
    const char* told;
  } damages[] = {{2 * block_size + 500, "5b 6c 7? "},  // a copy
                 {1 * block_size + 15, "6c "},         // a descriptor
                 {4 * block_size + 60, "6c "}};        // a commit block
  for (const auto& damage : damages) {
    Writer writer = whole;
    writer.bytes()[damage.at] ^= 1;
    auto journal = writer.read();
    ASSERT_TRUE(journal.ok());
    EXPECT_EQ(told(*journal), damage.told);
    EXPECT_EQ(journal->contradicted(), 1U);
  }
}

TEST(Journal, LeavesOutBlocksBeyondTheFileSystem) {
  Writer writer;
  writer.transaction(99, {{file_system_blocks, 'a'}, {5, 'b'}});
  EXPECT_EQ(told(writer), "5b ");
}

TEST(Journal, RefusesASuperblockThatDoesNotHold) {
  const struct {
    std::size_t at;
    std::uint32_t value;
    ErrorCode code;
  } damages[] = {{0, 0, ErrorCode::corrupt},           {12, 4096, ErrorCode::corrupt},
                 {16, 33, ErrorCode::corrupt},  // past its end
                 {16, UINT32_MAX, ErrorCode::corrupt}, {20, 0, ErrorCode::corrupt},
                 {20, 32, ErrorCode::corrupt},         {40, 0x8000, ErrorCode::unsupported}};  // a feature
  for (const auto& damage : damages) {
    Writer writer;
    writer.put(damage.at, damage.value);
    const auto journal = writer.read();
    ASSERT_FALSE(journal.ok()) << damage.at;
    EXPECT_EQ(journal.error().code, damage.code) << damage.at;
  }
}

// Any byte of it changed: it ends, and gives no copy that it doesn't have.
TEST(Journal, EndsWhateverIsDamaged) {
  for (const bool has_checksums : {false, true}) {
    Writer whole(has_checksums, 25);
    for (std::uint32_t i = 0; i < 4; ++i) whole.transaction(96 + i, {{7 + i, 'a'}, {5, 'b'}, {6, 'c'}});
    for (std::size_t at = 0; at < whole.bytes().size(); at += at % block_size < 64 ? 1 : 61) {
      Writer writer = whole;
      writer.bytes()[at] = static_cast<char>(~writer.bytes()[at]);
      auto journal = writer.read();
      if (!journal.ok()) continue;
      EXPECT_LE(journal->copies().size(), 31U);
      told(*journal);
    }
  }
}

// Each block a descriptor of one transaction, which goes round.
TEST(Journal, EndsWhereNoTransactionDoes) {
  Writer writer;
  for (int i = 0; i < 31; ++i) {
    writer.header(descriptor, 99);
    writer.blocks(99, {});
  }
  EXPECT_EQ(told(writer), "");
}

}  // namespace
}  // namespace exhibit::filesystem::tsk
