#include "engine/message.h"

#include <algorithm>
#include <span>
#include <string_view>

namespace exhibit::engine {
namespace {

using base::Json;

bool is_text(const Json& value) { return value.is_string(); }
bool is_size(const Json& value) { return value.is_number_unsigned(); }
bool is_boolean(const Json& value) { return value.is_boolean(); }
bool is_object(const Json& value) { return value.is_object(); }
bool is_list(const Json& value) { return value.is_array(); }

bool is_texts(const Json& value) { return is_object(value) && std::all_of(value.begin(), value.end(), is_text); }
bool is_sizes(const Json& value) { return is_object(value) && std::all_of(value.begin(), value.end(), is_size); }
bool is_names(const Json& value) { return is_list(value) && std::all_of(value.begin(), value.end(), is_text); }

bool is_ranges(const Json& value) {
  return is_list(value) && std::all_of(value.begin(), value.end(), [](const Json& range) {
           return is_list(range) && range.size() == 2 && is_size(range[0]) && is_size(range[1]);
         });
}

bool is_regions(const Json& value) {
  return is_list(value) && std::all_of(value.begin(), value.end(), [](const Json& region) {
           if (!is_object(region)) return false;
           for (const char* key : {"offset", "length", "owned"}) {
             if (!region.contains(key) || !is_size(region.at(key))) return false;
           }
           return true;
         });
}

// Lists of triples of numbers: runs, and candidates for carving.
bool is_triples(const Json& value) {
  return is_list(value) && std::all_of(value.begin(), value.end(), [](const Json& triple) {
           return is_list(triple) && triple.size() == 3 && std::all_of(triple.begin(), triple.end(), is_size);
         });
}

bool is_range(const Json& value) {
  return is_list(value) && value.size() == 2 && is_size(value[0]) && is_size(value[1]);
}

struct Field {
  std::string_view key;
  bool (*holds)(const Json& value);
  bool required = true;
};
constexpr bool optional = false;

constexpr Field failed[] = {{"cause", is_text}, {"detail", is_text}};
constexpr Field sealed[] = {{"rules", is_list}, {"seal", is_object}, {"libraries", is_object}, {"acts", is_names}};
constexpr Field volume[] = {{"id", is_text},      {"offset", is_size},          {"size", is_size},
                            {"owned", is_ranges}, {"tables", is_ranges},        {"filesystem", is_boolean},
                            {"rest", is_text},    {"held", is_ranges, optional}};
constexpr Field chain[] = {{"blocks", is_text},
                           {"doubt", is_list},
                           {"state", is_text, optional},
                           {"digests", is_texts, optional},
                           {"stored", is_texts, optional}};
constexpr Field media[] = {{"digests", is_texts, optional},
                           {"integrity", is_text, optional},
                           {"block_root", is_text, optional},
                           {"block_size", is_size, optional},
                           {"doubt", is_list, optional}};
constexpr Field blocks[] = {{"sha256", is_text}};
constexpr Field owned[] = {{"bytes", is_sizes}, {"examined", is_sizes}};
constexpr Field regions[] = {{"regions", is_regions}};
constexpr std::span<const Field> accounted;
constexpr Field runs[] = {{"runs", is_triples}};
constexpr Field candidates[] = {{"at", is_triples}};
constexpr Field searched[] = {{"left_out", is_names}};
constexpr Field found[] = {{"place", is_range}, {"signature", is_text},          {"extents", is_list},
                           {"size", is_size},   {"digests", is_texts, optional}, {"type", is_text, optional}};
constexpr Field unchanged[] = {{"items", is_size}};
constexpr Field reread[] = {{"item", is_text}, {"status", is_text}, {"detail", is_text}, {"places", is_list, optional}};
constexpr Field read[] = {{"bytes", is_size}};
constexpr Field attempted[] = {{"refused", is_boolean}, {"detail", is_text}};

struct Kind {
  std::string_view name;
  std::span<const Field> fields;
};
constexpr Kind kinds[] = {{"failed", failed},       {"sealed", sealed},         {"volume", volume},
                          {"chain", chain},         {"media", media},           {"blocks", blocks},
                          {"owned", owned},         {"regions", regions},       {"runs", runs},
                          {"accounted", accounted}, {"candidates", candidates}, {"searched", searched},
                          {"found", found},         {"unchanged", unchanged},   {"reread", reread},
                          {"read", read},           {"attempted", attempted}};

}  // namespace

bool lies_in(std::string_view id, std::string_view subject) {
  return id == subject || (id.starts_with(subject) && id[subject.size()] == '/');
}

std::optional<std::string> wrong_with(const Json& message, const std::string& subject) {
  const Json& name = message.at("message");
  if (!is_text(name)) return "a message without a name";
  const auto kind =
      std::find_if(std::begin(kinds), std::end(kinds), [&](const Kind& each) { return each.name == name; });
  if (kind == std::end(kinds)) return std::nullopt;
  for (const Field& field : kind->fields) {
    const auto value = message.find(field.key);
    const bool good = value == message.end() ? !field.required : field.holds(*value);
    if (!good)
      return "message " + std::string(kind->name) + ": \"" + std::string(field.key) + "\" isn't what it must be";
  }
  // A volume lies in its evidence and is none itself.
  if (kind->name == "volume") {
    const auto& id = message.at("id").get_ref<const std::string&>();
    if (id == subject || !lies_in(id, subject)) return "a volume of something that it wasn't given";
  }
  return std::nullopt;
}

}  // namespace exhibit::engine
