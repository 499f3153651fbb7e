#pragma once
// OpenSSL's digests and HMAC behind owning types; no other file of this module sees an OpenSSL handle.

#include <exhibit/result.h>

#include <atomic>
#include <memory>
#include <string>
#include <string_view>

#include "hash/multi_digest.h"

struct evp_md_st;
struct evp_mac_ctx_st;

namespace exhibit::hash {

// One OpenSSL digest, fetched once in the life of the process (so it's never freed).
class OpensslDigest {
 public:
  explicit constexpr OpensslDigest(const char* name) : name_(name) {}

  // Error (unsupported) where this machine's OpenSSL doesn't give the digest.
  Result<std::unique_ptr<Hasher>> create();

 private:
  const evp_md_st* fetched();

  const char* name_;
  std::atomic<const evp_md_st*> digest_ = nullptr;
};

// HMAC-SHA-256 (RFC 2104) under one key, for many messages.
class HmacSha256 {
 public:
  static Result<HmacSha256> create(std::string_view key);
  // 32 raw bytes.
  std::string of(std::string_view message);

 private:
  struct Free {
    void operator()(evp_mac_ctx_st* context) const;
  };
  std::unique_ptr<evp_mac_ctx_st, Free> context_;
};

}  // namespace exhibit::hash
