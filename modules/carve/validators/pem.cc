// Armour: base64 between BEGIN and END lines. PEM (RFC 7468; RFC 1421 for its headers), OpenPGP (RFC 9580, 6, with its
// CRC-24), OpenSSH (PROTOCOL.key). Blocks that follow each other directly are one file.

#include <vector>

#include "carve/der.h"
#include "carve/pgp.h"
#include "carve/text.h"
#include "carve/validator.h"

namespace exhibit::carve {
namespace {

constexpr std::size_t longest_line = 76;                 // RFC 9580, 6
constexpr std::size_t most_kept = std::size_t{1} << 20;  // bytes that are decoded to look into them
constexpr std::uint64_t least = 128;                     // bytes that must hold of a broken one
constexpr std::uint64_t longest_block_behind = std::uint64_t{64} << 10;
constexpr std::uint32_t crc24_start = 0xb704ce, crc24_polynomial = 0x864cfb;  // RFC 9580, 6.1

int sextet(char c) {
  if (c >= 'A' && c <= 'Z') return c - 'A';
  if (c >= 'a' && c <= 'z') return c - 'a' + 26;
  if (c >= '0' && c <= '9') return c - '0' + 52;
  return c == '+' ? 62 : c == '/' ? 63 : -1;
}

// Takes base64 line by line.
class Decoder {
 public:
  // False: not base64, or after the end of it.
  bool take(std::string_view line) {
    for (const char c : line) {
      if (c == '=') {
        if (++padding_ > 2) return false;
        continue;
      }
      const int value = sextet(c);
      if (value < 0 || padding_ > 0) return false;
      bits_ = bits_ << 6 | static_cast<std::uint32_t>(value);
      count_ += 6;
      if (count_ >= 8) put(static_cast<std::uint8_t>(bits_ >> (count_ -= 8)));
    }
    return true;
  }
  // Whether the last group was filled as it must be (RFC 4648, 4).
  bool is_whole() const { return padding_ * 2U == count_ && (bits_ & ((1U << count_) - 1)) == 0; }
  std::uint64_t length() const { return length_; }
  std::uint32_t crc24() const { return crc_; }
  const std::vector<std::uint8_t>& bytes() const { return bytes_; }

 private:
  void put(std::uint8_t byte) {
    ++length_;
    crc_ ^= std::uint32_t{byte} << 16;
    for (int i = 0; i < 8; ++i) crc_ = (crc_ << 1 ^ ((crc_ & 0x800000) != 0 ? crc24_polynomial : 0)) & 0xffffff;
    if (bytes_.size() < most_kept) bytes_.push_back(byte);
  }

  std::vector<std::uint8_t> bytes_;
  std::uint64_t length_ = 0;
  std::uint32_t bits_ = 0, count_ = 0, crc_ = crc24_start;
  std::uint32_t padding_ = 0;
};

struct Block {
  Tier tier = Tier::none;
  std::uint64_t position = 0;  // behind it; where it breaks
  std::string label;
};

constexpr std::string_view begin_mark = "-----BEGIN ", end_mark = "-----END ", dashes = "-----";

// The label of "-----BEGIN label-----"; empty: not such a line.
std::string label_of(std::string_view line, std::string_view mark) {
  if (!line.starts_with(mark) || !line.ends_with(dashes) || line.size() <= mark.size() + dashes.size()) return {};
  const std::string_view label = line.substr(mark.size(), line.size() - mark.size() - dashes.size());
  const auto is_label = [](char c) {
    return (c >= 'A' && c <= 'Z') || is_digit(c) || c == ' ' || c == '#' || c == '-' || c == '.';
  };
  return std::all_of(label.begin(), label.end(), is_label) ? std::string(label) : std::string{};
}

// "openssh-key-v1", then names, a count of keys, and two strings that fill the rest (OpenSSH, PROTOCOL.key, 1).
bool is_openssh_key(const MemoryContent& content) {
  Reader reader(content);
  if (!reader.take(std::string_view("openssh-key-v1\0", 15))) return false;
  for (int i = 0; i < 3; ++i) reader.skip(reader.be32());
  const std::uint32_t keys = reader.be32();
  for (std::uint32_t i = 0; reader.ok() && i <= keys && i < 16; ++i) reader.skip(reader.be32());
  return reader.ok() && keys > 0 && reader.left() == 0;
}

Tier judge(const std::string& label, const Decoder& decoder, std::optional<std::uint32_t> crc, bool is_encrypted) {
  if (!decoder.is_whole() || decoder.length() == 0) return Tier::none;
  const MemoryContent content(decoder.bytes());
  const bool is_all = decoder.length() == decoder.bytes().size();
  if (label.starts_with("PGP ")) {
    if (crc) return *crc == decoder.crc24() ? Tier::validated : Tier::none;
    const auto chain = is_all ? pgp_chain(content) : std::nullopt;
    return chain && chain->length == decoder.length() && chain->is_checked ? Tier::validated : Tier::plausible;
  }
  if (crc) return Tier::none;
  // What a key encrypts has no structure, but a length of whole cipher blocks (RFC 1423, 1.1).
  if (is_encrypted) return decoder.length() % 8 == 0 ? Tier::validated : Tier::none;
  if (label == "OPENSSH PRIVATE KEY") return is_openssh_key(content) ? Tier::validated : Tier::none;
  const auto whole = der_element(content, 0, content.size());
  if (!is_all) return Tier::plausible;
  // EC PARAMETERS are an identifier alone; anything else is a SEQUENCE.
  return whole && whole->end == decoder.length() && der_holds(content, *whole) ? Tier::validated : Tier::plausible;
}

class BlockReader {
 public:
  BlockReader(const Content& content, std::uint64_t position) : content_(content), lines_(content, position) {}

