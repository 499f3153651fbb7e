// ar (4.4BSD's and System V's), and Debian's packages (deb(5)): headers of 60 bytes of text that lead to each other.
// Nothing tells the end but that no header follows.

#include "carve/archive_walk.h"

namespace exhibit::carve {
namespace {

constexpr std::string_view magic = "!<arch>\n";
constexpr std::uint64_t header_length = 60;  // bytes
constexpr std::size_t name_length = 16, size_at = 48, size_length = 10, mark_at = 58;

struct Header {
  std::string name;
  std::uint64_t size = 0;
};

std::optional<Header> read_header(ByteSpan bytes) {
  if (bytes.size() < header_length || bytes[mark_at] != '`' || bytes[mark_at + 1] != '\n') return std::nullopt;
  for (const std::uint8_t byte : bytes.first(mark_at)) {
    if (byte < 0x20 || byte > 0x7e) return std::nullopt;
  }
  Header header;
  std::size_t i = size_at;
  for (; i < size_at + size_length && bytes[i] >= '0' && bytes[i] <= '9'; ++i) {
    header.size = header.size * 10 + (bytes[i] - '0');
  }
  if (i == size_at) return std::nullopt;
  header.name.assign(bytes.begin(), bytes.begin() + name_length);
  header.name.erase(header.name.find_last_not_of(" /") + 1);
  return header;
}

Verdict validate(const Content& content, Memory&) {
  if (!starts_with(content.at(0, magic.size()), magic)) return {};
  std::uint64_t position = magic.size(), last = position, members = 0, unproved = 0;
  bool is_package = false, is_proved = true;
  while (const auto header = read_header(content.at(position, header_length))) {
    const std::uint64_t data = position + header_length, end = data + header->size;
    if (end > content.size()) return judge_cut(content, position, end, members);
    if (members == 0) is_package = header->name == "debian-binary";
    const bool holds = is_package ? members == 0 || is_proved_stream(content, data, header->size) : false;
    if (!holds) unproved = std::max(unproved, header->size);
    is_proved &= holds;
    last = position;
    ++members;
    position = end;
    // Data of odd length are followed by a line feed.
    if ((position & 1) != 0 && starts_with(content.at(position, 1), "\n")) ++position;
    constexpr std::uint64_t package_members = 3;
    if (is_package && members == package_members && is_proved) return judge_whole(position, 0, "deb");
  }
  if (members == 0 || (position & 1) != 0) return judge_cut(content, last, position, members);
  Verdict verdict = judge_whole(position, unproved, is_package ? "deb" : "");
  // A header that was overwritten looks like the end.
  verdict.tier = Tier::plausible;
  return verdict;
}

}  // namespace

extern const Validator ar_validator;
const Validator ar_validator = {"ar", validate};

}  // namespace exhibit::carve
