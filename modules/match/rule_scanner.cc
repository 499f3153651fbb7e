#include "match/rule_scanner.h"

#include <malloc.h>

#include <algorithm>
#include <climits>
#include <map>
#include <set>
#include <tuple>

#include "base/text.h"
#include "match/candidate_rules.h"
#include "match/content_blocks.h"
#include "match/feature_match.h"
#include "match/features.h"
#include "match/rule_compiler.h"
#include "match/yara_handles.h"

namespace exhibit::match {
namespace {

// findings.md, `match`: at most 100 places.
constexpr std::size_t max_places = 100;
// Rules that fail on one content (a pattern too complex for it) are left out one by one, up to so many.
constexpr int max_rules_left_out = 16;
// No fast mode: libyara 4.2.3 loses matches in it. No signal handlers: the content is in our own memory, so a fault is
// libyara's and ends the sealed process.
constexpr int scan_flags = SCAN_FLAGS_REPORT_RULES_MATCHING | SCAN_FLAGS_NO_TRYCATCH;
// Places are recorded, never matched bytes.
constexpr std::uint32_t no_match_data = 0;

std::string place_of(const YR_RULE& rule) { return std::string(rule.ns->name) + ": rule \"" + rule.identifier + "\""; }

std::optional<std::string> meta_of(const YR_RULE& rule, std::string_view name) {
  const YR_META* meta = nullptr;
  yr_rule_metas_foreach((&rule), meta) {
    if (name != meta->identifier) continue;
    if (meta->type == META_TYPE_INTEGER) return std::to_string(meta->integer);
    if (meta->type == META_TYPE_STRING) return base::clean_utf8(meta->string).text;
  }
  return std::nullopt;
}

// Sorted by offset, then string, of the strings whose names begin with `prefix`; at most `most` + 1 of each string are
// looked at, as the lists are sorted.
std::vector<MatchPlace> places_of(YR_SCAN_CONTEXT& context, const YR_RULE& rule, std::string_view prefix,
                                  std::size_t most) {
  std::vector<MatchPlace> places;
  const YR_STRING* string = nullptr;
  yr_rule_strings_foreach((&rule), string) {
    if (!std::string_view(string->identifier).starts_with(prefix)) continue;
    std::size_t told = 0;
    const YR_MATCH* match = nullptr;
    yr_string_matches_foreach((&context), string, match) {
      if (told++ > most) break;
      places.push_back({static_cast<std::uint64_t>(match->base + match->offset),
                        static_cast<std::uint64_t>(std::max(match->match_length, 0)), string->identifier});
    }
  }
  std::sort(places.begin(), places.end(), [](const MatchPlace& a, const MatchPlace& b) {
    return std::tie(a.offset, a.string, a.length) < std::tie(b.offset, b.string, b.length);
  });
  return places;
}

// Left as they are: YR_CONFIG_STACK_SIZE 16384, YR_CONFIG_MAX_STRINGS_PER_RULE 10000 (libyara.h).
const char* name_of_error(int code) {
  switch (code) {
    case ERROR_INSUFFICIENT_MEMORY:
      return "ERROR_INSUFFICIENT_MEMORY";
    case ERROR_COULD_NOT_MAP_FILE:
      return "ERROR_COULD_NOT_MAP_FILE";
    case ERROR_EXEC_STACK_OVERFLOW:
      return "ERROR_EXEC_STACK_OVERFLOW";
    case ERROR_SCAN_TIMEOUT:
      return "ERROR_SCAN_TIMEOUT";
    case ERROR_CALLBACK_ERROR:
      return "ERROR_CALLBACK_ERROR";
    case ERROR_TOO_MANY_MATCHES:
      return "ERROR_TOO_MANY_MATCHES";
    case ERROR_INTERNAL_FATAL_ERROR:
      return "ERROR_INTERNAL_FATAL_ERROR";
    case ERROR_DIVISION_BY_ZERO:
      return "ERROR_DIVISION_BY_ZERO";
    case ERROR_TOO_MANY_RE_FIBERS:
      return "ERROR_TOO_MANY_RE_FIBERS";
    case ERROR_REGULAR_EXPRESSION_TOO_COMPLEX:
      return "ERROR_REGULAR_EXPRESSION_TOO_COMPLEX";
    case ERROR_INTEGER_OVERFLOW:
      return "ERROR_INTEGER_OVERFLOW";
    case ERROR_INVALID_MODULE_DATA:
      return "ERROR_INVALID_MODULE_DATA";
    default:
      return "an error of libyara";
  }
}

ErrorCode cause_of(int code) {
  switch (code) {
    case ERROR_INSUFFICIENT_MEMORY:
      return ErrorCode::memory_limit;
    case ERROR_SCAN_TIMEOUT:
      return ErrorCode::timeout;
    case ERROR_EXEC_STACK_OVERFLOW:
    case ERROR_TOO_MANY_MATCHES:
    case ERROR_TOO_MANY_RE_FIBERS:
    case ERROR_REGULAR_EXPRESSION_TOO_COMPLEX:
      return ErrorCode::size_limit;
    default:
      return ErrorCode::corrupt;
  }
}

int seconds_for(ScanTime time, std::uint64_t bytes) {
  return static_cast<int>(std::min<std::uint64_t>(time.base_seconds + bytes / time.bytes_per_second, INT_MAX));
}

// What one scan of one content gathers through libyara's callback.
struct Gathering {
  const std::map<std::string, std::string>& sha256_of_file;
  ContentBlocks& blocks;
  std::vector<Match> matches;
  std::vector<FeatureCandidate> candidates;                // beside them; their checksums aren't known yet
  std::set<std::pair<std::string, std::string>> troubles;  // cause, detail

