#pragma once
// hash and match: over images, or over record lines from standard input.

#include "exhibit/session.h"

namespace exhibit::cmd {

// --evidence E1=IMAGE: where the images of a pipe's records lie.
void add_pipe_options(options::options_description& described);

// Runs the plan over the settings' images, or where "-" is named over standard input, and writes what came of it.
int run_over_images_or_pipe(RunSettings settings, engine::RunOptions options, const options::variables_map& values);

}  // namespace exhibit::cmd
