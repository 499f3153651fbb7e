#include "manifest/seal.h"

#include <charconv>
#include <map>
#include <system_error>

#include "manifest/file.h"
#include "manifest/signature.h"
#include "manifest/timestamp.h"

namespace exhibit::manifest {
namespace fs = std::filesystem;
namespace {

fs::path numbered(const fs::path& manifest_file, std::uint64_t number, const char* extension) {
  return manifest_file.string() + "." + std::to_string(number) + "." + extension;
}

// 12 of `manifest.json.12.p7s`; a number is written one way only.
std::optional<std::uint64_t> number_of(std::string_view name, std::string_view manifest_name,
                                       std::string_view extension) {
  if (name.size() <= manifest_name.size() + extension.size() + 2) return {};
  if (!name.starts_with(manifest_name) || !name.ends_with(extension)) return {};
  const std::string_view middle =
      name.substr(manifest_name.size(), name.size() - manifest_name.size() - extension.size());
  if (middle.size() < 3 || middle.front() != '.' || middle.back() != '.') return {};
  const std::string_view digits = middle.substr(1, middle.size() - 2);
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (error != std::errc() || end != digits.data() + digits.size()) return {};
  return std::to_string(number) == digits && number != 0 ? std::optional(number) : std::nullopt;
}

Error refused(const fs::path& manifest_file, const Checks& checks) {
  std::string why;
  for (const Check& check : checks) {
    if (check.status == Status::failed) why += (why.empty() ? "" : "; ") + check.name + ": " + check.detail;
  }
  return file_error(ErrorCode::invalid_argument, manifest_file, "the signature over it doesn't hold: " + why);
}

Result<void> check_before_writing(const fs::path& manifest_file, std::string_view bytes, std::string_view signature,
                                  const std::optional<std::string>& answer) {
  SignatureRequest request;
  request.subject = "the new signature";
  request.signature = signature;
  if (answer) request.timestamp_answer = *answer;
  Checks checks;
  check_signature(Content::of(bytes), request, checks);
  for (const Check& check : checks) {
    if (check.status == Status::failed) return refused(manifest_file, checks);
  }
  return {};
}

Result<SealFiles> write_next(const fs::path& manifest_file, std::string_view signature,
                             const std::optional<std::string>& answer) {
  const Seals there = EXHIBIT_TRY(find_signatures(manifest_file));
  if (!there.strays.empty()) return file_error(ErrorCode::corrupt, manifest_file, there.strays.front());
  SealFiles files;
  files.number = there.files.empty() ? 1 : there.files.back().number + 1;
  files.signature = numbered(manifest_file, files.number, "p7s");
  EXHIBIT_TRY(write_new(files.signature, signature));
  if (!answer) return files;
  files.timestamp = numbered(manifest_file, files.number, "tsr");
  EXHIBIT_TRY(write_new(*files.timestamp, *answer));
  return files;
}

}  // namespace

Result<Seals> find_signatures(const fs::path& manifest_file) {
  const std::string name = manifest_file.filename().string();
  std::map<std::uint64_t, SealFiles> found;
  Seals seals;
  std::error_code error;
  const fs::path folder = manifest_file.parent_path().empty() ? fs::path(".") : manifest_file.parent_path();
  for (fs::directory_iterator at(folder, error), end; !error && at != end; at.increment(error)) {
    const std::string entry = at->path().filename().string();
    if (const auto number = number_of(entry, name, "p7s")) found[*number].signature = at->path();
    if (const auto number = number_of(entry, name, "tsr")) found[*number].timestamp = at->path();
  }
  if (error) return file_error(ErrorCode::io_error, folder, "cannot list: " + error.message());
  std::uint64_t expected = 1;
  for (auto& [number, files] : found) {
    files.number = number;
    for (; expected < number; ++expected) {
      seals.strays.push_back(numbered(name, expected, "p7s").string() + " is missing");
      if (seals.strays.size() > 10) break;  // a forged number could ask for billions
    }
    expected = number + 1;
    if (files.signature.empty()) {
      seals.strays.push_back(numbered(name, number, "p7s").string() + " is missing, but its time-stamp is there");
    } else {
      seals.files.push_back(std::move(files));
    }
  }
  return seals;
}

Result<SealFiles> add_signature(const fs::path& manifest_file, const Signer& signer, std::int64_t time,
                                const Authorities& authorities) {
  const std::string bytes = EXHIBIT_TRY(read_whole(manifest_file));
  std::string signature = EXHIBIT_TRY(signer.sign(bytes, time));
  std::optional<std::string> first;
  for (const std::string& authority : authorities.names) {
    std::string answer = EXHIBIT_TRY(ask_timestamp(authority, signature, authorities.imprint_digest));
    signature = EXHIBIT_TRY(with_timestamp(signature, answer));
    if (!first) first = std::move(answer);
  }
  EXHIBIT_TRY(check_before_writing(manifest_file, bytes, signature, first));
  return write_next(manifest_file, signature, first);
}

Result<SealFiles> import_signature(const fs::path& manifest_file, std::string_view signature) {
  const std::string bytes = EXHIBIT_TRY(read_whole(manifest_file));
  EXHIBIT_TRY(check_before_writing(manifest_file, bytes, signature, {}));
  return write_next(manifest_file, signature, {});
}

Result<std::string> export_timestamp_question(const fs::path& manifest_file, std::uint64_t number,
                                              const std::string& imprint_digest) {
  const Seals there = EXHIBIT_TRY(find_signatures(manifest_file));
  for (const SealFiles& files : there.files) {
    const bool wanted = number == 0 ? &files == &there.files.back() : files.number == number;
    if (wanted) return timestamp_question(EXHIBIT_TRY(read_whole(files.signature)), imprint_digest);
  }
  return file_error(ErrorCode::not_found, manifest_file,
                    number == 0 ? "nobody has signed it yet" : "has no signature " + std::to_string(number));
}

Result<SealFiles> import_timestamp(const fs::path& manifest_file, std::string_view answer) {
  const std::string bytes = EXHIBIT_TRY(read_whole(manifest_file));
  Seals there = EXHIBIT_TRY(find_signatures(manifest_file));
  std::string why = "nobody has signed it yet";
  for (SealFiles& files : there.files) {
    const std::string signature = EXHIBIT_TRY(read_whole(files.signature));
    const auto holds = check_timestamp_answer(answer, signature);
    if (!holds.ok()) {
      why = holds.error().message;
      continue;
    }
    const std::string stamped = EXHIBIT_TRY(with_timestamp(signature, answer));
    std::optional<std::string> beside;
    beside = files.timestamp ? EXHIBIT_TRY(read_whole(*files.timestamp)) : std::string(answer);
    EXHIBIT_TRY(check_before_writing(manifest_file, bytes, stamped, beside));
    // The signature first: an answer beside it that isn't in it holds too, but the other way round two would differ.
    EXHIBIT_TRY(replace(files.signature, stamped));
    if (!files.timestamp) {
      files.timestamp = numbered(manifest_file, files.number, "tsr");
      EXHIBIT_TRY(write_new(*files.timestamp, answer));
    }
    return std::move(files);
  }
  return file_error(ErrorCode::invalid_argument, manifest_file, "no signature takes this time-stamp: " + why);
}

}  // namespace exhibit::manifest
