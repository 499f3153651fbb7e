#pragma once
// What was found out about contents that were seen before, so that identical content is judged once.

#include <deque>
#include <string>
#include <unordered_map>

#include "match/content.h"
#include "match/perceptual/perceive.h"

namespace exhibit::worker {

// What depends on the content alone: not on the item's name or place.
struct Judgement {
  std::string type;
  match::ScanResult scanned;
  match::Perceived perceived;
};

// The last few thousand contents, by digest; the oldest give way.
class Judgements {
 public:
  // nullptr: not known. Valid until the next keep().
  const Judgement* find(const std::string& sha256) const {
    const auto found = known_.find(sha256);
    return found == known_.end() ? nullptr : &found->second;
  }

  void keep(const std::string& sha256, Judgement judgement) {
    if (judgement.scanned.matches.size() > most_matches || !known_.emplace(sha256, std::move(judgement)).second) return;
    order_.push_back(sha256);
    if (order_.size() <= most_kept) return;
    known_.erase(order_.front());
    order_.pop_front();
  }

 private:
  static constexpr std::size_t most_kept = 8192, most_matches = 8;
  std::unordered_map<std::string, Judgement> known_;
  std::deque<std::string> order_;
};

}  // namespace exhibit::worker
