#include "carve/pgp.h"

#include <algorithm>

#include "carve/text.h"

namespace exhibit::carve {
namespace {

constexpr std::uint32_t most_packets = 4096;
// A packet longer than a cluster could have foreign bytes in it; where it comes in parts their lengths would miss each
// other.
constexpr std::uint64_t largest_unproved = 4096;  // bytes
constexpr std::uint32_t least_parts = 4;
constexpr std::uint32_t earliest = 662688000;  // seconds: 1991, when PGP came to be

// RFC 9580, 5.
enum Tag : std::uint8_t {
  encrypted_session_key = 1,
  signature = 2,
  symmetric_session_key = 3,
  one_pass_signature = 4,
  secret_key = 5,
  public_key = 6,
  secret_subkey = 7,
  compressed = 8,
  encrypted = 9,
  marker = 10,
  literal = 11,
  trust = 12,
  user_id = 13,
  public_subkey = 14,
  user_attribute = 17,
  protected_data = 18,
};

struct Packet {
  std::uint8_t tag = 0;
  std::uint64_t data = 0, length = 0, end = 0;  // of its body; of one in parts: its first part's length
  std::uint32_t parts = 0;                      // lengths in it
  std::uint64_t last = 0;                       // the last part's length
};

// 4.2: the header, in the new or the old form. A packet of unknown length has no end that could be told.
std::optional<Packet> packet_at(const Content& content, std::uint64_t position) {
  Reader reader(content, position);
  const std::uint8_t head = reader.u8();
  if ((head & 0x80) == 0) return std::nullopt;
  Packet packet;
  if ((head & 0x40) == 0) {
    packet.tag = head >> 2 & 0x0f;
    const unsigned kind = head & 3;
    if (kind == 3) return std::nullopt;
    packet.length = kind == 0 ? reader.u8() : kind == 1 ? reader.be16() : reader.be32();
    packet.data = reader.position();
    if (!reader.ok() || !reader.skip(packet.length)) return std::nullopt;
    packet.end = reader.position();
    return packet;
  }
  packet.tag = head & 0x3f;
  for (bool is_first = true;; is_first = false) {
    const std::uint8_t first = reader.u8();
    std::uint64_t length = first;
    const bool is_part = first >= 224 && first < 255;
    if (first >= 192 && first < 224) length = ((first - 192U) << 8) + reader.u8() + 192U;
    if (first == 255) length = reader.be32();
    if (is_part) length = std::uint64_t{1} << (first & 0x1f);
    // The first part has at least 512 bytes, and only data come in parts (4.2.1.4).
    if (is_part && is_first && (length < 512 || (packet.tag < 8 && packet.tag != literal))) return std::nullopt;
    if (is_first) packet.data = reader.position();
    if (is_first) packet.length = length;
    ++packet.parts;
    if (!reader.ok() || !reader.skip(length)) return std::nullopt;
    packet.last = length;
    if (!is_part) break;
  }
  packet.end = reader.position();
  return packet;
}

// Whether the bytes before `end` are zeros, as no number of cryptography has them: it was cut.
bool ends_in_zeros(const Content& content, std::uint64_t end) { return Reader(content, end - 8).le64() == 0; }

// Numbers of 3.2, one behind the other, from the reader's place to `end`, with no leading zero bits unaccounted.
bool are_numbers(Reader& reader, std::uint64_t end, unsigned least, unsigned most) {
  unsigned count = 0;
  while (reader.ok() && reader.position() < end) {
    const unsigned bits = reader.be16();
    if (bits == 0 || bits > 32768 || ++count > most) return false;
    const unsigned top = reader.u8();
    if (!reader.ok() || (top >> ((bits - 1) % 8)) != 1) return false;
    reader.skip((bits + 7) / 8 - 1);
  }
  return reader.ok() && reader.position() == end && count >= least;
}

// Moves behind one number of 3.2.
bool skip_number(Reader& reader) {
  const unsigned bits = reader.be16(), top = reader.u8();
  if (bits == 0 || bits > 32768 || (top >> ((bits - 1) % 8)) != 1) return false;
  return reader.skip((bits + 7) / 8 - 1);
}

bool is_public_algorithm(unsigned algorithm) {  // 9.1
  return (algorithm >= 1 && algorithm <= 3) || (algorithm >= 16 && algorithm <= 19) || algorithm == 22 ||
         (algorithm >= 25 && algorithm <= 28);
}

// 5.5.2: version, time, algorithm, numbers.
bool is_key(const Content& content, const Packet& packet) {
  Reader reader(content, packet.data);
  const unsigned version = reader.u8();
  const std::uint32_t time = reader.be32();
  const unsigned algorithm = reader.u8();
  if ((version != 4 && version != 6) || time < earliest || !is_public_algorithm(algorithm)) return false;
  if (version == 6) reader.be32();  // the length of what follows
  const bool is_secret = packet.tag == secret_key || packet.tag == secret_subkey;
  if (version == 6 || algorithm >= 25) return reader.ok();
  const bool has_curve = algorithm == 18 || algorithm == 19 || algorithm == 22;
  if (has_curve && !reader.skip(reader.u8())) return false;
  if (algorithm == 18 && !is_secret) {
    // The point, and a field that says how the key is derived.
    return skip_number(reader) && reader.skip(reader.u8()) && reader.position() == packet.end;
  }
  if (!is_secret) return are_numbers(reader, packet.end, has_curve ? 1 : 2, 4);
  const unsigned numbers = has_curve ? 1 : algorithm <= 3 ? 2 : algorithm == 17 ? 4 : 3;
  for (unsigned i = 0; i < numbers; ++i) {
    if (!skip_number(reader)) return false;
  }
  return reader.ok() && reader.position() < packet.end;
}

// 5.2: version 4 (and 6, whose lengths have four bytes).
bool is_signature(const Content& content, const Packet& packet) {
  Reader reader(content, packet.data);
  const unsigned version = reader.u8();
  if (version == 3) return packet.length > 19 && reader.u8() == 5;
  if (version != 4 && version != 6) return false;
  reader.u8();  // type
  const unsigned algorithm = reader.u8(), digest = reader.u8();
  if (!is_public_algorithm(algorithm) || digest == 0 || digest > 14) return false;
  for (int area = 0; area < 2; ++area) {
    if (!reader.skip(version == 6 ? reader.be32() : reader.be16()) || reader.position() > packet.end) return false;
  }
  reader.be16();  // the digest's first bytes
  if (version == 6 || algorithm >= 25) return reader.ok() && reader.position() < packet.end;
  return are_numbers(reader, packet.end, 1, 2) && !ends_in_zeros(content, packet.end);
}

// 5.1, 5.3
bool is_session_key(const Content& content, const Packet& packet) {
  Reader reader(content, packet.data);
  const unsigned version = reader.u8();
  if (packet.tag == symmetric_session_key) {
    const unsigned cipher = reader.u8();
    return (version == 4 || version == 5 || version == 6) && (version == 6 || (cipher > 0 && cipher <= 13)) &&
           packet.length >= 4 && packet.length < 256;
  }
  if (version == 6) return packet.length > 16;
  reader.skip(8);
  const unsigned algorithm = reader.u8();
  if (version != 3 || !is_public_algorithm(algorithm)) return false;
  if (algorithm == 18) return skip_number(reader) && reader.skip(reader.u8()) && reader.position() == packet.end;
  return algorithm >= 25 || are_numbers(reader, packet.end, 1, 2);
}

bool is_text_body(const Content& content, const Packet& packet) {
  if (packet.length == 0 || packet.length > 2048) return false;
  const ByteSpan bytes = content.at(packet.data, packet.length).first(packet.length);
  return text_run(bytes, true) == bytes.size();
}

bool is_packet(const Content& content, const Packet& packet) {
  switch (packet.tag) {
    case secret_key:
    case secret_subkey:
    case public_key:
    case public_subkey:
      return is_key(content, packet);
    case signature:
      return is_signature(content, packet);
    case encrypted_session_key:
    case symmetric_session_key:
      return is_session_key(content, packet);
    case user_id:
      return is_text_body(content, packet);
    case protected_data: {
      const unsigned version = Reader(content, packet.data).u8();
      return (version == 1 || version == 2) && packet.length > 20;
    }
    case trust:
      return packet.length > 0 && packet.length < 256;
    case one_pass_signature:
      return packet.length == 13 || packet.length > 40;
    case user_attribute:
      return packet.length > 16;
    default:
      return false;  // what begins with compressed or literal data has nothing to prove it
  }
}

// Whether `tag` may follow `before` in a key, a message or a row of signatures (10.1 to 10.4).
bool may_follow(std::uint8_t before, std::uint8_t tag, bool is_key_chain) {
  const bool is_session = before == encrypted_session_key || before == symmetric_session_key;
  if (before == protected_data) return false;
  if (is_session) return tag == encrypted_session_key || tag == symmetric_session_key || tag == protected_data;
  if (!is_key_chain) return before == signature && tag == signature;
  return tag == signature || tag == user_id || tag == user_attribute || tag == public_subkey || tag == secret_subkey ||
         tag == trust || tag == public_key || tag == secret_key;
}

// Where foreign bytes push parts out of place, any byte is taken for a length, and most for that of the last part: then
// the message doesn't end where the file does.
bool is_chained(const Content& content, const Packet& packet) {
  const bool ends_here = content.size() == packet.end || Reader(content, packet.end).le64() == 0;
  return packet.parts >= least_parts && packet.last > 0 && ends_here;
}

std::string extension_of(std::uint8_t first) { return first == signature ? "sig" : "gpg"; }

}  // namespace

std::optional<PgpChain> pgp_chain(const Content& content) {
  PgpChain chain;
  std::uint8_t before = 0, first = 0;
  bool is_tight = true;
  while (chain.packets < most_packets) {
    const auto packet = packet_at(content, chain.length);
    if (!packet || !is_packet(content, *packet)) break;
    if (chain.packets == 0) first = packet->tag;
    const bool is_key_chain = first == public_key || first == secret_key;
    if (chain.packets > 0 && !may_follow(before, packet->tag, is_key_chain)) break;
    ++chain.packets;
    is_tight &= packet->end - packet->data <= largest_unproved || is_chained(content, *packet);
    before = packet->tag;
    chain.length = packet->end;
  }
  const bool is_key_chain = first == public_key || first == secret_key;
  const bool is_message = first == encrypted_session_key || first == symmetric_session_key;
  if (chain.packets == 0 || !(is_key_chain || is_message || first == signature)) return std::nullopt;
  // What binds a key's last part to it is a signature.
  const bool is_bound = before == signature || before == trust;
  chain.is_checked = is_key_chain ? chain.packets >= 3 && is_bound
                     : is_message ? before == protected_data && is_tight
                                  : true;
  chain.is_complete = chain.is_checked || (is_message && before == protected_data);
  chain.extension = extension_of(first);
  return chain;
}

}  // namespace exhibit::carve
