#include "exhibit/rule_packs.h"

#include <algorithm>
#include <filesystem>

#include "base/rule_pack.h"
#include "exhibit/common.h"
#include "manifest/file.h"

namespace exhibit::cmd {
namespace fs = std::filesystem;
using base::Json;

namespace {

std::string version_of_pack(const fs::path& folder) {
  if (base::rule_name_prefix(folder).empty()) return {};
  const auto pack = read_pack(folder.string());
  return pack.ok() ? pack->at("version").get<std::string>() : std::string();
}

Error bad_pack(const std::string& file, const std::string& why) {
  return {ErrorCode::invalid_argument, file + ": " + why, {}, {}};
}

}  // namespace

Result<std::vector<RuleFile>> rule_files(const std::string& path) {
  std::error_code failure;
  const fs::path whole = fs::canonical(path, failure);
  if (failure) return Error{ErrorCode::not_found, path + ": can't read the rules: " + failure.message(), {}, {}};
  const bool is_folder = fs::is_directory(whole, failure);
  const fs::path root = is_folder ? whole : whole.parent_path();
  const std::string prefix = base::rule_name_prefix(root);
  std::vector<fs::path> paths;
  if (!is_folder) paths.push_back(whole);
  for (fs::recursive_directory_iterator entry(root, failure); is_folder && !failure && entry != end(entry);
       entry.increment(failure)) {
    const std::string extension = entry->path().extension().string();
    if (entry->is_regular_file(failure) && (extension == ".yar" || extension == ".yara"))
      paths.push_back(entry->path());
  }
  if (failure) return Error{ErrorCode::io_error, path + ": can't read the rules: " + failure.message(), {}, {}};
  std::sort(paths.begin(), paths.end());
  std::vector<RuleFile> files;
  for (const fs::path& file : paths) {
    files.push_back({prefix + file.lexically_relative(root).generic_string(), file.string(),
                     version_of_pack(prefix.empty() ? file.parent_path() : root)});
  }
  return files;
}

std::string installed_packs() {
  return fs::path(beside_this_program("../share/exhibit/signatures/yara")).lexically_normal().string();
}

std::string find_rules(const std::string& named) {
  std::error_code ignored;
  const bool is_name = named.find('/') == std::string::npos && named != "." && named != "..";
  if (fs::exists(named, ignored) || !is_name) return named;
  const fs::path pack = fs::path(installed_packs()) / named;
  return fs::is_regular_file(pack / base::pack_file, ignored) ? pack.string() : named;
}

Result<Json> read_pack(const std::string& folder) {
  const std::string file = (fs::path(folder) / base::pack_file).string();
  auto pack = base::parse_json(EXHIBIT_TRY(manifest::read_whole(file)));
  if (!pack.ok()) return bad_pack(file, pack.error().message);
  if (!pack->is_object() || pack->value("format", Json()) != "exhibit-rule-pack/1")
    return bad_pack(file, "its format isn't exhibit-rule-pack/1");
  for (const char* key : {"name", "version", "purpose", "legal_basis", "licence"}) {
    const auto text = pack->find(key);
    if (text == pack->end() || !text->is_string() || text->get<std::string>().empty())
      return bad_pack(file, std::string("doesn't say its ") + key);
  }
  const auto authors = pack->find("authors");
  if (authors == pack->end() || !authors->is_array() || authors->empty()) return bad_pack(file, "names no authors");
  if (pack->at("name") != fs::canonical(folder).filename().string())
    return bad_pack(file, "its name isn't its folder's");
  const auto required = pack->find("designation_required");
  if (required != pack->end() && !required->is_boolean())
    return bad_pack(file, "designation_required is true or false");
  const auto handling = pack->find("handling");
  if (handling != pack->end() && *handling != "restricted") return bad_pack(file, "handling is `restricted` or absent");
  return pack.take();
}

}  // namespace exhibit::cmd
