#pragma once
// Digests of one long stream that several processes compute one after another: the state between two pieces is a text.

#include <exhibit/item.h>
#include <exhibit/result.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "hash/interleaved_digest.h"
#include "hash/multi_digest.h"

namespace exhibit::hash {

// Whether the algorithm's state can be written down: md5 sha1 sha256 sha512 streebog256 streebog512 belt256. OpenSSL
// doesn't give the state of sha3-256 and blake2b.
bool can_chain(std::string_view algorithm);

class ChainDigest {
 public:
  // Error: invalid_argument for a name that isn't in algorithms(), unsupported for one that can't be chained.
  static Result<ChainDigest> create(std::span<const std::string> algorithms);
  // From what state() gave, in whichever process. The text is taken as untrusted: whatever state() doesn't give is an
  // Error (corrupt). Its check finds damage, not malice: who may write a state decides what the digests become.
  static Result<ChainDigest> resume(std::string_view state);

  void update(std::span<const std::byte> bytes);
  // Of what has been fed so far; more may follow. Lower-case letters, digits, '-' and '.', less than longest_state:
  //   chain-1.LENGTH.TAIL{.ALGORITHM.VALUE}.CHECK
  // LENGTH in bytes, decimal; TAIL the last LENGTH mod 128 bytes, hex; by sorted name each digest's chaining value
  // before TAIL, hex; CHECK the SHA-256 of all before its '.', hex.
  std::string state() const;
  std::uint64_t length() const { return length_; }
  // Lower-case hex by algorithm; the digests start anew afterwards.
  Digests finish();

  static constexpr std::size_t longest_state = 4096;

 private:
  void feed(std::span<const std::byte> bytes);
  std::size_t tail_bytes() const { return length_ % ChainHasher::boundary; }
  // Puts each digest where the state's values say. False where a value has the wrong length.
  bool set_values(const Digests& values, std::uint64_t length);
  Digests values() const;

  std::optional<InterleavedDigest> interleaved_;
  std::vector<std::pair<std::string, std::unique_ptr<ChainHasher>>> hashers_;  // the others
  std::uint64_t length_ = 0;                                                   // of the stream, bytes
  std::array<std::byte, ChainHasher::boundary> tail_;                          // the first tail_bytes() wait
};

}  // namespace exhibit::hash
