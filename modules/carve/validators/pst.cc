// Outlook's stores ([MS-PST]; for the pages of 4 KiB of newer offline stores: libpff, Personal Folder File format). The
// header tells the file's length; from it two B-trees lead to every page and block, each with a checksum and a
// signature made of its place.

#include <algorithm>
#include <vector>

#include "carve/validator.h"

namespace exhibit::carve {
namespace {

constexpr std::uint64_t header_length = 0x200;  // bytes
constexpr unsigned most_levels = 8;
constexpr std::uint64_t most_entries = 1 << 24;
constexpr std::size_t most_doubts = 64;

struct Layout {
  bool is_wide = false;                                                        // 64-bit offsets
  std::uint64_t page = 512, trailer = 16, entries_end = 488, block_unit = 64;  // bytes
  std::uint64_t end = 0, nodes = 0, blocks = 0;                                // offsets
  std::uint64_t nodes_id = 0, blocks_id = 0;
};

// The CRC of [MS-PST] 5.3 begins with zero and isn't inverted.
std::uint32_t sum_of(const Content& content, std::uint64_t offset, std::uint64_t length) {
  return ~crc32(content, offset, length, 0xffffffff);
}

bool read_header(const Content& content, Layout& layout) {
  Reader reader(content);
  if (!reader.take("!BDN")) return false;
  const std::uint32_t sum = reader.le32();
  const std::uint32_t client = reader.le16(), version = reader.le16();
  const bool is_client = client == 0x4d53 || client == 0x4f53 || client == 0x4142;  // store, offline store, addresses
  if (!reader.ok() || !is_client || content.size() < 0x234) return false;
  layout.is_wide = version >= 20;
  if (version >= 36) layout = {true, 4096, 24, 4056, 512, 0, 0, 0, 0, 0};
  if (!layout.is_wide) layout = {false, 512, 12, 496, 64, 0, 0, 0, 0, 0};
  const auto word = [&] { return layout.is_wide ? reader.le64() : reader.le32(); };
  reader.seek(layout.is_wide ? 184 : 168);  // ROOT (2.2.2.5)
  layout.end = word();
  word(), word(), word();
  layout.nodes_id = word();
  layout.nodes = word();
  layout.blocks_id = word();
  layout.blocks = word();
  return sum_of(content, 8, 471) == sum && reader.ok() && layout.end > header_length;
}

class Store {
 public:
  Store(const Content& content, const Layout& layout) : content_(content), layout_(layout) {}

  void walk() {
    walk_tree(layout_.blocks, layout_.blocks_id, 0x80, most_levels);
    walk_tree(layout_.nodes, layout_.nodes_id, 0x81, most_levels);
  }
  std::uint64_t sound() const { return sound_; }
  std::uint64_t count() const { return count_; }
  std::uint64_t highest() const { return highest_; }
  std::vector<Doubt>& doubts() { return doubts_; }

 private:
  void contradict(std::uint64_t offset, std::uint64_t length) {
    if (offset >= content_.size()) return missing_ = true, add({content_.size(), 0, DoubtCause::missing_segment});
    add({offset, std::min(length, content_.size() - offset), DoubtCause::crc_error});
  }
  void add(Doubt doubt) {
    if (doubts_.size() < most_doubts) doubts_.push_back(doubt);
  }
  std::uint64_t word(Reader& reader) const { return layout_.is_wide ? reader.le64() : reader.le32(); }

  // 5.5: made of the place and the identifier.
  static std::uint16_t signature_of(std::uint64_t offset, std::uint64_t id) {
    const auto mixed = static_cast<std::uint32_t>(offset ^ id);
    return static_cast<std::uint16_t>((mixed >> 16) ^ mixed);
  }

  // What follows the `length` checked bytes of a page or block, from its signature on.
  bool trailer_holds(std::uint64_t at, std::uint64_t trailer, std::uint64_t checked, std::uint64_t id) {
    Reader reader(content_, trailer + 2);
    const std::uint16_t signature = reader.le16();
    const std::uint32_t first = reader.le32();
    const std::uint64_t second = word(reader);
    const std::uint32_t sum = layout_.is_wide ? first : static_cast<std::uint32_t>(second);
    const std::uint64_t told = layout_.is_wide ? second : first;
    return reader.ok() && told == id && signature == signature_of(at, id) && sum_of(content_, at, checked) == sum;
  }

