#pragma once
// GOST R 34.11-2012 (Streebog) as RFC 6986 gives it; algorithms/streebog256.cc and streebog512.cc are its rows.

#include <algorithm>
#include <array>
#include <cstdint>

#include "hash/multi_digest.h"

namespace exhibit::hash {

class Streebog final : public ChainHasher {
 public:
  using Block = std::array<std::uint64_t, 8>;  // 512 bits, least significant word first

  // 32 or 64.
  explicit Streebog(std::size_t digest_bytes) : digest_bytes_(digest_bytes) { start(); }
  void update(std::span<const std::byte> bytes) override;
  std::string finish() override;
  std::string chaining_value() const override;
  bool resume(std::string_view chaining_value, std::uint64_t length) override;

 private:
  static constexpr std::size_t block_bytes = 64;

  void start();
  // One block, of which `bits` are the message's.
  void take_block(const std::byte* bytes, std::uint64_t bits);

  std::size_t digest_bytes_;
  Block h_, counter_, checksum_;               // h, N and Sigma of the standard
  std::array<std::byte, block_bytes> buffer_;  // the first `filled_` bytes wait for the rest of their block
  std::size_t filled_ = 0;
};

}  // namespace exhibit::hash
