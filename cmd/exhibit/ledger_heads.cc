#include "exhibit/ledger_heads.h"

#include <algorithm>
#include <cctype>

#include "manifest/file.h"

namespace exhibit::cmd {
namespace {

constexpr std::size_t sha256_digits = 64;
constexpr std::size_t group_digits = 8;

bool is_sha256(const std::string& hex) {
  return hex.size() == sha256_digits && hex.find_first_not_of("0123456789abcdef") == std::string::npos;
}

std::string head_as_written(const std::string& text) {
  std::string hex;
  for (const char c : text) {
    if (std::isspace(static_cast<unsigned char>(c)) == 0 && c != '-')
      hex += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  }
  if (!is_sha256(hex)) throw Usage{"--ledger-head takes the 64 hex digits that 'custody add' gave: " + text};
  return hex;
}

// The lines of JSON that `custody add` prints, one or more.
Result<std::vector<std::string>> heads_in(const std::string& file) {
  const std::string bytes = EXHIBIT_TRY(manifest::read_whole(file));
  std::vector<std::string> heads;
  for (std::size_t at = 0; at < bytes.size();) {
    const std::size_t end = std::min(bytes.find('\n', at), bytes.size());
    const auto line = base::parse_json(std::string_view(bytes).substr(at, end - at));
    const bool has_head = line.ok() && line->is_object() && line->contains("head") && line->at("head").is_string();
    if (has_head && is_sha256(line->at("head").get<std::string>()))
      heads.push_back(line->at("head").get<std::string>());
    at = end + 1;
  }
  if (heads.empty()) return Error{ErrorCode::corrupt, file + ": holds no head as 'custody add' prints it", {}, {}};
  return heads;
}

}  // namespace

void add_head_options(options::options_description& described) {
  described.add_options()("ledger-head", options::value<std::vector<std::string>>()->composing(),
                          "a head that the ledger had, as 'custody add' gave it to be kept elsewhere")(
      "head-from", options::value<std::vector<std::string>>()->composing(), "the same from a file");
}

Result<std::vector<std::string>> ledger_heads(const options::variables_map& values) {
  std::vector<std::string> heads;
  if (values.count("ledger-head") != 0) {
    for (const auto& text : values["ledger-head"].as<std::vector<std::string>>())
      heads.push_back(head_as_written(text));
  }
  if (values.count("head-from") != 0) {
    for (const auto& file : values["head-from"].as<std::vector<std::string>>()) {
      const auto found = EXHIBIT_TRY(heads_in(file));
      heads.insert(heads.end(), found.begin(), found.end());
    }
  }
  return heads;
}

std::string in_groups(const std::string& hex) {
  std::string text;
  for (std::size_t at = 0; at < hex.size(); at += group_digits)
    text += (at == 0 ? "" : " ") + hex.substr(at, group_digits);
  return text;
}

}  // namespace exhibit::cmd
