#include "match/literal_search.h"

#include <hs/hs.h>

#include <limits>

namespace exhibit::match {

void LiteralSearch::DatabaseDeleter::operator()(hs_database* database) const { hs_free_database(database); }
void LiteralSearch::ScratchDeleter::operator()(hs_scratch* scratch) const { hs_free_scratch(scratch); }

Result<LiteralSearch> LiteralSearch::compile(const std::vector<SearchedLiteral>& literals, Report report) {
  LiteralSearch search;
  if (literals.empty()) return search;
  std::vector<const char*> expressions;
  std::vector<std::size_t> lengths;
  std::vector<unsigned> flags, ids;
  for (const SearchedLiteral& literal : literals) {
    ids.push_back(static_cast<unsigned>(expressions.size()));
    expressions.push_back(literal.bytes.data());
    lengths.push_back(literal.bytes.size());
    flags.push_back((report == Report::whether ? unsigned{HS_FLAG_SINGLEMATCH} : 0u) |
                    (literal.ignore_case ? unsigned{HS_FLAG_CASELESS} : 0u));
  }
  hs_database_t* database = nullptr;
  hs_compile_error_t* failure = nullptr;
  if (hs_compile_lit_multi(expressions.data(), flags.data(), ids.data(), lengths.data(),
                           static_cast<unsigned>(expressions.size()), HS_MODE_BLOCK, nullptr, &database,
                           &failure) != HS_SUCCESS) {
    const std::string why = failure != nullptr ? failure->message : "no memory";
    hs_free_compile_error(failure);
    return Error{ErrorCode::unsupported, "Vectorscan can't compile the rules' literals: " + why, {}, {}};
  }
  search.database_.reset(database);
  hs_scratch_t* scratch = nullptr;
  if (hs_alloc_scratch(database, &scratch) != HS_SUCCESS) {
    return Error{ErrorCode::memory_limit, "no memory for Vectorscan", {}, {}};
  }
  search.scratch_.reset(scratch);
  return search;
}

bool LiteralSearch::search(std::span<const std::byte> bytes, const std::function<void(std::uint32_t)>& found) {
  return search_places(bytes, [&](std::uint32_t literal, std::uint64_t) { found(literal); });
}

bool LiteralSearch::search_places(std::span<const std::byte> bytes,
                                  const std::function<void(std::uint32_t, std::uint64_t)>& found) {
  if (!database_ || bytes.empty()) return true;
  if (bytes.size() > std::numeric_limits<unsigned>::max()) return false;
  using Found = std::function<void(std::uint32_t, std::uint64_t)>;
  const auto on_match = [](unsigned id, unsigned long long, unsigned long long end, unsigned, void* context) noexcept {
    (*static_cast<const Found*>(context))(id, end);
    return 0;
  };
  return hs_scan(database_.get(), reinterpret_cast<const char*>(bytes.data()), static_cast<unsigned>(bytes.size()), 0,
                 scratch_.get(), on_match, const_cast<Found*>(&found)) == HS_SUCCESS;
}

std::size_t LiteralSearch::memory() const {
  std::size_t database = 0, scratch = 0;
  if (database_) {
    hs_database_size(database_.get(), &database);
    hs_scratch_size(scratch_.get(), &scratch);
  }
  return database + scratch;
}

}  // namespace exhibit::match
