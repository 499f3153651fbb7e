#pragma once
// The digests that the formats use, each written from its standard: SHA-256, SHA-384, SHA-512 (FIPS 180-4), Streebog
// with 256 and 512 bits (GOST R 34.11-2012, RFC 6986), belt-hash (STB 34.101.31); and HMAC-SHA-256 (RFC 2104).

#include <algorithm>
#include <memory>

#include "base.h"

namespace exhibit_verify {

class Digest {
 public:
  virtual ~Digest() = default;
  virtual void update(View bytes) = 0;
  virtual Bytes finish() = 0;  // once
};

// By the formats' names: sha256 sha384 sha512 streebog256 streebog512 belt256. nullptr for any other.
std::unique_ptr<Digest> make_digest(View name);
// In bytes; 0 for any other name.
std::size_t digest_size(View name);
// Of a name that make_digest knows.
Bytes digest_of(View name, View bytes);
inline Bytes sha256(View bytes) { return digest_of("sha256", bytes); }
Bytes hmac_sha256(View key, View bytes);

// A digest that takes its message in blocks of `block` bytes.
template <std::size_t block>
class BlockDigest : public Digest {
 public:
  void update(View bytes) final {
    size_ += bytes.size();
    while (!bytes.empty()) {
      const std::size_t more = std::min(block - held_.size(), bytes.size());
      if (more == block) {
        take(bytes.substr(0, block));
      } else if (held_ += bytes.substr(0, more); held_.size() == block) {
        take(held_);
        held_.clear();
      }
      bytes.remove_prefix(more);
    }
  }

 protected:
  std::uint64_t size() const { return size_; }  // bytes so far
  const Bytes& held() const { return held_; }   // those that don't fill a block yet

 private:
  virtual void take(View full_block) = 0;
  std::uint64_t size_ = 0;
  Bytes held_;
};

std::unique_ptr<Digest> make_streebog256();
std::unique_ptr<Digest> make_streebog512();
std::unique_ptr<Digest> make_belt();

}  // namespace exhibit_verify
