#include "expand/pst_blocks.h"

#include <gtest/gtest.h>
#include <zlib.h>

#include <cstring>

#include "support/memory_source.h"

namespace exhibit::expand {
namespace {

void put(std::string& bytes, std::size_t at, std::uint64_t value, std::size_t length) {
  for (std::size_t i = 0; i < length; ++i) bytes[at + i] = static_cast<char>(value >> (8 * i) & 0xff);
}

std::uint32_t checksum(std::string_view bytes) {
  return static_cast<std::uint32_t>(crc32_z(0xffffffff, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size())) ^
         0xffffffff;
}

void put_page(std::string& store, std::size_t at, char kind, std::uint64_t block) {
  if (block != 0) {
    put(store, at + 8, block, 8);
    put(store, at + 16, 100, 2);
    put(store, at + 488, 0x181401, 3);  // one entry of 24 bytes
  }
  store[at + 496] = store[at + 497] = kind;
  put(store, at + 500, checksum(std::string_view(store).substr(at, 496)), 4);
}

// [MS-PST] with empty trees but for one block of 100 bytes at 4096.
std::string make_store() {
  std::string store(8192, '\0');
  store.replace(0, 4, "!BDN");
  put(store, 10, 23, 2);
  put(store, 224, 1024, 8);
  put(store, 240, 2048, 8);
  put_page(store, 1024, '\x81', 0);
  put_page(store, 2048, '\x80', 4096);
  for (std::size_t i = 0; i < 100; ++i) store[4096 + i] = static_cast<char>(i * 3);
  put(store, 4096 + 128 - 16, 100, 2);
  put(store, 4096 + 128 - 12, checksum(std::string_view(store).substr(4096, 100)), 4);
  return store;
}

std::uint64_t bad_reads(const std::string& bytes, std::uint64_t offset) {
  test::MemorySource source(bytes);
  CheckedStore store(source);
  EXPECT_TRUE(store.read_trees().ok());
  std::vector<std::byte> buffer(20);
  EXPECT_TRUE(store.read_at(offset, buffer).ok());
  return store.bad_reads();
}

TEST(CheckedStore, KnowsABlockThatContradictsItsChecksum) {
  std::string store = make_store();
  EXPECT_EQ(bad_reads(store, 4096), 0U);
  store[4100] ^= 1;
  EXPECT_EQ(bad_reads(store, 4150), 1U);
  EXPECT_EQ(bad_reads(store, 4500), 0U);  // beside it
}

TEST(CheckedStore, RefusesTreesThatContradictTheirs) {
  for (const std::size_t at : {1024 + 3, 2048 + 8, 2048 + 496, 240, 0}) {
    std::string store = make_store();
    store[at] ^= 1;
    test::MemorySource source(store);
    EXPECT_FALSE(CheckedStore(source).read_trees().ok()) << at;
  }
  test::MemorySource nothing("!BDN");
  EXPECT_FALSE(CheckedStore(nothing).read_trees().ok());
}

}  // namespace
}  // namespace exhibit::expand
