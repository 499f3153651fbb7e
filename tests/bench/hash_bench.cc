// Rates of the digests on one core: ratios between lines of one run are what counts. ninja hash_bench && bin/hash_bench
#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "hash/batch_digest.h"
#include "hash/chain_digest.h"
#include "hash/multi_digest.h"

namespace {

namespace hash = exhibit::hash;

const std::vector<std::string> three = {"md5", "sha1", "sha256"};

std::vector<std::byte> some_bytes(std::size_t size) {
  std::mt19937_64 generator(1);
  std::vector<std::byte> bytes(size);
  for (std::byte& byte : bytes) byte = static_cast<std::byte>(generator());
  return bytes;
}

const std::vector<std::byte>& media() {
  static const std::vector<std::byte> bytes = some_bytes(std::size_t{32} << 20);
  return bytes;
}

// Sizes as on a disk: log-normal, 100 bytes to 8 MiB, a third of a GiB in all.
std::vector<hash::BatchContent> mix() {
  std::mt19937_64 generator(2);
  std::lognormal_distribution<double> sizes(10, 2.2);
  std::vector<hash::BatchContent> contents;
  for (std::size_t total = 0; total < std::size_t{320} << 20; total += contents.back().pieces[0].size()) {
    const auto size = static_cast<std::size_t>(std::clamp(sizes(generator), 100.0, double{8 << 20}));
    contents.push_back({{std::span(media()).subspan(generator() % (media().size() - size), size)}});
  }
  return contents;
}

std::size_t size_of(const std::vector<hash::BatchContent>& contents) {
  std::size_t size = 0;
  for (const auto& content : contents) size += content.pieces[0].size();
  return size;
}

void count(benchmark::State& state, std::size_t bytes) {
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations()) * static_cast<std::int64_t>(bytes));
}

constexpr std::size_t piece_bytes = std::size_t{64} << 10;

void openssl_one_after_another(benchmark::State& state) {
  std::vector<std::unique_ptr<hash::Hasher>> hashers;
  for (const std::string& name : three) hashers.push_back(hash::create(name).take());
  for (auto _ : state) {
    for (std::size_t at = 0; at < media().size(); at += piece_bytes) {
      for (auto& hasher : hashers) hasher->update(std::span(media()).subspan(at, piece_bytes));
    }
  }
  count(state, media().size());
}
BENCHMARK(openssl_one_after_another);

void multi_digest(benchmark::State& state) {
  hash::MultiDigest digest = hash::MultiDigest::create(three).take();
  for (auto _ : state) digest.update(media());
  count(state, media().size());
}
BENCHMARK(multi_digest);

void chain_digest(benchmark::State& state) {
  hash::ChainDigest digest = hash::ChainDigest::create(three).take();
  for (auto _ : state) digest.update(media());
  count(state, media().size());
}
BENCHMARK(chain_digest);

void mix_openssl(benchmark::State& state) {
  const auto contents = mix();
  for (auto _ : state) {
    for (const auto& content : contents) {
      for (const std::string& name : three) {
        const auto& bytes = content.pieces[0];
        benchmark::DoNotOptimize(hash::digest_of(name, {reinterpret_cast<const char*>(bytes.data()), bytes.size()}));
      }
    }
  }
  count(state, size_of(contents));
}
BENCHMARK(mix_openssl);

void mix_multi_digest(benchmark::State& state) {
  const auto contents = mix();
  hash::MultiDigest digest = hash::MultiDigest::create(three).take();
  for (auto _ : state) {
    for (const auto& content : contents) {
      digest.update(content.pieces[0]);
      benchmark::DoNotOptimize(digest.finish());
    }
  }
  count(state, size_of(contents));
}
BENCHMARK(mix_multi_digest);

void mix_batch(benchmark::State& state) {
  const auto contents = mix();
  for (auto _ : state) benchmark::DoNotOptimize(hash::digest_batch(three, contents));
  count(state, size_of(contents));
}
BENCHMARK(mix_batch);

// Each lane kernel of this processor, whichever digest_batch takes.
void mix_lanes(benchmark::State& state, const hash::LaneKernel* lanes) {
  const auto contents = mix();
  for (auto _ : state) benchmark::DoNotOptimize(hash::compress_batch(7, contents, **hash::stream_kernels(), lanes));
  count(state, size_of(contents));
}

void openssl_sha256(benchmark::State& state) {
  const std::string_view bytes(reinterpret_cast<const char*>(media().data()), media().size());
  for (auto _ : state) benchmark::DoNotOptimize(hash::digest_of("sha256", bytes));
  count(state, media().size());
}
BENCHMARK(openssl_sha256);

void block_digests(benchmark::State& state) {
  for (auto _ : state) benchmark::DoNotOptimize(hash::block_digests(media()));
  count(state, media().size());
}
BENCHMARK(block_digests);

}  // namespace

int main(int argc, char** argv) {
  for (const hash::LaneKernel* const* lanes = hash::lane_kernels(); *lanes != nullptr; ++lanes) {
    benchmark::RegisterBenchmark((std::string("mix_lanes/") + (*lanes)->name).c_str(), mix_lanes, *lanes);
  }
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
}
