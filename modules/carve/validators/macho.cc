// Mach-O (Apple, Mach-O file format reference; mach-o/loader.h, mach-o/fat.h): the end is that of the last segment or
// table that the load commands name; a universal file ends with the last architecture's.

#include <algorithm>

#include "base/checked.h"
#include "carve/validator.h"

namespace exhibit::carve {
namespace {

constexpr std::uint32_t thin32 = 0xfeedface, thin64 = 0xfeedfacf, universal = 0xcafebabe;
constexpr std::uint32_t most_commands = 4096, most_command_bytes = 1 << 20;
constexpr std::uint32_t most_architectures = 16;               // a class of Java has its version here, 45 at least
constexpr std::uint64_t most_length = std::uint64_t{4} << 30;  // bytes

enum Command : std::uint32_t {
  segment32 = 0x1,
  symbols = 0x2,
  dynamic_symbols = 0xb,
  segment64 = 0x19,
  code_signature = 0x1d,
  split_info = 0x1e,
  function_starts = 0x26,
  data_in_code = 0x29,
  signature_directions = 0x2b,
  linker_hints = 0x2e,
  exports = 0x80000033,
  fixups = 0x80000034,
  dynamic_info = 0x22,
  dynamic_info_only = 0x80000022,
};

class Fields {
 public:
  Fields(const Content& content, std::uint64_t at, bool is_big) : reader(content, at), is_big_(is_big) {}
  std::uint32_t word() { return is_big_ ? reader.be32() : reader.le32(); }
  std::uint64_t wide() { return is_big_ ? reader.be64() : reader.le64(); }
  Reader reader;

