#include "hash/chain_digest.h"

#include <algorithm>
#include <charconv>
#include <cstring>

#include "base/json.h"
#include "hash/algorithm.h"

namespace exhibit::hash {
namespace {

constexpr std::string_view format = "chain-1";
constexpr char separator = '.';

// The other digests take a piece while it's still in the second-level cache.
constexpr std::size_t piece_bytes = std::size_t{64} << 10;

// A length that counts as bits in 64 bits, with room for what follows.
constexpr std::uint64_t longest_stream = std::uint64_t{1} << 60;

// SHA-256 in hex of a text that anyone can compute: it tells damage.
std::string check_of(std::string_view text) { return base::to_hex(digest_of("sha256", text)); }

Error refusal(const std::string& why) { return {ErrorCode::corrupt, "saved digest state: " + why, {}, {}}; }

// What stands before the next separator, and takes it away; all of the text where there is none.
std::string_view take_field(std::string_view& text) {
  const std::string_view field = text.substr(0, text.find(separator));
  text.remove_prefix(std::min(text.size(), field.size() + 1));
  return field;
}

const AlgorithmRow* row_of(std::string_view algorithm) {
  const auto table = algorithm_table();
  const auto row = std::ranges::lower_bound(table, algorithm, {}, &AlgorithmRow::name);
  return row == table.end() || (*row)->name != algorithm ? nullptr : *row;
}

}  // namespace

bool can_chain(std::string_view algorithm) {
  const AlgorithmRow* row = row_of(algorithm);
  return row != nullptr && (kernel_set(algorithm) != 0 || row->create_chain != nullptr);
}

Result<ChainDigest> ChainDigest::create(std::span<const std::string> algorithms) {
  ChainDigest digest;
  DigestSet together = 0;
  Digests names;  // sorted, each once
  for (const std::string& name : algorithms) names[name];
  for (const auto& [name, none] : names) {
    if (!can_chain(name)) {
      EXHIBIT_TRY(hash::create(name));  // says whether there is such an algorithm at all
      return Error{ErrorCode::unsupported, "the state of " + name + " can't be saved", name, {}};
    }
    together |= kernel_set(name);
    if (kernel_set(name) == 0) digest.hashers_.emplace_back(name, row_of(name)->create_chain());
  }
  if (together != 0) digest.interleaved_.emplace(together);
  return digest;
}

void ChainDigest::feed(std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const auto piece = bytes.first(std::min(bytes.size(), piece_bytes));
    if (interleaved_) interleaved_->update(piece);
    for (auto& [name, hasher] : hashers_) hasher->update(piece);
    bytes = bytes.subspan(piece.size());
  }
}

void ChainDigest::update(std::span<const std::byte> bytes) {
  if (const std::size_t filled = tail_bytes(); filled > 0) {
    const auto piece = bytes.first(std::min(bytes.size(), tail_.size() - filled));
    std::ranges::copy(piece, tail_.begin() + static_cast<std::ptrdiff_t>(filled));
    length_ += piece.size();
    bytes = bytes.subspan(piece.size());
    if (tail_bytes() != 0) return;
    feed(tail_);
  }
  length_ += bytes.size();
  const std::size_t whole = bytes.size() - tail_bytes();
  feed(bytes.first(whole));
  std::ranges::copy(bytes.subspan(whole), tail_.begin());
}

Digests ChainDigest::finish() {
  feed(std::span(tail_).first(tail_bytes()));
  length_ = 0;
  Digests digests;
  if (interleaved_) interleaved_->finish(digests);
  for (auto& [name, hasher] : hashers_) digests[name] = base::to_hex(hasher->finish());
  return digests;
}

Digests ChainDigest::values() const {
  Digests values;
  for (const std::string_view name : kernel_digests) {
    const DigestSet one = kernel_set(name);
    if (!interleaved_ || (interleaved_->set() & one) == 0) continue;
    values[std::string(name)] = base::to_hex(chaining_value(interleaved_->values(), one));
  }
  for (const auto& [name, hasher] : hashers_) values[name] = base::to_hex(hasher->chaining_value());
  return values;
}

bool ChainDigest::set_values(const Digests& values, std::uint64_t length) {
  ChainingValues together = initial_values();
  DigestSet set = 0;
  for (const auto& [name, hex] : values) {
    const auto value = base::from_hex(hex);
    if (!value.ok()) return false;
    if (const DigestSet one = kernel_set(name); one != 0) {
      if (!set_chaining_value(together, one, *value)) return false;
      set |= one;
    }
    for (auto& [other, hasher] : hashers_) {
      if (other == name && !hasher->resume(*value, length)) return false;
    }
  }
  if (set != 0) interleaved_.emplace(set, together, length);
  return true;
}

std::string ChainDigest::state() const {
  const std::string_view tail(reinterpret_cast<const char*>(tail_.data()), tail_bytes());
  std::string text(format);
  text += separator + std::to_string(length_) + separator + base::to_hex(tail);
  for (const auto& [name, value] : values()) text += separator + name + separator + value;
  const std::string check = check_of(text);
  return text + separator + check;
}

Result<ChainDigest> ChainDigest::resume(std::string_view state) {
  if (state.size() >= longest_state) return refusal("it is too long");
  const std::size_t end = state.rfind(separator);
  if (end == std::string_view::npos || state.substr(end + 1) != check_of(state.substr(0, end))) {
    return refusal("its check fails");
  }
  std::string_view rest = state.substr(0, end);
  if (take_field(rest) != format) return refusal("it is of another format");
  const std::string_view decimal = take_field(rest);
  std::uint64_t length = 0;
  const auto [stopped, error] = std::from_chars(decimal.data(), decimal.data() + decimal.size(), length);
  if (error != std::errc() || stopped != decimal.data() + decimal.size() || length >= longest_stream) {
    return refusal("its length isn't one");
  }
  const auto tail = base::from_hex(take_field(rest));
  if (!tail.ok() || tail->size() != length % ChainHasher::boundary) return refusal("its tail isn't the length's");

  Digests values;
  std::vector<std::string> names;
  while (!rest.empty()) {
    names.emplace_back(take_field(rest));
    if (!can_chain(names.back())) return refusal("it names a digest that can't be chained");
    values[names.back()] = take_field(rest);
  }
  ChainDigest digest = EXHIBIT_TRY(create(names));
  if (!digest.set_values(values, length - tail->size())) return refusal("a chaining value has the wrong length");
  digest.length_ = length;
  std::memcpy(digest.tail_.data(), tail->data(), tail->size());
  // One state has one text.
  if (digest.state() != state) return refusal("it isn't written as states are");
  return digest;
}

}  // namespace exhibit::hash
