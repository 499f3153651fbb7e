#pragma once
// Many byte strings searched for at once, with Vectorscan. Owns what that library allocates.

#include <exhibit/result.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

struct hs_database;
struct hs_scratch;

namespace exhibit::match {

struct SearchedLiteral {
  std::string bytes;         // not beginning with a zero
  bool ignore_case = false;  // of ASCII letters
};

class LiteralSearch {
 public:
  enum class Report { whether, each_place };

  // Everything that a search needs is allocated here. `report` says which of the searches will be asked for.
  static Result<LiteralSearch> compile(const std::vector<SearchedLiteral>& literals, Report report = Report::whether);

  // Calls `found` once for each literal that lies in `bytes`. False if the search failed: then it may lack some.
  bool search(std::span<const std::byte> bytes, const std::function<void(std::uint32_t literal)>& found);

  // Calls `found` for each place of each literal, in the order of their ends. False as above.
  bool search_places(std::span<const std::byte> bytes,
                     const std::function<void(std::uint32_t literal, std::uint64_t end)>& found);

  std::size_t memory() const;

 private:
  struct DatabaseDeleter {
    void operator()(hs_database* database) const;
  };
  struct ScratchDeleter {
    void operator()(hs_scratch* scratch) const;
  };
  std::unique_ptr<hs_database, DatabaseDeleter> database_;  // none without literals
  std::unique_ptr<hs_scratch, ScratchDeleter> scratch_;
};

}  // namespace exhibit::match
