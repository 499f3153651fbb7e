#include "report/protocol.h"

#include <algorithm>

#include "hash/multi_digest.h"
#include "report/exporter.h"
#include "report/words.h"

namespace exhibit::report {

using base::Json;

namespace {

std::string joined(const std::vector<std::string>& words, const char* comma) {
  std::string all;
  for (const auto& word : words) all += (all.empty() ? "" : comma) + word;
  return all;
}

std::string profile_titles(const CaseFacts& facts) {
  std::vector<std::string> titles;
  for (const custody::Profile* profile : facts.profiles)
    titles.push_back(profile->name + ", " + profile->version + ": " + profile->title.in(facts.language));
  return joined(titles, "\n");
}

// The digests that the profiles want of the manifest; SHA-256 first.
std::vector<std::string> manifest_algorithms(const CaseFacts& facts) {
  std::vector<std::string> all = {"sha256"};
  for (const custody::Profile* profile : facts.profiles) {
    for (const std::string& algorithm : profile->digests.manifest) {
      if (std::find(all.begin(), all.end(), algorithm) == all.end()) all.push_back(algorithm);
    }
  }
  return all;
}

bool has_digest(const CaseFacts& facts, const std::string& algorithm) {
  const auto all = manifest_algorithms(facts);
  return std::find(all.begin(), all.end(), algorithm) != all.end();
}

// The names of those who take part in a role, from whichever field tells them; text, an object with a name, or a list.
void add_names(std::vector<std::string>& names, const Json& value) {
  if (value.is_string()) names.push_back(value.get<std::string>());
  if (value.is_array()) {
    for (const Json& one : value) add_names(names, one);
  }
  if (value.is_object() && value.contains("name")) add_names(names, value.at("name"));
}

std::vector<std::string> names_told(const CaseFacts& facts, const std::string& where, const std::string& key) {
  std::vector<std::string> names;
  for (const custody::Field* field : fields_at(facts, where)) {
    if (field->key != key) continue;
    for (const custody::Told& told : custody::told(*field, facts.fields, facts.events)) add_names(names, told.value);
  }
  std::vector<std::string> once;
  for (const auto& name : names) {
    if (std::find(once.begin(), once.end(), name) == once.end()) once.push_back(name);
  }
  return once;
}

// "none, because …", where that is what is told of it.
std::string reason_why_none(const CaseFacts& facts, const std::string& where, const std::string& key) {
  for (const custody::Field* field : fields_at(facts, where)) {
    if (field->key != key) continue;
    for (const custody::Told& told : custody::told(*field, facts.fields, facts.events)) {
      if (custody::is_none(told.value)) return value_text(told.value, facts.language);
    }
  }
  return "";
}

// The beginning, to tell which manifest a loose page belongs to.
std::string short_digest(const CaseFacts& facts) {
  std::string hex = base::to_hex(hash::digest_of("sha256", facts.manifest)).substr(0, 16);
  for (const std::size_t at : {12, 8, 4}) hex.insert(at, " ");
  return hex + " …";
}

// A name first and by itself, then the other members with the words for their keys.
std::string members_text(const Json& value, const std::string& language) {
  std::string text = text_of(value, "name");
  for (const auto& [key, member] : value.items()) {
    if (key == "name" && member.is_string()) continue;
    const bool is_role = key == "role" && member.is_string();
    text += (text.empty() ? "" : "; ") + word_for(key, language) + ": " +
            (is_role ? word_for(member.get<std::string>(), language) : value_text(member, language));
  }
  return text;
}

}  // namespace

std::string value_text(const Json& value, const std::string& language) {
  if (value.is_string()) return value.get<std::string>();
  if (value.is_boolean()) return (value.get<bool>() ? words::yes : words::no).in(language);
  if (custody::is_none(value)) return words::none_because.in(language) + value.at("none").get<std::string>();
  if (value.is_array()) {
    std::string lines;
    for (const Json& one : value) lines += (lines.empty() ? "" : "\n") + value_text(one, language);
    return lines;
  }
  if (value.is_object()) return members_text(value, language);
  return value.is_null() ? "" : base::canonical(value);
}

std::vector<const custody::Field*> fields_at(const CaseFacts& facts, const std::string& where) {
  std::vector<const custody::Field*> fields;
  for (const custody::Profile* profile : facts.profiles) {
    for (const custody::Field& field : profile->fields) {
      if (field.where != where) continue;
      const auto same =
          std::find_if(fields.begin(), fields.end(), [&](auto* other) { return other->key == field.key; });
      if (same == fields.end()) {
        fields.push_back(&field);
      } else if (field.required && !(*same)->required) {
        *same = &field;
      }
    }
  }
  std::stable_sort(fields.begin(), fields.end(), [](auto* a, auto* b) { return a->number < b->number; });
  return fields;
}

std::vector<custody::Missing> missing_of(const CaseFacts& facts) {
  std::vector<std::string> exhibits;
  for (const Exhibit& exhibit : facts.exhibits) exhibits.push_back(exhibit.id);
  return custody::missing_fields(facts.profiles, facts.fields, facts.events, exhibits);
}

void add_field(Document& document, const CaseFacts& facts, const custody::Field& field, const Json& value,
               const std::vector<custody::Missing>& missing, std::uint64_t seq) {
  const std::string& label = field.labels.in(facts.language);
  const bool is_missing = std::any_of(missing.begin(), missing.end(), [&](const custody::Missing& one) {
    return one.field->key == field.key && one.field->where == field.where && one.seq == seq;
  });
  if (custody::is_told(value)) document.field(label, value_text(value, facts.language));
  if (is_missing) document.field(custody::is_told(value) ? "" : label, words::not_told.in(facts.language), "missing");
}

std::string algorithm_name(const std::string& algorithm) {
  static constexpr std::pair<std::string_view, const char*> names[] = {
      {"md5", "MD5"},
      {"sha1", "SHA-1"},
      {"sha256", "SHA-256"},
      {"sha512", "SHA-512"},
      {"sha3-256", "SHA3-256"},
      {"blake2b", "BLAKE2b"},
      {"streebog256", "Streebog-256 (ГОСТ Р 34.11-2012)"},
      {"streebog512", "Streebog-512 (ГОСТ Р 34.11-2012)"},
      {"belt256", "belt-hash (СТБ 34.101.31)"}};
  const auto* found =
      std::find_if(std::begin(names), std::end(names), [&](auto& row) { return row.first == algorithm; });
  return found == std::end(names) ? algorithm : found->second;
}

void add_fields(Document& document, const CaseFacts& facts) {
  document.text("heading", words::section_case.in(facts.language));
  document.field(words::profile.in(facts.language), profile_titles(facts));
  if (const std::string title = facts.field("title"); !title.empty())
    document.field(words::title.in(facts.language), title);
  const auto missing = missing_of(facts);
  for (const custody::Field* field : fields_at(facts, "case")) {
    const auto value = facts.fields.find(field->key);
    add_field(document, facts, *field, value == facts.fields.end() ? Json() : *value, missing);
  }
}

void add_missing(Document& document, const CaseFacts& facts) {
  const std::string& language = facts.language;
  const auto missing = missing_of(facts);
  document.text("heading", words::section_missing.in(language));
  if (const auto incomplete = facts.fields.find("incomplete");
      incomplete != facts.fields.end() && incomplete->is_object())
    document.field(words::sealed_incomplete.in(language), text_of(*incomplete, "reason"));
  if (missing.empty()) {
    document.text("text", words::nothing_missing.in(language));
    return;
  }
  document.text("notice", words::missing_notice.in(language));
  document.row({{"№", "head", 0.07},
                {words::field.in(language), "head", 0.55},
                {words::required_by.in(language), "head", 0.13},
                {words::where.in(language), "head", 0.25}});
  for (const custody::Missing& one : missing) {
    std::string where = one.field->event() ? word_for(*one.field->event(), language) : words::section_case.in(language);
    if (one.seq > 0) where += ", " + (words::event_number.in(language) + std::to_string(one.seq));
    if (!one.evidence.empty()) where += ", " + one.evidence + ": " + words::no_event.in(language);
    document.row({{std::to_string(one.field->number), "tiny", 0.07},
                  {one.field->labels.in(language), "value", 0.55},
                  {joined(one.profiles, ", "), "tiny", 0.13},
                  {where, "tiny", 0.25}});
  }
}

void add_digests(Document& document, const CaseFacts& facts) {
  const std::string& language = facts.language;
  document.text("heading", words::section_digests.in(language));
  if (!facts.sealed()) {
    document.text("notice", words::not_sealed.in(language));
    return;
  }
  document.text("text", words::digests_explained.in(language));
  std::string code = manifest::manifest_format;
  for (const std::string& algorithm : manifest_algorithms(facts)) {
    const std::string hex = base::to_hex(hash::digest_of(algorithm, facts.manifest));
    document.digest(algorithm_name(algorithm), hex);
    code += " " + algorithm + ":" + hex;
  }
  document.code(code);
}

void add_verification(Document& document, const CaseFacts& facts) {
  const std::string& language = facts.language;
  document.text("heading", words::section_verify.in(language));
  const std::string first = facts.exhibits.front().id;
  document.text("text", words::verify_whole.in(language));
  document.text("command", "exhibit verify CASE --trust CA.pem --evidence " + first + "=IMAGE");
  document.text("text", words::verify_digest.in(language));
  document.text("command", "sha256sum CASE/manifest.json");
  if (has_digest(facts, "streebog256")) document.text("command", "rhash --gost12-256 CASE/manifest.json");
  if (has_digest(facts, "belt256")) document.text("text", words::verify_belt.in(language));
  document.text("text", words::verify_signature.in(language));
  const std::string engine = has_digest(facts, "streebog256") ? " -engine gost" : "";
  document.text("command", "cd CASE\nopenssl cms -verify" + engine +
                               " -binary -inform DER -purpose any -CAfile CA.pem \\\n    -in manifest.json.1.p7s "
                               "-content manifest.json -out /dev/null");
  document.text("text", words::verify_image.in(language));
  document.text("command", "sha256sum IMAGE");
}

void add_signatures(Document& document, const CaseFacts& facts) {
  const std::string& language = facts.language;
  document.text("heading", words::section_remarks.in(language));
  constexpr int lines_for_remarks = 5;
  document.ruled(lines_for_remarks);
  document.text("heading", words::section_signatures.in(language));
  const auto sign = [&](const Words& role, const std::string& name) {
    document.signature(role.in(language), name, words::sign_here.in(language));
  };
  const std::string examiner = facts.field("examiner");
  sign(words::author, examiner);
  for (const auto& name : names_told(facts, "event:acquired", "specialist")) sign(words::specialist, name);
  if (const std::string none = reason_why_none(facts, "event:acquired", "specialist"); !none.empty())
    document.field(words::specialist.in(language), none);
  const auto witnesses = names_told(facts, "event:acquired", "witnesses");
  for (const auto& name : witnesses) sign(words::witness, name);
  if (const std::string none = reason_why_none(facts, "event:acquired", "witnesses"); !none.empty())
    document.field(words::witness.in(language), none);
  for (const auto& name : names_told(facts, "event:acquired", "participants")) {
    if (std::find(witnesses.begin(), witnesses.end(), name) == witnesses.end()) sign(words::participant, name);
  }
}

Document protocol_of(const CaseFacts& facts, const std::vector<ExhibitSummary>& exhibits) {
  const std::string& language = facts.language;
  Document document;
  const std::string number = words::case_number.in(language) + (" " + facts.field("number"));
  document.set("title", words::protocol_title.in(language));
  document.set("foot", words::page_of.in(language));
  document.set("time", facts.sealed() ? facts.created : "1970-01-01T00:00:00Z");
  document.set("head", number + (facts.sealed() ? "    SHA-256 manifest.json: " + short_digest(facts) : ""));
  document.text("title", words::protocol_title.in(language));
  document.text("subject", number);
  if (facts.sealed()) document.text("subject", words::made.in(language) + (" " + facts.created));
  if (!facts.sealed()) document.text("notice", words::not_sealed.in(language));
  document.text("notice", words::lead_notice.in(language));
  add_fields(document, facts);
  add_missing(document, facts);
  add_exhibits(document, facts, exhibits);
  add_custody(document, facts);
  add_findings(document, facts, exhibits);
  add_tool(document, facts);
  add_digests(document, facts);
  add_verification(document, facts);
  add_signatures(document, facts);
  const bool certified = std::any_of(facts.profiles.begin(), facts.profiles.end(),
                                     [](const custody::Profile* profile) { return profile->name == "int"; });
  if (certified) add_certification(document, facts, exhibits);
  return document;
}

}  // namespace exhibit::report