  Block read() {
    block_.position = lines_.position();
    const Line first = next();
    if (!first.ok) return block_;
    block_.label = label_of(first.text, begin_mark);
    if (block_.label.empty()) return block_;
    block_.tier = Tier::header_only;
    if (block_.label == "PGP SIGNED MESSAGE" && !signed_text()) return block_;
    if (body()) block_.position = std::max(block_.position, lines_.position());
    return block_;
  }

 private:
  Line next() {
    const Line line = lines_.next();
    if (line.ok) block_.position = lines_.position();
    return line;
  }

  // Goes on to the signature behind a text that is readable as it is (RFC 9580, 7).
  bool signed_text() {
    for (;;) {
      const Line line = next();
      if (!line.ok) return false;
      if (label_of(line.text, begin_mark) == "PGP SIGNATURE") break;
      if (line.text.starts_with(dashes)) return false;
    }
    block_.label = "PGP SIGNATURE";
    return true;
  }

  bool body() {
    Decoder decoder;
    std::optional<std::uint32_t> crc;
    bool is_encrypted = false, has_data = false, is_last = false;
    std::size_t width = 0;
    for (;;) {
      const std::uint64_t before = lines_.position();
      const Line line = lines_.next();
      if (!line.ok) return last_line(decoder, crc, is_encrypted);
      if (line.text.starts_with(dashes)) {
        if (label_of(line.text, end_mark) != block_.label) return false;
        block_.tier = std::max(block_.tier, judge(block_.label, decoder, crc, is_encrypted));
        return true;
      }
      if (!has_data && line.text.find(": ") != line.text.npos) {
        is_encrypted |= line.text.starts_with("Proc-Type: 4,ENCRYPTED");
      } else if (line.text.size() == 5 && line.text[0] == '=' && !crc) {
        Decoder sum;
        if (!sum.take(line.text.substr(1)) || sum.length() != 3) return false;
        crc = std::uint32_t{sum.bytes()[0]} << 16 | std::uint32_t{sum.bytes()[1]} << 8 | sum.bytes()[2];
      } else if (!line.text.empty()) {
        // Lines of one width, the last may be shorter.
        if (crc || is_last || line.text.size() > longest_line || !decoder.take(line.text)) return false;
        if (!has_data) width = line.text.size();
        if (line.text.size() > width) return false;
        is_last = line.text.size() < width;
        has_data = true;
      } else if (has_data) {
        return false;
      }
      block_.position = before;
    }
  }

  // The last line of a file may lack its end.
  bool last_line(const Decoder& decoder, std::optional<std::uint32_t> crc, bool is_encrypted) {
    const std::string mark = std::string(end_mark) + block_.label + std::string(dashes);
    if (!starts_with(content_.at(lines_.position(), mark.size()), mark)) return false;
    block_.tier = std::max(block_.tier, judge(block_.label, decoder, crc, is_encrypted));
    block_.position = lines_.position() + mark.size();
    return true;
  }

