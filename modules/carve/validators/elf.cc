// ELF (System V ABI, chapter 4): the file ends behind the last of its section header table, sections and segments. What
// proves it: every offset, a table of names that the sections' names lie in, and for relocatable files nothing more.

#include <algorithm>

#include "base/checked.h"
#include "carve/validator.h"

namespace exhibit::carve {
namespace {

constexpr std::uint32_t no_bits = 8, string_table = 3;         // section types
constexpr std::uint64_t most_length = std::uint64_t{8} << 30;  // bytes
constexpr std::uint64_t most_unproved = 1 << 20;               // bytes
constexpr std::uint32_t most_sections = 0xff00;

// Fields as the file's class and byte order have them.
class Fields {
 public:
  Fields(const Content& content, bool is_wide, bool is_big) : reader(content), is_wide_(is_wide), is_big_(is_big) {}
  std::uint32_t half() { return is_big_ ? reader.be16() : reader.le16(); }
  std::uint32_t word() { return is_big_ ? reader.be32() : reader.le32(); }
  std::uint64_t address() { return !is_wide_ ? word() : is_big_ ? reader.be64() : reader.le64(); }
  Reader reader;

 private:
  bool is_wide_, is_big_;
};

struct Header {
  bool is_wide = false, is_big = false;
  std::uint64_t segments = 0, sections = 0;  // offsets
  std::uint32_t type = 0, header_size = 0, segment_size = 0, segment_count = 0, section_size = 0, section_count = 0,
                names = 0;
};

bool read_header(const Content& content, Header& header) {
  const ByteSpan ident = content.at(0, 16);
  if (ident.size() < 16 || !starts_with(ident,
                                        "\x7f"
                                        "ELF"))
    return false;
  if (ident[4] < 1 || ident[4] > 2 || ident[5] < 1 || ident[5] > 2 || ident[6] != 1) return false;
  for (std::size_t i = 9; i < 16; ++i) {
    if (ident[i] != 0) return false;
  }
  header.is_wide = ident[4] == 2;
  header.is_big = ident[5] == 2;
  Fields fields(content, header.is_wide, header.is_big);
  fields.reader.seek(16);
  header.type = fields.half();
  fields.half();
  const std::uint32_t version = fields.word();
  fields.address();
  header.segments = fields.address();
  header.sections = fields.address();
  fields.word();
  header.header_size = fields.half();
  header.segment_size = fields.half();
  header.segment_count = fields.half();
  header.section_size = fields.half();
  header.section_count = fields.half();
  header.names = fields.half();
  const bool sizes = header.header_size == (header.is_wide ? 64 : 52) &&
                     (header.segment_count == 0 || header.segment_size == (header.is_wide ? 56 : 32)) &&
                     (header.section_count == 0 || header.section_size == (header.is_wide ? 64 : 40));
  return fields.reader.ok() && version == 1 && sizes && header.type >= 1 && header.type <= 4 &&
         header.segments < most_length && header.sections < most_length;
}

// What is known of the file's reach.
struct Reach {
  std::uint64_t end = 0;
  bool holds = true;
  void add(std::uint64_t offset, std::uint64_t length) {
    const auto sum = base::checked_add(offset, length);
    if (!sum || *sum > most_length)
      holds = false;
    else
      end = std::max(end, *sum);
  }
};

void reach_of_segments(const Content& content, const Header& header, Reach& reach) {
  reach.add(header.segments, std::uint64_t{header.segment_count} * header.segment_size);
  Fields fields(content, header.is_wide, header.is_big);
  for (std::uint32_t i = 0; i < header.segment_count && reach.holds; ++i) {
    fields.reader.seek(header.segments + std::uint64_t{i} * header.segment_size);
    fields.word();
    if (header.is_wide) fields.word();
    const std::uint64_t offset = fields.address();
    fields.address();
    fields.address();
    const std::uint64_t length = fields.address();
    if (!fields.reader.ok()) reach.holds = false;
    if (length > 0) reach.add(offset, length);
  }
}

struct Section {
  std::uint32_t name = 0, type = 0;
  std::uint64_t offset = 0, size = 0, alignment = 0;
};

Section section_at(const Content& content, const Header& header, std::uint32_t index, bool& ok) {
  Fields fields(content, header.is_wide, header.is_big);
  fields.reader.seek(header.sections + std::uint64_t{index} * header.section_size);
  Section section;
  section.name = fields.word();
  section.type = fields.word();
  fields.address();
  fields.address();
  section.offset = fields.address();
  section.size = fields.address();
  fields.word();
  fields.word();
  section.alignment = fields.address();
  ok = ok && fields.reader.ok();
  return section;
}

// Whether the section headers lie where they should: names within the table of names, alignments that are powers of
// two.
bool reach_of_sections(const Content& content, const Header& header, Reach& reach) {
  bool ok = header.names < header.section_count;
  const Section names = section_at(content, header, header.names, ok);
  ok = ok && names.type == string_table && names.size > 0 && names.offset < content.size();
  const Section first = section_at(content, header, 0, ok);
  ok = ok && first.type == 0 && first.offset == 0;
  for (std::uint32_t i = 1; i < header.section_count && ok; ++i) {
    const Section section = section_at(content, header, i, ok);
    ok = ok && section.name < names.size && (section.alignment & (section.alignment - 1)) == 0;
    if (ok && section.type != no_bits && section.type != 0) reach.add(section.offset, section.size);
    ok = ok && reach.holds;
  }
  if (!ok || names.offset + names.size > content.size()) return false;
  const ByteSpan begin = content.at(names.offset, 1), end = content.at(names.offset + names.size - 1, 1);
  return !begin.empty() && content.at(names.offset, 1)[0] == 0 && !end.empty() &&
         content.at(names.offset + names.size - 1, 1)[0] == 0;
}

// A kernel module's signature is appended (Linux, scripts/sign-file.c); its end, or `end`.
std::uint64_t end_of_signature(const Content& content, std::uint64_t end) {
  constexpr std::string_view mark = "~Module signature appended~\n";
  constexpr std::uint64_t longest = 16 << 10;  // bytes
  const std::uint64_t limit = std::min(end + longest, content.size());
  const std::uint64_t at = find(content, mark, end, limit);
  if (at >= limit || at < end + 12) return end;
  Reader reader(content, at - 4);  // the last field of module_signature: the signature's length
  return end + reader.be32() + 12 == at ? at + mark.size() : end;
}

Verdict validate(const Content& content, Memory&) {
  Header header;
  if (!read_header(content, header)) return {};
  Reach reach;
  reach.add(0, header.header_size);
  reach_of_segments(content, header, reach);
  if (!reach.holds) return {};
  const std::uint64_t loaded = reach.end;
  const bool has_sections = header.section_count > 0 && header.section_count < most_sections;
  const bool holds = has_sections && reach_of_sections(content, header, reach);
  reach.add(header.sections, std::uint64_t{header.section_count} * header.section_size);
  const char* extension = header.type == 4 ? "core" : header.type == 1 ? "o" : "";
  if (holds && reach.holds && reach.end <= content.size()) {
    return Verdict::whole(header.type == 1 ? end_of_signature(content, reach.end) : reach.end, extension);
  }
  if (!has_sections && loaded <= content.size() && header.segment_count > 0) {
    // Nothing behind the segments could tell.
    Verdict verdict = Verdict::whole(loaded, extension);
    verdict.tier = Tier::plausible;
    return verdict;
  }
  if (header.segment_count == 0) return {};
  const std::uint64_t table =
      std::min(header.segments + header.segment_count * std::uint64_t{header.segment_size}, content.size());
  // What was loaded may still lie here, or something else: of great files only the head is taken.
  const std::uint64_t end = loaded <= most_unproved ? std::min(loaded, content.size()) : table;
  return Verdict::broken(std::min(table, end), std::min(header.sections + header.section_size, content.size()), end,
                         DoubtCause::missing_segment);
}

}  // namespace

extern const Validator elf_validator;
const Validator elf_validator = {"elf", validate};

}  // namespace exhibit::carve
