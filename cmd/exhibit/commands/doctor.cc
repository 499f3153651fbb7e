// exhibit doctor: what this machine gives. Each forbidden act is tried in a sealed worker of its own.

#include "engine/doctor.h"

#include "exhibit/session.h"
#include "mount/mount.h"

namespace exhibit::cmd {

extern const Verb doctor_verb;

namespace {

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
                          "what this machine gives: the seal, tried act by act, and library versions", run_doctor};

}  // namespace exhibit::cmd
