// PostScript with document structuring comments (Adobe 5001, DSC 3.0), and EPS with the binary header of DOS (Adobe
// 5002, 5.2): from %!PS-Adobe to %%EOF.

#include <charconv>

#include "carve/text.h"
#include "carve/validator.h"

namespace exhibit::carve {
namespace {

constexpr std::uint64_t least = 512;         // bytes that must hold of a broken one
constexpr std::uint64_t binary_header = 30;  // bytes (5002, 5.2)
constexpr unsigned deepest = 16;

// A comment's number; nothing: "(atend)" or none.
std::optional<std::uint64_t> number_of(std::string_view text) {
  text.remove_prefix(std::min(text.find_first_not_of(" \t"), text.size()));
  std::uint64_t number = 0;
  const auto result = std::from_chars(text.data(), text.data() + text.size(), number);
  return result.ec == std::errc{} ? std::optional(number) : std::nullopt;
}

class Scanner {
 public:
  explicit Scanner(const Content& content) : cursor_(content), content_(content) {}

  // False: %%EOF wasn't reached.
  bool scan() {
    for (;;) {
      // Comments are of interest, and begin lines.
      if (cursor_.is_at("%%") || cursor_.is_at("%!")) {
        if (!comment()) return false;
        if (is_done_) return true;
      }
      if (!rest_of_line()) return false;
    }
  }
  std::uint64_t position() const { return cursor_.position(); }
  // What the comments promise is there.
  bool is_consistent() const {
    return has_end_of_comments_ && has_bounds_ && (!pages_ || *pages_ == seen_pages_) && in_order_;
  }

 private:
  bool rest_of_line() {
    for (;;) {
      cursor_.skip_while([](std::uint8_t byte) { return byte >= 0x20 && byte < 0x7f; });
      const int byte = cursor_.peek();
      if (byte < 0 || (is_control(byte) && byte != 0x04)) return false;
      cursor_.skip(1);
      if (byte == '\n') return true;
      if (byte == '\r') {
        cursor_.take("\n");
        return true;
      }
    }
  }

  bool comment() {
    const ByteSpan head = cursor_.ahead(200);
    std::string_view text(reinterpret_cast<const char*>(head.data()), head.size());
    text = text.substr(0, text.find_first_of("\r\n"));
    if (text.starts_with("%%BeginDocument") && ++depth_ > deepest) return false;
    if (text.starts_with("%%EndDocument") && depth_ > 0) --depth_;
    if (depth_ > 0) return true;
    if (text.starts_with("%!PS-Adobe") && cursor_.position() > 0) return false;  // another one begins
    if (text.starts_with("%%EndComments")) has_end_of_comments_ = true;
    if (text.starts_with("%%BoundingBox:")) has_bounds_ = true;
    if (text.starts_with("%%Pages:")) pages_ = number_of(text.substr(8)) ? number_of(text.substr(8)) : pages_;
    if (text.starts_with("%%Page:")) {
      ++seen_pages_;
      const auto ordinal = number_of(text.substr(std::min(text.size(), text.find_last_of(" \t"))));
      in_order_ &= !ordinal || *ordinal == seen_pages_;
    }
    if (text.starts_with("%%BeginData:") || text.starts_with("%%BeginBinary:")) return data(text);
    is_done_ = text.starts_with("%%EOF");
    if (is_done_) cursor_.skip(5);
    return true;
  }

  // "%%BeginData: number [type [bytes|lines]]": so much may be anything.
  bool data(std::string_view text) {
    const bool is_lines = text.find("Lines") != text.npos;
    const auto count = number_of(text.substr(text.find(':') + 1));
    if (!count || is_lines) return true;
    if (!rest_of_line() || *count > content_.size() - std::min(content_.size(), cursor_.position())) return false;
    cursor_.seek(cursor_.position() + *count);
    return true;
  }

  Cursor cursor_;
  const Content& content_;
  unsigned depth_ = 0;
  std::uint64_t seen_pages_ = 0;
  std::optional<std::uint64_t> pages_;
  bool has_end_of_comments_ = false, has_bounds_ = false, in_order_ = true, is_done_ = false;
};

Verdict text_verdict(const Content& content) {
  if (!starts_with(content.at(0, 11), "%!PS-Adobe-")) return {};
  const ByteSpan head = content.at(0, 40);
  const std::string_view first(reinterpret_cast<const char*>(head.data()), std::min<std::size_t>(head.size(), 40));
  const std::string extension = first.substr(0, first.find_first_of("\r\n")).find("EPSF") != first.npos ? "eps" : "";
  Scanner scanner(content);
  if (!scanner.scan()) {
    Verdict verdict = broken_text(std::min(scanner.position(), content.size()), least);
    verdict.extension = extension;
    return verdict;
  }
  std::uint64_t end = text_file_end(content, scanner.position());
  // What a printer takes for the end of a job, where a program wrote it.
  if (starts_with(content.at(end, 1), "\x04")) ++end;
  Verdict verdict = Verdict::whole(end, extension);
  // A language in which any words are names: other text in it breaks nothing.
  if (!scanner.is_consistent() || has_prose_cluster(content, end)) verdict.tier = Tier::plausible;
  return verdict;
}

// The header says where PostScript, a metafile and a TIFF preview lie; one of the two previews may be there.
Verdict binary_verdict(const Content& content) {
  Reader reader(content, 4);
  std::uint64_t end = binary_header;
  std::uint64_t begin = 0, length = 0;
  for (int i = 0; i < 3; ++i) {
    const std::uint64_t at = reader.le32(), size = reader.le32();
    if (size > 0 && at < binary_header) return {};
    if (i == 0) begin = at, length = size;
    end = std::max(end, at + size);
  }
  if (!reader.ok() || length == 0) return {};
  const PartContent text(content, begin, length);
  const Verdict inner = text_verdict(text);
  if (inner.tier == Tier::none) return {};
  if (end > content.size()) {
    return Verdict::broken(begin, content.size(), content.size(), DoubtCause::missing_segment);
  }
  Verdict verdict = Verdict::whole(end, "eps");
  if (inner.tier != Tier::validated || inner.length + 64 < length) verdict.tier = Tier::plausible;
  return verdict;
}

Verdict validate(const Content& content, Memory&) {
  if (starts_with(content.at(0, 4), "\xc5\xd0\xd3\xc6")) return binary_verdict(content);
  return text_verdict(content);
}

}  // namespace

extern const Validator postscript_validator;
const Validator postscript_validator = {"postscript", validate};

}  // namespace exhibit::carve
