#include "carve/compound_streams.h"

#include <algorithm>
#include <map>

namespace exhibit::carve {
namespace {

constexpr std::uint32_t longest_biff_record = 8224;  // bytes ([MS-XLS] 2.1.4)
constexpr std::uint32_t page = 512;                  // bytes: of a formatted disk page ([MS-DOC] 2.9.33)
constexpr std::size_t most_pages = 1 << 16;

std::uint32_t le16(ByteSpan bytes, std::size_t at) { return bytes[at] | std::uint32_t{bytes[at + 1]} << 8; }
std::uint32_t le32(ByteSpan bytes, std::size_t at) { return le16(bytes, at) | le16(bytes, at + 2) << 16; }

// A stream that has its own sectors.
class Stream {
 public:
  Stream(const Content& content, const CompoundFile& file, const CompoundFile::Entry& entry)
      : content_(content), sector_size_(file.header().sector_size), size_(entry.size) {
    for (const std::uint32_t sector : file.sectors_of(entry)) offsets_.push_back(file.offset_of(sector));
    size_ = std::min<std::uint64_t>(size_, offsets_.size() * sector_size_);
  }
  // One that is taken to lie in one piece.
  Stream(const Content& content, std::uint64_t begin, std::uint64_t size)
      : content_(content), sector_size_(size), size_(size), offsets_{begin} {}
  std::uint64_t size() const { return size_; }
  // Where the content has the stream's byte `at` < size().
  std::uint64_t offset(std::uint64_t at) const { return offsets_[at / sector_size_] + at % sector_size_; }
  // `length` bytes (a few); fewer where the stream ends.
  std::vector<std::uint8_t> read(std::uint64_t at, std::uint64_t length) const {
    std::vector<std::uint8_t> bytes;
    while (at < size_ && bytes.size() < length) {
      const std::uint64_t here = std::min({length - bytes.size(), sector_size_ - at % sector_size_, size_ - at});
      const ByteSpan found = content_.at(offset(at), here);
      if (found.size() < here) break;
      bytes.insert(bytes.end(), found.begin(), found.begin() + static_cast<std::ptrdiff_t>(here));
      at += here;
    }
    return bytes;
  }
  // Whether the stream's [at, end) is all zero.
  bool is_zero(std::uint64_t at) const {
    for (; at < size_; at += sector_size_ - at % sector_size_) {
      const std::uint64_t here = std::min(sector_size_ - at % sector_size_, size_ - at);
      const ByteSpan found = content_.at(offset(at), here);
      if (found.size() < here) return false;
      if (std::any_of(found.begin(), found.begin() + static_cast<std::ptrdiff_t>(here),
                      [](auto b) { return b != 0; })) {
        return false;
      }
    }
    return true;
  }
  // The stream's [from, to) as stretches of the content.
  void add(std::uint64_t from, std::uint64_t to, bool is_sound, std::vector<CheckedStretch>& stretches) const {
    for (std::uint64_t at = from; at < std::min(to, size_);) {
      const std::uint64_t here = std::min({sector_size_ - at % sector_size_, size_ - at, to - at});
      const std::uint64_t begin = offset(at);
      if (!stretches.empty() && stretches.back().end == begin && stretches.back().is_sound == is_sound) {
        stretches.back().end += here;
      } else {
        stretches.push_back({begin, begin + here, is_sound});
      }
      at += here;
    }
  }

