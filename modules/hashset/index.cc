#include "hashset/index.h"

#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "base/checked.h"
#include "base/json.h"
#include "hash/chain_digest.h"
#include "hashset/index_format.h"

namespace exhibit::hashset {
namespace {

// Lookups that are under way at a time: more than a core fetches from memory at once.
constexpr std::size_t batch = 32;
// Beyond this a bucket isn't of random digests; it's halved rather than walked.
constexpr std::uint64_t walked_bucket = 128;
constexpr std::size_t read_bytes = std::size_t{1} << 20;

Error damaged(const std::string& name, const std::string& why) {
  return Error{ErrorCode::corrupt, name + ": " + why + "; build the index again", name, {}};
}

std::uint64_t read_varint(const std::uint8_t*& at, const std::uint8_t* end) {
  std::uint64_t value = 0;
  for (unsigned shift = 0; at < end && shift < 63; shift += 7) {
    const std::uint8_t byte = *at++;
    value |= static_cast<std::uint64_t>(byte & 0x7fU) << shift;
    if ((byte & 0x80U) == 0) break;
  }
  return value;
}

}  // namespace

bool Index::has_magic(std::string_view beginning) { return beginning.starts_with(index_magic); }

Result<Index> Index::open(base::UniqueFd fd, std::string name) {
  struct stat status = {};
  if (::fstat(fd.get(), &status) != 0) {
    return Error{ErrorCode::io_error, name + ": cannot be read: " + std::strerror(errno), name, {}};
  }
  const auto bytes = static_cast<std::uint64_t>(status.st_size);
  if (bytes < index_head_bytes + index_foot_bytes) return damaged(name, "it's too short for a hash set index");
  void* data = ::mmap(nullptr, bytes, PROT_READ, MAP_SHARED, fd.get(), 0);
  if (data == MAP_FAILED) {
    return Error{ErrorCode::io_error, name + ": cannot be mapped: " + std::strerror(errno), name, {}};
  }
  Index index(std::move(fd), std::move(name), static_cast<const std::uint8_t*>(data), bytes);
  EXHIBIT_TRY(index.read_header());
  // Lookups go everywhere: reading ahead would read the whole file.
  ::madvise(data, bytes, MADV_RANDOM);
  return index;
}

Index::Index(Index&& other) noexcept
    : fd_(std::move(other.fd_)),
      name_(std::move(other.name_)),
      data_(std::exchange(other.data_, nullptr)),
      bytes_(other.bytes_),
      header_(std::move(other.header_)),
      tables_(std::move(other.tables_)) {}

Index::~Index() {
  if (data_ != nullptr) ::munmap(const_cast<std::uint8_t*>(data_), bytes_);
}

Result<void> Index::read_header() {
  const std::string_view all(reinterpret_cast<const char*>(data_), bytes_);
  if (!has_magic(all)) return Error{ErrorCode::unsupported, name_ + ": isn't a hash set index", name_, {}};
  const std::uint32_t version = load_le32(data_ + index_magic.size());
  if (version != index_version) {
    return Error{ErrorCode::unsupported,
                 name_ + ": a hash set index of format version " + std::to_string(version) +
                     ", which this exhibit doesn't read; build it again",
                 name_,
                 {}};
  }
  const std::uint8_t* foot = data_ + bytes_ - index_foot_bytes;
  const std::uint64_t offset = load_le64(foot), length = load_le64(foot + 8), size = load_le64(foot + 16);
  if (std::memcmp(foot + 24, index_foot_magic.data(), index_foot_magic.size()) != 0) {
    return damaged(name_, "its end is missing");
  }
  if (size != bytes_) {
    return damaged(name_, "it has " + std::to_string(bytes_) + " bytes where its end says " + std::to_string(size));
  }
  if (length > longest_index_header || !base::within(offset, length, bytes_ - index_foot_bytes)) {
    return damaged(name_, "its header lies outside of it");
  }
  auto json = base::parse_json(all.substr(offset, length));
  if (!json.ok()) return damaged(name_, "its header isn't JSON (" + json.error().message + ")");
  auto header = header_from(*json, offset);
  if (!header.ok()) return damaged(name_, header.error().message);
  header_ = header.take();
  for (const TableFacts& each : header_.tables) {
    const std::size_t digest_bytes = facts(each.algorithm).bytes;
    tables_.push_back({each, digest_bytes, digest_bytes - each.dropped_bytes, data_ + each.rows.offset,
                       data_ + each.buckets.offset, data_ + each.labels.offset, data_ + each.names.offset,
                       data_ + each.name_blocks.offset, data_ + each.slots.offset});
  }
  return {};
}

std::string Index::stored_checksum() const {
  const auto* checksum = reinterpret_cast<const char*>(data_ + bytes_ - index_checksum_bytes);
  return base::to_hex({checksum, index_checksum_bytes});
}

Result<std::string> Index::digest_file() const {
  const std::string algorithm = "sha256";
  hash::ChainDigest all = EXHIBIT_TRY(hash::ChainDigest::create(std::span(&algorithm, 1)));
  std::vector<std::byte> buffer(read_bytes);
  std::string checksum;
  const std::uint64_t checked = bytes_ - index_checksum_bytes;
  for (std::uint64_t offset = 0; offset < bytes_;) {
    const std::uint64_t stop = offset < checked ? checked : bytes_;
    const ssize_t got = ::pread(fd_.get(), buffer.data(), std::min<std::uint64_t>(buffer.size(), stop - offset),
                                static_cast<off_t>(offset));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return Error{ErrorCode::io_error, name_ + ": cannot be read: " + std::strerror(errno), name_, offset};
    if (got == 0) return damaged(name_, "it was cut while it was in use");
    all.update(std::span(buffer).first(static_cast<std::size_t>(got)));
    offset += static_cast<std::uint64_t>(got);
    if (offset == checked) checksum = EXHIBIT_TRY(hash::ChainDigest::resume(all.state())).finish().at(algorithm);
  }
  if (checksum != stored_checksum())
    return damaged(name_, "it isn't what its checksum says, so it was damaged or changed");
  return all.finish().at(algorithm);
}

const Index::Table* Index::table(Algorithm algorithm) const {
  const auto found =
      std::ranges::find_if(tables_, [&](const Table& each) { return each.facts.algorithm == algorithm; });
  return found == tables_.end() ? nullptr : &*found;
}

Index::Table::Range Index::Table::bucket(std::uint64_t key) const {
  const std::uint8_t* at = buckets + 4 * bucket_of(key, facts.prefix_bits);
  // A damaged index may say anything.
  const std::uint64_t end = std::min<std::uint64_t>(load_le32(at + 4), facts.digests);
  return {std::min<std::uint64_t>(load_le32(at), end), end};
}

// Where the digest would stand if the bucket's were spread evenly.
std::uint64_t Index::Table::guess(std::uint64_t key, Range range) const {
  const std::uint64_t fraction = (key << facts.prefix_bits) >> 32;
  return range.begin + ((fraction * (range.end - range.begin)) >> 32);
}

int Index::Table::compare(std::uint64_t place, const std::uint8_t* digest) const {
  const std::uint8_t* row = rows + place * row_bytes;
  const std::uint64_t a = digest_key(row), b = digest_key(digest + facts.dropped_bytes);
  if (a != b) return a < b ? -1 : 1;
  return std::memcmp(row + 8, digest + facts.dropped_bytes + 8, row_bytes - 8);
}

Index::Place Index::Table::find_in(const std::uint8_t* digest, Range range, std::uint64_t place) const {
  if (range.begin == range.end) return nowhere;
  if (range.end - range.begin > walked_bucket) {
    std::uint64_t low = range.begin, high = range.end;
    while (low < high) {
      const std::uint64_t middle = low + (high - low) / 2;
      if (compare(middle, digest) < 0) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    place = low;
  } else {
    while (place > range.begin && compare(place - 1, digest) >= 0) --place;
    while (place < range.end && compare(place, digest) < 0) ++place;
  }
  return place < range.end && compare(place, digest) == 0 ? static_cast<Place>(place) : nowhere;
}

Index::Place Index::find(Algorithm algorithm, const RawDigest& digest) const {
  Place place = nowhere;
  find(algorithm, std::span(digest).first(facts(algorithm).bytes), std::span(&place, 1));
  return place;
}

void Index::find(Algorithm algorithm, std::span<const std::uint8_t> digests, std::span<Place> places) const {
  const Table* found = table(algorithm);
  if (found == nullptr) {
    std::ranges::fill(places, nowhere);
    return;
  }
  const Table& in = *found;
  struct Asked {
    const std::uint8_t* digest;
    std::uint64_t key, guess;
    Table::Range range;
  };
  std::array<Asked, batch> asked;
  for (std::size_t first = 0; first < places.size(); first += batch) {
    const std::size_t count = std::min(batch, places.size() - first);
    for (std::size_t i = 0; i < count; ++i) {
      const std::uint8_t* digest = digests.data() + (first + i) * in.digest_bytes;
      asked[i].digest = digest;
      asked[i].key = digest_key(digest);
      __builtin_prefetch(in.buckets + 4 * bucket_of(asked[i].key, in.facts.prefix_bits));
    }
    for (std::size_t i = 0; i < count; ++i) {
      asked[i].range = in.bucket(asked[i].key);
      asked[i].guess = in.guess(asked[i].key, asked[i].range);
      const std::uint8_t* row = in.rows + asked[i].guess * in.row_bytes;
      __builtin_prefetch(row - index_alignment / 2);
      __builtin_prefetch(row + index_alignment / 2);
    }
    for (std::size_t i = 0; i < count; ++i) {
      places[first + i] = in.find_in(asked[i].digest, asked[i].range, asked[i].guess);
    }
  }
}

Index::Place Index::rows_of_digest(Algorithm algorithm, const RawDigest& digest, Place first) const {
  const Table& in = *table(algorithm);
  const std::uint64_t end = in.bucket(digest_key(digest.data())).end;
  std::uint64_t place = first;
  while (place < end && in.compare(place, digest.data()) == 0) ++place;
  return static_cast<Place>(place - first);
}

const Label& Index::label(Algorithm algorithm, Place place) const {
  const Table& in = *table(algorithm);
  std::uint64_t label = 0;
  for (unsigned bit = 0; bit < in.facts.label_bits; ++bit) {
    const std::uint64_t at = std::uint64_t{place} * in.facts.label_bits + bit;
    label |= static_cast<std::uint64_t>(in.labels[at / 8] >> (at % 8) & 1U) << bit;
  }
  return header_.labels[std::min<std::uint64_t>(label, header_.labels.size() - 1)];
}

std::string Index::name(Algorithm algorithm, Place place) const {
  const Table& in = *table(algorithm);
  if (in.facts.name_blocks.bytes == 0) return {};
  const std::uint8_t* block = in.name_blocks + place / names_a_block * 8;
  const std::uint64_t size = in.facts.names.bytes;
  const std::uint64_t end = std::min(load_le64(block + 8), size), begin = std::min(load_le64(block), end);
  const std::uint8_t *at = in.names + begin, *stop = in.names + end;
  for (std::uint64_t skipped = 0;; ++skipped) {
    const std::uint64_t length = std::min<std::uint64_t>(read_varint(at, stop), static_cast<std::uint64_t>(stop - at));
    if (skipped == place % names_a_block) return {reinterpret_cast<const char*>(at), length};
    at += length;
  }
}

Index::Cursor::Cursor(const Index& index, Algorithm algorithm) : index_(index), algorithm_(algorithm) {}

bool Index::Cursor::next() {
  const Table* in = index_.table(algorithm_);
  if (in == nullptr || next_ == in->facts.digests) return false;
  const std::uint64_t buckets = std::uint64_t{1} << in->facts.prefix_bits;
  while (bucket_ + 1 < buckets && load_le32(in->buckets + 4 * (bucket_ + 1)) <= next_) ++bucket_;
  const unsigned dropped = in->facts.dropped_bytes;
  for (unsigned i = 0; i < dropped; ++i) {
    digest_[i] = static_cast<std::uint8_t>(bucket_ >> (in->facts.prefix_bits - 8 * (i + 1)));
  }
  std::memcpy(digest_.data() + dropped, in->rows + next_++ * in->row_bytes, in->row_bytes);
  return true;
}

}  // namespace exhibit::hashset
