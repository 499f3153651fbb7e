#include "hashset/store.h"

#include <algorithm>
#include <cstring>

#include "hash/multi_digest.h"
#include "hashset/hex.h"

namespace exhibit::hashset {
namespace {

using Raw = std::array<char, 64>;  // the longest digest

// False where `hex` isn't exactly `bytes` bytes.
bool decode(std::string_view hex, std::size_t bytes, Raw& raw) {
  if (hex.size() != bytes * 2) return false;
  for (std::size_t i = 0; i < bytes; ++i) {
    const unsigned high = hex_value(hex[2 * i]), low = hex_value(hex[2 * i + 1]);
    if (high == not_hex || low == not_hex) return false;
    raw[i] = static_cast<char>(high << 4 | low);
  }
  return true;
}

// The digests of no bytes at all: sets that hold one match every empty file.
const std::array<std::string, algorithm_count>& empty_digests() {
  static const auto digests = [] {
    std::array<std::string, algorithm_count> all;
    for (std::size_t i = 0; i < algorithm_count; ++i) all[i] = hash::digest_of(algorithm_facts[i].name, "");
    return all;
  }();
  return digests;
}

// Calls use(list) with the list of the algorithm.
template <typename Lists, typename Use>
auto with_list(Lists& lists, Algorithm algorithm, Use use) {
  switch (algorithm) {
    case Algorithm::md5:
      return use(std::get<0>(lists));
    case Algorithm::sha1:
      return use(std::get<1>(lists));
    case Algorithm::sha256:
      return use(std::get<2>(lists));
    case Algorithm::sha512:
      break;
  }
  return use(std::get<3>(lists));
}

}  // namespace

std::uint64_t NamePool::add(std::string_view name) {
  if (name.empty()) return 0;
  const std::uint64_t place = pool_.size();
  pool_.insert(pool_.end(), name.begin(), name.end());
  pool_.push_back('\0');
  return place;
}

std::string NamePool::at(std::uint64_t place) const {
  const auto begin = pool_.begin() + static_cast<std::ptrdiff_t>(place);
  return {begin, std::find(begin, pool_.end(), '\0')};
}

template <std::size_t digest_bytes>
std::uint64_t DigestList<digest_bytes>::Row::place_value() const {
  std::uint64_t value = 0;
  for (std::size_t i = place_bytes; i-- > 0;) value = value << 8 | place[i];
  return value;
}

template <std::size_t digest_bytes>
void DigestList<digest_bytes>::add(std::string_view digest, std::uint64_t place) {
  EXHIBIT_CHECK(place >> 8 * place_bytes == 0);
  Row row;
  std::memcpy(row.digest.data(), digest.data(), digest_bytes);
  for (std::size_t i = 0; i < place_bytes; ++i) row.place[i] = static_cast<unsigned char>(place >> 8 * i);
  rows_.push_back(row);
}

template <std::size_t digest_bytes>
void DigestList<digest_bytes>::sort() {
  // Names lie in the pool in the file's order; minus one puts those without a name (place 0) last.
  std::ranges::sort(rows_, [](const Row& a, const Row& b) {
    const int order = std::memcmp(a.digest.data(), b.digest.data(), digest_bytes);
    return order != 0 ? order < 0 : a.place_value() - 1 < b.place_value() - 1;
  });
}

template <std::size_t digest_bytes>
std::optional<std::uint64_t> DigestList<digest_bytes>::find(std::string_view digest) const {
  const auto compare = [&](const Row& row) { return std::memcmp(row.digest.data(), digest.data(), digest_bytes); };
  const auto found = std::ranges::partition_point(rows_, [&](const Row& row) { return compare(row) < 0; });
  if (found == rows_.end() || compare(*found) != 0) return std::nullopt;
  return found->place_value();
}

std::optional<Refusal> Store::add(const Entry& entry) {
  std::array<Raw, algorithm_count> raw;
  bool any = false;
  for (std::size_t i = 0; i < algorithm_count; ++i) {
    if (entry.digests[i].empty()) continue;
    const auto& [name, bytes] = algorithm_facts[i];
    if (!decode(entry.digests[i], bytes, raw[i])) return Refusal{"its " + std::string(name) + " isn't one"};
    if (std::string_view(raw[i].data(), bytes) == empty_digests()[i]) {
      return Refusal{"the digest of empty content, which is never matched"};
    }
    any = true;
  }
  if (!any) return Refusal{"it has no digest"};
  const std::uint64_t place = names_.add(entry.name);
  for (std::size_t i = 0; i < algorithm_count; ++i) {
    if (entry.digests[i].empty()) continue;
    const std::string_view digest(raw[i].data(), algorithm_facts[i].bytes);
    with_list(lists_, static_cast<Algorithm>(i), [&](auto& list) { list.add(digest, place); });
  }
  ++entries_;
  return std::nullopt;
}

void Store::sort() {
  std::apply([](auto&... list) { (list.sort(), ...); }, lists_);
}

std::optional<std::string> Store::find(Algorithm algorithm, std::string_view digest) const {
  Raw raw;
  const std::size_t bytes = facts(algorithm).bytes;
  if (!decode(digest, bytes, raw)) return std::nullopt;
  const auto place =
      with_list(lists_, algorithm, [&](const auto& list) { return list.find(std::string_view(raw.data(), bytes)); });
  if (!place) return std::nullopt;
  return names_.at(*place);
}

}  // namespace exhibit::hashset
