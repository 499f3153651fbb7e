#pragma once
// belt-hash of STB 34.101.31; algorithms/belt256.cc is its row. And, for signatures (bign), belt on secrets.

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "hash/multi_digest.h"

namespace exhibit::hash {

class BeltHash final : public ChainHasher {
 public:
  using Half = std::array<std::uint32_t, 4>;  // 128 bits, little-endian

  BeltHash() { start(); }
  void update(std::span<const std::byte> bytes) override;
  std::string finish() override;
  std::string chaining_value() const override;
  bool resume(std::string_view chaining_value, std::uint64_t length) override;

 private:
  static constexpr std::size_t block_bytes = 32;

  void start();
  void take_block(const std::byte* bytes);

  std::uint64_t length_ = 0;                   // of the message, bytes
  Half s_, h0_, h1_;                           // s and the halves of h, as the standard calls them
  std::array<std::byte, block_bytes> buffer_;  // the first `filled_` bytes wait for the rest of their block
  std::size_t filled_ = 0;
};

// belt-hash of a secret: slow, and in a time that depends on the length alone. 32 raw bytes.
std::string belt_hash_of_secret(std::string_view message);

// belt-wblock, the encryption of a wide block, of 32 bytes under a key of 32; in constant time.
std::string belt_wide_block_of_secret(std::string_view block, std::string_view key);

}  // namespace exhibit::hash
