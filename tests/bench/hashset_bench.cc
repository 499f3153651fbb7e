// What an index costs beside a sorted file: figures of one thread as `name value` lines. Called by bench_hashset.py.
//
//   hashset_bench make LIST COUNT          md5sum lines of COUNT digests of nothing in particular
//   hashset_bench index SET.xhs LOOKUPS    opening, and batches of lookups, half of which are found
//   hashset_bench sorted LIST LOOKUPS      the same digests as a sorted array in memory, by binary search

#include <fcntl.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <fstream>
#include <random>
#include <string>
#include <vector>

#include "hashset/index.h"

namespace {

using namespace exhibit;
using Md5 = std::array<std::uint8_t, 16>;

// Of this process's own processor time, so that whatever else runs disturbs little.
double now() {
  timespec time{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}
double seconds_since(double start) { return now() - start; }

// The n-th digest of a set; those from `count` on are in none. Any function of n that looks random will do.
Md5 digest(std::uint64_t n) {
  const auto mix = [](std::uint64_t x) {
    x += 0x9e3779b97f4a7c15U;  // splitmix64
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9U;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebU;
    return x ^ (x >> 31);
  };
  const std::uint64_t halves[] = {mix(2 * n), mix(2 * n + 1)};
  Md5 bytes;
  std::memcpy(bytes.data(), halves, sizeof halves);
  return bytes;
}

int make(const char* path, std::uint64_t count) {
  std::FILE* file = std::fopen(path, "w");
  if (file == nullptr) return 1;
  std::array<char, 64> line{};
  for (std::uint64_t n = 0; n < count; ++n) {
    const Md5 bytes = digest(n);
    for (std::size_t i = 0; i < bytes.size(); ++i) {
      line[2 * i] = "0123456789abcdef"[bytes[i] >> 4];
      line[2 * i + 1] = "0123456789abcdef"[bytes[i] & 15];
    }
    const int rest =
        std::snprintf(line.data() + 32, line.size() - 32, "  file%llu\n", static_cast<unsigned long long>(n));
    std::fwrite(line.data(), 1, 32 + static_cast<std::size_t>(rest), file);
  }
  return std::fclose(file) == 0 ? 0 : 1;
}

// Half of them in a set of `count`, in no order.
std::vector<std::uint8_t> asked(std::uint64_t count, std::uint64_t lookups) {
  std::vector<std::uint8_t> digests;
  digests.reserve(lookups * 16);
  std::mt19937_64 chance(count);
  for (std::uint64_t i = 0; i < lookups; ++i) {
    const Md5 bytes = digest(i % 2 == 0 ? chance() % count : count + i);
    digests.insert(digests.end(), bytes.begin(), bytes.end());
  }
  return digests;
}

int index_rate(const char* path, std::uint64_t lookups) {
  const double start = now();
  auto opened = hashset::Index::open(base::UniqueFd(::open(path, O_RDONLY | O_CLOEXEC)), path);
  const double opening = seconds_since(start);
  if (!opened.ok()) return std::fprintf(stderr, "%s\n", opened.error().message.c_str()), 1;
  const hashset::Index& index = *opened;
  const hashset::TableFacts& table = index.header().tables.at(0);
  const auto digests = asked(table.digests, lookups);
  std::vector<hashset::Index::Place> places(lookups);
  double best = 1e9;
  // The first round brings the file in.
  for (int round = 0; round < 4; ++round) {
    const double begin = now();
    index.find(hashset::Algorithm::md5, digests, places);
    if (round > 0) best = std::min(best, seconds_since(begin));
  }
  const auto found = std::ranges::count_if(places, [](auto place) { return place != hashset::Index::nowhere; });
  if (found != static_cast<std::int64_t>((lookups + 1) / 2)) return std::fprintf(stderr, "found %ld\n", long(found)), 1;
  const double begin = now();
  if (!index.digest_file().ok()) return 1;
  std::printf("open_ms %.3f\nlookups_per_second %.0f\nbytes_per_hash %.3f\ndigest_seconds %.3f\n", opening * 1e3,
              static_cast<double>(lookups) / best,
              static_cast<double>(index.file_bytes()) / static_cast<double>(table.digests), seconds_since(begin));
  return 0;
}

int sorted_rate(const char* path, std::uint64_t lookups) {
  std::vector<Md5> all;
  std::ifstream lines(path);
  for (std::string line; std::getline(lines, line);) all.push_back(digest(all.size()));
  const double start = now();
  std::ranges::sort(all);
  const double sorting = seconds_since(start);
  const auto digests = asked(all.size(), lookups);
  double best = 1e9;
  std::uint64_t found = 0;
  for (int round = 0; round < 3; ++round) {
    found = 0;
    const double begin = now();
    for (std::uint64_t i = 0; i < lookups; ++i) {
      Md5 wanted;
      std::memcpy(wanted.data(), digests.data() + i * 16, 16);
      found += std::ranges::binary_search(all, wanted);
    }
    best = std::min(best, seconds_since(begin));
  }
  if (found != (lookups + 1) / 2) return 1;
  std::printf("sort_seconds %.3f\nlookups_per_second %.0f\nbytes_per_hash 16\n", sorting,
              static_cast<double>(lookups) / best);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) return 2;
  const std::string act = argv[1];
  const std::uint64_t number = std::strtoull(argv[3], nullptr, 10);
  if (act == "make") return make(argv[2], number);
  if (act == "index") return index_rate(argv[2], number);
  if (act == "sorted") return sorted_rate(argv[2], number);
  return 2;
}