  void clear() {
    matches.clear();
    candidates.clear();
  }

  void add_match(YR_SCAN_CONTEXT& context, const YR_RULE& rule) {
    Match match;
    match.by = "yara";
    match.source = rule.ns->name;
    match.source_sha256 = sha256_of_file.at(match.source);
    match.rule = rule.identifier;
    match.category = meta_of(rule, "category");
    match.severity = meta_of(rule, "severity");
    match.handling = meta_of(rule, "handling");
    match.feature = meta_of(rule, "feature");
    if (match.feature) return add_candidate(context, rule, std::move(match));
    match.where = places_of(context, rule, "", max_places);
    match.where_truncated = match.where.size() > max_places;
    if (match.where_truncated) match.where.resize(max_places);
    matches.push_back(std::move(match));
  }

  void add_candidate(YR_SCAN_CONTEXT& context, const YR_RULE& rule, Match match) {
    match.by = "feature";
    match.where = places_of(context, rule, data_string_prefix, max_feature_candidates);
    if (match.where.size() > max_feature_candidates) {
      troubles.emplace(exhibit::name_of(ErrorCode::size_limit),
                       place_of(rule) + ": there are more than " + std::to_string(max_feature_candidates) +
                           " places that look like its data; the checksums of the first ones alone were looked at");
      match.where.resize(max_feature_candidates);
    }
    candidates.push_back({std::move(match), std::stoull(meta_of(rule, "feature_least").value_or("1"))});
  }

