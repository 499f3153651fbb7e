// exhibit disclose: chosen records of a sealed case with their proofs, in one file that stands alone.

#include <filesystem>
#include <set>

#include "custody/ledger.h"
#include "exhibit/common.h"
#include "exhibit/signing.h"
#include "hash/multi_digest.h"
#include "manifest/file.h"
#include "manifest/make_disclosure.h"

namespace exhibit::cmd {

extern const Verb disclose_verb;

namespace {

namespace fs = std::filesystem;
using Words = std::vector<std::string>;

// It names what is evidence, so whoever makes it decides who may read it.
constexpr unsigned private_mode = 0600;

Words words(const options::variables_map& values, const char* option) {
  return values.count(option) != 0 ? values[option].as<Words>() : Words();
}

// "sha256:HEX", raw.
std::string raw_digest(const std::string& text) {
  constexpr std::string_view prefix = "sha256:";
  const auto raw = base::from_hex(text.starts_with(prefix) ? text.substr(prefix.size()) : "-");
  if (!raw.ok() || raw->size() != manifest::content_key_size)
    throw Usage{"--absent takes sha256: and 64 digits of lower-case hex: " + text};
  return *raw;
}

// Without a key nobody answers for it, so nothing is recorded; with one, what isn't recorded isn't handed out.
Result<void> record(const options::variables_map& values, const manifest::Signer& signer,
                    const manifest::MadeDisclosure& made, const fs::path& file) {
  std::set<std::string> evidence, volumes;
  for (const auto& item : made.disclosure.items) evidence.insert(item.evidence);
  for (const auto& volume : made.disclosure.volumes) evidence.insert(volume.evidence), volumes.insert(volume.volume);
  for (const auto& absence : made.disclosure.absent) evidence.insert(absence.evidence);
  custody::Event event;
  event.time = now_text();
  event.event = "disclosed";
  event.actor = {values.count("examiner") != 0 ? values["examiner"].as<std::string>() : signer.name(), "examiner",
                 values["organisation"].as<std::string>(), signer.name()};
  event.evidence.assign(evidence.begin(), evidence.end());
  event.detail = {
      {"file", file.filename().string()},        {"sha256", base::to_hex(hash::digest_of("sha256", made.bytes))},
      {"items", made.disclosure.items.size()},   {"volumes", volumes},
      {"absent", made.disclosure.absent.size()}, {"to", values["to"].as<std::string>()}};
  const fs::path folder = values["case"].as<Words>().at(0);
  EXHIBIT_TRY(custody::append(folder / custody::ledger_name, event, signer, now_seconds()));
  return {};
}

Result<int> disclose(const options::variables_map& values, const manifest::DisclosureRequest& request) {
  std::unique_ptr<manifest::Signer> signer;
  if (values.count("key") != 0) signer = EXHIBIT_TRY(open_signer(values));
  const fs::path file = values["output"].as<std::string>();
  std::error_code error;
  if (fs::exists(fs::symlink_status(file, error)))
    return Error{ErrorCode::io_error, file.string() + ": is there already; nothing is overwritten", {}, {}};
  const auto made = EXHIBIT_TRY(manifest::make_disclosure(request));
  for (const std::string& present : made.present) put_line(present);
  if (!made.present.empty()) {
    std::fprintf(stderr, "exhibit: not absent, so there is nothing to disclose; no file was written\n");
    return exit_no;
  }
  EXHIBIT_TRY(manifest::write_new(file, made.bytes, private_mode));
  if (signer == nullptr) {
    std::fprintf(stderr, "exhibit: this disclosure is not recorded in the ledger (no --key was given)\n");
  } else if (auto recorded = record(values, *signer, made, file); !recorded.ok()) {
    fs::remove(file, error);
    return recorded.take_error();
  }
  put_line(file.string() + ": sha256 " + base::to_hex(hash::digest_of("sha256", made.bytes)));
  for (const auto& check : made.not_checked)
    put_line("it doesn't show: " + printable(check.detail) + " (" + printable(check.subject) + ")");
  put_line("A match is a lead for a person, never a finding of fact.");
  return exit_done;
}

int run_disclose(const std::vector<std::string>& arguments) {
  const auto many = [] { return options::value<Words>()->composing()->multitoken(); };
  options::options_description described("options");
  described.add_options()("item,i", many(), "ids of items: their records, with all matches and problems")(
      "volume", many(), "ids of volumes: all their records, and that none is left out")(
      "absent", many(), "sha256:HEX: that no item's content has this digest")(
      "evidence", many(), "with --absent: of these exhibits only")("output,o", options::value<std::string>(),
                                                                   "the file to write; it must not be there")(
      "key,k", options::value<std::string>(), "private key (PEM, or pkcs11:…): who discloses, for the custody ledger")(
      "cert,c", many(), "the certificate, then the chain, PEM")("to", options::value<std::string>()->default_value(""),
                                                                "to whom, for the ledger")(
      "examiner", options::value<std::string>(), "who discloses (default: whom the certificate names)")(
      "organisation", options::value<std::string>()->default_value(""), "for whom");
  const Parsed parsed = parse(disclose_verb, arguments, described, "case", 1);
  if (parsed.help) return exit_done;
  const auto& values = parsed.values;
  if (values.count("case") == 0) throw Usage{"name a case folder"};
  if (values.count("output") == 0) throw Usage{"say with -o which file to write"};
  if (values.count("key") != values.count("cert")) throw Usage{"--key and --cert go together"};
  std::error_code no_folder;
  manifest::DisclosureRequest request;
  request.folder = values["case"].as<Words>().at(0);
  request.scratch = fs::temp_directory_path(no_folder);
  request.items = words(values, "item");
  request.volumes = words(values, "volume");
  request.evidence = words(values, "evidence");
  for (const std::string& text : words(values, "absent")) request.absent.push_back(raw_digest(text));
  if (request.items.empty() && request.volumes.empty() && request.absent.empty())
    throw Usage{"give --item, --volume or --absent"};
  if (!request.evidence.empty() && request.absent.empty()) throw Usage{"--evidence goes with --absent"};
  const auto status = disclose(values, request);
  return status.ok() ? *status : fail(status.error());
}

}  // namespace

const Verb disclose_verb = {"disclose", "CASE --item ID… -o FILE [options]",
                            "one proof file for chosen items, a whole volume, or an absence", run_disclose};

}  // namespace exhibit::cmd