  const Content& content_;
  Lines lines_;
  Block block_;
};

Block read_block(const Content& content, std::uint64_t position) { return BlockReader(content, position).read(); }

bool is_good(const Block& block) { return block.tier >= Tier::plausible; }

// First lines of what OpenSSL, and those who bundle certificates, write before a block for people to read
// (RFC 7468, 5.2: explanatory text).
bool begins_explanation(std::string_view line) {
  constexpr std::string_view firsts[] = {"Certificate:",
                                         "Certificate Request:",
                                         "Certificate Revocation List",
                                         "Bag Attributes",
                                         "subject=",
                                         "issuer=",
                                         "Private-Key:",
                                         "RSA Private-Key:",
                                         "# Issuer:",
                                         "DH Parameters:",
                                         "    DH Parameters:",
                                         "X509 CRL:"};
  return std::any_of(std::begin(firsts), std::end(firsts), [&](std::string_view one) { return line.starts_with(one); });
}

constexpr unsigned most_explaining_lines = 512;

// Where the next block begins that belongs to what lies before `position`: there, or behind an empty line or an
// explanation. `position` itself where none does.
std::uint64_t next_begin(const Content& content, std::uint64_t position) {
  const std::uint64_t first = behind_blank_line(content, position);
  if (starts_with(content.at(first, begin_mark.size()), begin_mark)) return first;
  Lines lines(content, first);
  for (unsigned i = 0; i < most_explaining_lines; ++i) {
    const std::uint64_t here = lines.position();
    const Line line = lines.next();
    if (!line.ok || line.text.starts_with(end_mark)) break;
    if (line.text.starts_with(begin_mark)) return here;
    if (i == 0 && !begins_explanation(line.text)) break;
  }
  return position;
}

// The first line of the explanation before `anchor`, or `anchor`.
std::uint64_t explanation_before(const Content& before, std::uint64_t anchor) {
  constexpr std::uint64_t farthest = std::uint64_t{32} << 10;  // bytes
  const std::uint64_t from = anchor - std::min(anchor, farthest);
  const ByteSpan bytes = before.at(from, anchor - from);
  const std::string_view all(reinterpret_cast<const char*>(bytes.data()),
                             std::min<std::size_t>(bytes.size(), anchor - from));
  std::size_t line = all.size(), begin = all.size();
  for (unsigned i = 0; i < most_explaining_lines && line > 0 && all[line - 1] == '\n'; ++i) {
    std::size_t start = line - 1;
    while (start > 0 && all[start - 1] != '\n' && !is_control(static_cast<std::uint8_t>(all[start - 1]))) --start;
    const std::string_view text = all.substr(start, line - 1 - start);
    if (text.starts_with(dashes) || text_run(bytes.subspan(start, text.size()), false) != text.size()) break;
    constexpr std::string_view usual = "Certificate:";
    if (begins_explanation(text)) {
      begin = start;
    } else if (text.ends_with(usual)) {
      begin = start + text.size() - usual.size();  // behind foreign bytes
      break;
    }
    line = start;
  }
  // Bundles begin with an empty line.
  const bool is_first = begin == 1 || (begin > 1 && all[begin - 2] == 0);
  return from + begin - (begin < all.size() && is_first && all[begin - 1] == '\n' ? 1 : 0);
}

// A block that isn't the first of its file is found by the first.
std::optional<std::uint64_t> begin_of(const Content& before, std::uint64_t anchor) {
  const std::uint64_t from = anchor - std::min(anchor, longest_block_behind);
  const std::uint64_t begin = find_last_near(before, begin_mark, from, anchor);
  if (begin < anchor) {
    const Block block = read_block(before, begin);
    if (is_good(block) && block.position <= anchor && next_begin(before, block.position) == anchor) return std::nullopt;
  }
  return explanation_before(before, anchor);
}

Verdict validate(const Content& content, Memory&) {
  const bool begins_at_once = starts_with(content.at(0, begin_mark.size()), begin_mark);
  const std::uint64_t begin = begins_at_once ? 0 : next_begin(content, 0);
  if (!begins_at_once && begin == 0) return {};
  const Block first = read_block(content, begin);
  if (first.tier == Tier::none) return {};
  const bool is_pgp = first.label.starts_with("PGP ");
  const std::string extension = is_pgp ? "asc" : first.label == "OPENSSH PRIVATE KEY" ? "key" : "";
  if (!is_good(first)) {
    Verdict verdict = broken_text(first.position, begin + least);
    verdict.extension = extension;
    return verdict;
  }
  Tier tier = first.tier;
  std::uint64_t end = first.position;
  for (;;) {
    const Block block = read_block(content, next_begin(content, end));
    if (!is_good(block)) break;
    tier = std::min(tier, block.tier);
    end = block.position;
  }
  Verdict verdict = Verdict::whole(text_file_end(content, end), extension);
  verdict.tier = tier;
  return verdict;
}

}  // namespace

extern const Validator pem_validator;
const Validator pem_validator = {"pem", validate, nullptr, begin_of};

}  // namespace exhibit::carve
