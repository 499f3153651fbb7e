#include "hashset/diff.h"

#include <cstring>

#include "base/json.h"

namespace exhibit::hashset {
namespace {

// A table digest by digest, with the categories of each.
class Digests {
 public:
  Digests(const Index& index, Algorithm algorithm) : index_(index), algorithm_(algorithm), rows_(index, algorithm) {
    more_ = rows_.next();
    next();
  }
  bool at_end() const { return at_end_; }
  const RawDigest& digest() const { return digest_; }
  const std::set<std::string>& categories() const { return categories_; }

  void next() {
    at_end_ = !more_;
    categories_.clear();
    if (at_end_) return;
    digest_ = rows_.digest();
    while (more_ && std::memcmp(rows_.digest().data(), digest_.data(), facts(algorithm_).bytes) == 0) {
      categories_.insert(index_.label(algorithm_, rows_.place()).category);
      more_ = rows_.next();
    }
  }

 private:
  const Index& index_;
  Algorithm algorithm_;
  Index::Cursor rows_;
  bool more_ = false, at_end_ = false;
  RawDigest digest_{};
  std::set<std::string> categories_;
};

void diff_table(const Index& before, const Index& after, Algorithm algorithm,
                const std::function<void(const Change&)>& call) {
  const std::size_t bytes = facts(algorithm).bytes;
  const auto hex = [&](const RawDigest& digest) {
    return base::to_hex({reinterpret_cast<const char*>(digest.data()), bytes});
  };
  Digests old(before, algorithm), now(after, algorithm);
  while (!old.at_end() || !now.at_end()) {
    int order = old.at_end() ? 1 : -1;
    if (!old.at_end() && !now.at_end()) order = std::memcmp(old.digest().data(), now.digest().data(), bytes);
    if (order < 0) call({Change::Kind::removed, algorithm, hex(old.digest()), old.categories(), {}});
    if (order > 0) call({Change::Kind::added, algorithm, hex(now.digest()), {}, now.categories()});
    if (order == 0 && old.categories() != now.categories()) {
      call({Change::Kind::category, algorithm, hex(now.digest()), old.categories(), now.categories()});
    }
    if (order <= 0) old.next();
    if (order >= 0) now.next();
  }
}

}  // namespace

const char* name_of(Change::Kind kind) {
  switch (kind) {
    case Change::Kind::added:
      return "added";
    case Change::Kind::removed:
      return "removed";
    case Change::Kind::category:
      break;
  }
  return "category";
}

void diff(const Index& before, const Index& after, const std::function<void(const Change&)>& call) {
  for (std::size_t i = 0; i < algorithm_count; ++i) diff_table(before, after, static_cast<Algorithm>(i), call);
}

}  // namespace exhibit::hashset
