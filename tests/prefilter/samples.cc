#include "samples.h"

#include <yara.h>
#include <yara/compiler.h>
#include <yara/re.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>

namespace exhibit::prefilter {
namespace {

using Random = std::mt19937;

int up_to(Random& random, int most) { return std::uniform_int_distribution<int>(0, most)(random); }

char member_of(const RE_CLASS& members, Random& random) {
  std::string all;
  for (int value = 0; value < 256; ++value) {
    const bool listed = (members.bitmap[value / 8] >> (value % 8) & 1) != 0;
    if (listed != (members.negated != 0)) all.push_back(static_cast<char>(value));
  }
  return all.empty() ? '?' : all[static_cast<std::size_t>(up_to(random, static_cast<int>(all.size()) - 1))];
}

std::string sample(const RE_NODE* node, Random& random);

std::string several(const RE_NODE& node, int least, int most, Random& random) {
  std::string text;
  for (int times = least + up_to(random, most - least); times > 0; --times) text += sample(node.children_head, random);
  return text;
}

std::string alternative(const RE_NODE& node, Random& random) {
  int count = 0;
  for (const RE_NODE* child = node.children_head; child != nullptr; child = child->next_sibling) ++count;
  const RE_NODE* chosen = node.children_head;
  for (int skip = up_to(random, count - 1); skip > 0; --skip) chosen = chosen->next_sibling;
  return sample(chosen, random);
}

std::string sample(const RE_NODE* node, Random& random) {
  if (node == nullptr) return {};
  switch (node->type) {
    case RE_NODE_LITERAL:
      return {static_cast<char>(node->value)};
    case RE_NODE_MASKED_LITERAL:
      return {static_cast<char>((node->value & node->mask) | (up_to(random, 255) & ~node->mask))};
    case RE_NODE_ANY:
      return {static_cast<char>(up_to(random, 1) != 0 ? up_to(random, 255) : 'A')};
    case RE_NODE_CLASS:
      return {member_of(*node->re_class, random)};
    case RE_NODE_CONCAT: {
      std::string text;
      for (const RE_NODE* child = node->children_head; child != nullptr; child = child->next_sibling) {
        text += sample(child, random);
      }
      return text;
    }
    case RE_NODE_ALT:
      return alternative(*node, random);
    case RE_NODE_STAR:
      return several(*node, 0, 2, random);
    case RE_NODE_PLUS:
      return several(*node, 1, 3, random);
    case RE_NODE_RANGE:
    case RE_NODE_RANGE_ANY: {
      const int most = std::max(node->start, std::min(node->end, node->start + 3));
      if (node->type == RE_NODE_RANGE) return several(*node, node->start, most, random);
      return std::string(static_cast<std::size_t>(node->start + up_to(random, most - node->start)), '.');
    }
    case RE_NODE_WORD_CHAR:
      return "w";
    case RE_NODE_NON_WORD_CHAR:
    case RE_NODE_SPACE:
      return " ";
    case RE_NODE_NON_SPACE:
    case RE_NODE_NON_DIGIT:
      return "x";
    case RE_NODE_DIGIT:
      return "7";
    default:
      return {};
  }
}

std::string other_case(std::string text) {
  for (char& c : text) {
    if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')) c = static_cast<char>(c ^ 0x20);
  }
  return text;
}

std::string widened(const std::string& text) {
  std::string wide;
  for (const char c : text) wide.append({c, '\0'});
  return wide;
}

std::string with_key(std::string text, int key) {
  for (char& c : text) c = static_cast<char>(c ^ key);
  return text;
}

std::vector<std::string> forms_of(const std::string& text, const YR_STRING& string) {
  std::vector<std::string> forms{text};
  if (STRING_IS_NO_CASE(&string)) forms.push_back(other_case(text));
  if (STRING_IS_WIDE(&string)) {
    for (std::size_t i = 0, count = forms.size(); i < count; ++i) forms.push_back(widened(forms[i]));
  }
  if (STRING_IS_XOR(&string)) {
    for (std::size_t i = 0, count = forms.size(); i < count; ++i) {
      for (const int key : {1, 0x41, 0xff}) forms.push_back(with_key(forms[i], key));
    }
  }
  return forms;
}

struct Trees {
  Random& random;
  YR_COMPILER* compiler = nullptr;
  std::vector<std::pair<std::uint32_t, std::vector<std::string>>> samples;  // by rule, in order
};

void on_tree(const YR_RULE*, const char*, const RE_AST* tree, void* user) {
  auto& trees = *static_cast<Trees*>(user);
  std::vector<std::string> texts;
  for (int i = 0; i < 3; ++i) texts.push_back(sample(tree->root_node, trees.random));
  trees.samples.emplace_back(trees.compiler->current_rule_idx, std::move(texts));
}

[[noreturn]] void fail(const std::string& what) {
  std::fprintf(stderr, "%s\n", what.c_str());
  std::exit(2);
}

RuleSamples samples_of(const YR_RULE& rule, std::uint32_t number, Trees& trees, std::size_t& next) {
  RuleSamples samples{std::string(rule.ns->name) + ": " + rule.identifier, {}};
  const YR_STRING* string = nullptr;
  yr_rule_strings_foreach((&rule), string) {
    if (string->chained_to != nullptr) continue;
    constexpr int made_from_tree =
        STRING_FLAGS_HEXADECIMAL | STRING_FLAGS_REGEXP | STRING_FLAGS_BASE64 | STRING_FLAGS_BASE64_WIDE;
    std::vector<std::string> texts;
    if ((string->flags & made_from_tree) == 0) {
      texts.emplace_back(reinterpret_cast<const char*>(string->string), static_cast<std::size_t>(string->length));
    } else if (next < trees.samples.size() && trees.samples[next].first == number) {
      texts = trees.samples[next++].second;
    }
    std::vector<std::string> forms;
    for (const std::string& text : texts) {
      for (std::string& form : forms_of(text, *string)) forms.push_back(std::move(form));
    }
    if (!forms.empty()) samples.strings.push_back(std::move(forms));
  }
  while (next < trees.samples.size() && trees.samples[next].first == number) ++next;
  return samples;
}

}  // namespace

std::vector<RuleSamples> make_samples(const std::vector<std::string>& files, std::mt19937& random) {
  if (yr_initialize() != ERROR_SUCCESS) fail("libyara can't be initialised");
  YR_COMPILER* compiler = nullptr;
  if (yr_compiler_create(&compiler) != ERROR_SUCCESS) fail("no memory for libyara");
  for (const char* variable : {"filename", "filepath", "extension", "filetype", "owner", "md5"}) {
    yr_compiler_define_string_variable(compiler, variable, "");
  }
  Trees trees{random, compiler, {}};
  yr_compiler_set_re_ast_callback(compiler, on_tree, &trees);
  for (const std::string& file : files) {
    std::FILE* stream = std::fopen(file.c_str(), "r");
    if (stream == nullptr) fail(file + ": can't be read");
    if (yr_compiler_add_file(compiler, stream, file.c_str(), file.c_str()) != 0) fail(file + ": doesn't compile");
    std::fclose(stream);
  }
  YR_RULES* rules = nullptr;
  if (yr_compiler_get_rules(compiler, &rules) != ERROR_SUCCESS) fail("no memory for libyara");
  std::vector<RuleSamples> all;
  std::size_t next = 0;
  for (std::uint32_t i = 0; i < rules->num_rules; ++i) {
    all.push_back(samples_of(rules->rules_table[i], i, trees, next));
  }
  yr_rules_destroy(rules);
  yr_compiler_destroy(compiler);
  yr_finalize();
  return all;
}

std::string make_content(const RuleSamples& rule, int variant, std::mt19937& random) {
  std::string content;
  if (variant == 1 || variant == 4) {  // a program, by its first bytes
    content = std::string("MZ").append(58, '\0') + std::string("\x80\0\0\0", 4);
    content.resize(0x80, '\0');
    content += std::string("PE\0\0\x4c\x01", 6).append(300, '\0');
  } else if (variant == 2) {
    content = std::string(
                  "\x7f"
                  "ELF\x02\x01\x01",
                  7)
                  .append(60, '\0');
  }
  const bool some_only = variant >= 4;
  for (int round = 0; round < (variant == 3 ? 5 : 1); ++round) {
    for (const auto& forms : rule.strings) {
      if (some_only && up_to(random, 1) == 0) continue;
      content += forms[static_cast<std::size_t>(up_to(random, static_cast<int>(forms.size()) - 1))];
      content += variant == 5 ? "" : variant == 3 ? "\n" : " \r\n";
    }
  }
  return content;
}

}  // namespace exhibit::prefilter
