// Torrent files (BEP 3): one dictionary in bencoding, with the dictionary `info` in it.

#include <vector>

#include "carve/text.h"
#include "carve/validator.h"

namespace exhibit::carve {
namespace {

constexpr std::size_t deepest = 16;
constexpr std::uint64_t digest = 20;  // bytes: SHA-1 of each piece

class Scanner {
 public:
  explicit Scanner(const Content& content) : content_(content) {}

  // Whether the value that begins at the first byte is whole.
  bool scan() {
    do {
      if (!value()) return false;
    } while (!open_.empty());
    return true;
  }
  std::uint64_t position() const { return position_; }
  bool is_torrent() const { return has_info_ && has_pieces_; }

 private:
  struct Level {
    bool is_dictionary = false, is_key = false;
    std::string key;
  };

  int byte() const {
    const ByteSpan at = content_.at(position_, 1);
    return at.empty() ? -1 : at[0];
  }

  bool value() {
    const int first = byte();
    if (first == 'e') {
      if (open_.empty() || (open_.back().is_dictionary && !open_.back().is_key)) return false;
      open_.pop_back();
      ++position_;
      return true;
    }
    const bool is_key = !open_.empty() && open_.back().is_dictionary && open_.back().is_key;
    if (first == 'd' || first == 'l') {
      if (is_key || open_.size() == deepest) return false;
      if (first == 'd' && open_.size() == 1 && open_.back().key == "info") has_info_ = true;
      advance();
      open_.push_back({first == 'd', true, {}});
      ++position_;
      return true;
    }
    if (first == 'i') {
      if (is_key || !integer()) return false;
      advance();
      return true;
    }
    return is_digit(first) && string(is_key);
  }

  // The value of the dictionary's last key is there, or about to be.
  void advance() {
    if (!open_.empty()) open_.back().is_key = true;
  }

  bool integer() {
    ++position_;
    if (byte() == '-') ++position_;
    unsigned digits = 0;
    for (; is_digit(byte()) && digits < 20; ++digits) ++position_;
    if (digits == 0 || byte() != 'e') return false;
    ++position_;
    return true;
  }

  bool string(bool is_key) {
    std::uint64_t length = 0;
    for (unsigned digits = 0; is_digit(byte()); ++digits) {
      if (digits == 10) return false;
      length = length * 10 + static_cast<std::uint64_t>(byte() - '0');
      ++position_;
    }
    if (byte() != ':') return false;
    ++position_;
    if (length > content_.size() - std::min(content_.size(), position_)) return false;
    if (is_key) {
      if (length > 256) return false;
      const ByteSpan bytes = content_.at(position_, length);
      std::string key(reinterpret_cast<const char*>(bytes.data()), length);
      // Keys are in order (BEP 3); some programs don't keep to it, but none has one twice in a row.
      if (key == open_.back().key) return false;
      open_.back().key = std::move(key);
      open_.back().is_key = false;
    } else {
      const bool is_pieces = open_.size() == 2 && open_.back().key == "pieces" && has_info_;
      if (is_pieces && length % digest != 0) return false;
      // Version 2 (BEP 52) has trees of digests in its place.
      has_pieces_ |= is_pieces || (open_.size() > 2 && open_.back().key == "pieces root");
      advance();
    }
    position_ += length;
    return true;
  }

  const Content& content_;
  std::uint64_t position_ = 0;
  std::vector<Level> open_;
  bool has_info_ = false, has_pieces_ = false;
};

Verdict validate(const Content& content, Memory&) {
  if (!starts_with(content.at(0, 1), "d")) return {};
  Scanner scanner(content);
  if (!scanner.scan() || !scanner.is_torrent()) return {};
  return Verdict::whole(scanner.position());
}

}  // namespace

extern const Validator torrent_validator;
const Validator torrent_validator = {"torrent", validate};

}  // namespace exhibit::carve
