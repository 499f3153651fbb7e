// KeePass databases (keepass.info, KDBX file format). Of version 4 the encrypted blocks have lengths, and an empty one
// ends them. Older ones are encrypted whole: where they end can't be told but by what looks encrypted.

#include <algorithm>

#include "carve/validator.h"

namespace exhibit::carve {
namespace {

constexpr std::uint32_t first_magic = 0x9aa2d903, second_1 = 0xb54bfb65, second_2 = 0xb54bfb67;
constexpr std::uint64_t header_1 = 124;  // bytes: of KDB
constexpr std::uint64_t sums = 64;       // bytes: hash and HMAC of the header of KDBX 4
constexpr std::uint64_t block_sum = 32;  // bytes: HMAC before each block
constexpr std::uint64_t longest_field = 1 << 16, longest_block = 64 << 20;  // bytes
constexpr std::uint64_t most_unproved = 1 << 20;                            // bytes of what only looks encrypted
constexpr std::uint64_t cipher_block = 16;                                  // bytes

// The end of the fields of a KDBX header; 0: they aren't fields.
std::uint64_t end_of_header(const Content& content, unsigned major) {
  Reader reader(content, 12);
  for (;;) {
    const unsigned id = reader.u8();
    const std::uint64_t length = major >= 4 ? reader.le32() : reader.le16();
    if (!reader.ok() || id > 12 || length > longest_field || !reader.skip(length)) return 0;
    if (id == 0) return reader.position();
  }
}

// Bytes without a run of equal ones, as ciphers leave them, up to `limit`.
std::uint64_t end_of_cipher(const Content& content, std::uint64_t begin, std::uint64_t limit) {
  std::uint64_t at = begin;
  for (; at + cipher_block <= limit; at += cipher_block) {
    const ByteSpan bytes = content.at(at, cipher_block);
    if (bytes.size() < cipher_block) break;
    const bool is_flat =
        std::all_of(bytes.begin(), bytes.begin() + cipher_block, [&](auto b) { return b == bytes[0]; });
    if (is_flat) break;
  }
  return at;
}

Verdict unproved(const Content& content, std::uint64_t begin) {
  const std::uint64_t end = end_of_cipher(content, begin, std::min(content.size(), begin + most_unproved));
  if (end == begin) return {};
  Verdict verdict = Verdict::whole(end);
  verdict.tier = Tier::plausible;
  return verdict;
}

Verdict validate(const Content& content, Memory&) {
  Reader reader(content);
  const std::uint32_t first = reader.le32(), second = reader.le32(), version = reader.le32();
  if (!reader.ok() || first != first_magic) return {};
  if (second == second_1) {  // flags, version, seeds: 124 bytes
    const bool is_known = (version & ~0xfu) == 0 && (Reader(content, 12).le32() & 0xffffff00) == 0x00030000;
    if (!is_known || content.size() <= header_1) return {};
    Verdict verdict = unproved(content, header_1);
    verdict.extension = "kdb";
    return verdict;
  }
  const unsigned major = version >> 16;
  if (second != second_2 || major < 2 || major > 4) return {};
  const std::uint64_t header = end_of_header(content, major);
  if (header == 0) return {};
  if (major < 4) return unproved(content, header);
  std::uint64_t at = header + sums;
  for (unsigned blocks = 0;; ++blocks) {
    Reader block(content, at + block_sum);
    const std::uint64_t length = block.le32();
    if (!block.ok() || length > longest_block || (length == 0 && blocks == 0)) {
      const std::uint64_t end = std::min(at, content.size());
      return Verdict::broken(std::min(header, end), end, end, DoubtCause::missing_segment);
    }
    at = block.position() + length;
    if (length == 0) return Verdict::whole(at);
  }
}

}  // namespace

extern const Validator keepass_validator;
const Validator keepass_validator = {"keepass", validate};

}  // namespace exhibit::carve
