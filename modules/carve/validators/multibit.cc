// Wallets of bitcoinj, such as MultiBit's (bitcoinj, wallet.proto): one message of Protocol Buffers that begins with
// the network's name. Nothing ends it: it goes on as long as fields of a wallet do.

#include <array>

#include "carve/validator.h"

namespace exhibit::carve {
namespace {

constexpr std::uint64_t longest_field = 16 << 20;  // bytes

// Wire types of the wallet's fields, by number; 9: no such field.
constexpr std::array<std::uint8_t, 20> wire_types = {9, 2, 2, 2, 2, 0, 2, 0, 9, 9, 2, 2, 0, 1, 0, 2, 2, 2, 2, 9};
// These are messages, which begin with a field of their own numbered one to seven.
constexpr std::uint32_t messages = 1u << 3 | 1u << 4 | 1u << 10;

bool read_varint(Reader& reader, std::uint64_t& value) {
  value = 0;
  for (unsigned shift = 0; shift < 64; shift += 7) {
    const std::uint8_t byte = reader.u8();
    value |= std::uint64_t{byte & 0x7fu} << shift;
    if (byte < 0x80) return reader.ok();
  }
  return false;
}

// Moves behind the field at the reader's position, if a wallet can have it.
bool read_field(Reader& reader) {
  std::uint64_t tag = 0, value = 0;
  if (!read_varint(reader, tag) || tag >> 3 >= wire_types.size()) return false;
  const auto number = static_cast<unsigned>(tag >> 3);
  const auto type = static_cast<std::uint8_t>(tag & 7);
  // Encryption's kind (6) and parameters (7), and the key's rotation (13), were of other types in some versions.
  const bool is_known = number == 6 || number == 7 || number == 13 ? type <= 2 : type == wire_types[number];
  if (!is_known || number == 0) return false;
  if (type == 0) return read_varint(reader, value);
  if (type == 1) return reader.skip(8);
  if (!read_varint(reader, value) || value == 0 || value > longest_field) return false;
  if ((messages >> number & 1) != 0) {
    const std::uint64_t begin = reader.position();
    const unsigned first = reader.u8();
    if (first < 0x08 || first > 0x3f || (first & 7) > 2) return false;
    reader.seek(begin);
  }
  return reader.skip(value);
}

Verdict validate(const Content& content, Memory&) {
  constexpr std::string_view network = "\x0a\x16org.bitcoin.production";
  if (!starts_with(content.at(0, network.size()), network)) return {};
  Reader reader(content, network.size());
  std::uint64_t end = network.size(), fields = 0;
  while (read_field(reader)) {
    end = reader.position();
    ++fields;
  }
  if (fields == 0) return {};
  Verdict verdict = Verdict::whole(end);
  verdict.tier = Tier::plausible;
  return verdict;
}

}  // namespace

extern const Validator multibit_validator;
const Validator multibit_validator = {"multibit", validate};

}  // namespace exhibit::carve
