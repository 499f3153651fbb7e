#pragma once
// bash-256, bash-384 and bash-512 of STB 34.101.77 (the hash; nothing of a shell's). algorithms/bash256.cc and its
// neighbours are the rows.

#include <array>
#include <cstdint>

#include "hash/multi_digest.h"

namespace exhibit::hash {

class BashHash final : public Hasher {
 public:
  // 32, 48 or 64.
  explicit BashHash(std::size_t digest_bytes);
  void update(std::span<const std::byte> bytes) override;
  std::string finish() override;

 private:
  using State = std::array<std::uint64_t, 24>;

  void start();

  std::size_t digest_bytes_;
  std::size_t block_bytes_;
  State state_;             // S of the standard, whose first bytes the message's blocks take, one after another
  std::size_t filled_ = 0;  // bytes of a block that stand there already
};

}  // namespace exhibit::hash
