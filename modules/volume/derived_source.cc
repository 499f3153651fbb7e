#include "volume/derived_source.h"

#include <algorithm>

namespace exhibit::volume {
namespace {

constexpr std::uint64_t block = 4096;  // how closely damage is told

}  // namespace

Result<std::size_t> DerivedSource::read_at(std::uint64_t offset, std::span<std::byte> buffer) {
  if (offset >= size_) return std::size_t{0};
  buffer = buffer.first(static_cast<std::size_t>(std::min<std::uint64_t>(buffer.size(), size_ - offset)));
  const std::uint64_t before = beneath_.damaged_reads();
  EXHIBIT_TRY(derive(offset, buffer));
  if (beneath_.damaged_reads() == before) return buffer.size();
  ++damaged_reads_;
  for (std::size_t done = 0; done < buffer.size();) {
    const std::uint64_t at = offset + done;
    const auto part = buffer.subspan(
        done, static_cast<std::size_t>(std::min<std::uint64_t>(block - at % block, buffer.size() - done)));
    const std::uint64_t before_part = beneath_.damaged_reads();
    EXHIBIT_TRY(derive(at, part));
    if (beneath_.damaged_reads() != before_part) note_doubt(at, part.size());
    done += part.size();
  }
  // A library that keeps what it read last met the damage once only: nobody can say where.
  if (doubts(offset, buffer.size()).empty()) note_doubt(offset, buffer.size());
  return buffer.size();
}

void DerivedSource::note_doubt(std::uint64_t offset, std::uint64_t length) {
  Doubt added{offset, length, DoubtCause::read_error};
  const auto ends_before = [&](const Doubt& each) { return each.offset + each.length < added.offset; };
  const auto first = std::partition_point(doubts_.begin(), doubts_.end(), ends_before);
  auto last = first;
  for (; last != doubts_.end() && last->offset <= added.offset + added.length; ++last) {
    const std::uint64_t end = std::max(added.offset + added.length, last->offset + last->length);
    added.offset = std::min(added.offset, last->offset);
    added.length = end - added.offset;
  }
  doubts_.insert(doubts_.erase(first, last), added);
}

std::vector<Doubt> DerivedSource::doubts(std::uint64_t offset, std::uint64_t length) const {
  std::vector<Doubt> found;
  for (const Doubt& doubt : doubts_) {
    const std::uint64_t begin = std::max(doubt.offset, offset);
    const std::uint64_t end = std::min(doubt.offset + doubt.length, offset + std::min(length, UINT64_MAX - offset));
    if (begin < end) found.push_back({begin, end - begin, doubt.cause});
  }
  return found;
}

}  // namespace exhibit::volume
