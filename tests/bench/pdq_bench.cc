// What it costs to search PDQ hashes exactly: figures of one thread as `name value` lines. Called by bench_pdq.py.
//
//   pdq_bench make LIST.csv COUNT        hashes of nothing in particular
//   pdq_bench search SET.xhs QUERIES     all within distance 31, and beside it comparing with every hash

#include <fcntl.h>
#include <sys/resource.h>

#include <bit>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <random>
#include <string>
#include <vector>

#include "hashset/index.h"

namespace {

using namespace exhibit;
using hashset::Algorithm;
using hashset::Index;
using hashset::RawDigest;

constexpr std::size_t hash_bytes = 32;
constexpr int compared = 8;  // of the queries with all there is

// Of this process's own processor time, so that whatever else runs disturbs little.
double now() {
  timespec time{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}

RawDigest random_hash(std::mt19937_64& random) {
  RawDigest hash{};
  for (std::size_t i = 0; i < hash_bytes; i += 8) {
    const std::uint64_t word = random();
    std::memcpy(hash.data() + i, &word, sizeof word);
  }
  return hash;
}

unsigned distance(const RawDigest& a, const RawDigest& b) {
  int bits = 0;
  for (std::size_t i = 0; i < hash_bytes; i += 8) {
    std::uint64_t x, y;
    std::memcpy(&x, a.data() + i, sizeof x), std::memcpy(&y, b.data() + i, sizeof y);
    bits += std::popcount(x ^ y);
  }
  return static_cast<unsigned>(bits);
}

int make(const char* path, std::uint64_t count) {
  std::FILE* file = std::fopen(path, "w");
  if (file == nullptr) return 1;
  std::mt19937_64 random(1);
  for (std::uint64_t i = 0; i < count; ++i) {
    const RawDigest hash = random_hash(random);
    for (std::size_t byte = 0; byte < hash_bytes; ++byte) std::fprintf(file, "%02x", hash[byte]);
    std::fputs(",100\n", file);
  }
  return std::fclose(file) == 0 ? 0 : 1;
}

// Every other query is near an entry: as many bits differ as its number says.
std::vector<RawDigest> queries_for(const Index& index, std::size_t count, std::uint64_t rows) {
  std::mt19937_64 random(2);
  std::vector<RawDigest> queries;
  for (std::size_t i = 0; i < count; ++i) {
    RawDigest hash = i % 2 == 0 ? random_hash(random) : index.pdq(static_cast<Index::Place>(random() % rows));
    for (std::size_t bit = 0; i % 2 == 1 && bit < i / 2 % 32; ++bit) hash[(bit * 7) % hash_bytes] ^= 1U << bit % 8;
    queries.push_back(hash);
  }
  return queries;
}

int search(const char* path, std::size_t count) {
  double start = now();
  auto opened = Index::open(base::UniqueFd(::open(path, O_RDONLY | O_CLOEXEC)), path);
  if (!opened.ok()) return std::fprintf(stderr, "%s\n", opened.error().message.c_str()), 1;
  const Index index = opened.take();
  std::printf("open_ms %.3f\n", (now() - start) * 1e3);
  std::uint64_t rows = 0;
  for (const auto& table : index.header().tables) rows = table.algorithm == Algorithm::pdq ? table.digests : rows;
  const std::vector<RawDigest> queries = queries_for(index, count, rows);
  for (const RawDigest& query : queries) (void)index.find_near(query, hashset::most_pdq_distance);  // pages come in
  start = now();
  std::size_t found = 0;
  for (const RawDigest& query : queries) found += index.find_near(query, hashset::most_pdq_distance).size();
  std::printf("entries %llu\nquery_ms %.4f\nfound %zu\n", static_cast<unsigned long long>(rows),
              (now() - start) * 1e3 / static_cast<double>(count), found);
  start = now();
  bool same = true;
  for (int i = 0; i < compared; ++i) {
    const RawDigest& query = queries[static_cast<std::size_t>(i)];
    std::vector<Index::Near> all;
    for (std::uint64_t row = 0; row < rows; ++row) {
      const auto place = static_cast<Index::Place>(row);
      const unsigned bits = distance(index.pdq(place), query);
      if (bits <= hashset::most_pdq_distance) all.push_back({place, bits});
    }
    const auto near = index.find_near(query, hashset::most_pdq_distance);
    same = same && near.size() == all.size();
    for (std::size_t k = 0; same && k < all.size(); ++k)
      same = near[k].place == all[k].place && near[k].distance == all[k].distance;
  }
  std::printf("each_ms %.2f\nsame %d\n", (now() - start) * 1e3 / compared, same ? 1 : 0);
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  std::printf("resident_mib %ld\n", usage.ru_maxrss / 1024);
  return same ? 0 : 1;
}

}  // namespace

int main(int count, char** words) {
  if (count != 4) return 2;
  const std::string act = words[1];
  return act == "make" ? make(words[2], std::strtoull(words[3], nullptr, 10))
                       : search(words[2], std::strtoull(words[3], nullptr, 10));
}
