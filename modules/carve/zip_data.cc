#include "carve/zip_data.h"

#include <algorithm>

#include "base/checked.h"

namespace exhibit::carve::zip {
namespace {

// A bomb isn't inflated to its end (the ratio of DEFLATE reaches 1:1032).
constexpr std::uint64_t most_plain = std::uint64_t{8} << 30;            // bytes
constexpr unsigned most_descriptors = 4096;                             // marks looked at in one member without sizes
constexpr std::uint64_t farthest_descriptor = std::uint64_t{64} << 20;  // bytes behind such a member's begin

// The end of the data descriptor at `position` (4.3.9: with or without its mark, lengths of 32 or of 64 bits), if it
// says what `data` are.
std::optional<std::uint64_t> descriptor_end(const Content& content, std::uint64_t position, const Data& data,
                                            bool check_crc) {
  for (const bool marked : {true, false}) {
    for (const bool wide : {false, true}) {
      Reader reader(content, position);
      if (marked && !reader.take(descriptor_mark)) continue;
      const std::uint32_t crc = reader.le32();
      const std::uint64_t compressed = wide ? reader.le64() : reader.le32();
      const std::uint64_t plain = wide ? reader.le64() : reader.le32();
      const bool agrees = reader.ok() && (!check_crc || crc == data.crc) && compressed == data.compressed &&
                          (!check_crc || plain == data.plain);
      if (agrees && is_record(content, reader.position())) return reader.position();
    }
  }
  return std::nullopt;
}

// Whether a record lies behind data that end at `end`, or behind their descriptor.
bool is_followed(const Content& content, const Member& member, std::uint64_t end) {
  if (!member.has_descriptor()) return is_record(content, end);
  return starts_with(content.at(end, 4), descriptor_mark) || is_record(content, end + 12) ||
         is_record(content, end + 20);
}

// Compares what was found with what the header or the descriptor say.
void compare(const Content& content, const Member& member, std::uint64_t data_end, Data& data, bool check_crc) {
  data.end = data_end;
  data.broken_at = std::min(data_end + 24, content.size());
  if (member.has_descriptor()) {
    const auto end = descriptor_end(content, data_end, data, check_crc);
    if (!end) return;
    data.end = *end;
  } else if (check_crc &&
             (member.crc != data.crc || member.compressed != data.compressed || member.plain != data.plain)) {
    data.broken_at = data_end;
    return;
  }
  data.proof = check_crc ? Data::Proof::proved : Data::Proof::unproved;
}

Data check_deflated(const Content& content, const Member& member, const Checkpoint* from,
                    std::deque<Checkpoint>& recent) {
  const bool has_sizes = member.has_sizes();
  const std::uint64_t end = has_sizes ? member.end + member.compressed : content.size();
  const std::uint64_t limit = has_sizes && member.plain > 0 ? std::min(member.plain, most_plain) : most_plain;
  const auto inflate =
      from != nullptr ? std::make_shared<Inflate>(*from->inflate) : std::make_shared<Inflate>(Inflate::Wrapping::none);
  const std::uint64_t position = from != nullptr ? from->position : member.end;
  const auto status = inflate_remembering(*inflate, content, position, end, limit, recent);
  Data data;
  data.crc = inflate->crc();
  data.plain = inflate->produced();
  data.compressed = has_sizes ? member.compressed : inflate->consumed();
  data.end = has_sizes ? end : 0;
  const std::uint64_t reached = member.end + inflate->consumed();
  data.broken_at = std::min(content.size(), reached);
  const bool is_bomb = status == Inflate::Status::full && limit == most_plain && has_sizes;
  if (is_bomb && end <= content.size()) {
    compare(content, member, end, data, false);
  } else if (status == Inflate::Status::ended && (!has_sizes || reached == end)) {
    compare(content, member, reached, data, true);
  }
  return data;
}

Data check_stored(const Content& content, const Member& member, const Checkpoint* from,
                  std::deque<Checkpoint>& recent) {
  const std::uint64_t end = member.end + member.compressed;
  Data data;
  data.compressed = data.plain = member.compressed;
  data.end = end;
  data.broken_at = std::min(end, content.size());
  if (end > content.size()) return data;
  std::uint64_t position = from != nullptr ? from->position : member.end;
  data.crc = from != nullptr ? from->crc : 0;
  while (position < end) {
    const std::uint64_t next = std::min(end, (position / checkpoint_spacing + 1) * checkpoint_spacing);
    data.crc = crc32(content, position, next - position, data.crc);
    position = next;
    remember(recent, {position, data.crc, nullptr});
  }
  compare(content, member, end, data, true);
  return data;
}

// Data whose length nothing tells but the descriptor behind them.
Data find_descriptor(const Content& content, const Member& member) {
  Data data;
  const bool check_crc = member.is_provable();
  std::uint64_t position = member.end, summed = member.end;
  const std::uint64_t end = std::min(content.size(), member.end + farthest_descriptor);
  for (unsigned i = 0; i < most_descriptors; ++i, ++position) {
    position = find(content, descriptor_mark, position, end);
    if (position >= end) break;
    data.compressed = data.plain = position - member.end;
    if (check_crc) data.crc = crc32(content, summed, position - summed, data.crc);
    summed = position;
    compare(content, member, position, data, check_crc);
    if (data.proof != Data::Proof::broken) return data;
  }
  data.end = 0;
  data.broken_at = end;
  return data;
}

}  // namespace

std::uint64_t signing_block(const Content& content, std::uint64_t position) {
  constexpr std::string_view magic = "APK Sig Block 42";
  constexpr std::uint64_t longest = std::uint64_t{64} << 20;  // bytes
  Reader reader(content, position);
  const std::uint64_t length = reader.le64();  // without this field
  if (!reader.ok() || length < magic.size() + 8 || length > longest || length > reader.left()) return 0;
  return starts_with(content.at(position + 8 + length - magic.size(), magic.size()), magic) ? length + 8 : 0;
}

bool is_record(const Content& content, std::uint64_t position) {
  const ByteSpan bytes = content.at(position, 4);
  if (starts_with(bytes, local_mark) || starts_with(bytes, central_mark) || starts_with(bytes, extra_mark)) return true;
  return signing_block(content, position) > 0;
}

Data check_data(const Content& content, const Member& member, const Checkpoint* from, bool strict,
                std::deque<Checkpoint>& recent) {
  const bool has_sizes = member.has_sizes();
  if (!has_sizes && (member.method != deflated || member.is_encrypted())) return find_descriptor(content, member);
  const auto end = base::checked_add(member.end, member.compressed);
  const bool is_missing = has_sizes && (!end || *end > content.size() || !is_followed(content, member, *end));
  if (strict && is_missing) {
    Data data;
    data.broken_at = from != nullptr ? from->position : member.end;  // nothing behind was looked at
    return data;
  }
  if (member.is_provable()) {
    return member.method == stored ? check_stored(content, member, from, recent)
                                   : check_deflated(content, member, from, recent);
  }
  Data data;
  data.crc = member.crc;
  data.compressed = member.compressed;
  data.plain = member.plain;
  data.broken_at = std::min(end.value_or(content.size()), content.size());
  if (!is_missing) compare(content, member, *end, data, false);
  return data;
}

}  // namespace exhibit::carve::zip
