// PuTTY's private keys (PuTTY user manual, appendix C): lines that say how many lines follow, and a MAC at the end. The
// MAC needs the passphrase; it isn't checked.

#include <charconv>

#include "carve/text.h"
#include "carve/validator.h"

namespace exhibit::carve {
namespace {

constexpr unsigned most_lines = 4096;

class Scanner {
 public:
  explicit Scanner(const Content& content) : lines_(content) {}

  bool scan() {
    const Line first = lines_.next();
    if (!first.ok ||
        (!first.text.starts_with("PuTTY-User-Key-File-2: ") && !first.text.starts_with("PuTTY-User-Key-File-3: "))) {
      return false;
    }
    if (!value("Encryption: ") || !value("Comment: ") || !base64("Public-Lines: ")) return false;
    for (;;) {
      const Line line = lines_.next();
      if (!line.ok) return false;
      if (line.text.starts_with("Private-Lines: ")) {
        if (!base64_lines(line.text.substr(15))) return false;
        break;
      }
      if (!line.text.starts_with("Key-Derivation") && !line.text.starts_with("Argon2-")) return false;
    }
    return mac();
  }
  std::uint64_t position() const { return end_; }

 private:
  bool value(std::string_view name) {
    const Line line = lines_.next();
    return line.ok && line.text.starts_with(name);
  }
  bool base64(std::string_view name) {
    const Line line = lines_.next();
    return line.ok && line.text.starts_with(name) && base64_lines(line.text.substr(name.size()));
  }
  bool base64_lines(std::string_view number) {
    unsigned count = 0;
    const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), count);
    if (error != std::errc{} || end != number.data() + number.size() || count == 0 || count > most_lines) return false;
    for (unsigned i = 0; i < count; ++i) {
      const Line line = lines_.next();
      if (!line.ok || line.text.empty() || line.text.size() > 64 || line.text.size() % 4 != 0) return false;
      for (const char c : line.text) {
        if (!is_letter(c) && !is_digit(c) && c != '+' && c != '/' && c != '=') return false;
      }
    }
    return true;
  }
  // SHA-1 in version 2, SHA-256 in version 3.
  bool mac() {
    const Line line = lines_.next();
    constexpr std::string_view name = "Private-MAC: ";
    if (!line.ok || !line.text.starts_with(name)) return false;
    const std::string_view sum = line.text.substr(name.size());
    end_ = lines_.position();
    return (sum.size() == 40 || sum.size() == 64) && std::all_of(sum.begin(), sum.end(), is_hex);
  }

  Lines lines_;
  std::uint64_t end_ = 0;
};

Verdict validate(const Content& content, Memory&) {
  Scanner scanner(content);
  return scanner.scan() ? Verdict::whole(scanner.position()) : Verdict{};
}

}  // namespace

extern const Validator ppk_validator;
const Validator ppk_validator = {"ppk", validate};

}  // namespace exhibit::carve
