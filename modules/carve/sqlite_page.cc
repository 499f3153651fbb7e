#include "carve/sqlite_page.h"

#include <algorithm>
#include <utility>

namespace exhibit::carve {
namespace {

constexpr std::size_t leaf_header = 8, interior_header = 12;  // bytes (1.6)
constexpr std::size_t least_cell = 4;                         // bytes: what a freed cell needs to be a free block
constexpr unsigned most_fragments = 60;                       // bytes (1.6, offset 7)

std::uint32_t be16(ByteSpan bytes, std::size_t at) { return std::uint32_t{bytes[at]} << 8 | bytes[at + 1]; }
std::uint32_t be32(ByteSpan bytes, std::size_t at) { return be16(bytes, at) << 16 | be16(bytes, at + 2); }

// A variable-length integer (1.6); nothing where it would leave `bytes`. Moves `at` behind it.
std::optional<std::uint64_t> varint(ByteSpan bytes, std::size_t& at) {
  std::uint64_t value = 0;
  for (int i = 0; i < 8; ++i) {
    if (at >= bytes.size()) return std::nullopt;
    const std::uint8_t byte = bytes[at++];
    value = value << 7 | (byte & 0x7f);
    if (byte < 0x80) return value;
  }
  if (at >= bytes.size()) return std::nullopt;
  return value << 8 | bytes[at++];
}

// Bytes of a value of a serial type (2.1).
std::optional<std::uint64_t> value_size(std::uint64_t serial_type) {
  static constexpr std::uint8_t sizes[] = {0, 1, 2, 3, 4, 6, 8, 8, 0, 0};
  if (serial_type < std::size(sizes)) return sizes[serial_type];
  if (serial_type < 12) return std::nullopt;  // reserved
  return (serial_type - 12) / 2;
}

// A record's header must describe exactly the payload. True also where the header goes on in an overflow page.
bool is_record(ByteSpan local, std::uint64_t payload) {
  std::size_t at = 0;
  const auto header = varint(local, at);
  if (!header || *header < at || *header > payload) return false;
  if (*header > local.size()) return true;
  std::uint64_t total = *header;
  while (at < *header) {
    const auto type = varint(local.first(*header), at);
    const auto size = type ? value_size(*type) : std::nullopt;
    if (!size || *size > payload - total) return false;
    total += *size;
  }
  return total == payload;
}

class Parser {
 public:
  Parser(ByteSpan page, std::size_t begin, std::uint32_t usable)
      : page_(page.first(usable)), begin_(begin), usable_(usable) {}

  SqlitePage parse() {
    if (!header()) return {};
    std::size_t filled = page_[begin_ + 7];
    for (std::size_t i = 0; i < cells_; ++i) {
      const std::size_t at = be16(page_, pointers_ + 2 * i);
      if (at < start_ || at + least_cell > usable_) return {};
      const auto size = cell(at);
      if (!size || *size > usable_ - at) return {};
      filled += std::max(*size, least_cell);
    }
    const auto free = free_blocks();
    if (!free || filled + *free != usable_ - start_) return {};
    if (!std::is_sorted(result_.rowids.begin(), result_.rowids.end())) return {};
    if (result_.is_interior()) {
      result_.children.push_back(be32(page_, begin_ + 8));
      if (result_.children.back() == 0) return {};
    }
    return std::move(result_);
  }

 private:
  bool header() {
    const std::uint8_t type = page_[begin_];
    if (type != SqlitePage::index_interior && type != SqlitePage::table_interior && type != SqlitePage::index_leaf &&
        type != SqlitePage::table_leaf) {
      return false;
    }
    result_.type = static_cast<SqlitePage::Type>(type);
    cells_ = be16(page_, begin_ + 3);
    start_ = be16(page_, begin_ + 5);
    if (start_ == 0) start_ = 65536;
    pointers_ = begin_ + (result_.is_interior() ? interior_header : leaf_header);
    return page_[begin_ + 7] <= most_fragments && start_ <= usable_ && pointers_ + 2 * cells_ <= start_;
  }

