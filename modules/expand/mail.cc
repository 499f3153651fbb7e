#include "expand/mail.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "carve/mail.h"
#include "expand/lines.h"
#include "expand/mime.h"
#include "expand/transfer_coding.h"

namespace exhibit::expand {
namespace {

constexpr std::size_t deepest = 64;                           // multiparts within each other
constexpr std::size_t longest_field = std::size_t{64} << 10;  // unfolded
constexpr std::size_t piece = std::size_t{64} << 10;

bool is_postmark(const Line& line) {
  if (!line.is_begin || !line.text.starts_with("From ")) return false;
  const std::string whole = std::string(line.text.substr(0, piece)) + '\n';
  return carve::is_postmark({reinterpret_cast<const std::uint8_t*>(whole.data()), whole.size()});
}

// A range of a content, as it stands or decoded.
class Range {
 public:
  Range() = default;
  Range(std::uint64_t begin, std::uint64_t end, PartHeader::Coding coding) : at_(begin), end_(end) {
    if (coding == PartHeader::Coding::base64) decoder_ = std::make_unique<Base64Decoder>();
    if (coding == PartHeader::Coding::quoted_printable) decoder_ = std::make_unique<QuotedDecoder>();
  }

  Result<std::size_t> read(ByteSource& content, std::span<std::byte> buffer) {
    if (decoder_ == nullptr) return read_plain(content, buffer);
    while (given_ == decoded_.size() && !is_read_) {
      raw_.resize(piece);
      decoded_.clear();
      given_ = 0;
      const std::size_t got = EXHIBIT_TRY(read_plain(content, raw_));
      is_read_ = at_ == end_;
      decoder_->run({reinterpret_cast<const char*>(raw_.data()), got}, is_read_, decoded_);
    }
    const std::size_t length = std::min(buffer.size(), decoded_.size() - given_);
    const auto bytes = std::as_bytes(std::span(decoded_)).subspan(given_, length);
    std::copy(bytes.begin(), bytes.end(), buffer.begin());
    given_ += length;
    return length;
  }
  bool has_rest() const { return decoder_ != nullptr && decoder_->has_rest(); }

 private:
  Result<std::size_t> read_plain(ByteSource& content, std::span<std::byte> buffer) {
    const std::size_t wanted = std::min<std::uint64_t>(buffer.size(), end_ - at_);
    if (wanted == 0) return std::size_t{0};
    const std::size_t got = EXHIBIT_TRY(content.read_at(at_, buffer.first(wanted)));
    if (got == 0) return Error{ErrorCode::corrupt, "the message ends early", {}, {}};
    at_ += got;
    return got;
  }

  std::uint64_t at_ = 0, end_ = 0;
  std::unique_ptr<TransferDecoder> decoder_;
  std::vector<std::byte> raw_;
  std::string decoded_;
  std::size_t given_ = 0;  // of decoded_
  bool is_read_ = false;
};

// What a part without a name is called by its type.
std::string_view ending_of(std::string_view type) {
  constexpr std::pair<std::string_view, std::string_view> endings[] = {
      {"text/plain", ".txt"},     {"text/html", ".html"}, {"message/rfc822", ".eml"}, {"text/calendar", ".ics"},
      {"message/global", ".eml"}, {"image/jpeg", ".jpg"}, {"image/png", ".png"}};
  const auto found =
      std::find_if(std::begin(endings), std::end(endings), [&](const auto& row) { return row.first == type; });
  return found == std::end(endings) ? ".bin" : found->second;
}

class MessageReader final : public Reader {
 public:
  explicit MessageReader(ByteSource& content) : content_(content), lines_(content) {}

  Result<std::optional<Entry>> next() override {
    while (true) {
      if (!is_begun_) {
        is_begun_ = true;
      } else if (!EXHIBIT_TRY(go_to_part())) {
        return std::optional<Entry>();
      }
      const PartHeader header = EXHIBIT_TRY(read_header());
      const bool is_multipart = header.type.starts_with("multipart/") && !header.boundary.empty();
      if (is_multipart && boundaries_.size() < deepest) {
        boundaries_.push_back("--" + header.boundary);
        continue;
      }
      if (is_multipart) trouble_ = Error{ErrorCode::depth_limit, "a part with parts so deep is told as one", {}, {}};
      return std::optional<Entry>(EXHIBIT_TRY(take_leaf(header)));
    }
  }

  Result<std::size_t> read(std::span<std::byte> buffer) override { return range_.read(content_, buffer); }

  std::optional<Error> take_trouble() override {
    if (range_.has_rest() && !std::exchange(is_rest_told_, true))
      return Error{ErrorCode::unsupported, "what follows the end of a part's base64 isn't looked at", {}, {}};
    return std::exchange(trouble_, std::nullopt);
  }

 private:
  enum class Border { none, begins, ends };

