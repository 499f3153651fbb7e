// exhibit hash: adds `digests` to items.

#include "exhibit/pipe.h"

namespace exhibit::cmd {

extern const Verb hash_verb;

namespace {

int run_hash(const std::vector<std::string>& arguments) {
  options::options_description described("options");
  add_digest_options(described);
  add_pipe_options(described);
  add_run_options(described);
  const Parsed parsed = parse(hash_verb, arguments, described, "image");
  if (parsed.help) return exit_done;
  RunSettings settings = run_settings(parsed.values);
  engine::RunOptions options{
      .digests = settings.digests, .walk = true, .examine = true, .media = false, .account = true};
  return run_over_images_or_pipe(std::move(settings), std::move(options), parsed.values);
}

}  // namespace

const Verb hash_verb = {"hash", "IMAGE…|- [options]", "adds digests and types to items", run_hash};

}  // namespace exhibit::cmd