 private:
  bool is_big_;
};

struct Reach {
  std::uint64_t end = 0;
  bool holds = true;
  std::uint64_t symbols = 0, symbol_count = 0, strings = 0, string_bytes = 0;  // of LC_SYMTAB
  void add(std::uint64_t offset, std::uint64_t length) {
    const auto sum = base::checked_add(offset, length);
    holds = holds && sum && *sum <= most_length;
    if (holds && length > 0) end = std::max(end, *sum);
  }
};

void add_segment(Fields& fields, std::uint32_t size, bool is_wide, bool is_object, Reach& reach) {
  fields.reader.skip(16);
  const auto value = [&] { return is_wide ? fields.wide() : fields.word(); };
  value(), value();
  const std::uint64_t offset = value(), length = value();
  fields.word(), fields.word();
  const std::uint32_t sections = fields.word();
  fields.word();
  const std::uint32_t section_size = is_wide ? 80 : 68;
  reach.holds = reach.holds && std::uint64_t{sections} * section_size + (is_wide ? 72 : 56) <= size;
  reach.add(offset, length);
  // Relocations of an object file lie behind the segment.
  for (std::uint32_t i = 0; reach.holds && i < sections; ++i) {
    fields.reader.skip(32 + (is_wide ? 16 : 8) + 8);
    const std::uint64_t relocations = fields.word(), count = fields.word();
    fields.reader.skip(is_wide ? 16 : 12);
    if (is_object) reach.add(relocations, count * 8);
  }
}

void add_command(Fields& fields, std::uint32_t command, std::uint32_t size, bool is_wide, bool is_object,
                 Reach& reach) {
  switch (command) {
    case segment32:
    case segment64:
      return add_segment(fields, size, command == segment64, is_object, reach);
    case symbols: {
      const std::uint64_t at = fields.word(), count = fields.word(), strings = fields.word(), length = fields.word();
      reach.symbols = at, reach.symbol_count = count, reach.strings = strings, reach.string_bytes = length;
      reach.add(at, count * (is_wide ? 16 : 12));
      return reach.add(strings, length);
    }
    case dynamic_info:
    case dynamic_info_only:
      for (int i = 0; i < 5; ++i) {
        const std::uint64_t at = fields.word(), length = fields.word();
        reach.add(at, length);
      }
      return;
    case code_signature:
    case split_info:
    case function_starts:
    case data_in_code:
    case signature_directions:
    case linker_hints:
    case exports:
    case fixups: {
      const std::uint64_t at = fields.word(), length = fields.word();
      return reach.add(at, length);
    }
    default:
      return;
  }
}

// Whether each symbol's name lies in the table of names, which begins with an empty one: both lie at the file's end.
bool symbols_hold(const Content& content, const Reach& reach, bool is_wide, bool is_big) {
  if (reach.symbol_count == 0 || reach.string_bytes == 0) return false;
  std::uint64_t named = 0;
  for (std::uint64_t i = 0; i < reach.symbol_count; ++i) {
    Fields symbol(content, reach.symbols + i * (is_wide ? 16 : 12), is_big);
    const std::uint32_t name = symbol.word();
    if (name >= reach.string_bytes || !symbol.reader.ok()) return false;
    if (name == 0) continue;
    const std::uint8_t first = Reader(content, reach.strings + name).u8();
    named += first != 0 ? 1 : 0;
  }
  if (named < reach.symbol_count / 2 || named == 0) return false;
  Reader reader(content, reach.strings);
  const unsigned first = reader.u8();
  reader.seek(reach.strings + reach.string_bytes - 1);
  return (first == 0 || first == ' ') && reader.u8() == 0 && reader.ok();
}

struct Thin {
  std::uint64_t end = 0;       // 0: it isn't one
  std::uint64_t commands = 0;  // the end of the load commands
  bool is_proved = false;
};

// A file for one architecture.
Thin read_thin(const Content& content) {
  Reader magic(content);
  const std::uint32_t big = magic.be32();
  const bool is_big = big == thin32 || big == thin64;
  const std::uint32_t found = is_big ? big : Reader(content).le32();
  if (found != thin32 && found != thin64) return {};
  const bool is_wide = found == thin64;
  Fields fields(content, 4, is_big);
  fields.word(), fields.word();
  const std::uint32_t type = fields.word(), commands = fields.word(), bytes = fields.word();
  if (type == 0 || type > 12 || commands == 0 || commands > most_commands || bytes > most_command_bytes) return {};
  std::uint64_t at = is_wide ? 32 : 28;
  const std::uint64_t commands_end = at + bytes;
  Reach reach;
  reach.add(0, commands_end);
  for (std::uint32_t i = 0; i < commands; ++i) {
    Fields command(content, at, is_big);
    const std::uint32_t kind = command.word(), size = command.word();
    if (!command.reader.ok() || size < 8 || size % 4 != 0 || size > commands_end - at) return {};
    add_command(command, kind, size, is_wide, type == 1, reach);
    if (!command.reader.ok() || !reach.holds) return {};
    at += size;
  }
  if (at != commands_end) return {};
  return {reach.end, commands_end, reach.end <= content.size() && symbols_hold(content, reach, is_wide, is_big)};
}

Verdict validate_thin(const Content& content) {
  const Thin thin = read_thin(content);
  if (thin.end == 0) return {};
  const std::uint64_t known = std::min(thin.commands, content.size());
  if (thin.end > content.size()) return Verdict::broken(known, content.size(), known, DoubtCause::missing_segment);
  Verdict verdict = Verdict::whole(thin.end);
  if (!thin.is_proved) verdict.tier = Tier::plausible;
  return verdict;
}

Verdict validate_universal(const Content& content) {
  Reader reader(content, 4);
  const std::uint32_t count = reader.be32();
  if (count == 0 || count > most_architectures) return {};
  const std::uint64_t table_end = 8 + std::uint64_t{count} * 20;
  std::uint64_t end = table_end;
  bool holds = true, is_proved = true;
  for (std::uint32_t i = 0; i < count; ++i) {
    reader.skip(8);
    const std::uint64_t offset = reader.be32(), length = reader.be32(), alignment = reader.be32();
    if (!reader.ok() || offset < table_end || alignment > 24 || offset % (std::uint64_t{1} << alignment) != 0)
      return {};
    const PartContent part(content, offset, length);
    const bool is_archive = starts_with(part.at(0, 8), "!<arch>\n");
    const Thin thin = is_archive ? Thin{length, 0, false} : read_thin(part);
    holds = holds && thin.end > 0 && thin.end <= length && offset + length <= content.size();
    is_proved = is_proved && thin.is_proved;
    if (i == 0 && !holds) return {};
    end = std::max(end, offset + length);
  }
  if (holds) {
    Verdict verdict = Verdict::whole(end);
    if (!is_proved) verdict.tier = Tier::plausible;
    return verdict;
  }
  const std::uint64_t known = std::min(table_end, content.size());
  return Verdict::broken(known, std::min(end, content.size()), known, DoubtCause::missing_segment);
}

Verdict validate(const Content& content, Memory&) {
  return Reader(content).be32() == universal ? validate_universal(content) : validate_thin(content);
}

bool glance(ByteSpan head) {
  if (head.size() < 28) return false;
  return head[0] != 0xca || (head[4] == 0 && head[5] == 0 && head[6] == 0 && head[7] <= most_architectures);
}

}  // namespace

extern const Validator macho_validator;
const Validator macho_validator = {"macho", validate, glance};

}  // namespace exhibit::carve
