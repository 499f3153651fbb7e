#pragma once
// Several digests of one stream in one pass. Algorithms: md5 sha1 sha256 sha512 sha3-256 blake2b (OpenSSL),
// streebog256 streebog512 (RFC 6986), belt256 (STB 34.101.31, belt-hash). Not bash (bash.h), which no record holds.

#include <exhibit/item.h>
#include <exhibit/result.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "hash/interleaved_digest.h"

namespace exhibit::hash {

// One digest being computed. Rows of the algorithm table make these.
class Hasher {
 public:
  virtual ~Hasher() = default;
  virtual void update(std::span<const std::byte> bytes) = 0;
  // The raw digest; the hasher starts anew afterwards.
  virtual std::string finish() = 0;
};

// A digest whose chaining value can be written down, and gone on from in another process.
class ChainHasher : public Hasher {
 public:
  // The stream's length must be a multiple of this wherever the value is written down: all block sizes divide it.
  static constexpr std::size_t boundary = 128;

  virtual std::string chaining_value() const = 0;
  // Goes on after `length` bytes. False, and the hasher is of no more use, where the value hasn't the right length.
  virtual bool resume(std::string_view chaining_value, std::uint64_t length) = 0;
};

// The names that create() knows, sorted.
std::vector<std::string> algorithms();

// Uses each algorithm and HMAC once, so that creating and using them afterwards opens no file: to be called before a
// process is sealed.
void prepare();

// Error: invalid_argument for a name that isn't in algorithms(), unsupported where this machine's OpenSSL lacks it.
Result<std::unique_ptr<Hasher>> create(std::string_view algorithm);

// The raw digest of bytes at hand; `algorithm` must be one of algorithms().
std::string digest_of(std::string_view algorithm, std::string_view bytes);

// Two or all of md5, sha1 and sha256 cost hardly more than md5 alone where the processor has SHA extensions.
class MultiDigest {
 public:
  static Result<MultiDigest> create(std::span<const std::string> algorithms);
  void update(std::span<const std::byte> bytes);
  // Lower-case hex by algorithm; the digests start anew afterwards.
  Digests finish();

 private:
  std::optional<InterleavedDigest> interleaved_;
  std::vector<std::pair<std::string, std::unique_ptr<Hasher>>> hashers_;  // the others
};

}  // namespace exhibit::hash
