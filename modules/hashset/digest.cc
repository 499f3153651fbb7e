#include "hashset/digest.h"

#include <algorithm>
#include <cstring>
#include <map>
#include <mutex>

#include "hash/multi_digest.h"
#include "hashset/hex.h"

namespace exhibit::hashset {
namespace {

constexpr std::size_t smallest_block = 512, largest_block = std::size_t{1} << 20;

using TrivialContents = std::map<std::string, std::string, std::less<>>;  // raw digest -> what it is of

TrivialContents trivial_contents(Algorithm algorithm) {
  TrivialContents contents;
  for (const auto& [value, words] : {std::pair('\0', "0x00"), std::pair('\xff', "0xff")}) {
    const std::string block(largest_block, value);
    for (std::size_t size = smallest_block; size <= largest_block; size *= 2) {
      contents.emplace(hash::digest_of(facts(algorithm).name, std::string_view(block).substr(0, size)),
                       std::to_string(size) + " bytes of " + words);
    }
  }
  return contents;
}

std::string_view view_of(Algorithm algorithm, const RawDigest& raw) {
  return {reinterpret_cast<const char*>(raw.data()), facts(algorithm).bytes};
}

}  // namespace

std::optional<Algorithm> algorithm_named(std::string_view name) {
  const auto found = std::ranges::find(algorithm_facts, name, &AlgorithmFacts::name);
  if (found == algorithm_facts.end()) return std::nullopt;
  return static_cast<Algorithm>(found - algorithm_facts.begin());
}

bool decode_digest(std::string_view hex, Algorithm algorithm, RawDigest& raw) {
  if (hex.size() != facts(algorithm).bytes * 2) return false;
  for (std::size_t i = 0; i < hex.size() / 2; ++i) {
    const unsigned high = hex_value(hex[2 * i]), low = hex_value(hex[2 * i + 1]);
    if (high == not_hex || low == not_hex) return false;
    raw[i] = static_cast<std::uint8_t>(high << 4 | low);
  }
  return true;
}

bool is_of_empty_content(Algorithm algorithm, const RawDigest& raw) {
  static const auto digests = [] {
    std::array<std::string, algorithm_count> all;
    for (std::size_t i = 0; i < digest_count; ++i) all[i] = hash::digest_of(algorithm_facts[i].name, "");
    all[static_cast<std::size_t>(Algorithm::pdq)] = std::string(facts(Algorithm::pdq).bytes, '\0');
    return all;
  }();
  return view_of(algorithm, raw) == digests[static_cast<std::size_t>(algorithm)];
}

std::string trivial_content(Algorithm algorithm, const RawDigest& raw) {
  if (algorithm == Algorithm::pdq) return {};
  static std::array<std::once_flag, algorithm_count> made;
  static std::array<TrivialContents, algorithm_count> contents;
  const auto index = static_cast<std::size_t>(algorithm);
  std::call_once(made[index], [&] { contents[index] = trivial_contents(algorithm); });
  const auto found = contents[index].find(view_of(algorithm, raw));
  return found == contents[index].end() ? std::string() : found->second;
}

}  // namespace exhibit::hashset
