#include "image/formats/ewf/sections.h"

#include <algorithm>
#include <array>

#include "image/formats/ewf/bytes.h"

namespace exhibit::image::ewf {
namespace {

using namespace std::string_view_literals;
constexpr std::string_view signature_ewf1 = "EVF\x09\x0d\x0a\xff\x00"sv;
constexpr std::string_view signature_logical1 = "LVF\x09\x0d\x0a\xff\x00"sv;
constexpr std::string_view signature_ewf2 = "EVF2\x0d\x0a\x81\x00"sv;
constexpr std::string_view signature_logical2 = "LEF2\x0d\x0a\x81\x00"sv;

// A segment of the largest kind has some thousands of sections; the bound is against a hostile one.
constexpr std::size_t most_sections = std::size_t{1} << 20;

bool is_descriptor(std::string_view bytes) { return checks(bytes, descriptor_size - 4); }

std::string type_of(std::string_view descriptor) {
  const std::string_view field = descriptor.substr(0, 16);
  return std::string(field.substr(0, field.find('\0')));
}

std::string at(std::uint64_t offset) { return " at offset " + std::to_string(offset); }

}  // namespace

Signature signature_of(const SegmentFile& segment) {
  std::string head(file_header_size + descriptor_size, '\0');
  const auto got = read_some(segment, 0, std::as_writable_bytes(std::span(head)));
  if (!got.ok()) return Signature::none;
  head.resize(*got);
  if (head.starts_with(signature_ewf1)) return Signature::ewf1;
  if (head.starts_with(signature_ewf2)) return Signature::ewf2;
  if (head.starts_with(signature_logical1)) return Signature::logical1;
  if (head.starts_with(signature_logical2)) return Signature::logical2;
  const bool section_follows = head.size() == file_header_size + descriptor_size &&
                               is_descriptor(std::string_view(head).substr(file_header_size));
  // The first three letters alone, with what a transfer as text makes of the rest.
  const bool mangled = head.size() >= 8 && head.starts_with("EVF\x09");
  return section_follows || mangled ? Signature::broken : Signature::none;
}

namespace {

// Takes the section at `offset` into the chain. Returns where the next one is; nothing where the chain ends or breaks.
Result<std::optional<std::uint64_t>> take_section(const SegmentFile& segment, std::uint64_t offset, Chain& chain) {
  const auto broken = [&](std::string what) -> std::optional<std::uint64_t> {
    chain.broken = segment.name + ": " + std::move(what);
    chain.broken_at = offset;
    return std::nullopt;
  };
  if (segment.size < descriptor_size || offset > segment.size - descriptor_size)
    return broken("ends at " + std::to_string(segment.size) + ", where a section should begin" + at(offset) +
                  "; the file is truncated");
  const std::string descriptor = EXHIBIT_TRY(read_exactly(segment, offset, descriptor_size));
  if (!is_descriptor(descriptor)) return broken("the section header" + at(offset) + " doesn't match its checksum");
  Section section{type_of(descriptor), offset, 0};
  const std::uint64_t next = little64(descriptor, 16);
  if (section.type == "done" || section.type == "next") {
    section.end = section.data();
    chain.last = section.type == "done";
    chain.sections.push_back(std::move(section));
    return std::optional<std::uint64_t>();
  }
  if (next < section.data()) return broken("the section `" + section.type + "`" + at(offset) + " points back");
  if (next > segment.size) {
    return broken("the section `" + section.type + "`" + at(offset) + " reaches to " + std::to_string(next) +
                  ", the file ends at " + std::to_string(segment.size) + "; the file is truncated");
  }
  // Writers that leave the size out write 0. A descriptor that stands where another stood leads past what lay between.
  const std::uint64_t size = little64(descriptor, 24);
  if (size != 0 && size != next - offset) {
    chain.notices.push_back(segment.name + ": the section `" + section.type + "`" + at(offset) + " says that it is " +
                            std::to_string(size) + " bytes long, but the next begins at " + std::to_string(next) +
                            "; sections may be missing");
  }
  if (chain.sections.size() == most_sections) return broken("has more sections than any tool writes");
  section.end = next;
  chain.sections.push_back(std::move(section));
  return std::optional<std::uint64_t>(next);
}

}  // namespace

Result<Chain> read_chain(const SegmentFile& segment) {
  const std::string header = EXHIBIT_TRY(read_exactly(segment, 0, file_header_size));
  if (!header.starts_with(signature_ewf1) || header[8] != 1 || little(header, 11, 2) != 0)
    return Error{ErrorCode::corrupt, segment.name + ": the EWF file header at offset 0 is damaged", segment.name, 0};
  Chain chain;
  chain.number = static_cast<std::uint16_t>(little(header, 9, 2));
  std::optional<std::uint64_t> next = file_header_size;
  while (next) next = EXHIBIT_TRY(take_section(segment, *next, chain));
  if (chain.sections.empty()) return Error{ErrorCode::corrupt, *chain.broken, segment.name, chain.broken_at};
  return chain;
}

Result<std::string> read_data(const SegmentFile& segment, const Section& section, std::uint64_t limit) {
  if (section.data_size() > limit) {
    return Error{ErrorCode::corrupt,
                 segment.name + ": the section `" + section.type + "`" + at(section.offset) + " of " +
                     std::to_string(section.data_size()) + " bytes is longer than its kind can be",
                 segment.name, section.offset};
  }
  return read_exactly(segment, section.data(), static_cast<std::size_t>(section.data_size()));
}

}  // namespace exhibit::image::ewf
