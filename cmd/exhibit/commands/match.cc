// exhibit match: adds `match` records: leads from hash sets and rules.

#include "exhibit/pipe.h"

namespace exhibit::cmd {

extern const Verb match_verb;

namespace {

int run_match(const std::vector<std::string>& arguments) {
  options::options_description described("options");
  add_match_options(described);
  add_digest_options(described);
  add_pipe_options(described);
  add_run_options(described);
  const Parsed parsed = parse(match_verb, arguments, described, "image");
  if (parsed.help) return exit_done;
  RunSettings settings = run_settings(parsed.values);
  const bool asks_for_likeness = settings.perceptual != "auto" && settings.perceptual != "off";
  if (settings.rules.empty() && settings.hash_sets.empty() && !asks_for_likeness)
    throw Usage{"give --hashset, --rules or --perceptual"};
  engine::RunOptions options{.digests = settings.digests,
                             .walk = true,
                             .examine = true,
                             .media = false,
                             .account = true,
                             .rules = !settings.rules.empty()};
  return run_over_images_or_pipe(std::move(settings), std::move(options), parsed.values);
}

}  // namespace

const Verb match_verb = {"match", "IMAGE…|- [--hashset FILE…] [--rules FILE|DIR…]",
                         "adds match records: leads for a person, from hash sets and YARA rules", run_match};

}  // namespace exhibit::cmd
