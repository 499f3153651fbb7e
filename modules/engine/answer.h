#pragma once
// A worker's answer as it comes in: how many lines it has and their digest, which its `done` must agree with.

#include <memory>
#include <optional>
#include <string_view>

#include "base/json.h"
#include "hash/multi_digest.h"

namespace exhibit::engine {

class Answer {
 public:
  void begin() {
    auto hasher = hash::create("sha256");
    EXHIBIT_CHECK(hasher.ok());
    digest_ = hasher.take();
    lines_ = 0;
    failure.reset();
  }

  // A record or message of it, as it came.
  void count(std::string_view line) {
    ++lines_;
    digest_->update(std::as_bytes(std::span(line)));
    digest_->update(std::as_bytes(std::span("\n", 1)));
  }

  // Whether `done` tells of just the lines that were counted. Ends the answer.
  bool is_whole(const base::Json& done) {
    return done.value("lines", base::Json()) == lines_ &&
           done.value("sha256", base::Json()) == base::to_hex(digest_->finish());
  }

  std::optional<base::Json> failure;  // what a `failed` message said

 private:
  std::unique_ptr<hash::Hasher> digest_;
  std::uint64_t lines_ = 0;
};

}  // namespace exhibit::engine
