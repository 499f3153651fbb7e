#include "carve/zip_data.h"

#include <algorithm>
#include <memory>

#include "base/checked.h"

namespace exhibit::carve::zip {
namespace {

// A bomb isn't inflated to its end (the ratio of DEFLATE reaches 1:1032).
constexpr std::uint64_t most_plain = std::uint64_t{8} << 30;            // bytes
constexpr unsigned most_descriptors = 4096;                             // marks looked at in one member without sizes
constexpr std::uint64_t farthest_descriptor = std::uint64_t{64} << 20;  // bytes behind such a member's begin
// Headers of such members within the data of one: an archive in an archive has a few. A row of them, each a candidate,
// must not be gone over from each.
constexpr unsigned most_headers = 32;
constexpr std::uint64_t first_stretch = std::uint64_t{4} << 10, longest_stretch = std::uint64_t{256} << 10;  // bytes

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

// Small data, if they are in order. Nothing: ask the stream, which knows where they break.
std::optional<Data> check_at_once(const Content& content, const Member& member) {
  const bool has_sizes = member.has_sizes();
  if (has_sizes && (member.compressed == 0 || member.compressed > most_packed_at_once)) return std::nullopt;
  if (has_sizes && member.plain > most_plain_at_once) return std::nullopt;
  const auto inflated =
      inflate_at_once(content, member.end, has_sizes ? member.compressed : packed_tried, Inflate::Wrapping::none);
  if (!inflated || (has_sizes && inflated->consumed != member.compressed)) return std::nullopt;
  Data data;
  data.crc = inflated->crc;
  data.plain = inflated->produced;
  data.compressed = inflated->consumed;
  compare(content, member, member.end + data.compressed, data, true);
  return data.proof == Data::Proof::proved ? std::optional(data) : std::nullopt;
}

Data check_deflated(const Content& content, const Member& member, const Checkpoint* from,
                    std::deque<Checkpoint>& recent) {
  if (from == nullptr) {
    if (const auto data = check_at_once(content, member)) return *data;
  }
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

bool needs_descriptor(const Member& member) {
  return !member.has_sizes() && (member.method != deflated || member.is_encrypted());
}

// Data whose length nothing tells but the descriptor behind them. Looked at in stretches, as far as the search for
// descriptors and for headers must keep step.
class DescriptorSearch {
 public:
  DescriptorSearch(const Content& content, const Member& member)
      : content_(content), member_(member), end_(std::min(content.size(), member.end + farthest_descriptor)) {}

  Data run() {
    std::uint64_t stretch = first_stretch, position = member_.end;
    while (position < end_ && headers_ < most_headers && descriptors_ < most_descriptors) {
      const std::uint64_t to = std::min(end_, position + stretch);
      if (look(position, to)) return data_;
      position = to;
      stretch = std::min(stretch * 2, longest_stretch);
    }
    data_.end = 0;
    data_.broken_at = position;
    return data_;
  }

 private:
  // Whether the data's end lies in [from, to): marks that begin there.
  bool look(std::uint64_t from, std::uint64_t to) {
    const std::uint64_t marks_end = std::min(end_, to + descriptor_mark.size() - 1);
    for (std::uint64_t at = from; descriptors_ < most_descriptors; ++at, ++descriptors_) {
      const std::uint64_t mark = find(content_, descriptor_mark, at, marks_end);
      count_headers(at, std::min(mark, to));
      if (mark >= marks_end || headers_ >= most_headers) return false;
      at = mark;
      data_.compressed = data_.plain = at - member_.end;
      if (member_.is_provable()) data_.crc = crc32(content_, summed_, at - summed_, data_.crc);
      summed_ = at;
      compare(content_, member_, at, data_, member_.is_provable());
      if (data_.proof != Data::Proof::broken) return true;
    }
    return false;
  }

  void count_headers(std::uint64_t from, std::uint64_t to) {
    const std::uint64_t marks_end = std::min(end_, to + local_mark.size() - 1);
    for (std::uint64_t at = from; headers_ < most_headers; ++at) {
      at = find(content_, local_mark, at, marks_end);
      if (at >= marks_end) return;
      const auto header = read_local(content_, at);
      if (header && needs_descriptor(*header)) ++headers_;
    }
  }

  const Content& content_;
  const Member& member_;
  std::uint64_t end_;
  std::uint64_t summed_ = member_.end;
  unsigned headers_ = 0, descriptors_ = 0;
  Data data_;
};

}  // namespace

std::uint64_t signing_block(const Content& content, std::uint64_t position) {
  constexpr std::string_view magic = "APK Sig Block 42";
  constexpr std::uint64_t longest = std::uint64_t{64} << 20;  // bytes
  Reader reader(content, position);
  const std::uint64_t length = reader.le64();  // without this field
  if (!reader.ok() || length < magic.size() + 8 || length > longest || length > reader.left()) return 0;
  if (!starts_with(content.at(position + 8 + length - magic.size(), magic.size()), magic)) return 0;
  return starts_with(content.at(position + 8 + length, 4), central_mark) ? length + 8 : 0;
}

bool is_record(const Content& content, std::uint64_t position) {
  const ByteSpan bytes = content.at(position, 4);
  if (starts_with(bytes, local_mark) || starts_with(bytes, central_mark) || starts_with(bytes, extra_mark)) return true;
  return signing_block(content, position) > 0;
}

Data check_data(const Content& content, const Member& member, const Checkpoint* from, bool strict,
                std::deque<Checkpoint>& recent) {
  const bool has_sizes = member.has_sizes();
  if (needs_descriptor(member)) return DescriptorSearch(content, member).run();
  const auto end = base::checked_add(member.end, member.compressed);
  const bool is_missing = has_sizes && (!end || *end > content.size() || !is_followed(content, member, *end));
  if (!strict && is_missing && member.method == stored && member.is_provable()) {
    Data data;  // no sum of theirs would help
    data.broken_at = std::min(end.value_or(content.size()), content.size());
    return data;
  }
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
