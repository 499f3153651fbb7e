#include "hashset/partition.h"

#include <algorithm>
#include <cstring>

#include "hashset/index_format.h"

namespace exhibit::hashset {
namespace {

constexpr std::size_t label_bytes = 2, length_bytes = 4;
// After the first byte, which is the part's, these bits of the digest are counted.
constexpr unsigned counted_bits = 14;
constexpr std::size_t counted = std::size_t{1} << counted_bits;

std::size_t digit_of(std::uint64_t key) { return key << 8 >> (64 - counted_bits); }

}  // namespace

Partition::Partition(Algorithm algorithm, bool with_names, std::string folder)
    : digest_bytes_(facts(algorithm).bytes), with_names_(with_names), folder_(std::move(folder)) {}

Result<void> Partition::add(const RawDigest& digest, std::uint16_t label, std::string_view name) {
  std::string& part = waiting_[digest[0]];
  const auto length = static_cast<std::uint32_t>(name.size());
  part.append(reinterpret_cast<const char*>(digest.data()), digest_bytes_);
  part.append(reinterpret_cast<const char*>(&label), label_bytes);
  if (with_names_) {
    part.append(reinterpret_cast<const char*>(&length), length_bytes);
    part.append(name);
  }
  ++rows_;
  return part.size() < buffer_bytes ? Result<void>() : put_away(digest[0]);
}

std::uint16_t Partition::label_of(const char* row) const {
  std::uint16_t label;
  std::memcpy(&label, row + digest_bytes_, label_bytes);
  return label;
}

std::string_view Partition::name_of(const char* row) const {
  if (!with_names_) return {};
  const char* length = row + digest_bytes_ + label_bytes;
  return {length + length_bytes, load_le32(length)};
}

Result<void> Partition::put_away(std::size_t part) {
  if (!file_) file_ = EXHIBIT_TRY(ScratchFile::create(folder_));
  pieces_[part].push_back({file_->size(), waiting_[part].size()});
  EXHIBIT_TRY(file_->append(waiting_[part]));
  waiting_[part].clear();
  return {};
}

Result<void> Partition::gather(std::size_t part) {
  std::uint64_t total = waiting_[part].size();
  for (const Piece& piece : pieces_[part]) total += piece.length;
  if (total > largest_part) {
    return Error{ErrorCode::memory_limit,
                 "too many of the digests begin with the same byte: they aren't digests of contents, or they are more "
                 "than an index takes",
                 {},
                 {}};
  }
  part_.resize(total);
  std::uint64_t filled = 0;
  for (const Piece& piece : pieces_[part]) {
    EXHIBIT_TRY(file_->read_at(piece.offset, std::span(part_).subspan(filled, piece.length)));
    file_->discard(piece.offset, piece.length);
    filled += piece.length;
  }
  std::memcpy(part_.data() + filled, waiting_[part].data(), waiting_[part].size());
  std::string().swap(waiting_[part]);
  return {};
}

void Partition::index_rows() {
  unsorted_.clear();
  for (const char* at = part_.data(); at < part_.data() + part_.size();) {
    unsorted_.push_back({at, digest_key(at)});
    at += digest_bytes_ + label_bytes + (with_names_ ? length_bytes + name_of(at).size() : 0);
  }
}

void Partition::sort_rows() {
  const auto before = [this](const WaitingRow& a, const WaitingRow& b) {
    if (a.key != b.key) return a.key < b.key;
    const int order = std::memcmp(a.bytes, b.bytes, digest_bytes_);
    return order != 0 ? order < 0 : a.bytes < b.bytes;  // they came in the order of their addresses
  };
  if (unsorted_.size() < counted / 4) {
    sorted_.swap(unsorted_);
    std::ranges::sort(sorted_, before);
    return;
  }
  std::vector<std::uint32_t> ends(counted + 1);
  for (const WaitingRow& row : unsorted_) ++ends[digit_of(row.key) + 1];
  for (std::size_t i = 0; i < counted; ++i) ends[i + 1] += ends[i];
  sorted_.resize(unsorted_.size());
  for (const WaitingRow& row : unsorted_) sorted_[ends[digit_of(row.key)]++] = row;
  for (std::size_t i = 0, begin = 0; i < counted; begin = ends[i++]) {
    const auto first = sorted_.begin();
    if (ends[i] - begin > 1) std::sort(first + begin, first + ends[i], before);
  }
}

Result<const std::vector<WaitingRow>*> Partition::sorted_part(std::size_t part) {
  EXHIBIT_TRY(gather(part));
  index_rows();
  sort_rows();
  return &sorted_;
}

}  // namespace exhibit::hashset
