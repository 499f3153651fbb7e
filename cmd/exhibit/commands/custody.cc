// exhibit custody add|show: the ledger, from the drive's receipt to its return. Nothing in it can be edited.

#include <unistd.h>

#include <algorithm>
#include <filesystem>

#include "custody/ledger.h"
#include "exhibit/case_fields.h"
#include "exhibit/case_folder.h"
#include "exhibit/common.h"
#include "exhibit/event_form.h"
#include "exhibit/event_prompts.h"
#include "exhibit/ledger_heads.h"
#include "exhibit/signing.h"
#include "manifest/file.h"

namespace exhibit::cmd {

extern const Verb custody_verb;

namespace {

using base::Json;
namespace fs = std::filesystem;
using Profiles = std::vector<const custody::Profile*>;

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : ", ") + word;
  return text;
}

Result<std::vector<custody::OpenTransfer>> open_transfers(const CaseFolder& folder) {
  if (!fs::exists(folder.ledger())) return std::vector<custody::OpenTransfer>{};
  return custody::open_transfers(folder.ledger());
}

// From --from FILE, or asked at the terminal.
Result<Json> form_of(const options::variables_map& values, const CaseFolder& folder, const std::string& event,
                     const Profiles& profiles) {
  if (values.count("from") != 0) {
    const std::string file = values["from"].as<std::string>();
    auto form = base::parse_json(EXHIBIT_TRY(manifest::read_whole(file)));
    if (!form.ok()) return Error{ErrorCode::corrupt, file + ": " + form.error().message, {}, {}};
    return form.take();
  }
  if (isatty(STDIN_FILENO) == 0) throw Usage{"without a terminal, --from FILE tells the event"};
  const std::string language =
      values.count("language") != 0 ? values["language"].as<std::string>() : profiles.front()->languages.front();
  return ask_for_event({event, profiles, language, EXHIBIT_TRY(open_transfers(folder))});
}

// Names what the profile asks of this event and it doesn't tell: a correction can tell it later.
Result<void> name_missing(const CaseFolder& folder, const Profiles& profiles, std::uint64_t seq) {
  const CaseState state = EXHIBIT_TRY(state_of(folder));
  for (const auto& one : custody::missing_fields(profiles, state.fields, state.events, state.evidence)) {
    if (one.seq == seq) std::fprintf(stderr, "exhibit: %s\n", printable(text_of(one, "en")).c_str());
  }
  return {};
}

void print_receipt(const custody::Head& head, const std::string& event, bool records) {
  if (records) {
    put_line(base::canonical({{"seq", head.events}, {"event", event}, {"head", head.digest}}));
    return;
  }
  put_line("event " + std::to_string(head.events) + " (" + event + ") is in the ledger, whose head is now");
  put_line("  " + in_groups(head.digest));
  put_line(
      "Write it down, or let the other side keep it: 'exhibit verify CASE --ledger-head …' then shows whether the");
  put_line("ledger was cut off or written anew.");
}

Result<custody::Head> append(const CaseFolder& folder, const std::string& event, const Json& form,
                             const manifest::Signer& signer) {
  const custody::Event made = EXHIBIT_TRY(event_of(event, form, signer.name()));
  if (!fs::exists(folder.path())) {
    std::fprintf(stderr, "exhibit: %s: a new case folder\n", folder.path().c_str());
    EXHIBIT_TRY(folder.make());
  }
  return custody::append(folder.ledger(), made, signer, now_seconds());
}

Result<int> add(const options::variables_map& values, const CaseFolder& folder) {
  const std::string event = values["event"].as<std::string>();
  const auto signer = EXHIBIT_TRY(open_signer(values));
  Json fields = Json::object();
  if (fs::exists(folder.path())) fields = EXHIBIT_TRY(state_of(folder)).fields;
  const Profiles profiles =
      EXHIBIT_TRY(values.count("profile") != 0 ? custody::profiles_named(values["profile"].as<std::string>())
                                               : profiles_of(fields));
  const Json form = EXHIBIT_TRY(form_of(values, folder, event, profiles));
  const auto head = append(folder, event, form, *signer);
  if (!head.ok()) {
    if (values.count("from") == 0)
      std::fprintf(stderr, "exhibit: what was answered, to be mended and given with --from:\n%s\n",
                   base::canonical(form).c_str());
    return head.error();
  }
  print_receipt(*head, event, wants_records(values));
  EXHIBIT_TRY(name_missing(folder, profiles, head->events));
  return exit_done;
}

// One event for a person: seq, when, what, who, where, of what.
std::vector<std::string> row_of(const Json& event) {
  const Json& detail = event.at("detail");
  const bool local = detail.is_object() && detail.contains("local_time") && detail.at("local_time").is_string();
  std::string what = event.at("event").get<std::string>();
  for (const char* key : {"transfer", "corrects"}) {
    if (detail.is_object() && detail.contains(key)) what += " (of seq " + detail.at(key).dump() + ")";
  }
  const Json& actor = event.at("actor");
  return {event.at("seq").dump(),
          local ? detail.at("local_time").get<std::string>() : event.at("time").get<std::string>(),
          what,
          printable(joined(event.at("evidence").get<std::vector<std::string>>())),
          printable(actor.at("name").get<std::string>() + ", " + actor.at("role").get<std::string>()),
          printable(event.at("place").get<std::string>())};
}