  void add_too_many(const YR_SCAN_CONTEXT& context, const YR_STRING& string) {
    troubles.emplace(exhibit::name_of(ErrorCode::size_limit),
                     place_of(context.rules->rules_table[string.rule_idx]) + ": string " + string.identifier +
                         " matches more than " + std::to_string(YR_MAX_STRING_MATCHES) +
                         " times; the rule was judged by those alone");
  }
};

int on_scan_message(YR_SCAN_CONTEXT* context, int message, void* data, void* user) noexcept {
  auto& gathering = *static_cast<Gathering*>(user);
  switch (message) {
    case CALLBACK_MSG_RULE_MATCHING:
      gathering.add_match(*context, *static_cast<const YR_RULE*>(data));
      break;
    case CALLBACK_MSG_TOO_MANY_MATCHES:
      gathering.add_too_many(*context, *static_cast<const YR_STRING*>(data));
      break;
    case CALLBACK_MSG_IMPORT_MODULE:
      gathering.blocks.set_importing(true);
      break;
    case CALLBACK_MSG_MODULE_IMPORTED:
      gathering.blocks.set_importing(false);
      break;
    default:
      break;  // the console module's messages go nowhere
  }
  return CALLBACK_CONTINUE;
}

Result<YaraScannerHandle> new_scanner(YR_RULES* rules) {
  YR_SCANNER* scanner = nullptr;
  if (yr_scanner_create(rules, &scanner) != ERROR_SUCCESS) {
    return Error{ErrorCode::memory_limit, "no memory for a YARA scanner", {}, {}};
  }
  yr_scanner_set_flags(scanner, scan_flags);
  return YaraScannerHandle(scanner);
}

// yr_rule_disable keeps a rule from being judged, but libyara 4.2.3 still searches for its strings.
void disable_strings(YR_SCANNER& scanner, const YR_RULE& rule) {
  const YR_STRING* string = nullptr;
  yr_rule_strings_foreach((&rule), string) { yr_bitmask_set(scanner.strings_temp_disabled, string->idx); }
}

// Runs rules on one byte: the modules open now what they would open at their first use. Returns the modules' names.
Result<std::set<std::string>> rehearse(YR_RULES* rules, int seconds) {
  std::set<std::string> modules;
  const YaraScannerHandle scanner = EXHIBIT_TRY(new_scanner(rules));
  yr_scanner_set_timeout(scanner.get(), seconds);
  yr_scanner_set_callback(
      scanner.get(),
      [](YR_SCAN_CONTEXT*, int message, void* data, void* user) noexcept -> int {
        if (message == CALLBACK_MSG_IMPORT_MODULE) {
          static_cast<std::set<std::string>*>(user)->emplace(static_cast<YR_MODULE_IMPORT*>(data)->module_name);
        }
        return CALLBACK_CONTINUE;
      },
      &modules);
  constexpr std::uint8_t byte = 0;
  const int code = yr_scanner_scan_mem(scanner.get(), &byte, sizeof byte);
  if (code == ERROR_SCAN_TIMEOUT) {
    return Error{ErrorCode::timeout,
                 "a rule takes more than " + std::to_string(seconds) + " seconds for a single byte; take it out",
                 {},
                 {}};
  }
  return modules;
}

// The magic module loads libmagic's database when a rule first asks it; a rule of ours asks before the process is
// sealed.
Result<void> rehearse_magic(int seconds) {
  YR_COMPILER* compiler = nullptr;
  if (yr_compiler_create(&compiler) != ERROR_SUCCESS)
    return Error{ErrorCode::memory_limit, "no memory for YARA", {}, {}};
  const YaraCompiler owned(compiler);
  YR_RULES* rules = nullptr;
  if (yr_compiler_add_string(compiler, "import \"magic\" rule ask { condition: magic.type() == \"\" }", nullptr) != 0 ||
      yr_compiler_get_rules(compiler, &rules) != ERROR_SUCCESS) {
    return Error{ErrorCode::unsupported, "this libyara has no magic module", {}, {}};
  }
  const YaraRules held(rules);
  EXHIBIT_TRY(rehearse(rules, seconds));
  return {};
}

// A rule whose feature nobody can verify would be taken for one that never matches.
Result<void> check_features(YR_RULES& rules) {
  const YR_RULE* rule = nullptr;
  yr_rules_foreach((&rules), rule) {
    const auto feature = meta_of(*rule, "feature");
    const std::string least = meta_of(*rule, "feature_least").value_or("1");
    const bool is_count =
        !least.empty() && least.size() < 10 && least.find_first_not_of("0123456789") == std::string::npos;
    if (!feature || (feature_named(*feature) != nullptr && is_count)) continue;
    return Error{ErrorCode::invalid_argument,
                 place_of(*rule) + ": its meta `feature` or `feature_least` isn't known: " + *feature + ", " + least,
                 rule->ns->name,
                 {}};
  }
  return {};
}

class YaraRuleScanner final : public RuleScanner {
 public:
  YaraRuleScanner(std::unique_ptr<YaraLibrary> library, CompiledRules compiled,
                  std::unique_ptr<CandidateRules> candidates, ScanTime time)
      : library_(std::move(library)), compiled_(std::move(compiled)), candidates_(std::move(candidates)), time_(time) {
    for (const RuleFile& file : compiled_.files) sha256_of_file_.emplace(file.name, file.sha256);
  }

  const std::vector<RuleFile>& files() const override { return compiled_.files; }

  Result<ScanResult> scan(ByteSource& content,
                          const std::function<void(std::span<const std::byte>)>& first_read) override {
    ContentBlocks blocks(buffers_, content, first_read);
    Gathering gathering{sha256_of_file_, blocks, {}, {}, {}};
    ScanResult result;
    const RulesToJudge rules = candidates_ ? candidates_->of(blocks, seconds_for(time_, content.size()))
                                           : RulesToJudge{compiled_.rules.get(), compiled_.rules->num_rules};
    result.rules_judged = rules.count;
    if (rules.count > 0) run_all(*rules.rules, content.size(), gathering);
    blocks.finish();
    result.windowed = blocks.windowed();
    result.matches = std::move(gathering.matches);
    for (FeatureCandidate& candidate : gathering.candidates) {
      if (auto match = verified(content, std::move(candidate), max_places)) result.matches.push_back(std::move(*match));
    }
    std::sort(result.matches.begin(), result.matches.end(), [](const Match& a, const Match& b) {
      return std::tie(a.source, a.rule) < std::tie(b.source, b.rule);  // a rule is told once: no tie
    });
    if (const auto trouble = blocks.read_trouble()) result.troubles.push_back(*trouble);
    for (const auto& [cause, detail] : gathering.troubles) result.troubles.push_back({cause, detail});
    return result;
  }

