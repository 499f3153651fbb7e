#include "exhibit/acknowledge.h"

#include "exhibit/leads.h"
#include "exhibit/signing.h"
#include "manifest/file.h"

namespace exhibit::cmd {
namespace {

using base::Json;

constexpr std::string_view member_mark = "!/";

// The same content, or a part of it.
bool concerns(const std::string& item, const std::string& asked) {
  const auto lies_in = [](const std::string& inner, const std::string& outer) {
    return inner.starts_with(outer) && std::string_view(inner).substr(outer.size()).starts_with(member_mark);
  };
  return asked.empty() || item == asked || lies_in(item, asked) || lies_in(asked, item);
}

Result<Json> restricted_leads(const CaseFolder& folder, const std::string& asked) {
  Json ids = Json::array();
  EXHIBIT_TRY(for_each_lead(folder, [&](const Lead& lead) -> Result<void> {
    if (lead.restricted() && concerns(lead.text("item"), asked)) ids.push_back(lead.id);
    return {};
  }));
  return ids;
}

}  // namespace

void add_acknowledge_options(options::options_description& described) {
  described.add_options()("acknowledge", "show content of restricted leads all the same; the ledger says so")(
      "from", options::value<std::string>(), "with --acknowledge: who, where and why, JSON")(
      "key,k", options::value<std::string>(), "with --acknowledge: the private key of who looks")(
      "cert,c", options::value<std::vector<std::string>>()->composing()->multitoken(),
      "with --acknowledge: the certificate, then the chain, PEM");
}

Result<void> allow_content(const options::variables_map& values, const std::string& item) {
  if (values.count("case") == 0) return {};
  const CaseFolder folder(values["case"].as<std::string>());
  const Json leads = EXHIBIT_TRY(restricted_leads(folder, item));
  if (leads.empty()) return {};
  if (values.count("acknowledge") == 0) {
    return Error{ErrorCode::not_found,
                 "restricted leads point to this content (" + std::to_string(leads.size()) +
                     "); it is given out with --acknowledge --from FILE --key K --cert C alone, which the ledger tells",
                 {},
                 {}};
  }
  for (const char* needed : {"from", "key", "cert"}) {
    if (values.count(needed) == 0) throw Usage{"--acknowledge needs --" + std::string(needed)};
  }
  Json form = EXHIBIT_TRY(base::parse_json(EXHIBIT_TRY(manifest::read_whole(values["from"].as<std::string>()))));
  if (!form.is_object() || !form.value("detail", Json::object()).is_object())
    return Error{ErrorCode::corrupt, "--from: tells no actor", {}, {}};
  form["detail"]["acknowledged"] = leads;
  const auto signer = EXHIBIT_TRY(open_signer(values));
  const custody::Event event = EXHIBIT_TRY(review_event(folder, std::move(form), signer->name()));
  EXHIBIT_TRY(custody::append(folder.ledger(), event, *signer, now_seconds()));
  return {};
}

}  // namespace exhibit::cmd
