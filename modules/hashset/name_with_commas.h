#pragma once
// Comma-separated lines without quotes, in which one column, a file's name, may hold commas of its own.

#include <cstddef>
#include <string_view>
#include <vector>

namespace exhibit::hashset {

class NameWithCommas {
 public:
  // `before` columns, the name, `after` columns. False where there are fewer.
  bool split(std::string_view line, std::size_t before, std::size_t after) {
    before_.clear();
    after_.assign(after, {});
    for (; before > 0; --before) {
      const std::size_t comma = line.find(',');
      if (comma == std::string_view::npos) return false;
      before_.push_back(line.substr(0, comma));
      line.remove_prefix(comma + 1);
    }
    for (; after > 0; --after) {
      const std::size_t comma = line.rfind(',');
      if (comma == std::string_view::npos) return false;
      after_[after - 1] = line.substr(comma + 1);
      line = line.substr(0, comma);
    }
    name_ = line;
    return true;
  }

  const std::vector<std::string_view>& before() const { return before_; }
  const std::vector<std::string_view>& after() const { return after_; }
  std::string_view name() const { return name_; }

 private:
  std::vector<std::string_view> before_, after_;
  std::string_view name_;
};

}  // namespace exhibit::hashset
