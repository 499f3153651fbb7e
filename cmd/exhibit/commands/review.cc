// exhibit review: what people say of leads, as events of the ledger. docs/rules.md, "Review".

#include <unistd.h>

#include <algorithm>
#include <iostream>

#include "exhibit/case_fields.h"
#include "exhibit/common.h"
#include "exhibit/event_prompts.h"
#include "exhibit/leads.h"
#include "exhibit/ledger_heads.h"
#include "exhibit/signing.h"
#include "manifest/file.h"

namespace exhibit::cmd {

extern const Verb review_verb;

namespace {

using base::Json;

constexpr std::size_t shown_digits = 12;
constexpr const char* lead_notice = "a match is a lead for a person to examine; it is not a finding of fact";

struct ReviewedLead {
  Lead lead;
  std::vector<custody::Review> reviews;
  custody::LeadState state;
  std::uint64_t persons = 1;

  std::string state_text() const {
    const bool awaits = !state.settled && (state.verdict == "confirmed" || state.verdict == "dismissed");
    return state.verdict + (awaits ? ", another person must look" : "");
  }
};

// What --state, --by, --source, --rule, --category and --item keep.
struct Filter {
  std::string state, by, source, rule, category, item;

  bool keeps(const ReviewedLead& one) const {
    const auto holds = [](const std::string& text, const std::string& wanted) {
      return wanted.empty() || text.find(wanted) != std::string::npos;
    };
    const Lead& lead = one.lead;
    const bool settled = state == "settled" ? one.state.settled : state == "unsettled" ? !one.state.settled : true;
    const bool verdict = state.empty() || state == "settled" || state == "unsettled" || state == one.state.verdict;
    return settled && verdict && holds(lead.text("by"), by) && holds(lead.text("source"), source) &&
           holds(lead.text("rule"), rule) && holds(lead.text("category"), category) && holds(lead.text("item"), item);
  }
};

Result<std::vector<ReviewedLead>> leads_of(const CaseFolder& folder, const Filter& filter) {
  const CaseState state = EXHIBIT_TRY(state_of(folder));
  const auto profiles = EXHIBIT_TRY(profiles_of(state.fields));
  const auto reviews = custody::reviews_of(state.events);
  std::vector<ReviewedLead> found;
  EXHIBIT_TRY(for_each_lead(folder, [&](const Lead& lead) -> Result<void> {
    const auto own = reviews.find(lead.id);
    ReviewedLead one{lead, own == reviews.end() ? std::vector<custody::Review>{} : own->second, {}, 1};
    one.persons = persons_for(profiles, lead);
    one.state = custody::state_of_lead(one.reviews, one.persons);
    if (filter.keeps(one)) found.push_back(std::move(one));
    return {};
  }));
  return found;
}

Json to_json(const ReviewedLead& one) {
  Json reviews = Json::array();
  for (const auto& review : one.reviews)
    reviews.push_back({{"verdict", review.verdict},
                       {"why", review.why},
                       {"name", review.name},
                       {"time", review.time},
                       {"seq", review.seq}});
  return {{"lead", one.lead.id},          {"match", one.lead.record},        {"state", one.state.verdict},
          {"settled", one.state.settled}, {"persons_required", one.persons}, {"reviews", reviews}};
}

Result<int> list(const std::vector<ReviewedLead>& leads, bool records) {
  if (records) {
    for (const ReviewedLead& one : leads) put_line(base::canonical(to_json(one)));
    return exit_done;
  }
  Table table({"lead", "state", "by", "rule", "severity", "handling", "item"});
  for (const ReviewedLead& one : leads) {
    const Lead& lead = one.lead;
    table.add({lead.id.substr(0, shown_digits), one.state_text(), lead.text("by"),
               printable(lead.text("source") + ", " + lead.text("rule")), printable(lead.text("severity")),
               lead.text("handling"), printable(lead.text("item"))});
  }
  table.print();
  const auto settled = std::count_if(leads.begin(), leads.end(), [](const auto& one) { return one.state.settled; });
  put_line(std::to_string(leads.size()) + " leads, " + std::to_string(settled) + " settled; " + lead_notice);
  return exit_done;
}

// One lead after the other at a terminal; what was said of them.
class Walk {
 public:
  explicit Walk(const std::vector<ReviewedLead>& leads) : leads_(leads) {}

  Json reviews() {
    std::string answer;
    bool signs = false;
    for (show(); !signs && ask("[c]onfirmed [d]ismissed needs [e]xpert, [n]ext [p]revious, [q]uit and sign, [x] leave",
                               answer);) {
      if (answer == "x") break;
      signs = answer == "q";
      if (answer == "n" || answer == "p") {
        move(answer == "n");
      } else if (answer == "c" || answer == "d" || answer == "e") {
        judge(answer);
      }
      if (!signs) show();
    }
    Json said = Json::array();
    if (!signs) return said;
    for (const auto& [lead, review] : said_) said.push_back(review);
    return said;
  }

 private:
  static bool ask(const char* question, std::string& answer) {
    std::fprintf(stderr, "%s: ", question);
    return static_cast<bool>(std::getline(std::cin, answer));
  }

  void move(bool forward) {
    if (forward && at_ + 1 < leads_.size()) ++at_;
    if (!forward && at_ > 0) --at_;
  }

  void judge(const std::string& answer) {
    const char* verdict = custody::verdicts()[answer == "c" ? 0 : answer == "d" ? 1 : 2];
    std::string why;
    if (!ask("why", why) || why.find_first_not_of(" \t") == std::string::npos) return;
    said_[leads_[at_].lead.id] = {{"lead", leads_[at_].lead.id}, {"verdict", verdict}, {"why", why}};
    move(true);
  }

