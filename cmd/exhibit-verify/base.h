#pragma once
// What this program answers (one line a check, then one verdict); bytes and their spellings as text; files.

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace exhibit_verify {

namespace fs = std::filesystem;
// A std::string holds bytes in all of this program; text is UTF-8.
using Bytes = std::string;
using View = std::string_view;

// The bytes aren't what their format says. Thrown by whatever reads; Report::guard turns it into a line.
struct Refused {
  std::string why;
};

// Lower-case hex; the other way, nothing for any other text.
inline std::string to_hex(View bytes) {
  std::string out;
  for (const char c : bytes)
    (out += "0123456789abcdef"[static_cast<unsigned char>(c) >> 4]) += "0123456789abcdef"[c & 15];
  return out;
}

inline std::optional<Bytes> from_hex(View text) {
  constexpr View digits = "0123456789abcdef";
  Bytes out;
  for (std::size_t i = 0; i + 1 < text.size(); i += 2) {
    const std::size_t high = digits.find(text[i]), low = digits.find(text[i + 1]);
    if (high == View::npos || low == View::npos) return {};
    out += static_cast<char>(high << 4 | low);
  }
  return text.size() % 2 == 0 ? std::optional(out) : std::nullopt;
}

// A digest of `size` bytes in lower-case hex; Refused, with `what`, for anything else.
inline Bytes digest_from_hex(View text, std::size_t size, View what) {
  const auto bytes = from_hex(text);
  if (bytes && bytes->size() == size) return *bytes;
  throw Refused{std::string(what) + " isn't " + std::to_string(size) + " bytes in lower-case hex"};
}

// RFC 4648 section 4, with padding and nothing else; Refused, with `what`, for anything else.
inline Bytes from_base64(View text, View what) {
  constexpr View digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  const std::size_t padding = text.ends_with("==") ? 2 : text.ends_with("=") ? 1 : 0;
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

// A number as `size` bytes, the most significant first.
inline Bytes big_endian(std::uint64_t number, std::size_t size) {
  Bytes out(size, '\0');
  for (std::size_t i = size; i-- > 0; number >>= 8) out[i] = static_cast<char>(number & 0xFF);
  return out;
}

// A regular file, piece by piece or whole; Refused says why not.
template <typename Take>
void read_pieces(const fs::path& path, Take&& take) {
  const std::string name = path.filename().string();
  if (!fs::is_regular_file(path)) throw Refused{name + (fs::exists(path) ? " isn't a file" : " is missing")};
  std::ifstream file(path, std::ios::binary);
  if (!file) throw Refused{name + " can't be opened"};
  Bytes piece(1 << 16, '\0');
  while (file.read(piece.data(), static_cast<std::streamsize>(piece.size())), file.gcount() > 0)
    take(View(piece).substr(0, static_cast<std::size_t>(file.gcount())));
  if (file.bad()) throw Refused{name + " can't be read"};
}

inline Bytes read_file(const fs::path& path, std::uint64_t limit = std::uint64_t{256} << 20) {
  Bytes out;
  read_pieces(path, [&](View piece) {
    if (out.size() + piece.size() > limit) throw Refused{path.filename().string() + " is larger than it may be"};
    out += piece;
  });
  return out;
}

// How many bytes at the front could mislead a terminal or its reader: controls, and U+2000–207F, where the marks stand
// that turn the direction of what follows (Unicode UAX #9).
inline std::size_t misleading(View rest) {
  const auto byte = [&](std::size_t i) { return i < rest.size() ? static_cast<unsigned char>(rest[i]) : 0u; };
  if (byte(0) < 0x20 || byte(0) == 0x7F) return 1;
  if (byte(0) == 0xC2 && byte(1) < 0xA0) return 2;
  return byte(0) == 0xE2 && (byte(1) == 0x80 || byte(1) == 0x81) ? 3 : 0;
}

// Text that came with the case, made harmless.
inline std::string printable(View text) {
  std::string out;
  for (text = text.substr(0, 2000); !text.empty();) {
    const std::size_t bad = misleading(text);
    out += bad == 0 ? Bytes(text.substr(0, 1)) : "<" + to_hex(text.substr(0, bad)) + ">";
    text.remove_prefix(std::clamp<std::size_t>(bad, 1, text.size()));
  }
  return out;
}

// The verdict needs a check of this name that is ok.
inline constexpr const char* signature_check = "signature";

// Prints each check as it comes. A name is what was asked; a subject, of what: a file of the case, an exhibit's id, …
class Report {
 public:
  void ok(View name, View subject, View detail = {}) {
    signatures_ += name == signature_check;
    put("ok", name, subject, detail);
  }
  void failed(View name, View subject, View why) {
    ++failures_;
    put("FAILED", name, subject, why);
  }
  void not_checked(View name, View subject, View why) {
    ++unchecked_;
    put("not checked: " + printable(why), name, subject, {});
  }
  // ok with `right`, or FAILED with `wrong`
  void expect(bool holds, View name, View subject, View right, View wrong) {
    holds ? ok(name, subject, right) : failed(name, subject, wrong);
  }
  // Does `check`. If it comes to its end, true; if it throws, that is a FAILED.
  template <typename Check>
  bool guard(View name, View subject, Check&& check) {
    try {
      check();
      return true;
    } catch (const Refused& refused) {
      failed(name, subject, refused.why);
    } catch (const std::exception& error) {  // out of memory, a file system that fails
      failed(name, subject, error.what());
    }
    return false;
  }
  // Prints it and gives the exit code: 0 only if nothing failed and a signature is good, else 1.
  int verdict() const {
    const bool verified = failures_ == 0 && signatures_ > 0;
    const std::string why = failures_ != 0 ? std::to_string(failures_) + " failed" : "no signature was verified";
    const std::string open = unchecked_ == 0 ? "" : " (" + std::to_string(unchecked_) + " not checked, see above)";
    std::printf("verdict: %s%s\n", verified ? "verified" : ("NOT VERIFIED: " + why).c_str(), open.c_str());
    return verified ? 0 : 1;
  }

 private:
  static void put(View status, View name, View subject, View detail) {
    const std::string line = Bytes(status) + "  " + Bytes(name) + "  " + printable(subject);
    std::printf("%s%s%s\n", line.c_str(), detail.empty() ? "" : ": ", printable(detail).c_str());
  }
  int failures_ = 0, signatures_ = 0, unchecked_ = 0;
};

}  // namespace exhibit_verify
