#include "exhibit/leads.h"

#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <set>

#include "engine/task.h"
#include "exhibit/common.h"
#include "exhibit/event_form.h"
#include "manifest/manifest.h"

namespace exhibit::cmd {
namespace {

using base::Json;

constexpr std::size_t least_digits = 8;

Result<std::string> sha256_of(std::string_view text) {
  std::array<unsigned char, 32> digest{};
  if (EVP_Digest(text.data(), text.size(), digest.data(), nullptr, EVP_sha256(), nullptr) != 1)
    return Error{ErrorCode::internal, "SHA-256 isn't available from OpenSSL", {}, {}};
  return base::to_hex({reinterpret_cast<const char*>(digest.data()), digest.size()});
}

Error unfit(const std::string& what) { return {ErrorCode::corrupt, "the review: " + what, {}, {}}; }

// The ids that `form` names, made whole.
class LeadNames {
 public:
  explicit LeadNames(std::vector<Lead> leads) : leads_(std::move(leads)) {}

  Result<std::string> whole(const Json& named) {
    if (!named.is_string() || named.get_ref<const std::string&>().size() < least_digits)
      return unfit("a lead is named by its first digits, 8 at least: " + named.dump());
    const auto& digits = named.get_ref<const std::string&>();
    const Lead* found = nullptr;
    for (const Lead& lead : leads_) {
      if (!lead.id.starts_with(digits)) continue;
      if (found != nullptr && found->id != lead.id) return unfit("more than one lead begins with " + digits);
      found = &lead;
    }
    if (found == nullptr) return unfit("there is no lead " + digits);
    const std::string item = found->text("item");
    evidence_.insert(item.substr(0, item.find('/')));
    return found->id;
  }
  const std::set<std::string>& evidence() const { return evidence_; }

 private:
  std::vector<Lead> leads_;
  std::set<std::string> evidence_;
};

}  // namespace

std::string Lead::text(const char* key) const {
  const auto found = record.find(key);
  return found != record.end() && found->is_string() ? found->get<std::string>() : std::string();
}

Result<void> for_each_lead(const CaseFolder& folder, const std::function<Result<void>(const Lead&)>& each) {
  const auto ids = evidence_ids(folder);
  if (ids.empty()) return Error{ErrorCode::not_found, folder.path() + ": has no findings; process it first", {}, {}};
  for (const std::string& id : ids) {
    EXHIBIT_TRY(engine::for_each_line(folder.findings(id), [&](std::string_view line) -> Result<void> {
      if (line.find(R"("record":"match")") == std::string_view::npos || is_known_content(line)) return {};
      Json record = EXHIBIT_TRY(base::parse_json(line));
      if (!record.is_object() || record.value("record", Json()) != "match") return {};
      return each({EXHIBIT_TRY(sha256_of(line)), std::move(record)});
    }));
  }
  return {};
}

std::uint64_t persons_for(const std::vector<const custody::Profile*>& profiles, const Lead& lead) {
  std::uint64_t persons = 1;
  for (const custody::Profile* profile : profiles) {
    persons = std::max(persons, lead.restricted() ? profile->review.restricted : profile->review.persons);
  }
  return persons;
}

Result<custody::Event> review_event(const CaseFolder& folder, Json form, const std::string& credential) {
  if (!form.is_object() || !form.contains("detail") || !form.at("detail").is_object())
    return unfit("tells no \"detail\" with \"reviews\": [{lead, verdict, why}]");
  std::vector<Lead> leads;
  EXHIBIT_TRY(for_each_lead(folder, [&](const Lead& lead) -> Result<void> {
    leads.push_back(lead);
    return {};
  }));
  LeadNames names(std::move(leads));
  Json& detail = form["detail"];
  for (const char* key : {"reviews", "acknowledged"}) {
    if (!detail.contains(key)) continue;
    if (!detail.at(key).is_array()) return unfit("\"" + std::string(key) + "\" isn't a list");
    for (Json& one : detail.at(key)) {
      Json& lead = one.is_object() ? one["lead"] : one;
      lead = EXHIBIT_TRY(names.whole(lead));
    }
  }
  EXHIBIT_TRY(custody::check_reviews(detail));
  if (names.evidence().empty()) return unfit("names no lead");
  form["evidence"] = names.evidence();
  return event_of("reviewed", form, credential);
}

}  // namespace exhibit::cmd
