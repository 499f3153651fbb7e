#pragma once
// One pass over bytes that finds where an object could begin: all signatures' patterns at once.

#include <exhibit/result.h>

#include <cstdint>
#include <functional>
#include <vector>

#include "carve/signature.h"
#include "match/literal_search.h"

namespace exhibit::carve {

inline constexpr std::size_t longest_pattern = 32;  // bytes

// Where an object could be: worth a validator's time.
struct Candidate {
  std::uint32_t signature = 0;  // its index in signatures()
  // Of the object's first byte, or of an anchor pattern, in the bytes that were searched.
  std::uint64_t offset = 0;
  bool is_anchor = false;
  auto operator<=>(const Candidate&) const = default;
};

class CandidateSearch {
 public:
  // How much behind the bytes that it owns a search must see, so that what it finds depends on no border.
  static constexpr std::size_t lookahead = 4096;

  // `wanted`: the signatures to look for, all of which lie in `all`, which outlives this.
  static Result<CandidateSearch> compile(const std::vector<Signature>& all, const std::vector<bool>& wanted);

  // Candidates whose pattern begins in the first `owned` of `bytes`; `bytes` goes on for `lookahead` more, unless the
  // medium ends. A candidate may begin before `bytes` (a pattern that lies behind the first byte): `base` is the
  // offset of bytes[0], and offsets told have it added. False: the search failed.
  bool search(ByteSpan bytes, std::size_t owned, std::uint64_t base, const std::function<void(Candidate)>& found) {
    return search_part(bytes, {0, owned}, base, found);
  }

  // Bytes [begin, end) of those that are searched.
  struct Part {
    std::size_t begin = 0, end = 0;
  };
  // As search(), where candidates in `unwanted` (in order, disjoint) needn't be found: nobody wants to know of them.
  bool search_beside(ByteSpan bytes, std::size_t owned, std::uint64_t base, const std::vector<Part>& unwanted,
                     const std::function<void(Candidate)>& found);

 private:
  struct Literal {
    std::uint32_t signature = 0;
    std::uint64_t offset = 0;
    std::size_t length = 0;
    bool is_anchor = false;
  };
  // Two bytes, the second one under a mask: too short and too many for the search of literals.
  struct Pair {
    std::uint8_t first = 0, second = 0, mask = 0;
    bool holds(std::uint8_t one, std::uint8_t next) const { return one == first && (next & mask) == second; }
  };
  struct Sync {
    Literal literal;
    Pair pair;
  };
  // Those that begin with the same byte, and the pair that all of them are: one pass finds them.
  struct SyncGroup {
    Pair pair;
    std::vector<Sync> syncs;
  };
  void add_sync(const Sync& sync);
  // The same of the patterns that begin in `part`, which begins at a multiple of text_block.
  bool search_part(ByteSpan bytes, Part part, std::uint64_t base, const std::function<void(Candidate)>& found);
  void search_syncs(ByteSpan bytes, Part part, std::uint64_t base, const std::function<void(Candidate)>& found) const;
  void search_text(ByteSpan bytes, Part part, std::uint64_t base, const std::function<void(Candidate)>& found) const;
  void take(const Literal& literal, std::uint64_t place, ByteSpan bytes, std::uint64_t base,
            const std::function<void(Candidate)>& found) const;

  const std::vector<Signature>* all_ = nullptr;
  std::vector<Literal> literals_;
  std::vector<SyncGroup> syncs_;
  std::uint64_t reach_ = 0;  // bytes from an object's first to where a pattern may begin
  match::LiteralSearch search_;
  std::optional<std::uint32_t> text_;
};

// Whether a block (512 bytes, or what is left of the medium) can be text: no byte that text doesn't have, up to the
// zeros behind its end. Of UTF-16 only the first characters are looked at.
bool is_text_block(ByteSpan block);
inline constexpr std::size_t text_block = 512;  // bytes: a sector

}  // namespace exhibit::carve