  // The cell at `at`; its size.
  std::optional<std::size_t> cell(std::size_t at) {
    const std::size_t begin = at;
    if (result_.is_interior()) {
      const std::uint32_t child = be32(page_, at);
      if (child == 0) return std::nullopt;
      result_.children.push_back(child);
      at += 4;
    }
    std::uint64_t payload = 0;
    if (result_.type != SqlitePage::table_interior) {
      const auto length = varint(page_, at);
      if (!length || *length == 0 || *length > 0x7fffffff) return std::nullopt;
      payload = *length;
    }
    if (result_.is_table()) {
      const auto rowid = varint(page_, at);
      if (!rowid) return std::nullopt;
      result_.rowids.push_back(static_cast<std::int64_t>(*rowid));
    }
    if (payload == 0) return at - begin;
    return content(at, payload, begin);
  }

  // The payload at `at` of the cell that begins at `begin`; the cell's size.
  std::optional<std::size_t> content(std::size_t at, std::uint64_t payload, std::size_t begin) {
    const std::uint64_t local = local_size(payload);
    const std::size_t pointer = local < payload ? 4 : 0;
    if (local + pointer > usable_ - at) return std::nullopt;
    if (!is_record(page_.subspan(at, local), payload)) return std::nullopt;
    if (result_.type == SqlitePage::table_leaf) result_.payloads.push_back(static_cast<std::uint16_t>(at));
    if (pointer > 0) {
      const std::uint64_t pages = (payload - local + usable_ - 5) / (usable_ - 4);
      result_.overflows.push_back({be32(page_, at + local), static_cast<std::uint32_t>(pages)});
    }
    return at + local + pointer - begin;
  }

  // How much of a payload lies in the page (1.6).
  std::uint64_t local_size(std::uint64_t payload) const {
    const bool is_table = result_.type == SqlitePage::table_leaf;
    const std::uint64_t most = is_table ? usable_ - 35 : (usable_ - 12) * 64 / 255 - 23;
    if (payload <= most) return payload;
    const std::uint64_t least = (usable_ - 12) * 32 / 255 - 23;
    const std::uint64_t rest = least + (payload - least) % (usable_ - 4);
    return rest <= most ? rest : least;
  }

  // Their sum; nothing if their chain isn't sound.
  std::optional<std::size_t> free_blocks() const {
    std::size_t sum = 0;
    std::size_t after = start_;  // a free block begins no earlier
    for (std::size_t at = be16(page_, begin_ + 1); at != 0;) {
      if (at < after || at + least_cell > usable_) return std::nullopt;
      const std::size_t size = be16(page_, at + 2);
      if (size < least_cell || size > usable_ - at) return std::nullopt;
      sum += size;
      after = at + size;
      at = be16(page_, at);
    }
    return sum;
  }

  ByteSpan page_;
  std::size_t begin_;
  std::uint64_t usable_;
  std::size_t cells_ = 0, pointers_ = 0, start_ = 0;
  SqlitePage result_;
};

}  // namespace

SqlitePage parse_sqlite_page(ByteSpan page, std::size_t begin, std::uint32_t usable) {
  if (page.size() < usable || begin + interior_header > usable) return {};
  return Parser(page, begin, usable).parse();
}

std::optional<std::int64_t> sqlite_integer(ByteSpan bytes, std::size_t column) {
  std::size_t at = 0;
  const auto header = varint(bytes, at);
  if (!header || *header > bytes.size()) return std::nullopt;
  std::uint64_t place = *header;
  for (std::size_t i = 0; at < *header; ++i) {
    const auto type = varint(bytes, at);
    const auto size = type ? value_size(*type) : std::nullopt;
    if (!size || *size > bytes.size() - std::min<std::uint64_t>(place, bytes.size())) return std::nullopt;
    if (i < column) {
      place += *size;
      continue;
    }
    if (*type == 8 || *type == 9) return static_cast<std::int64_t>(*type) - 8;
    if (*type == 0 || *type > 6) return std::nullopt;
    std::uint64_t value = (bytes[place] & 0x80) != 0 ? ~std::uint64_t{0} : 0;
    for (std::uint64_t k = 0; k < *size; ++k) value = value << 8 | bytes[place + k];
    return static_cast<std::int64_t>(value);
  }
  return std::nullopt;
}

std::uint8_t sqlite_text_begin(ByteSpan bytes) {
  std::size_t at = 0;
  const auto header = varint(bytes, at);
  return header && *header < bytes.size() ? bytes[*header] : std::uint8_t{0};
}

}  // namespace exhibit::carve