  bool page_holds(std::uint64_t at, std::uint64_t id, std::uint8_t type) {
    const std::uint64_t trailer = at + layout_.page - layout_.trailer;
    if (at > content_.size() || content_.size() - at < layout_.page) return false;
    const ByteSpan head = content_.at(trailer, 2);
    return head[0] == type && head[1] == type && trailer_holds(at, trailer, layout_.page - layout_.trailer, id);
  }

  void hold(std::uint64_t at, std::uint64_t length) {
    ++count_;
    sound_ += length;
    highest_ = std::max(highest_, at + length);
  }

  void walk_tree(std::uint64_t at, std::uint64_t id, std::uint8_t type, unsigned levels) {
    if (levels == 0 || ++visited_ > most_entries) return contradict(at, layout_.page);
    if (!page_holds(at, id, type)) return contradict(at, layout_.page);
    hold(at, layout_.page);
    Reader reader(content_, at + layout_.entries_end);
    const bool is_large = layout_.page == 4096;
    const std::uint32_t count = is_large ? reader.le16() : reader.u8();
    is_large ? reader.le16() : reader.u8();
    const std::uint64_t size = reader.u8(), level = reader.u8();
    if (count * size > layout_.entries_end) return contradict(at, layout_.page);
    for (std::uint32_t i = 0; i < count; ++i) {
      reader.seek(at + i * size);
      if (level > 0) {
        word(reader);
        const std::uint64_t child_id = word(reader);
        walk_tree(word(reader), child_id, type, levels - 1);
      } else if (type == 0x80) {
        const std::uint64_t block_id = word(reader), block = word(reader), length = reader.le16();
        check_block(block, block_id, length);
      }
    }
  }

  // 2.2.2.8: bytes, filling, a trailer at the end of a multiple of the unit.
  void check_block(std::uint64_t at, std::uint64_t id, std::uint64_t length) {
    const std::uint64_t unit = layout_.block_unit;
    const std::uint64_t whole = (length + layout_.trailer + unit - 1) / unit * unit;
    if (++visited_ > most_entries) return;
    const bool is_there = at <= content_.size() && whole <= content_.size() - at;
    if (!is_there || !trailer_holds(at, at + whole - layout_.trailer, length, id)) return contradict(at, whole);
    hold(at, whole);
  }

  const Content& content_;
  const Layout& layout_;
  std::uint64_t sound_ = 0, count_ = 0, highest_ = 0, visited_ = 0;
  bool missing_ = false;
  std::vector<Doubt> doubts_;
};

Verdict validate(const Content& content, Memory&) {
  Layout layout;
  if (!read_header(content, layout)) return {};
  Store store(content, layout);
  store.walk();
  if (store.count() == 0)
    return Verdict::broken(header_length, header_length, header_length, DoubtCause::missing_segment);
  std::vector<Doubt>& doubts = store.doubts();
  const std::string extension;
  if (doubts.empty() && layout.end <= content.size()) return Verdict::whole(layout.end);
  std::sort(doubts.begin(), doubts.end(), [](const Doubt& a, const Doubt& b) { return a.offset < b.offset; });
  const bool is_mostly = store.count() > doubts.size();
  const std::uint64_t end = std::min(is_mostly ? layout.end : store.highest(), content.size());
  std::erase_if(doubts, [&](const Doubt& doubt) { return doubt.offset > end; });
  Verdict verdict = Verdict::broken(header_length, end, std::max(end, header_length), DoubtCause::missing_segment);
  if (!doubts.empty()) verdict.doubts = doubts;
  for (Doubt& doubt : verdict.doubts) doubt.length = std::min(doubt.length, verdict.length - doubt.offset);
  return verdict;
}

}  // namespace

extern const Validator pst_validator;
const Validator pst_validator = {"pst", validate};

}  // namespace exhibit::carve