 private:
  const Content& content_;
  std::uint64_t sector_size_, size_;
  std::vector<std::uint64_t> offsets_;
};

// BIFF: records of a type and a length, in substreams from BOF to EOF.
void check_workbook(const Stream& stream, std::vector<CheckedStretch>& stretches) {
  constexpr std::uint32_t end_of_substream = 0x000a;
  std::uint64_t at = 0;
  bool is_outside = true;
  while (at + 4 <= stream.size()) {
    const auto head = stream.read(at, 4);
    if (head.size() < 4) break;
    const std::uint32_t type = le16(head, 0), length = le16(head, 2);
    const bool is_begin = (type & 0xff) == 0x09 && (type >> 8) <= 8;
    if (is_outside && !is_begin) {
      if (at > 0) {  // what fills the stream up
        stream.add(0, at, true, stretches);
        return;
      }
    }
    if ((is_outside && !is_begin) || length > longest_biff_record || length > stream.size() - at - 4 || type > 0x1fff ||
        type == 0) {
      stream.add(0, at, true, stretches);
      stream.add(at, at + 4, false, stretches);
      return;
    }
    is_outside = type == end_of_substream;
    at += 4 + length;
  }
  stream.add(0, stream.size(), true, stretches);
}

// A header of PowerPoint's and Office Art's records.
struct RecordHead {
  std::uint32_t type = 0, length = 0;
  bool is_container = false, is_known = false;
};

RecordHead record_at(const Stream& stream, std::uint64_t at) {
  const auto bytes = stream.read(at, 8);
  if (bytes.size() < 8) return {};
  RecordHead head{le16(bytes, 2), le32(bytes, 4), (bytes[0] & 0x0f) == 0x0f, false};
  const bool is_type = (head.type >= 0x3e8 && head.type <= 0x3000) || (head.type >= 0xf000 && head.type <= 0xf1ff);
  head.is_known = is_type && head.length <= stream.size() - at - 8;
  return head;
}

// Containers hold other records, except those whose content is a package (of the newer formats, for the way back).
void check_records(const Stream& stream, std::vector<CheckedStretch>& stretches) {
  constexpr std::uint32_t user_edit = 0x0ff5;  // the last of what was saved; behind it may be what was before
  std::uint64_t at = 0;
  std::uint32_t last = 0;
  while (at + 8 <= stream.size()) {
    const RecordHead head = record_at(stream, at);
    if (!head.is_known) {
      const bool is_filling = last == user_edit || (at > 0 && stream.is_zero(at));
      stream.add(0, at, true, stretches);
      if (!is_filling) stream.add(at, at + 8, false, stretches);
      return;
    }
    const bool is_entered = head.is_container && head.length >= 8 && record_at(stream, at + 8).is_known;
    at += is_entered ? 8 : 8 + std::uint64_t{head.length};
    last = head.type;
  }
  stream.add(0, std::min(at, stream.size()), true, stretches);
}

// Word's pages of formatting, to which a table in another stream leads, each for a stretch of text that both name.
void check_pages(const Stream& document, const Stream& table, std::uint32_t offset, std::uint32_t length,
                 std::vector<CheckedStretch>& stretches) {
  if (length < 12 || (length - 4) % 8 != 0) return;
  const std::size_t count = (length - 4) / 8;
  if (count > most_pages) return;
  const auto plc = table.read(offset, length);
  if (plc.size() < length) return;
  for (std::size_t i = 0; i < count; ++i) {
    const std::uint64_t at = std::uint64_t{le32(plc, 4 * (count + 1) + 4 * i) & 0x3fffff} * page;
    const auto bytes = document.read(at, page);
    if (bytes.size() < page) return;
    const std::size_t runs = bytes[page - 1];
    bool is_sound = runs > 0 && runs <= 101 && le32(bytes, 0) == le32(plc, 4 * i);
    for (std::size_t k = 0; is_sound && k < runs; ++k) is_sound = le32(bytes, 4 * k) < le32(bytes, 4 * k + 4);
    is_sound = is_sound && le32(bytes, 4 * runs) == le32(plc, 4 * (i + 1));
    document.add(at, at + page, is_sound, stretches);
  }
}

void check_document(const Stream& document, const Stream& table, std::vector<CheckedStretch>& stretches) {
  constexpr std::uint64_t character_pages = 0xfa, paragraph_pages = 0x102;  // fcPlcfBteChpx, …Papx (2.5.6)
  const auto fib = document.read(0, 0x10a);
  if (fib.size() < 0x10a || le16(fib, 0) != 0xa5ec) return;
  document.add(0, 32, true, stretches);
  if (le16(fib, 2) < 0xc1 || (fib[0x0b] & 1) != 0) return;  // before Word 97, or encrypted
  for (const std::uint64_t field : {character_pages, paragraph_pages}) {
    check_pages(document, table, le32(fib, field), le32(fib, field + 4), stretches);
  }
}

// A property set ([MS-OLEPS] 2.21, 2.20, 2.15): sections of properties, each with its type where the table says it
// lies.
void check_properties(const Stream& stream, std::vector<CheckedStretch>& stretches) {
  constexpr std::uint32_t most_properties = 256, last_type = 0x48, vector = 0x1000;
  const auto head = stream.read(0, 48);
  const bool is_set =
      head.size() == 48 && le16(head, 0) == 0xfffe && le16(head, 2) <= 1 && le32(head, 24) >= 1 && le32(head, 24) <= 2;
  if (!is_set) return stream.add(0, std::min<std::uint64_t>(48, stream.size()), false, stretches);
  const std::uint64_t section = le32(head, 44);
  const auto begin = stream.read(section, 8);
  if (begin.size() < 8 || le32(begin, 0) > stream.size() - section || le32(begin, 4) > most_properties) {
    return stream.add(0, 48, false, stretches);
  }
  const std::uint32_t count = le32(begin, 4);
  const auto table = stream.read(section + 8, std::uint64_t{count} * 8);
  std::uint64_t proved = section + 8;
  for (std::uint32_t i = 0; 8 * (i + 1) <= table.size(); ++i) {
    const std::uint64_t at = section + le32(table, 8 * i + 4);
    const auto type = stream.read(at, 4);
    const bool is_dictionary = le32(table, 8 * i) == 0;
    const bool is_sound = type.size() == 4 && (is_dictionary || (le32(type, 0) & ~vector) <= last_type);
    if (!is_sound) return stream.add(proved, std::min(proved + 4, stream.size()), false, stretches);
    proved = std::max(proved, at + 4);
  }
  stream.add(0, proved, true, stretches);
}

}  // namespace

std::vector<CheckedStretch> check_streams(const Content& content, const CompoundFile& file) {
  std::vector<CheckedStretch> stretches;
  const auto own = [&](std::string_view name) {
    const CompoundFile::Entry* entry = file.find(name);
    return entry != nullptr && entry->type == 2 && file.has_own_sectors(*entry) ? entry : nullptr;
  };
  for (const std::string_view name : {"Workbook", "Book"}) {
    if (const auto* entry = own(name)) check_workbook(Stream(content, file, *entry), stretches);
  }
  for (const std::string_view name : {"PowerPoint Document", "Pictures"}) {
    if (const auto* entry = own(name)) check_records(Stream(content, file, *entry), stretches);
  }
  for (const std::string_view name : {"\x05SummaryInformation",
                                      "\x05"
                                      "DocumentSummaryInformation"}) {
    if (const auto* entry = own(name)) check_properties(Stream(content, file, *entry), stretches);
  }
  if (const auto* document = own("WordDocument")) {
    const Stream stream(content, file, *document);
    const auto fib = stream.read(0, 12);
    const bool is_second = fib.size() == 12 && (fib[0x0b] & 2) != 0;  // fWhichTblStm
    if (const auto* table = own(is_second ? "1Table" : "0Table")) {
      check_document(stream, Stream(content, file, *table), stretches);
    }
  }
  return stretches;
}

std::uint64_t end_of_first_stream(const Content& content, std::uint64_t begin) {
  constexpr std::uint64_t most = 16 << 20, least = 2048;  // bytes
  if (content.size() < begin + least) return begin;
  const Stream stream(content, begin, std::min(content.size() - begin, most));
  const auto head = stream.read(0, 4);
  std::vector<CheckedStretch> stretches;
  if (head.size() == 4 && le16(head, 0) == 0x0809) {
    check_workbook(stream, stretches);
  } else if (record_at(stream, 0).is_known) {
    check_records(stream, stretches);
  }
  const bool holds = !stretches.empty() && stretches.front().is_sound && stretches.front().end >= begin + least;
  return holds ? stretches.front().end : begin;
}

}  // namespace exhibit::carve
