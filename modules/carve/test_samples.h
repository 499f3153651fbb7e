#pragma once
// The samples that the signature files hold.

#include <gtest/gtest.h>
#include <libdeflate.h>
#include <openssl/evp.h>

#include <algorithm>
#include <string>
#include <vector>

#include "base/json.h"

namespace exhibit::carve {

inline std::vector<std::uint8_t> from_base64(const std::string& text) {
  std::vector<std::uint8_t> bytes(text.size());
  const int length =
      EVP_DecodeBlock(bytes.data(), reinterpret_cast<const unsigned char*>(text.data()), static_cast<int>(text.size()));
  EXPECT_GE(length, 0);
  const auto padding = static_cast<std::size_t>(text.ends_with("==") ? 2 : text.ends_with("=") ? 1 : 0);
  bytes.resize(static_cast<std::size_t>(std::max(length, 0)) - padding);
  return bytes;
}

inline std::vector<std::uint8_t> bytes_of(const base::Json& sample) {
  if (sample.contains("base64")) return from_base64(sample.at("base64"));
  const auto packed = from_base64(sample.at("deflated"));  // as zlib.compress gives it
  std::vector<std::uint8_t> bytes(std::size_t{16} << 20);
  std::size_t length = 0;
  libdeflate_decompressor* decompressor = libdeflate_alloc_decompressor();
  EXPECT_EQ(libdeflate_zlib_decompress(decompressor, packed.data(), packed.size(), bytes.data(), bytes.size(), &length),
            LIBDEFLATE_SUCCESS);
  libdeflate_free_decompressor(decompressor);
  bytes.resize(length);
  return bytes;
}

}  // namespace exhibit::carve
