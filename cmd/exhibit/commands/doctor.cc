// exhibit doctor: what this machine gives. Each forbidden act is tried in a sealed worker of its own.

#include "engine/doctor.h"

#include <sys/mman.h>
#include <unistd.h>

#include "base/unique_fd.h"
#include "exhibit/pages.h"
#include "exhibit/session.h"
#include "manifest/engines.h"
#include "mount/mount.h"

namespace exhibit::cmd {

extern const Verb doctor_verb;

namespace {

// Sets a page of one word.
std::string try_protocol() {
  const base::UniqueFd output(memfd_create("page", MFD_CLOEXEC));
  const base::Json document = {{"blocks", {{{"kind", "text"}, {"text", "doctor"}}}}, {"time", "2026-01-01T00:00:00Z"}};
  const auto made = make_pages(base::canonical(document), output.get());
  char head[5] = {};
  const bool pdf =
      ::pread(output.get(), head, sizeof head, 0) == sizeof head && std::string(head, sizeof head) == "%PDF-";
  if (!made.ok()) return "no: " + made.error().message;
  return pdf ? "works: makes pages" : "no: what it makes isn't PDF";
}

void put_helpers() {
  Table table({"signatures and protocol", "this machine"});
  for (const auto& [name, state] : manifest::examine_engines()) table.add({name, state});
  table.add({"protocol for paper, by exhibit-protocol", try_protocol()});
  table.print();
  put_line("");
}

int run_doctor(const std::vector<std::string>& arguments) {
  options::options_description described("options");
  add_run_options(described);
  const Parsed parsed = parse(doctor_verb, arguments, described, "");
  if (parsed.help) return exit_done;
  const RunSettings settings = run_settings(parsed.values);
  auto report =
      engine::examine_machine({settings.worker_program, {}, 0, settings.sandbox_required, settings.object_seconds});
  if (!report.ok()) return fail(report.error());
  put_line(std::string("exhibit ") + version + " (" + source_revision + ")");
  Table table({"seal", "this machine"});
  for (const auto& [key, value] : report->seal.items())
    table.add({key, value.is_string() ? value.get<std::string>() : value.dump()});
  for (const auto& [key, value] : report->libraries.items()) table.add({key, value.get<std::string>()});
  table.add({"mounting", mount::ability()});
  table.print();
  put_line("");
  put_helpers();
  Table acts({"forbidden act, tried in a sealed worker", "outcome"});
  bool sealed = true;
  for (const auto& act : report->acts) {
    sealed = sealed && act.prevented;
    acts.add({act.name, (act.prevented ? "prevented: " : "WENT THROUGH: ") + act.outcome});
  }
  acts.print();
  return sealed ? exit_done : exit_no;
}

}  // namespace

const Verb doctor_verb = {"doctor", "[options]",
                          "what this machine gives: the seal, tried act by act; engines; library versions", run_doctor};

}  // namespace exhibit::cmd