  void show() const {
    const ReviewedLead& one = leads_[at_];
    const Lead& lead = one.lead;
    std::fprintf(stderr, "\n%zu of %zu  %s  %s\n", at_ + 1, leads_.size(), lead.id.substr(0, shown_digits).c_str(),
                 one.state_text().c_str());
    for (const char* key : {"item", "region", "by", "source", "rule", "category", "severity", "handling", "feature"}) {
      if (!lead.text(key).empty()) std::fprintf(stderr, "  %s: %s\n", key, printable(lead.text(key)).c_str());
    }
    for (const auto& review : one.reviews)
      std::fprintf(stderr, "  %s by %s: %s\n", review.verdict.c_str(), printable(review.name).c_str(),
                   printable(review.why).c_str());
    if (const auto now = said_.find(lead.id); now != said_.end())
      std::fprintf(stderr, "  now: %s\n", now->second.at("verdict").get_ref<const std::string&>().c_str());
    std::fprintf(stderr, "  %s\n", lead_notice);
  }

  const std::vector<ReviewedLead>& leads_;
  std::size_t at_ = 0;
  std::map<std::string, Json> said_;
};

// What was decided isn't lost where it can't be signed.
Error keep_for_later(const Json& form, const Error& error) {
  std::fprintf(stderr, "exhibit: what was decided, to be mended and given with --from:\n%s\n",
               base::canonical(form).c_str());
  return error;
}

Result<Json> asked_form(const CaseFolder& folder, const std::vector<ReviewedLead>& leads) {
  if (leads.empty()) return Error{ErrorCode::not_found, "there is no such lead", {}, {}};
  Json reviews = Walk(leads).reviews();
  if (reviews.empty()) return Json();
  const auto profiles = EXHIBIT_TRY(profiles_of(EXHIBIT_TRY(state_of(folder)).fields));
  auto form = ask_for_event({"reviewed", profiles, profiles.front()->languages.front(), {}});
  if (!form.ok()) return keep_for_later({{"detail", {{"reviews", reviews}}}}, form.error());
  (*form)["detail"]["reviews"] = std::move(reviews);
  return form.take();
}

Result<custody::Head> append(const options::variables_map& values, const CaseFolder& folder, const Json& form) {
  const auto signer = EXHIBIT_TRY(open_signer(values));
  const custody::Event event = EXHIBIT_TRY(review_event(folder, form, signer->name()));
  return custody::append(folder.ledger(), event, *signer, now_seconds());
}

Result<int> sign(const options::variables_map& values, const CaseFolder& folder, const Filter& filter) {
  const bool asks = values.count("from") == 0;
  Json form;
  if (asks) {
    form = EXHIBIT_TRY(asked_form(folder, EXHIBIT_TRY(leads_of(folder, filter))));
    if (form.is_null()) return exit_done;
  } else {
    form = EXHIBIT_TRY(base::parse_json(EXHIBIT_TRY(manifest::read_whole(values["from"].as<std::string>()))));
  }
  const auto head = append(values, folder, form);
  if (!head.ok()) return asks ? keep_for_later(form, head.error()) : head.error();
  if (wants_records(values)) {
    put_line(base::canonical({{"seq", head->events}, {"event", "reviewed"}, {"head", head->digest}}));
  } else {
    put_line("event " + std::to_string(head->events) + " (reviewed) is in the ledger, whose head is now");
    put_line("  " + in_groups(head->digest));
  }
  return exit_done;
}

int run_review(const std::vector<std::string>& arguments) {
  options::options_description described("options");
  Filter filter;
  described.add_options()("from", options::value<std::string>(), "what was decided, JSON (docs/rules.md)")(
      "key,k", options::value<std::string>(), "the private key of who decides: PEM, or pkcs11:…; without it: a list")(
      "cert,c", options::value<std::vector<std::string>>()->composing()->multitoken(),
      "the certificate, then the chain, PEM")(
      "state", options::value(&filter.state),
      "only leads that are open, confirmed, dismissed, needs expert, disputed, settled or unsettled")(
      "by", options::value(&filter.by), "only of hashset, yara, feature or perceptual")(
      "source", options::value(&filter.source), "only of sets or rule files with this in their name")(
      "rule", options::value(&filter.rule), "only of rules with this in their name")(
      "category", options::value(&filter.category), "only of categories with this in them")(
      "item", options::value(&filter.item), "only of items with this in their id")("json",
                                                                                   "record lines, also on a terminal");
  const Parsed parsed = parse(review_verb, arguments, described, "case", 1);
  if (parsed.help) return exit_done;
  if (parsed.values.count("case") == 0) throw Usage{"name a case folder"};
  const bool signs = parsed.values.count("key") != 0;
  if (signs != (parsed.values.count("cert") != 0) || (!signs && parsed.values.count("from") != 0))
    throw Usage{"who decides gives --key and --cert"};
  if (signs && parsed.values.count("from") == 0 && isatty(STDIN_FILENO) == 0)
    throw Usage{"without a terminal, --from FILE tells what was decided"};
  const CaseFolder folder(parsed.values["case"].as<std::vector<std::string>>().at(0));
  const auto done = [&]() -> Result<int> {
    if (signs) return sign(parsed.values, folder, filter);
    return list(EXHIBIT_TRY(leads_of(folder, filter)), wants_records(parsed.values));
  }();
  return done.ok() ? *done : fail(done.error());
}

}  // namespace

const Verb review_verb = {"review", "CASE [--state …] [--from FILE --key K --cert C…]",
                          "leads and what people say of them: confirmed, dismissed, needs expert", run_review};

}  // namespace exhibit::cmd
