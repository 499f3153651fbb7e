#pragma once
#define OPENSSL_SUPPRESS_DEPRECATED 1
#include <openssl/md5.h>
#include <openssl/sha.h>
#include <cstring>
#include "base/json.h"
#include "hash/multi_digest.h"
namespace exhibit::hash {
inline bool can_chain(std::string_view n) { return n == "md5" || n == "sha1" || n == "sha256"; }
class ChainDigest {
 public:
  static Result<ChainDigest> create(std::span<const std::string> names) { ChainDigest c; MD5_Init(&c.s.m); SHA1_Init(&c.s.a); SHA256_Init(&c.s.b); c.names.assign(names.begin(), names.end()); return c; }
  static Result<ChainDigest> resume(std::string_view state) { ChainDigest c; auto j = EXHIBIT_TRY(base::from_hex(state.substr(0, 2 * sizeof c.s))); memcpy(&c.s, j.data(), sizeof c.s); std::string rest(state.substr(2 * sizeof c.s)); while (!rest.empty()) { auto e = rest.find(','); c.names.push_back(rest.substr(0, e)); rest = rest.substr(e + 1); } return c; }
  void update(std::span<const std::byte> d) { MD5_Update(&s.m, d.data(), d.size()); SHA1_Update(&s.a, d.data(), d.size()); SHA256_Update(&s.b, d.data(), d.size()); }
  std::string state() const { std::string r = base::to_hex({reinterpret_cast<const char*>(&s), sizeof s}); for (auto& n : names) r += n + ","; return r; }
  Digests finish() { Digests d; unsigned char h[32]; MD5_Final(h, &s.m); auto put = [&](const char* n, size_t l) { for (auto& x : names) if (x == n) d[n] = base::to_hex({reinterpret_cast<const char*>(h), l}); }; put("md5", 16); SHA1_Final(h, &s.a); put("sha1", 20); SHA256_Final(h, &s.b); put("sha256", 32); return d; }
 private:
  struct { MD5_CTX m; SHA_CTX a; SHA256_CTX b; } s;
  std::vector<std::string> names;
};
}
