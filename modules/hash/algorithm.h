#pragma once
// A row of the algorithm table. algorithms/NAME.cc defines one, with its known answers; CMake makes the table from the
// folder, sorted by name. The conformance test computes every known answer of every row.

#include <exhibit/result.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "hash/multi_digest.h"

namespace exhibit::hash {

struct KnownAnswer {
  std::string_view message;    // hex
  std::uint64_t repeated = 1;  // how many times the message is fed
  std::string_view digest;     // lower-case hex
  std::string_view source;     // where the answer is published
};

struct AlgorithmRow {
  std::string_view name;  // as findings.md spells it; the file's name
  std::string_view oid;   // object identifier, empty where none is registered
  std::size_t digest_bytes = 0;
  Result<std::unique_ptr<Hasher>> (*create)() = nullptr;
  std::span<const KnownAnswer> known_answers;
  // Null where the chaining value can't be had, and for the digests that the kernels compute (interleaved_digest.h).
  std::unique_ptr<ChainHasher> (*create_chain)() = nullptr;
};

// Sorted by name.
std::span<const AlgorithmRow* const> algorithm_table();

}  // namespace exhibit::hash
