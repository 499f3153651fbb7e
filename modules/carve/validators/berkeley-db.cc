// Berkeley DB's files (Oracle, db_page.h), the wallets of Bitcoin Core among them: the first page tells the number of
// the last; each page has its own number.

#include <algorithm>

#include "carve/validator.h"

namespace exhibit::carve {
namespace {

constexpr std::uint32_t btree = 0x00053162, hash = 0x00061561, queue = 0x00042253;
constexpr unsigned newest_type = 13;                 // of a page
constexpr std::uint64_t page_header = 26;            // bytes
constexpr std::uint64_t kept_every = 64 << 10;       // bytes
constexpr std::uint64_t wallet_looked_at = 1 << 20;  // bytes

class Fields {
 public:
  Fields(const Content& content, std::uint64_t at, bool is_big) : reader(content, at), is_big_(is_big) {}
  std::uint32_t half() { return is_big_ ? reader.be16() : reader.le16(); }
  std::uint32_t word() { return is_big_ ? reader.be32() : reader.le32(); }
  Reader reader;

 private:
  bool is_big_;
};

struct Database {
  bool is_big = false, is_tree = false;
  std::uint64_t page_size = 0, pages = 0;
};

bool read_meta(const Content& content, Database& database) {
  const std::uint32_t little = Reader(content, 12).le32(), big = Reader(content, 12).be32();
  const auto is_magic = [](std::uint32_t value) { return value == btree || value == hash || value == queue; };
  database.is_big = is_magic(big);
  if (!database.is_big && !is_magic(little)) return false;
  Fields fields(content, 8, database.is_big);
  const std::uint32_t number = fields.word();
  fields.word();
  const std::uint32_t version = fields.word();
  database.page_size = fields.word();
  const unsigned encryption = fields.reader.u8(), type = fields.reader.u8();
  database.is_tree = type == 9;
  fields.reader.skip(6);
  database.pages = std::uint64_t{fields.word()} + 1;
  const bool is_power = (database.page_size & (database.page_size - 1)) == 0;
  return fields.reader.ok() && number == 0 && version >= 3 && version <= 12 && database.page_size >= 512 &&
         database.page_size <= 65536 && is_power && encryption == 0 && (type == 8 || type == 9 || type == 10);
}

enum class Page { sound, zero, foreign };

// A page says its number; its entries' places lie behind its header, in the page.
Page page_at(const Content& content, const Database& database, std::uint64_t number) {
  const std::uint64_t at = number * database.page_size;
  const ByteSpan found = content.at(at, database.page_size);
  if (found.size() < database.page_size) return Page::foreign;
  const ByteSpan page = found.first(database.page_size);
  if (std::all_of(page.begin(), page.end(), [](std::uint8_t byte) { return byte == 0; })) return Page::zero;
  Fields fields(content, at + 8, database.is_big);
  const std::uint32_t told = fields.word(), before = fields.word(), after = fields.word();
  const std::uint32_t entries = fields.half(), free = fields.half();
  const unsigned level = fields.reader.u8(), type = fields.reader.u8();
  if (told != number || before > database.pages || after > database.pages || type > newest_type) return Page::foreign;
  const bool is_tree = type == 3 || type == 5 || type == 6;  // internal pages of btrees, leaves
  if (type == 3 && (level < 2 || level > 20)) return Page::foreign;
  if (!is_tree) return Page::sound;
  const std::uint64_t table_end = page_header + 2 * std::uint64_t{entries};
  if (table_end > database.page_size || free > database.page_size || free < table_end) return Page::foreign;
  for (std::uint32_t i = 0; i < entries; ++i) {
    const std::uint32_t place = fields.half();
    if (place < free || place >= database.page_size) return Page::foreign;
  }
  return Page::sound;
}

struct State : Memory::State {
  std::uint64_t page = 1, sound = 0;
  std::uint64_t told = 1;  // behind the last page that tells its number: zeros may be a gap's
};

std::string extension_of(const Content& content, std::uint64_t length) {
  const std::uint64_t limit = std::min(length, wallet_looked_at);
  for (const std::string_view key : {"\x07keymeta", "\x04ckey", "\tbestblock", "\nminversion", "\ndefaultkey"}) {
    if (find(content, key, 0, limit) < limit) return "wallet";
  }
  return {};
}

Verdict validate(const Content& content, Memory& memory) {
  Database database;
  if (!read_meta(content, database)) return {};
  State state;
  if (const auto* known = static_cast<const State*>(memory.latest())) state = *known;
  std::uint64_t kept = state.page * database.page_size;
  for (; state.page < database.pages; ++state.page) {
    const Page page = page_at(content, database, state.page);
    if (page == Page::foreign || (page == Page::zero && database.is_tree)) break;  // a tree writes each page
    if (page == Page::sound) ++state.sound, state.told = state.page + 1;
    const std::uint64_t at = state.page * database.page_size;
    if (at - kept >= kept_every) memory.keep(kept = at, std::make_shared<State>(state));
  }
  const std::uint64_t end = state.page * database.page_size;
  if (state.page >= database.pages && end <= content.size()) {
    // Only hashes and queues lay out pages before they use them.
    const bool is_proved = database.is_tree ? state.told == database.pages : state.sound * 2 >= state.page;
    if (is_proved) return Verdict::whole(end, extension_of(content, end));
  }
  if (state.sound == 0) return {};
  memory.keep(std::min(end, content.size()), std::make_shared<State>(state));
  std::uint64_t good = 0;
  const std::uint64_t looked_at = std::min(database.pages, state.page + 64);
  for (std::uint64_t page = state.page; page < looked_at; ++page) {
    good += page_at(content, database, page) == Page::sound ? 1 : 0;
  }
  const bool is_patched =
      good * 2 > looked_at - state.page && page_at(content, database, database.pages - 1) != Page::foreign;
  Verdict verdict = Verdict::broken(
      std::min(state.told * database.page_size, content.size()), std::min(end + database.page_size, content.size()),
      is_patched ? std::min(database.pages * database.page_size, content.size()) : state.told * database.page_size,
      DoubtCause::missing_segment);
  verdict.extension = extension_of(content, end);
  return verdict;
}

bool glance(ByteSpan head) { return head.size() >= 40 && (head[25] >= 8 && head[25] <= 10) && head[24] == 0; }

}  // namespace

extern const Validator berkeley_db_validator;
const Validator berkeley_db_validator = {"berkeley-db", validate, glance};

}  // namespace exhibit::carve
