#pragma once
// SHA-512 (FIPS 180-4 section 6.4) with its chaining value at hand, which OpenSSL's doesn't give.

#include <array>
#include <cstdint>

#include "hash/multi_digest.h"

namespace exhibit::hash {

class Sha512 final : public ChainHasher {
 public:
  Sha512() { start(); }
  void update(std::span<const std::byte> bytes) override;
  std::string finish() override;
  std::string chaining_value() const override;
  bool resume(std::string_view chaining_value, std::uint64_t length) override;

 private:
  static constexpr std::size_t block_bytes = 128;

  void start();
  void take_block(const std::byte* bytes);

  std::array<std::uint64_t, 8> h_;
  std::uint64_t length_ = 0;                   // of the message, bytes
  std::array<std::byte, block_bytes> buffer_;  // the first length_ % block_bytes bytes wait for the rest of their block
};

}  // namespace exhibit::hash
