// exhibit seal: the manifest, its signature, its time-stamp. On a case that is sealed already: one more signature.

#include "manifest/seal.h"

#include <filesystem>

#include "exhibit/case_fields.h"
#include "exhibit/case_folder.h"
#include "exhibit/case_manifest.h"
#include "exhibit/common.h"
#include "exhibit/signing.h"

namespace exhibit::cmd {

extern const Verb seal_verb;

namespace {

namespace fs = std::filesystem;

Result<void> make_manifest(const CaseFolder& folder, const options::variables_map& values,
                           const manifest::Signer* signer) {
  Sealing sealing;
  sealing.signer = signer;
  if (values.count("examiner") != 0) sealing.examiner = values["examiner"].as<std::string>();
  sealing.organisation = values["organisation"].as<std::string>();
  if (values.count("case-fields") != 0)
    sealing.more_fields = EXHIBIT_TRY(read_case_fields(values["case-fields"].as<std::string>()));
  if (values.count("incomplete") != 0) sealing.incomplete = values["incomplete"].as<std::string>();
  return write_manifest(folder, sealing);
}

// Questions for a machine with a network, and its answers.
Result<void> carry_timestamps(const CaseFolder& folder, const fs::path& file, const options::variables_map& values) {
  if (values.count("export-tsq") != 0) {
    const auto question = EXHIBIT_TRY(manifest::export_timestamp_question(file, values["signature"].as<std::uint64_t>(),
                                                                          values["tsa-digest"].as<std::string>()));
    EXHIBIT_TRY(folder.put(values["export-tsq"].as<std::string>(), question));
  }
  if (values.count("import-tsr") != 0) {
    const auto made =
        EXHIBIT_TRY(manifest::import_timestamp(file, EXHIBIT_TRY(folder.get(values["import-tsr"].as<std::string>()))));
    put_line(made.signature.string());
    put_line(made.timestamp->string());
  }
  return {};
}

Result<void> seal(const options::variables_map& values) {
  const CaseFolder folder(values["case"].as<std::vector<std::string>>().at(0));
  const fs::path file = fs::path(folder.path()) / manifest::manifest_name;
  if (folder.sealed() && values.count("case-fields") + values.count("incomplete") > 0) {
    return Error{ErrorCode::invalid_argument, folder.path() + ": is sealed: what it tells of the case stands", {}, {}};
  }
  std::unique_ptr<manifest::Signer> signer;
  if (values.count("key") != 0) signer = EXHIBIT_TRY(open_signer(values));
  if (!folder.sealed() && values.count("export-tsq") + values.count("import-tsr") > 0 && signer == nullptr)
    return Error{ErrorCode::not_found, folder.path() + ": isn't sealed; time-stamps are over signatures", {}, {}};
  if (!folder.sealed()) EXHIBIT_TRY(make_manifest(folder, values, signer.get()));
  if (signer != nullptr) {
    manifest::Authorities authorities;
    if (values.count("tsa") != 0) authorities.names = values["tsa"].as<std::vector<std::string>>();
    authorities.imprint_digest = values["tsa-digest"].as<std::string>();
    const auto made = EXHIBIT_TRY(manifest::add_signature(file, *signer, now_seconds(), authorities));
    put_line(made.signature.string());
    if (made.timestamp) put_line(made.timestamp->string());
  }
  if (values.count("export-to-sign") != 0) {
    EXHIBIT_TRY(folder.put(values["export-to-sign"].as<std::string>(), EXHIBIT_TRY(folder.get(file.string()))));
  }
  if (values.count("import-signature") != 0) {
    const auto made = EXHIBIT_TRY(
        manifest::import_signature(file, EXHIBIT_TRY(folder.get(values["import-signature"].as<std::string>()))));
    put_line(made.signature.string());
  }
  EXHIBIT_TRY(carry_timestamps(folder, file, values));
  // Beyond this point nothing of the unfinished run is needed.
  std::error_code ignored;
  fs::remove_all(folder.path() + "/work", ignored);
  return {};
}

int run_seal(const std::vector<std::string>& arguments) {
  options::options_description described("options");
  described.add_options()("key,k", options::value<std::string>(),
                          "the signer's private key: PEM, or pkcs11:… in a token")(
      "cert,c", options::value<std::vector<std::string>>()->composing()->multitoken(),
      "the signer's certificate, then the chain, PEM")(
      "tsa", options::value<std::vector<std::string>>()->composing(),
      "time-stamp authority: http://… or a configuration of 'openssl ts'; may be given more than once")(
      "tsa-digest", options::value<std::string>()->default_value(manifest::default_imprint_digest),
      "of what time-stamps are over: sha256, streebog256, streebog512, belt256, bash256, bash384, bash512")(
      "examiner", options::value<std::string>(), "who seals (default: who processed)")(
      "organisation", options::value<std::string>()->default_value(""), "for whom")(
      "case-fields", options::value<std::string>(), "what the profile still asks of the case, JSON")(
      "incomplete", options::value<std::string>(), "seal without required fields, and say in the manifest why")(
      "export-to-sign", options::value<std::string>(), "write the bytes that another product is to sign")(
      "import-signature", options::value<std::string>(), "take a CMS signature that another product made")(
      "export-tsq", options::value<std::string>(), "write a time-stamp question, to be asked from another machine")(
      "signature", options::value<std::uint64_t>()->default_value(0),
      "with --export-tsq: over this one (default: the last)")("import-tsr", options::value<std::string>(),
                                                              "take a time-stamp authority's answer to it");
  const Parsed parsed = parse(seal_verb, arguments, described, "case", 1);
  if (parsed.help) return exit_done;
  if (parsed.values.count("case") == 0) throw Usage{"name a case folder"};
  if (parsed.values.count("key") != parsed.values.count("cert")) throw Usage{"--key and --cert go together"};
  const auto& given = parsed.values;
  if (given.count("incomplete") != 0 && !custody::is_told(given["incomplete"].as<std::string>()))
    throw Usage{"--incomplete needs a reason"};
  if (given.count("key") + given.count("export-to-sign") + given.count("import-signature") + given.count("export-tsq") +
          given.count("import-tsr") ==
      0) {
    throw Usage{"give --key and --cert, or --export-to-sign, --import-signature, --export-tsq or --import-tsr"};
  }
  const auto done = seal(parsed.values);
  return done.ok() ? exit_done : fail(done.error());
}

}  // namespace

const Verb seal_verb = {"seal", "CASE --key K --cert C… [options]", "manifest, signature, time-stamp", run_seal};

}  // namespace exhibit::cmd