  // Whether a line is one of the open boundaries; those within it are closed by it.
  Border border(const Line& line) {
    if (!line.is_begin || !line.text.starts_with("--")) return Border::none;
    for (std::size_t i = boundaries_.size(); i > 0; --i) {
      if (!line.text.starts_with(boundaries_[i - 1])) continue;
      std::string_view rest = line.text.substr(boundaries_[i - 1].size());
      const bool ends = rest.starts_with("--");
      if (ends) rest.remove_prefix(2);
      if (rest.find_first_not_of(" \t") != std::string_view::npos) continue;
      boundaries_.resize(ends ? i - 1 : i);
      return ends ? Border::ends : Border::begins;
    }
    return Border::none;
  }

  // Past preambles and epilogues, to the next part's header. False: the message ends.
  Result<bool> go_to_part() {
    if (std::exchange(at_part_, false)) return true;
    while (!boundaries_.empty()) {
      const Line line = EXHIBIT_TRY(lines_.next());
      if (line.length == 0) return false;
      if (border(line) == Border::begins) return true;
    }
    return false;
  }

  Result<PartHeader> read_header() {
    PartHeaderReader header;
    std::string field;
    while (true) {
      const Line line = EXHIBIT_TRY(lines_.next());
      if (line.length == 0) break;
      if (line.is_begin && line.text.empty()) break;
      if (line.is_begin && !line.text.starts_with(' ') && !line.text.starts_with('\t')) {
        header.take(field);
        field.clear();
      }
      field += line.text.substr(0, longest_field - std::min(longest_field, field.size()));
    }
    header.take(field);
    return header.finish();
  }

  // The line break before a boundary is the boundary's (RFC 2046, 5.1.1).
  Result<Entry> take_leaf(const PartHeader& header) {
    const std::uint64_t begin = lines_.position();
    std::uint64_t end = begin, end_before = begin;  // of the last line, without its line break
    bool is_cut = false;
    while (true) {
      const Line line = EXHIBIT_TRY(lines_.next());
      if (line.length == 0) break;
      const Border found = border(line);
      if (found != Border::none) {
        at_part_ = found == Border::begins;
        end = end_before;
        is_cut = true;
        break;
      }
      end = line.offset + line.length;
      end_before = line.offset + line.text.size();
    }
    if (!is_cut && !boundaries_.empty())
      trouble_ = Error{ErrorCode::corrupt, "the message ends before its last part does", {}, {}};
    range_ = Range(begin, end, header.coding);
    is_rest_told_ = false;
    Entry entry;
    entry.path =
        header.name.empty() ? "part-" + std::to_string(++parts_) + std::string(ending_of(header.type)) : header.name;
    if (header.coding == PartHeader::Coding::plain) entry.size = end - begin;
    return entry;
  }

  ByteSource& content_;
  Lines lines_;
  std::vector<std::string> boundaries_;  // "--…", the outermost first
  bool is_begun_ = false;
  bool at_part_ = false;  // the line before was a boundary that begins a part
  std::uint64_t parts_ = 0;
  Range range_;
  bool is_rest_told_ = false;
  std::optional<Error> trouble_;
};

class MailboxReader final : public Reader {
 public:
  explicit MailboxReader(ByteSource& content) : content_(content), lines_(content) {}

  Result<std::optional<Entry>> next() override {
    if (!at_message_) {
      const Line postmark = EXHIBIT_TRY(lines_.next());
      if (postmark.length == 0) return std::optional<Entry>();
    }
    at_message_ = false;
    const std::uint64_t begin = lines_.position();
    std::uint64_t end = begin;
    for (bool was_blank = true;;) {
      const Line line = EXHIBIT_TRY(lines_.next());
      if (line.length == 0) break;
      at_message_ = was_blank && is_postmark(line);
      if (at_message_) break;
      was_blank = line.is_begin && line.text.empty();
      // A blank line before a postmark, or at the end, is the mailbox's.
      end = line.offset + (was_blank ? 0 : line.length);
    }
    range_ = Range(begin, end, PartHeader::Coding::plain);
    char name[32];
    std::snprintf(name, sizeof name, "message-%06llu.eml", static_cast<unsigned long long>(++messages_));
    Entry entry;
    entry.path = name;
    entry.size = end - begin;
    return std::optional<Entry>(std::move(entry));
  }

  Result<std::size_t> read(std::span<std::byte> buffer) override { return range_.read(content_, buffer); }

 private:
  ByteSource& content_;
  Lines lines_;
  bool at_message_ = false;  // its postmark was read
  std::uint64_t messages_ = 0;
  Range range_;
};

}  // namespace

Result<std::unique_ptr<Reader>> open_mail(ByteSource& content) {
  Lines lines(content);
  const Line first = EXHIBIT_TRY(lines.next());
  if (is_postmark(first)) return std::unique_ptr<Reader>(std::make_unique<MailboxReader>(content));
  if (carve::field_name_length(first.text) > 0)
    return std::unique_ptr<Reader>(std::make_unique<MessageReader>(content));
  return Error{ErrorCode::corrupt, "it begins neither as a message does nor as a mailbox", {}, {}};
}

}  // namespace exhibit::expand