 private:
  // One rule that fails must not hide the others: it is left out and the content scanned again.
  void run_all(YR_RULES& rules, std::uint64_t size, Gathering& gathering) {
    std::vector<YR_RULE*> left_out;
    while (YR_RULE* failed = run_once(rules, size, left_out, gathering)) {
      if (left_out.size() == max_rules_left_out) break;
      yr_rule_disable(failed);
      left_out.push_back(failed);
    }
    for (YR_RULE* rule : left_out) yr_rule_enable(rule);
  }

  // Returns the rule to be left out where one is to blame. A scanner keeps state from scan to scan (the entry point,
  // strings with too many matches), so each scan has its own.
  YR_RULE* run_once(YR_RULES& rules, std::uint64_t size, const std::vector<YR_RULE*>& left_out, Gathering& gathering) {
    auto scanner = new_scanner(&rules);
    if (!scanner.ok()) {
      gathering.troubles.emplace(exhibit::name_of(ErrorCode::memory_limit), scanner.error().message);
      return nullptr;
    }
    for (const YR_RULE* rule : left_out) disable_strings(**scanner, *rule);
    const int seconds = seconds_for(time_, size);
    yr_scanner_set_timeout(scanner->get(), seconds);
    yr_scanner_set_callback(scanner->get(), on_scan_message, &gathering);
    gathering.clear();
    const int code = yr_scanner_scan_mem_blocks(scanner->get(), gathering.blocks.start(**scanner));
    if (code == ERROR_SUCCESS) return nullptr;
    const bool for_all = code == ERROR_SCAN_TIMEOUT || code == ERROR_INSUFFICIENT_MEMORY;
    YR_RULE* rule = for_all ? nullptr : yr_scanner_last_error_rule(scanner->get());
    gathering.troubles.emplace(exhibit::name_of(cause_of(code)), told(code, seconds, rule));
    return rule;
  }

  static std::string told(int code, int seconds, const YR_RULE* rule) {
    const std::string error = std::string(name_of_error(code)) + " (" + std::to_string(code) + ")";
    if (rule != nullptr)
      return place_of(*rule) +
             " was left out on this content, and rules that refer to it judged as if it had not matched: libyara "
             "says " +
             error;
    if (code == ERROR_SCAN_TIMEOUT) {
      return "the scan took longer than " + std::to_string(seconds) + " seconds; no rule was judged";
    }
    return "the scan ended early, no rule was judged: libyara says " + error;
  }

  std::unique_ptr<YaraLibrary> library_;  // before what needs it
  CompiledRules compiled_;
  std::unique_ptr<CandidateRules> candidates_;  // none: every rule is judged on every content
  ScanTime time_;
  BlockBuffers buffers_;
  std::map<std::string, std::string> sha256_of_file_;
};

}  // namespace

Result<std::unique_ptr<RuleScanner>> load_rule_scanner(const std::vector<std::string>& paths, ScanTime time,
                                                       ScanOptions options) {
  auto library = std::make_unique<YaraLibrary>();
  if (!library->ok()) return Error{ErrorCode::memory_limit, "libyara can't be initialised", {}, {}};
  yr_set_configuration_uint32(YR_CONFIG_MAX_MATCH_DATA, no_match_data);
  CompiledRules compiled = EXHIBIT_TRY(compile_rules(paths));
  EXHIBIT_TRY(check_features(*compiled.rules));
  const int seconds = seconds_for(time, 1);
  const std::set<std::string> modules = EXHIBIT_TRY(rehearse(compiled.rules.get(), seconds));
  if (modules.contains("time")) {
    return Error{ErrorCode::unsupported,
                 "the rules import YARA's module \"time\": findings may not depend on the clock; take those rules out",
                 {},
                 {}};
  }
  if (modules.contains("magic")) EXHIBIT_TRY(rehearse_magic(seconds));
  std::unique_ptr<CandidateRules> candidates;
  if (options.prefilter) candidates = EXHIBIT_TRY(CandidateRules::make(*compiled.rules, compiled.trees));
  compiled.trees = {};
  malloc_trim(0);  // what compiling took is far more than what is kept of it
  return std::unique_ptr<RuleScanner>(
      std::make_unique<YaraRuleScanner>(std::move(library), std::move(compiled), std::move(candidates), time));
}

Result<std::unique_ptr<RuleScanner>> RuleScanner::load(const std::vector<std::string>& paths, ScanOptions options) {
  return load_rule_scanner(paths, ScanTime{}, options);
}

}  // namespace exhibit::match
