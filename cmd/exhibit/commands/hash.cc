// exhibit hash: adds `digests` to items.

#include "exhibit/pipe.h"

namespace exhibit::cmd {

extern const Verb hash_verb;

namespace {

int run_hash(const std::vector<std::string>& arguments) {
  options::options_description described("options");
  add_digest_options(described);
  described.add_options()("media",
                          "the whole medium alone: its digests, and whether they are those that the image stores");
  add_pipe_options(described);
  add_run_options(described);
  const Parsed parsed = parse(hash_verb, arguments, described, "image");
  if (parsed.help) return exit_done;
  RunSettings settings = run_settings(parsed.values);
  const bool media = parsed.values.count("media") != 0;
  if (media && settings.images == std::vector<std::string>{"-"}) throw Usage{"--media wants an image, not a pipe"};
  engine::RunOptions options{
      .digests = settings.digests, .walk = !media, .examine = !media, .media = media, .account = !media};
  return run_over_images_or_pipe(std::move(settings), std::move(options), parsed.values);
}

}  // namespace

const Verb hash_verb = {"hash", "IMAGE…|- [options]", "adds digests and types to items", run_hash};

}  // namespace exhibit::cmd
