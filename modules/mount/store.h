#pragma once
// Texts that are too many for memory: appended once, read at any time, in a file without a name that is gone with the
// process.

#include <exhibit/result.h>

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/unique_fd.h"

namespace exhibit::mount {

class Store {
 public:
  // In `folder`, of which nothing is needed afterwards.
  static Result<Store> create(const std::string& folder);

  // Returns where it stands.
  Result<std::uint64_t> append(std::string_view text);
  // The text that was appended there.
  Result<std::string> read(std::uint64_t at) const;

  // The same without a mark of its length, for texts that are read as bytes.
  Result<void> append_bytes(std::string_view text);
  Result<std::string> bytes(std::uint64_t at, std::size_t length) const;
  std::uint64_t size() const { return written_ + pending_.size(); }

  // After the last of them: then read() may be called by several threads at once.
  Result<void> finish();

 private:
  base::UniqueFd file_;
  std::uint64_t written_ = 0;  // bytes of the file
  std::string pending_;        // what comes behind them
};

}  // namespace exhibit::mount
