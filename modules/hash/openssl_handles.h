#pragma once
// The owning types of OpenSSL's digest handles.

#include <openssl/evp.h>

#include <memory>

namespace exhibit::hash {

struct FreeDigest {
  void operator()(EVP_MD* digest) const { EVP_MD_free(digest); }
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};
using OwnedDigest = std::unique_ptr<EVP_MD, FreeDigest>;
using OwnedDigestContext = std::unique_ptr<EVP_MD_CTX, FreeDigest>;

}  // namespace exhibit::hash
