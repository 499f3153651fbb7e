// exhibit VERB …: finds the verb's row and runs it.

#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <exception>

#include "exhibit/common.h"
#include "exhibit/verb.h"

namespace {

using namespace exhibit::cmd;

const Verb* find_verb(const char* name) {
  for (const Verb* verb : verbs()) {
    if (std::strcmp(verb->name, name) == 0) return verb;
  }
  return nullptr;
}

void print_usage(std::FILE* to) {
  std::fprintf(to, "usage: exhibit VERB [options] ARGUMENTS\n\n");
  for (const Verb* verb : verbs()) std::fprintf(to, "  %-8s %s\n", verb->name, verb->summary);
  std::fprintf(to, "\n'exhibit VERB --help' says more. A match is a lead for a person, never a finding of fact.\n");
}

int run_verb(const Verb& verb, const std::vector<std::string>& arguments) {
  try {
    return verb.run(arguments);
  } catch (const Usage& usage) {
    std::fprintf(stderr, "exhibit %s: %s\n(exhibit %s --help)\n", verb.name, usage.message.c_str(), verb.name);
    return exit_usage;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "exhibit: internal error: %s\n", error.what());
    return exit_internal;
  }
}

}  // namespace

int main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);
  // A listing has as many lines as items.
  static std::array<char, std::size_t{1} << 16> buffer;
  if (isatty(STDOUT_FILENO) == 0) std::setvbuf(stdout, buffer.data(), _IOFBF, buffer.size());
  const std::vector<std::string> words(argv + 1, argv + argc);
  if (words.empty()) {
    print_usage(stderr);
    return exit_usage;
  }
  if (words[0] == "--version") {
    std::printf("exhibit %s (%s)\n", version, source_revision);
    return exit_done;
  }
  if (words[0] == "--help" || words[0] == "-h" || (words[0] == "help" && words.size() == 1)) {
    print_usage(stdout);
    return exit_done;
  }
  const bool help = words[0] == "help";
  const Verb* verb = find_verb(words[help ? 1 : 0].c_str());
  if (verb == nullptr) {
    std::fprintf(stderr, "exhibit: there is no verb '%s'\n", words[help ? 1 : 0].c_str());
    print_usage(stderr);
    return exit_usage;
  }
  return run_verb(*verb,
                  help ? std::vector<std::string>{"--help"} : std::vector<std::string>(words.begin() + 1, words.end()));
}