Result<int> show(const options::variables_map& values, const CaseFolder& folder) {
  const std::string bytes = EXHIBIT_TRY(manifest::read_whole(folder.ledger()));
  std::optional<manifest::Trust> trust;
  if (values.count("trust") != 0) trust = EXHIBIT_TRY(manifest::Trust::from_pem(values["trust"].as<std::string>()));
  manifest::Checks checks;
  custody::check_ledger(bytes, nullptr, trust ? &*trust : nullptr, checks, EXHIBIT_TRY(ledger_heads(values)));
  bool sound = true;
  for (const auto& check : checks) {
    if (check.status != manifest::Status::failed) continue;
    sound = false;
    std::fprintf(stderr, "exhibit: %s: %s: %s\n", check.subject.c_str(), check.name.c_str(),
                 printable(check.detail).c_str());
  }
  const auto events = custody::read_events(folder.ledger());
  if (!events.ok()) return exit_no;  // and the checks said why
  const auto open = EXHIBIT_TRY(custody::open_transfers(folder.ledger()));
  const auto head = custody::head_of(folder.ledger());
  if (wants_records(values)) {
    for (const Json& event : *events) put_line(base::canonical(event));
    Json last = {{"events", events->size()}, {"sound", sound}, {"open_transfers", Json::array()}};
    if (head.ok()) last["head"] = head->digest;
    for (const auto& one : open) last["open_transfers"].push_back({{"seq", one.seq}, {"evidence", one.evidence}});
    put_line(base::canonical(last));
    return sound ? exit_done : exit_no;
  }
  Table table({"seq", "when", "event", "evidence", "who", "where"});
  for (const Json& event : *events) table.add(row_of(event));
  table.print();
  for (const auto& one : open)
    put_line("open transfer: " + printable(joined(one.evidence)) + " since seq " + std::to_string(one.seq));
  if (head.ok()) put_line("head: " + in_groups(head->digest));
  put_line(sound ? "chain and signatures hold" : "THE LEDGER IS DAMAGED, see above");
  return sound ? exit_done : exit_no;
}

std::string event_list() {
  std::string text;
  for (const char* name : custody::event_names()) text += (text.empty() ? "" : ", ") + std::string(name);
  return text;
}

void check_words(const Parsed& parsed, const std::vector<std::string>& words) {
  if (words.size() != 2 || (words[0] != "add" && words[0] != "show")) throw Usage{"say 'add CASE' or 'show CASE'"};
  if (parsed.values.count("language") != 0) {
    const std::string language = parsed.values["language"].as<std::string>();
    if (language != "ru" && language != "be" && language != "en") throw Usage{"--language takes ru, be or en"};
  }
  if (words[0] == "show") return;
  for (const char* needed : {"event", "key", "cert"}) {
    if (parsed.values.count(needed) == 0) throw Usage{"'add' needs --" + std::string(needed)};
  }
  const auto names = custody::event_names();
  const std::string event = parsed.values["event"].as<std::string>();
  if (std::none_of(names.begin(), names.end(), [&](const char* one) { return event == one; }))
    throw Usage{"--event takes one of " + event_list()};
}

int run_custody(const std::vector<std::string>& arguments) {
  options::options_description described("options");
  described.add_options()("event,e", options::value<std::string>(), "add: which event")(
      "from", options::value<std::string>(), "add: what to tell, JSON; without it a person is asked")(
      "key,k", options::value<std::string>(), "add: the private key of who acts: PEM, or pkcs11:…")(
      "cert,c", options::value<std::vector<std::string>>()->composing()->multitoken(),
      "add: the certificate, then the chain, PEM")("profile", options::value<std::string>(),
                                                   "add: whose fields to ask for (default: the case's)")(
      "language", options::value<std::string>(), "add: of the questions: ru, be or en (default: the profile's)")(
      "trust", options::value<std::string>(), "show: certificates to which signers must lead, PEM")(
      "json", "record lines, also on a terminal");
  add_head_options(described);
  const Parsed parsed = parse(custody_verb, arguments, described, "words", 2);
  if (parsed.help) return exit_done;
  std::vector<std::string> words;
  if (parsed.values.count("words") != 0) words = parsed.values["words"].as<std::vector<std::string>>();
  check_words(parsed, words);
  const CaseFolder folder(words[1]);
  const auto status = words[0] == "add" ? add(parsed.values, folder) : show(parsed.values, folder);
  return status.ok() ? *status : fail(status.error());
}

}  // namespace

const Verb custody_verb = {"custody", "add CASE --event NAME --key K --cert C… | show CASE",
                           "the custody ledger: from the drive's receipt to its return", run_custody};

}  // namespace exhibit::cmd
