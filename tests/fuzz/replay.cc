// Runs a fuzzer's target without libFuzzer, for the tests: over the seeds as they are, and over seeded mutations of
// them.
//   NAME_replay FOLDER [MUTATIONS [SEED]]     NAME_replay FILE…
// The input that the target dies on is left in the file that the environment's FUZZ_LAST names, else in crash-input.

#include <csignal>
#include <filesystem>
#include <fstream>
#include <random>

#include "fuzz/fuzz.h"

namespace {

namespace fs = std::filesystem;

std::string current;

std::string read_file(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

// A signal handler: only what may be called in one.
void keep_input(int signal) {
  const char* name = std::getenv("FUZZ_LAST");
  const int fd = open(name != nullptr ? name : "crash-input", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (fd >= 0) (void)!write(fd, current.data(), current.size());
  std::signal(signal, SIG_DFL);
  std::raise(signal);
}

void run(std::string input) {
  current = std::move(input);
  // A copy of just its size: reading past the end is then seen by a sanitizer.
  const std::vector<std::uint8_t> exact(current.begin(), current.end());
  LLVMFuzzerTestOneInput(exact.data(), exact.size());
}

class Mutator {
 public:
  explicit Mutator(std::uint32_t seed) : random_(seed) {}

  std::string mutate(std::string text, const std::string& other) {
    for (std::uint32_t rounds = 1 + below(4); rounds > 0; --rounds) once(text, other);
    return text;
  }

 private:
  std::uint32_t below(std::size_t bound) {
    return static_cast<std::uint32_t>(random_() % std::max<std::size_t>(bound, 1));
  }

  // Structures stand at the beginning of most formats: half of the places are there.
  std::size_t place(const std::string& text) {
    return below(random_() % 2 == 0 ? std::min<std::size_t>(text.size(), 4096) : text.size());
  }

  void once(std::string& text, const std::string& other) {
    if (text.empty()) text = "x";
    const std::size_t at = place(text);
    switch (below(7)) {
      case 0:
        text[at] = static_cast<char>(text[at] ^ (1 << below(8)));
        break;
      case 1:
        text[at] = static_cast<char>(random_());
        break;
      case 2: {
        constexpr std::uint64_t numbers[] = {0,          1,          0x7f,       0xff,          0xffff,
                                             0x7fffffff, 0xffffffff, UINT64_MAX, UINT64_MAX / 2};
        const std::uint64_t number = numbers[below(std::size(numbers))];
        std::memcpy(text.data() + at, &number, std::min<std::size_t>(std::size_t{1} << below(4), text.size() - at));
        break;
      }
      case 3:
        text.resize(at);
        break;
      case 4:
        text.erase(at, below(64));
        break;
      case 5:
        text.insert(at, text.substr(place(text), below(64)));
        break;
      default:
        if (!other.empty()) text.replace(at, below(64), other.substr(below(other.size()), below(256)));
    }
  }

  std::mt19937 random_;
};

}  // namespace

int main(int argc, char** argv) {
  for (const int signal : {SIGSEGV, SIGABRT, SIGBUS, SIGFPE, SIGILL, SIGALRM}) std::signal(signal, keep_input);
  std::vector<std::string> seeds;
  for (int i = 1; i < argc; ++i) {
    if (fs::is_regular_file(argv[i])) run(read_file(argv[i]));
  }
  if (argc < 2 || !fs::is_directory(argv[1])) return argc < 2 ? 2 : 0;
  std::vector<fs::path> paths;
  for (const auto& entry : fs::directory_iterator(argv[1])) paths.push_back(entry.path());
  std::sort(paths.begin(), paths.end());
  for (const fs::path& path : paths) seeds.push_back(read_file(path));
  if (seeds.empty()) {
    std::fprintf(stderr, "%s: no seeds\n", argv[1]);
    return 1;
  }
  for (const std::string& seed : seeds) run(seed);
  const unsigned long count = argc > 2 ? std::strtoul(argv[2], nullptr, 10) : 0;
  Mutator mutator(argc > 3 ? static_cast<std::uint32_t>(std::strtoul(argv[3], nullptr, 10)) : 1);
  for (unsigned long i = 0; i < count; ++i) {
    run(mutator.mutate(seeds[i % seeds.size()], seeds[(i * 7 + 3) % seeds.size()]));
  }
  std::printf("%zu seeds, %lu mutations\n", seeds.size(), count);
  return 0;
}
