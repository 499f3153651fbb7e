#include "carve/signature.h"

#include "base/json.h"

namespace exhibit::carve {
namespace {

using base::Json;

Error broken(std::string_view name, const std::string& what) {
  return {ErrorCode::corrupt, "signatures/carver/" + std::string(name) + ".json: " + what, {}, {}};
}

Result<Pattern> parse_pattern(std::string_view name, const Json& value) {
  const auto bytes = base::from_hex(value.value("bytes", ""));
  if (!bytes.ok() || bytes->size() < 2 || bytes->size() > 32) return broken(name, "a pattern has 2 to 32 bytes in hex");
  Pattern pattern{*bytes, value.value("offset", std::uint64_t{0}), {}, value.value("anchor", false)};
  if (!value.contains("mask")) return pattern;
  const auto mask = base::from_hex(value.value("mask", ""));
  if (!mask.ok() || mask->size() != 2 || bytes->size() != 2 || mask->front() != '\xff' || pattern.is_anchor)
    return broken(name, "a mask is of two bytes, the first of them ff");
  pattern.mask = *mask;
  return pattern;
}

}  // namespace

Result<Signature> parse_signature(std::string_view name, std::string_view json) {
  const Json value = EXHIBIT_TRY(base::parse_json(json));
  Signature signature;
  signature.name = name;
  signature.extension = value.value("extension", "");
  signature.validator = find_validator(value.value("validator", ""));
  if (signature.validator == nullptr) return broken(name, "no such validator");
  for (const Json& pattern : value.value("patterns", Json::array())) {
    signature.patterns.push_back(EXHIBIT_TRY(parse_pattern(name, pattern)));
  }
  signature.is_text = value.value("text", false);
  if (signature.patterns.empty() != signature.is_text) return broken(name, "has patterns, or is text");
  const Json limits = value.value("limits", Json::object());
  signature.minimum = limits.value("minimum", std::uint64_t{1});
  signature.maximum = limits.value("maximum", std::uint64_t{0});
  if (signature.minimum == 0 || signature.maximum < signature.minimum) return broken(name, "limits are off");
  const std::string strength = value.value("strength", "");
  if (strength != "weak" && strength != "structure" && strength != "checksum") return broken(name, "strength is off");
  signature.strength = strength == "weak"        ? Strength::weak
                       : strength == "structure" ? Strength::structure
                                                 : Strength::checksum;
  signature.is_nested = value.value("nested", true);
  signature.is_joined = value.value("joined", false);
  return signature;
}

Result<std::vector<Signature>> signatures() {
  std::vector<Signature> all;
  for (const SignatureFile& file : signature_files()) {
    all.push_back(EXHIBIT_TRY(parse_signature(file.name, file.text)));
  }
  return all;
}

const Validator* find_validator(std::string_view name) {
  for (const Validator* validator : validator_table()) {
    if (validator->name == name) return validator;
  }
  return nullptr;
}

}  // namespace exhibit::carve
