#include "carve/signature.h"

#include "base/json.h"

namespace exhibit::carve {
namespace {

using base::Json;

Error broken(std::string_view name, const std::string& what) {
  return {ErrorCode::corrupt, "signatures/carver/" + std::string(name) + ".json: " + what, {}, {}};
}

std::optional<std::string> from_hex(std::string_view hex) {
  const auto digit = [](char c) { return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1; };
  if (hex.empty() || hex.size() % 2 != 0) return std::nullopt;
  std::string bytes;
  for (std::size_t i = 0; i < hex.size(); i += 2) {
    if (digit(hex[i]) < 0 || digit(hex[i + 1]) < 0) return std::nullopt;
    bytes.push_back(static_cast<char>(digit(hex[i]) * 16 + digit(hex[i + 1])));
  }
  return bytes;
}

Result<Pattern> parse_pattern(std::string_view name, const Json& value) {
  const auto bytes = from_hex(value.value("bytes", ""));
  if (!bytes || bytes->size() < 2 || bytes->size() > 32) return broken(name, "a pattern has 2 to 32 bytes in hex");
  Pattern pattern{*bytes, value.value("offset", std::uint64_t{0}), {}, value.value("anchor", false)};
  if (!value.contains("mask")) return pattern;
  const auto mask = from_hex(value.value("mask", ""));
  if (!mask || mask->size() != 2 || bytes->size() != 2 || mask->front() != '\xff' || pattern.is_anchor)
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
