#include "base.h"

#include <algorithm>
#include <cstdio>

namespace exhibit_verify {
namespace {

constexpr View hex_digits = "0123456789abcdef";

// U+0080–009F, and U+202A–202E and U+2066–2069, which turn the direction of what follows (Unicode UAX #9).
bool misleads(View rest) {
  if (rest.size() >= 2 && rest[0] == '\xC2') return static_cast<unsigned char>(rest[1]) < 0xA0;
  if (rest.size() < 3 || rest[0] != '\xE2') return false;
  const auto last = static_cast<unsigned char>(rest[2]);
  return (rest[1] == '\x80' && last >= 0xAA && last <= 0xAE) || (rest[1] == '\x81' && last >= 0xA6 && last <= 0xA9);
}

// Text that came with the case, made harmless to a terminal and its reader.
std::string printable(View text) {
  constexpr std::size_t longest = 2000;  // bytes of one line that somebody else's file may fill
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (out.size() > longest) return out + "…";
    const auto byte = static_cast<unsigned char>(text[i]);
    const bool harmless = byte >= 0x20 && byte != 0x7F && !misleads(text.substr(i));
    out += harmless ? std::string(1, text[i]) : "\\x" + to_hex(text.substr(i, 1));
  }
  return out;
}

void put(View status, View name, View subject, View detail) {
  const std::string line = std::string(status) + "  " + std::string(name) + "  " + printable(subject) +
                           (detail.empty() ? "" : ": " + printable(detail));
  std::printf("%s\n", line.c_str());
}

}  // namespace

void Report::ok(View name, View subject, View detail) {
  signatures_ += name == signature_check;
  put("ok", name, subject, detail);
}

void Report::failed(View name, View subject, View why) {
  ++failures_;
  put("FAILED", name, subject, why);
}

void Report::not_checked(View name, View subject, View why) {
  ++unchecked_;
  put("not checked: " + printable(why), name, subject, {});
}

void Report::expect(bool holds, View name, View subject, View right, View wrong) {
  holds ? ok(name, subject, right) : failed(name, subject, wrong);
}

int Report::verdict() const {
  const bool verified = failures_ == 0 && signatures_ > 0;
  const std::string why = failures_ != 0 ? std::to_string(failures_) + " failed" : "no signature was verified";
  const std::string open = unchecked_ == 0 ? "" : " (" + std::to_string(unchecked_) + " not checked, see above)";
  std::printf("verdict: %s%s\n", verified ? "verified" : ("NOT VERIFIED: " + why).c_str(), open.c_str());
  return verified ? 0 : 1;
}

std::string to_hex(View bytes) {
  std::string out;
  for (const char c : bytes) {
    out += hex_digits[static_cast<unsigned char>(c) >> 4];
    out += hex_digits[c & 15];
  }
  return out;
}

std::optional<Bytes> from_hex(View text) {
  Bytes out;
  for (std::size_t i = 0; i + 1 < text.size(); i += 2) {
    const std::size_t high = hex_digits.find(text[i]), low = hex_digits.find(text[i + 1]);
    if (high == View::npos || low == View::npos) return {};
    out += static_cast<char>(high << 4 | low);
  }
  return text.size() % 2 == 0 ? std::optional(out) : std::nullopt;
}

Bytes digest_from_hex(View text, std::size_t size, View what) {
  auto bytes = from_hex(text);
  if (bytes && bytes->size() == size) return *bytes;
  throw Refused{std::string(what) + " isn't " + std::to_string(size) + " bytes in lower-case hex"};
}

Bytes from_base64(View text, View what) {
  constexpr View digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::size_t padding = 0;
  while (padding < 2 && padding < text.size() && text[text.size() - 1 - padding] == '=') ++padding;
  Bytes out;
  std::uint32_t bits = 0;
  std::size_t held = 0;  // bits in `bits` that aren't out yet
  bool good = text.size() % 4 == 0;
  for (const char c : text.substr(0, text.size() - padding)) {
    const std::size_t digit = digits.find(c);
    good = good && digit != View::npos;
    bits = bits << 6 | static_cast<std::uint32_t>(digit & 63);
    held += 6;
    if (held < 8) continue;
    held -= 8;
    out += static_cast<char>(bits >> held & 0xFF);
  }
  if (!good || (bits & ((1u << held) - 1)) != 0) throw Refused{std::string(what) + " isn't base64"};
  return out;
}

std::vector<Bytes> certificates_from_pem(View text) {
  constexpr View begin = "-----BEGIN CERTIFICATE-----", end = "-----END CERTIFICATE-----";
  std::vector<Bytes> found;
  for (std::size_t at = text.find(begin); at != View::npos; at = text.find(begin, at)) {
    at += begin.size();
    const std::size_t stop = text.find(end, at);
    if (stop == View::npos) throw Refused{"a certificate in PEM without its end"};
    std::string body(text.substr(at, stop - at));
    std::erase_if(body, [](char c) { return View(" \t\r\n").find(c) != View::npos; });
    found.push_back(from_base64(body, "a certificate in PEM"));
  }
  if (found.empty()) throw Refused{"no certificate in PEM"};
  return found;
}

Bytes big_endian(std::uint64_t number, std::size_t size) {
  Bytes out(size, '\0');
  for (std::size_t i = size; i-- > 0; number >>= 8) out[i] = static_cast<char>(number & 0xFF);
  return out;
}

std::ifstream open_file(const std::filesystem::path& path) {
  std::error_code error;
  if (!std::filesystem::exists(path, error)) throw Refused{path.filename().string() + " is missing"};
  if (!std::filesystem::is_regular_file(path, error)) throw Refused{path.filename().string() + " isn't a file"};
  std::ifstream file(path, std::ios::binary);
  if (!file) throw Refused{path.filename().string() + " can't be opened"};
  return file;
}

Bytes read_file(const std::filesystem::path& path, std::uint64_t limit) {
  std::ifstream file = open_file(path);
  Bytes out;
  char piece[1 << 16];
  while (file.read(piece, sizeof piece), file.gcount() > 0 && out.size() <= limit)
    out.append(piece, static_cast<std::size_t>(file.gcount()));
  if (out.size() > limit) throw Refused{path.filename().string() + " is larger than it may be"};
  if (file.bad()) throw Refused{path.filename().string() + " can't be read"};
  return out;
}

}  // namespace exhibit_verify
