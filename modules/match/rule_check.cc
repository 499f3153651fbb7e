#include "match/rule_check.h"

#include <time.h>

#include <algorithm>

#include "base/text.h"
#include "match/rule_compiler.h"
#include "match/rule_text.h"
#include "match/yara_handles.h"

namespace exhibit::match {
namespace {

struct Complaint {
  const YR_COMPILER* compiler;
  std::uint64_t first_line;  // of the text that is being compiled, within its file
  std::string error;
  std::string at(int line) const {
    return std::to_string(first_line + static_cast<std::uint64_t>(std::max(line, 1)) - 1) + ": ";
  }
};

void on_message(int level, const char* /*file*/, int line, const YR_RULE* /*rule*/, const char* message,
                void* user) noexcept {
  auto& complaint = *static_cast<Complaint*>(user);
  if (level != YARA_ERROR_LEVEL_ERROR || !complaint.error.empty()) return;
  complaint.error = complaint.at(line) + base::clean_utf8(message).text;
}

void on_string(const YR_RULE* rule, const char* string, const RE_AST* tree, void* user) noexcept {
  auto& complaint = *static_cast<Complaint*>(user);
  if (!complaint.error.empty() || !would_abort(*tree)) return;
  complaint.error = complaint.at(complaint.compiler->current_line) + why_it_aborts(rule->identifier, string);
}

std::map<std::string, std::string> meta_of(const YR_RULE& rule) {
  std::map<std::string, std::string> all;
  const YR_META* meta = nullptr;
  yr_rule_metas_foreach((&rule), meta) {
    all[meta->identifier] =
        meta->type == META_TYPE_STRING ? base::clean_utf8(meta->string).text : std::to_string(meta->integer);
  }
  return all;
}

// What slow rules are slow on: digits, letters, words, one byte over and over, and bytes of every kind. The same
// always.
std::vector<std::uint8_t> reference_content() {
  constexpr std::size_t part = std::size_t{1} << 18;
  std::vector<std::uint8_t> content;
  std::uint32_t state = 1;
  const auto random = [&state] {  // Numerical Recipes' generator; its high bits are good enough
    state = state * 1664525U + 1013904223U;
    return state >> 16;
  };
  const auto fill = [&](std::string_view alphabet) {
    for (std::size_t i = 0; i < part; ++i)
      content.push_back(alphabet.empty() ? static_cast<std::uint8_t>(random())
                                         : static_cast<std::uint8_t>(alphabet[random() % alphabet.size()]));
  };
  fill("0123456789");
  fill("abcdefghijklmnopqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ123456789");
  fill("etaoin shrdlu etaoin shrdlu cmfwyp\n");
  fill("a");
  fill("");
  fill(std::string_view("\0", 1));
  return content;
}

std::uint64_t now_nanoseconds() {
  timespec now{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000U + static_cast<std::uint64_t>(now.tv_nsec);
}

// The best of a few: what disturbs only makes it longer.
std::uint64_t time_of(YR_RULES& rules, const std::vector<std::uint8_t>& content) {
  constexpr int tries = 3, seconds = 10;
  std::uint64_t best = unmeasured;
  for (int i = 0; i < tries; ++i) {
    const std::uint64_t start = now_nanoseconds();
    const auto nothing = [](YR_SCAN_CONTEXT*, int, void*, void*) noexcept -> int { return CALLBACK_CONTINUE; };
    if (yr_rules_scan_mem(&rules, content.data(), content.size(), SCAN_FLAGS_NO_TRYCATCH, nothing, nullptr, seconds) !=
        ERROR_SUCCESS)
      return unmeasured;
    best = std::min(best, now_nanoseconds() - start);
  }
  return best;
}

Result<YaraRules> rules_of(YR_COMPILER& compiler) {
  YR_RULES* rules = nullptr;
  if (yr_compiler_get_rules(&compiler, &rules) != ERROR_SUCCESS)
    return Error{ErrorCode::memory_limit, "no memory for the compiled rules", {}, {}};
  return YaraRules(rules);
}

// Rules first to last of a file; `before` each of them is called.
Result<YaraRules> compile(const std::vector<RuleText>& texts, std::size_t first, std::size_t last,
                          const std::function<void(const std::string& rule)>& before) {
  const YaraCompiler compiler = EXHIBIT_TRY(new_rule_compiler());
  Complaint complaint{compiler.get(), 1, {}};
  yr_compiler_set_callback(compiler.get(), on_message, &complaint);
  yr_compiler_set_re_ast_callback(compiler.get(), on_string, &complaint);
  yr_compiler_set_include_callback(compiler.get(), nullptr, nullptr, nullptr);
  for (std::size_t i = first; i <= last; ++i) {
    before(texts[i].name);
    complaint.first_line = texts[i].line;
    const int errors = yr_compiler_add_string(compiler.get(), std::string(texts[i].text).c_str(), nullptr);
    if (errors != 0 || !complaint.error.empty())
      return Error{ErrorCode::invalid_argument, complaint.error, texts[i].name, {}};
  }
  return rules_of(*compiler);
}

// Alone where it refers to no rule before it, else with all of them.
Result<YaraRules> compile_for_measuring(const std::vector<RuleText>& texts, std::size_t rule) {
  const auto nothing = [](const std::string&) {};
  auto alone = compile(texts, rule, rule, nothing);
  return alone.ok() ? std::move(alone) : compile(texts, 0, rule, nothing);
}

}  // namespace

Result<std::vector<CheckedRule>> check_rules(std::string_view source,
                                             const std::function<void(const std::string& rule)>& before) {
  const YaraLibrary library;
  if (!library.ok()) return Error{ErrorCode::memory_limit, "libyara can't be initialised", {}, {}};
  const std::vector<RuleText> texts = EXHIBIT_TRY(split_rules(source));
  if (texts.empty()) return Error{ErrorCode::invalid_argument, "1: no rule in it", {}, {}};
  const std::vector<std::uint8_t> content = reference_content();
  std::vector<CheckedRule> checked;
  const YaraRules all = EXHIBIT_TRY(compile(texts, 0, texts.size() - 1, before));
  if (all->num_rules != texts.size())
    return Error{ErrorCode::invalid_argument, "1: its rules can't be told apart as text", {}, {}};
  for (std::size_t i = 0; i < texts.size(); ++i) {
    const YR_RULE& rule = all->rules_table[i];
    CheckedRule one{texts[i].name, meta_of(rule), fingerprint_of(texts[i].text), 0, 0};
    const YR_STRING* string = nullptr;
    yr_rule_strings_foreach((&rule), string) { ++one.strings; }
    checked.push_back(std::move(one));
  }
  const YaraCompiler empty = EXHIBIT_TRY(new_rule_compiler());
  yr_compiler_add_string(empty.get(), "rule nothing { condition: false }", nullptr);
  const YaraRules nothing = EXHIBIT_TRY(rules_of(*empty));
  const std::uint64_t idle = time_of(*nothing, content);
  for (std::size_t i = 0; i < texts.size(); ++i) {
    before(texts[i].name);
    const YaraRules rules = EXHIBIT_TRY(compile_for_measuring(texts, i));
    const std::uint64_t took = time_of(*rules, content);
    const std::uint64_t more = took > idle ? took - idle : 0;
    checked[i].nanoseconds_per_mib = took == unmeasured ? took : more * 1024 / (content.size() / 1024);
  }
  return checked;
}

}  // namespace exhibit::match
