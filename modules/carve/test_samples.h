#pragma once
// The samples that the signature files hold.

#include <gtest/gtest.h>
#include <libdeflate.h>
#include <openssl/evp.h>

#include <algorithm>
#include <string>
#include <vector>

#include "base/json.h"
#include "carve/signature.h"

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

// The sample of that name in a signature's file; empty: there is none.
inline std::vector<std::uint8_t> sample_of(std::string_view signature, std::string_view name) {
  for (const SignatureFile& file : signature_files()) {
    if (file.name != signature) continue;
    const auto json = base::parse_json(file.text).take();
    for (const auto& sample : json.at("samples")) {
      if (sample.value("name", "") == name) return bytes_of(sample);
    }
  }
  return {};
}

}  // namespace exhibit::carve
