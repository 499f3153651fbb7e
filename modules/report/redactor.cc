#include "report/redactor.h"

#include "engine/task.h"
#include "report/exporter.h"

namespace exhibit::report {
namespace {

using base::Json;

constexpr const char* withheld = "[withheld]";
constexpr std::string_view member_mark = "!/";

// An item's id without its path, which is only for people.
std::string without_path(const std::string& id) {
  const std::size_t path = id.find(':');
  return path == std::string::npos ? id : id.substr(0, path) + ":" + withheld;
}

bool is_restricted_match(const Json& record) {
  return text_of(record, "record") == "match" && text_of(record, "handling") == "restricted";
}

}  // namespace

Result<void> Redactor::look_through(const std::filesystem::path& findings) {
  restricted_.clear();
  return engine::for_each_line(findings.string(), [&](std::string_view line) -> Result<void> {
    if (line.find(R"("handling":"restricted")") == std::string_view::npos) return {};
    const Json record = EXHIBIT_TRY(base::parse_json(line));
    if (is_restricted_match(record)) restricted_.insert(text_of(record, "item"));
    return {};
  });
}

// It, or what it is a member of.
bool Redactor::is_restricted(const std::string& id) const {
  if (restricted_.contains(id)) return true;
  for (std::size_t at = id.find(member_mark); at != std::string::npos; at = id.find(member_mark, at + 1)) {
    if (restricted_.contains(id.substr(0, at))) return true;
  }
  return false;
}

void Redactor::redact(Item& item) const {
  if (!redaction_.paths || !is_restricted(item.id)) return;
  item.id = without_path(item.id);
  item.path = std::string("/") + withheld;
  item.path_raw.reset();
  item.link_target.reset();
}

void Redactor::redact(Json& record) const {
  if (!redaction_.paths) return;
  for (const char* key : {"item", "where"}) {
    if (const std::string id = text_of(record, key); is_restricted(id)) record[key] = without_path(id);
  }
}

bool Redactor::leaves_out(const Json& record) const { return redaction_.counts && is_restricted_match(record); }

Json Redactor::notice(const std::string& evidence) const {
  std::string what = redaction_.paths ? "paths of items with restricted leads" : "";
  if (redaction_.counts) what += std::string(what.empty() ? "" : " and ") + "restricted leads, which aren't counted";
  return {{"record", "problem"},
          {"where", evidence},
          {"stage", "report"},
          {"cause", "withheld"},
          {"detail", "this report leaves out " + what + "; the findings have them"}};
}

}  // namespace exhibit::report
