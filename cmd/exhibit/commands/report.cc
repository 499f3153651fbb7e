// exhibit report: a case's findings in other formats.

#include <fcntl.h>
#include <unistd.h>

#include "exhibit/common.h"
#include "exhibit/pages.h"
#include "manifest/file.h"
#include "report/exporter.h"

namespace exhibit::cmd {

extern const Verb report_verb;

namespace {

const report::Exporter* exporter_named(const std::string& name) {
  std::string known;
  for (const report::Exporter* exporter : report::exporters()) {
    if (name == exporter->name) return exporter;
    known += (known.empty() ? "" : ", ") + std::string(exporter->name);
  }
  throw Usage{"--to: one of " + known};
}

// Standard output, or a file that comes to be whole or not at all.
class Output {
 public:
  static Result<Output> open(const std::string& path) {
    Output output;
    if (path.empty() || path == "-") return output;
    output.path_ = path;
    output.file_ = base::UniqueFd(::open(output.unfinished().c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
    if (!output.file_) return manifest::file_error(ErrorCode::io_error, path, "cannot be made");
    return output;
  }
  Output(Output&& other) = default;
  ~Output() {
    if (file_) ::unlink(unfinished().c_str());
  }

  int fd() const { return file_ ? file_.get() : STDOUT_FILENO; }
  Result<void> put(std::string_view bytes) {
    return manifest::write_all(fd(), bytes, path_.empty() ? "standard output" : path_);
  }

  Result<void> finish() {
    if (!file_) return {};
    const bool whole = ::fsync(file_.get()) == 0 && ::rename(unfinished().c_str(), path_.c_str()) == 0;
    if (!whole) return manifest::file_error(ErrorCode::io_error, path_, "cannot be written");
    file_.reset();
    return {};
  }

 private:
  Output() = default;
  std::string unfinished() const { return path_ + ".new"; }

  std::string path_;
  base::UniqueFd file_;
};

Result<void> write_to(const std::string& path, report::CaseFacts& facts, const report::Exporter& exporter) {
  Output output = EXHIBIT_TRY(Output::open(path));
  if (exporter.is_document) {
    std::string document;
    EXHIBIT_TRY(report::write_report(facts, exporter, [&](std::string_view bytes) -> Result<void> {
      document += bytes;
      return {};
    }));
    EXHIBIT_TRY(make_pages(document, output.fd()));
  } else {
    EXHIBIT_TRY(report::write_report(facts, exporter, [&](std::string_view bytes) { return output.put(bytes); }));
  }
  EXHIBIT_TRY(output.finish());
  if (!facts.sealed()) std::fprintf(stderr, "exhibit: the case isn't sealed: nothing that this says is signed yet\n");
  return {};
}

Result<void> report_case(const options::variables_map& values, const report::Exporter& exporter) {
  report::CaseFacts facts = EXHIBIT_TRY(report::read_case(values["case"].as<std::vector<std::string>>().at(0)));
  for (const std::string& what : comma_list(values["redact"].as<std::string>())) {
    if (what != "paths" && what != "counts") throw Usage{"--redact takes paths, counts, or both with a comma"};
    (what == "paths" ? facts.redaction.paths : facts.redaction.counts) = true;
  }
  if (exporter.is_document) EXHIBIT_TRY(report::choose_language(facts, values["language"].as<std::string>()));
  return write_to(values["output"].as<std::string>(), facts, exporter);
}

int run_report(const std::vector<std::string>& arguments) {
  std::string formats;
  for (const report::Exporter* exporter : report::exporters())
    formats += (formats.empty() ? "" : "\n") + std::string(exporter->name) + ": " + exporter->summary;
  options::options_description described("options");
  described.add_options()("to", options::value<std::string>(), formats.c_str())(
      "output,o", options::value<std::string>()->default_value("-"), "to this file (default: standard output)")(
      "language", options::value<std::string>()->default_value(""),
      "of the protocol: ru, be or en, of those of the case's profile (default: its first)")(
      "redact", options::value<std::string>()->default_value(""),
      "leave out of what restricted leads tell: paths, counts, or paths,counts; the report says so");
  const Parsed parsed = parse(report_verb, arguments, described, "case", 1);
  if (parsed.help) return exit_done;
  if (parsed.values.count("case") == 0) throw Usage{"name a case folder"};
  if (parsed.values.count("to") == 0) throw Usage{"give --to and a format"};
  const report::Exporter* exporter = exporter_named(parsed.values["to"].as<std::string>());
  const auto done = report_case(parsed.values, *exporter);
  return done.ok() ? exit_done : fail(done.error());
}

}  // namespace

const Verb report_verb = {"report", "CASE --to FORMAT [-o FILE]", "what was found, in other formats", run_report};

}  // namespace exhibit::cmd
