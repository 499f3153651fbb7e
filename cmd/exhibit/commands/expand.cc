// exhibit expand: what lies in archives, packed files and mail.

#include "exhibit/pipe.h"

namespace exhibit::cmd {

extern const Verb expand_verb;

namespace {

int run_expand(const std::vector<std::string>& arguments) {
  options::options_description described("options");
  add_expand_options(described);
  add_match_options(described);
  add_digest_options(described);
  add_pipe_options(described);
  add_run_options(described);
  const Parsed parsed = parse(expand_verb, arguments, described, "image");
  if (parsed.help) return exit_done;
  RunSettings settings = run_settings(parsed.values);
  settings.expand = expand_bounds(parsed.values);
  engine::RunOptions options{.digests = settings.digests,
                             .walk = true,
                             .examine = true,
                             .account = true,
                             .rules = !settings.rules.empty(),
                             .expand = settings.expand};
  return run_over_images_or_pipe(std::move(settings), std::move(options), parsed.values);
}

}  // namespace

const Verb expand_verb = {"expand", "IMAGE…|- [options]", "adds the members of archives, packed files and mail",
                          run_expand};

}  // namespace exhibit::cmd
