// Access databases of the Jet 3, Jet 4 and ACE engines (mdbtools, HACKING.md; Jackcess). Pages of 2 or 4 KiB. The map
// of pages that are free, in the second page, tells the last that is in use; each page in use must be one of its type,
// and belong to a table whose definition lies where the page says.

#include <algorithm>
#include <optional>

#include "carve/validator.h"

namespace exhibit::carve {
namespace {

enum PageType : std::uint8_t { data = 1, table = 2, index = 3, index_leaf = 4, usage = 5 };

constexpr std::uint32_t long_values = 0x4c41564c;  // 'LVAL' in the place of the owner
constexpr std::uint32_t place_mask = 0x1fff;       // of a row's offset; the rest are flags
constexpr std::uint32_t most_pages = 1 << 20;      // 4 GiB, twice what the engine allows
constexpr std::uint64_t kept_every = 64 << 10;     // bytes

struct Engine {
  std::uint32_t page_size = 0, data_header = 0;  // bytes
};

std::optional<Engine> engine_of(const Content& content) {
  Reader reader(content);
  if (reader.le32() != 0x100) return std::nullopt;
  const bool is_jet = reader.take({"Standard Jet DB\0", 16});
  if (!is_jet && !reader.take({"Standard ACE DB\0", 16})) return std::nullopt;
  const std::uint32_t version = reader.le32();
  if (!reader.ok() || version > 5) return std::nullopt;
  return version == 0 ? Engine{2048, 10} : Engine{4096, 14};
}

// Where the rows of a data page begin; the page's end comes first. Nothing: they can't be rows.
std::optional<std::vector<std::uint32_t>> rows_of(const Content& content, std::uint64_t page, const Engine& engine) {
  Reader reader(content, page + engine.data_header - 2);
  const std::uint32_t count = reader.le16();
  const std::uint32_t begin = engine.data_header + 2 * count;
  if (!reader.ok() || begin > engine.page_size) return std::nullopt;
  std::vector<std::uint32_t> places{engine.page_size};
  for (std::uint32_t i = 0; i < count; ++i) {
    const std::uint32_t place = reader.le16() & place_mask;
    if (!reader.ok() || place > places.back() || place < begin) return std::nullopt;
    places.push_back(place);
  }
  return places;
}

bool is_page_of(const Content& content, std::uint64_t page, std::uint8_t type) {
  const ByteSpan head = content.at(page, 2);
  return head.size() >= 2 && head[0] == type && head[1] == 1;
}

bool is_page(const Content& content, std::uint32_t number, const Engine& engine) {
  const std::uint64_t page = std::uint64_t{number} * engine.page_size;
  Reader reader(content, page);
  const unsigned type = reader.u8(), mark = reader.u8();
  const std::uint32_t free = reader.le16(), owner = reader.le32();
  if (!reader.ok() || content.size() - page < engine.page_size || mark != 1) return false;
  if (type == usage) return free == 0;
  if (type == table) return owner < most_pages && free <= 0xffff;
  if (type != data && type != index && type != index_leaf) return false;
  if (free > engine.page_size) return false;
  const bool is_owned = type == data && (owner == long_values || owner == 0);
  if (!is_owned && owner >= most_pages) return false;
  if (!is_owned && owner < number && !is_page_of(content, std::uint64_t{owner} * engine.page_size, table)) return false;
  return type != data || rows_of(content, page, engine).has_value();
}

// Pages up to the last in use, as the map of free pages has it; 0: the map can't be read.
std::uint32_t pages_in_use(const Content& content, const Engine& engine) {
  const std::uint64_t page = engine.page_size;
  const auto rows = is_page_of(content, page, data) ? rows_of(content, page, engine) : std::nullopt;
  if (!rows || rows->size() < 2) return 0;
  const std::uint32_t begin = (*rows)[1], length = (*rows)[0] - begin;
  if (length < 6) return 0;
  std::uint32_t last = 0;
  const auto count = [&](std::uint64_t at, std::uint32_t bytes, std::uint32_t first) {
    const ByteSpan map = content.at(at, bytes);
    for (std::uint32_t bit = 0; bit < 8 * std::min<std::size_t>(bytes, map.size()); ++bit) {
      if ((map[bit / 8] >> (bit % 8) & 1) == 0) last = first + bit;
    }
  };
  Reader reader(content, page + begin);
  const unsigned kind = reader.u8();
  if (kind == 0) {  // the map itself
    const std::uint32_t first = reader.le32();
    if (first >= most_pages) return 0;
    count(reader.position(), length - 5, first);
  } else if (kind == 1) {  // pages that hold it
    const std::uint32_t bytes = engine.page_size - 4;
    for (std::uint32_t i = 0; i < (length - 1) / 4; ++i) {
      reader.seek(page + begin + 1 + 4 * i);
      const std::uint32_t map = reader.le32();
      if (map == 0) continue;
      const std::uint64_t at = std::uint64_t{map} * engine.page_size;
      if (map >= most_pages || !is_page_of(content, at, usage)) return 0;
      count(at + 4, bytes, i * bytes * 8);
    }
  }
  return last < most_pages && last > 0 ? last + 1 : 0;
}

struct State : Memory::State {
  std::uint32_t page = 1;  // the next
};

Verdict validate(const Content& content, Memory& memory) {
  const auto engine = engine_of(content);
  if (!engine) return {};
  const std::uint64_t page_size = engine->page_size;
  State state;
  if (const auto* known = static_cast<const State*>(memory.latest())) state = *known;
  const std::uint32_t used = pages_in_use(content, *engine);
  for (; used == 0 || state.page < used; ++state.page) {
    if (!is_page(content, state.page, *engine)) break;
    const std::uint64_t at = state.page * page_size;
    if (at % kept_every == 0) memory.keep(at, std::make_shared<State>(state));
  }
  // Pages that were freed keep their look, and the file its length.
  if (used > 0 && state.page >= used) {
    while (is_page(content, state.page, *engine)) ++state.page;
    return Verdict::whole(state.page * page_size);
  }
  if (state.page <= 2) return {};
  const std::uint64_t sound = state.page * page_size;
  const std::uint64_t suspect = std::min(sound + page_size, content.size());
  memory.keep(sound, std::make_shared<State>(state));
  // Overwritten in the midst, if most of the rest holds.
  std::uint32_t good = 0, last = state.page;
  for (std::uint32_t page = state.page; page < used && page < state.page + 64; ++page) {
    if (is_page(content, page, *engine)) ++good, last = page + 1;
  }
  const bool is_patched =
      used > 0 && good > (std::min(used, state.page + 64) - state.page) / 2 && is_page(content, used - 1, *engine);
  const std::uint64_t length = is_patched ? used * page_size : sound;
  return Verdict::broken(sound, is_patched ? std::min(suspect, last * page_size) : suspect, length,
                         DoubtCause::missing_segment);
}

}  // namespace

extern const Validator mdb_validator;
const Validator mdb_validator = {"mdb", validate};

}  // namespace exhibit::carve
