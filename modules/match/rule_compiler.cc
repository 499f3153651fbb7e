#include "match/rule_compiler.h"

#include <algorithm>
#include <cstdio>
#include <deque>
#include <map>
#include <memory>

#include "base/text.h"
#include "match/rule_files.h"

namespace exhibit::match {
namespace {

// Variables that published packs expect the scanner to set. They stay empty: a rule that asks for a file's name can't
// be answered for deleted or carved content, and one answer must hold for every holder of the same bytes.
constexpr const char* external_variables[] = {"filename", "filepath", "extension", "filetype", "owner", "md5"};

struct FileCloser {
  void operator()(std::FILE* file) const { std::fclose(file); }
};

// One file's compilation, as libyara's callbacks see it.
struct Compilation {
  YR_COMPILER* compiler = nullptr;
  std::vector<StringTree>* trees = nullptr;
  std::map<std::string, const RuleSource*> by_written_name;  // as libyara names the including files
  std::deque<RuleSource> included;                           // stable addresses: libyara reads the texts in place
  std::string refused_include;                               // why; libyara knows the line
  std::string error;                                         // the first one, with file and line

  std::string name_of(const char* written) const {
    const auto known = by_written_name.find(written ? written : "");
    return known == by_written_name.end() ? std::string(written ? written : "?") : known->second->name;
  }
  void fail(const char* written_file, int line, const std::string& what) {
    if (error.empty()) error = name_of(written_file) + ":" + std::to_string(line) + ": " + what;
  }
};

void on_message(int level, const char* file, int line, const YR_RULE* /*rule*/, const char* message,
                void* user) noexcept {
  if (level != YARA_ERROR_LEVEL_ERROR) return;
  auto& compilation = *static_cast<Compilation*>(user);
  compilation.fail(file, line,
                   compilation.refused_include.empty() ? base::clean_utf8(message).text : compilation.refused_include);
}

const char* on_include(const char* include, const char* calling, const char* /*name_space*/, void* user) noexcept {
  auto& compilation = *static_cast<Compilation*>(user);
  const auto caller = compilation.by_written_name.find(calling ? calling : "");
  if (caller == compilation.by_written_name.end()) return nullptr;
  auto source = read_included_file(*caller->second, include);
  if (!source.ok()) {
    compilation.refused_include = source.error().message;
    return nullptr;
  }
  const auto [known, is_new] = compilation.by_written_name.try_emplace(include, nullptr);
  if (!is_new && known->second->path != source->path) {
    compilation.refused_include = "include \"" + std::string(include) + "\" means two different files here; rename one";
    return nullptr;
  }
  compilation.included.push_back(source.take());
  known->second = &compilation.included.back();
  return known->second->text.c_str();
}

void on_include_done(const char* /*text*/, void* /*user*/) {}

void on_string(const YR_RULE* rule, const char* string, const RE_AST* tree, void* user) noexcept {
  auto& compilation = *static_cast<Compilation*>(user);
  compilation.trees->push_back(
      {compilation.compiler->current_rule_idx, string, literals_of(*tree), (tree->flags & RE_FLAGS_NO_CASE) != 0});
  if (!would_abort(*tree)) return;
  compilation.fail(yr_compiler_get_current_file_name(compilation.compiler), compilation.compiler->current_line,
                   why_it_aborts(rule->identifier, string));
}

// Adds one file as a namespace of its name. After a failure libyara's compiler must not be used again.
Result<void> add_file(YR_COMPILER* compiler, const RuleSource& source, CompiledRules& compiled) {
  Compilation compilation;
  compilation.compiler = compiler;
  compilation.trees = &compiled.trees;
  compilation.by_written_name.emplace(source.name, &source);
  yr_compiler_set_callback(compiler, on_message, &compilation);
  yr_compiler_set_include_callback(compiler, on_include, on_include_done, &compilation);
  yr_compiler_set_re_ast_callback(compiler, on_string, &compilation);
  compiled.files.push_back({source.name, source.sha256, 0});
  if (source.text.empty()) return {};
  const std::unique_ptr<std::FILE, FileCloser> stream(
      fmemopen(const_cast<char*>(source.text.data()), source.text.size(), "r"));
  if (!stream) return Error{ErrorCode::memory_limit, source.name + ": no memory for its rules", source.name, {}};
  const int errors = yr_compiler_add_file(compiler, stream.get(), source.name.c_str(), source.name.c_str());
  if (errors != 0 && compilation.error.empty()) compilation.error = source.name + ": doesn't compile";
  if (!compilation.error.empty()) return Error{ErrorCode::invalid_argument, compilation.error, source.name, {}};
  for (const RuleSource& included : compilation.included) compiled.files.push_back({included.name, included.sha256, 0});
  return {};
}

// Files named by several include directives, or by one and as a file of their own, are told once.
Result<void> merge_files(std::vector<RuleFile>& files) {
  std::sort(files.begin(), files.end(), [](const RuleFile& a, const RuleFile& b) {
    return std::tie(a.name, a.sha256) < std::tie(b.name, b.sha256);
  });
  files.erase(
      std::unique(files.begin(), files.end(),
                  [](const RuleFile& a, const RuleFile& b) { return a.name == b.name && a.sha256 == b.sha256; }),
      files.end());
  const auto twice = std::adjacent_find(files.begin(), files.end(),
                                        [](const RuleFile& a, const RuleFile& b) { return a.name == b.name; });
  if (twice == files.end()) return {};
  return Error{ErrorCode::invalid_argument,
               twice->name + ": an included file and another rule file have this name but differ; rename one",
               twice->name,
               {}};
}

}  // namespace

// libyara 4.2.3 cuts a hex string in two at a jump that can be longer than YR_STRING_CHAINING_THRESHOLD. Where the part
// before the cut ends in another jump, its match can pass the end of the data and the scan aborts (scan.c:656).
bool would_abort(const RE_AST& string) {
  const bool is_regular_expression = (string.flags & (RE_FLAGS_GREEDY | RE_FLAGS_UNGREEDY)) != 0;
  if (is_regular_expression || string.root_node == nullptr) return false;
  for (const RE_NODE* node = string.root_node->children_head; node != nullptr; node = node->next_sibling) {
    const RE_NODE* next = node->next_sibling;
    if (node->type == RE_NODE_RANGE_ANY && next != nullptr && next->type == RE_NODE_RANGE_ANY &&
        next->end > YR_STRING_CHAINING_THRESHOLD) {
      return true;
    }
  }
  return false;
}

std::string why_it_aborts(const std::string& rule, const std::string& string) {
  return "rule \"" + rule + "\": string \"" + string +
         "\" has two jumps in a row, which makes libyara 4.2.3 abort while it scans; write them as one";
}

Result<YaraCompiler> new_rule_compiler() {
  YR_COMPILER* compiler = nullptr;
  if (yr_compiler_create(&compiler) != ERROR_SUCCESS) {
    return Error{ErrorCode::memory_limit, "no memory for the YARA compiler", {}, {}};
  }
  YaraCompiler owned(compiler);
  for (const char* variable : external_variables) {
    if (yr_compiler_define_string_variable(compiler, variable, "") != ERROR_SUCCESS) {
      return Error{ErrorCode::memory_limit, "no memory for the YARA compiler", {}, {}};
    }
  }
  return owned;
}

Result<CompiledRules> compile_rules(const std::vector<std::string>& paths) {
  const std::vector<RuleSource> sources = EXHIBIT_TRY(collect_rule_files(paths));
  const YaraCompiler compiler = EXHIBIT_TRY(new_rule_compiler());
  CompiledRules compiled;
  for (const RuleSource& source : sources) EXHIBIT_TRY(add_file(compiler.get(), source, compiled));
  EXHIBIT_TRY(merge_files(compiled.files));
  YR_RULES* rules = nullptr;
  if (yr_compiler_get_rules(compiler.get(), &rules) != ERROR_SUCCESS) {
    return Error{ErrorCode::memory_limit, "no memory for the compiled YARA rules", {}, {}};
  }
  compiled.rules.reset(rules);
  const YR_RULE* rule = nullptr;
  yr_rules_foreach(rules, rule) {
    const auto file = std::lower_bound(compiled.files.begin(), compiled.files.end(), rule->ns->name,
                                       [](const RuleFile& a, const char* name) { return a.name < name; });
    EXHIBIT_CHECK(file != compiled.files.end() && file->name == rule->ns->name);
    ++file->rules;
  }
  if (rules->num_rules == 0) return Error{ErrorCode::invalid_argument, "the rule files hold no rule", {}, {}};
  return compiled;
}

}  // namespace exhibit::match
