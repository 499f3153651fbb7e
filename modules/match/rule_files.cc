#include "match/rule_files.h"

#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <iterator>
#include <string_view>

#include "base/json.h"
#include "base/rule_pack.h"
#include "base/text.h"

namespace exhibit::match {
namespace {

namespace fs = std::filesystem;

// libyara's magic of compiled rules (arena.c). A crafted one overflows libyara 4.2.3's heap, so none is loaded.
constexpr std::string_view compiled_magic = "YARA";
// Far above any real pack's largest file; bounds what one file can take.
constexpr std::uintmax_t max_rule_file = std::uintmax_t{64} << 20;

Error cannot_read(const fs::path& path, const std::string& why) {
  return Error{ErrorCode::not_found, path.string() + ": can't read the rules: " + why, path.filename().string(), {}};
}

Error unusable(const std::string& name, const std::string& why, ErrorCode code = ErrorCode::invalid_argument) {
  return Error{code, name + ": " + why, name, {}};
}

// The caller says in which file and line.
Error refused_include(const RuleSource& calling, const std::string& why) {
  return Error{ErrorCode::invalid_argument, why, calling.name, {}};
}

Result<std::string> sha256_of(const std::string& bytes) {
  std::array<unsigned char, 32> digest{};
  if (EVP_Digest(bytes.data(), bytes.size(), digest.data(), nullptr, EVP_sha256(), nullptr) != 1) {
    return Error{ErrorCode::internal, "SHA-256 isn't available from OpenSSL", {}, {}};
  }
  return base::to_hex({reinterpret_cast<const char*>(digest.data()), digest.size()});
}

// `path` and `root` are canonical.
Result<RuleSource> read_rule_file(const fs::path& path, const fs::path& root) {
  std::error_code failure;
  const std::uintmax_t size = fs::file_size(path, failure);
  if (failure) return cannot_read(path, failure.message());
  RuleSource source{base::rule_name_prefix(root) + path.lexically_relative(root).generic_string(), path, root, {}, {}};
  if (!base::clean_utf8(source.name).exact) {
    return unusable(base::clean_utf8(source.name).text, "the file's name isn't UTF-8; rename it");
  }
  if (size > max_rule_file) return unusable(source.name, "more than 64 MiB of rules; split it", ErrorCode::size_limit);
  std::ifstream file(path, std::ios::binary);
  source.text.assign(std::istreambuf_iterator<char>(file), {});
  if (!file.good() && !file.eof()) return cannot_read(path, "read error");
  if (!file.is_open()) return cannot_read(path, "can't be opened");
  if (source.text.starts_with(compiled_magic)) {
    return unusable(source.name, "compiled YARA rules aren't loaded; give the rules' source", ErrorCode::unsupported);
  }
  if (source.text.find('\0') != std::string::npos)
    return unusable(source.name, "not a YARA rule file: it has NUL bytes");
  source.sha256 = EXHIBIT_TRY(sha256_of(source.text));
  return source;
}

bool is_rule_name(const fs::path& path) {
  std::string extension = path.extension().string();
  std::transform(extension.begin(), extension.end(), extension.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return extension == ".yar" || extension == ".yara";
}

Result<void> collect_folder(const fs::path& root, std::vector<RuleSource>& sources) {
  std::error_code failure;
  const std::size_t before = sources.size();
  fs::recursive_directory_iterator entry(root, failure);
  for (; !failure && entry != fs::recursive_directory_iterator(); entry.increment(failure)) {
    if (!is_rule_name(entry->path())) continue;
    const fs::file_status status = entry->status(failure);
    if (failure) return cannot_read(entry->path(), failure.message());
    if (fs::is_directory(status)) continue;
    // Named by where it lies, even if it is a symbolic link.
    sources.push_back(EXHIBIT_TRY(read_rule_file(entry->path(), root)));
  }
  if (failure) return cannot_read(root, failure.message());
  if (sources.size() == before) return cannot_read(root, "no .yar or .yara file in this folder");
  return {};
}

}  // namespace

Result<std::vector<RuleSource>> collect_rule_files(const std::vector<std::string>& paths) {
  std::vector<RuleSource> sources;
  for (const std::string& given : paths) {
    std::error_code failure;
    const fs::path path = fs::canonical(given, failure);
    if (failure) return cannot_read(given, failure.message());
    if (fs::is_directory(path, failure)) {
      EXHIBIT_TRY(collect_folder(path, sources));
    } else {
      sources.push_back(EXHIBIT_TRY(read_rule_file(path, path.parent_path())));
    }
  }
  std::sort(sources.begin(), sources.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
  const auto twice =
      std::adjacent_find(sources.begin(), sources.end(), [](const auto& a, const auto& b) { return a.name == b.name; });
  if (twice != sources.end()) {
    return unusable(twice->name,
                    "two rule files have this name, and matches would not say which; put both below one "
                    "folder and name that folder");
  }
  return sources;
}

Result<RuleSource> read_included_file(const RuleSource& calling, const std::string& include) {
  const fs::path relative(include);
  if (relative.is_absolute()) return refused_include(calling, "include \"" + include + "\" is not a relative path");
  std::error_code failure;
  const fs::path path = fs::canonical(calling.path.parent_path() / relative, failure);
  if (failure) return refused_include(calling, "include \"" + include + "\": " + failure.message());
  const auto [end, ignored] = std::mismatch(calling.root.begin(), calling.root.end(), path.begin(), path.end());
  if (end != calling.root.end()) {
    return refused_include(calling, "include \"" + include + "\" leaves the folder of the rules");
  }
  return read_rule_file(path, calling.root);
}

}  // namespace exhibit::match
