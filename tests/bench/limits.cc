// What this machine can do at best: each part of the work alone, on one core, with nothing else around it. One verb a
// run; prints `bytes seconds` of the best of the rounds. It reads files that the benchmark made itself and trusts them.
//
//   bench_limits read RAW
//   bench_limits inflate E01             the chunks of a one-segment E01 by libdeflate, read beforehand
//   bench_limits medium RAW              MD5, SHA-1 and SHA-256 of one stream
//   bench_limits blocks RAW              SHA-256 of each block
//   bench_limits items RAW LIST          MD5, SHA-1 and SHA-256 of many contents; LIST: a line each, `offset length …`
//   bench_limits scan RAW LIST RULES N   libyara over every Nth content of LIST
// Streams are digested from mapped files, so that nothing but the digests is measured; a round before the clock starts
// brings the pages in.

#include <fcntl.h>
#include <libdeflate.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <functional>
#include <memory>
#include <span>
#include <sstream>
#include <string>
#include <vector>

#include "base/unique_fd.h"
#include "hash/batch_digest.h"
#include "hash/chain_digest.h"
#include "match/rule_compiler.h"

namespace {

using Bytes = std::span<const std::byte>;
using Contents = std::vector<exhibit::hash::BatchContent>;

constexpr std::size_t mebibyte = std::size_t{1} << 20;
const std::vector<std::string> digests = {"md5", "sha1", "sha256"};

[[noreturn]] void give_up(const std::string& why) {
  std::fprintf(stderr, "bench_limits: %s\n", why.c_str());
  std::exit(1);
}

template <typename Value>
Value take(exhibit::Result<Value> result) {
  if (!result.ok()) give_up(result.error().message);
  return result.take();
}

// A file in memory for the program's life.
Bytes mapped(const char* path) {
  const exhibit::base::UniqueFd file(open(path, O_RDONLY | O_CLOEXEC));
  struct stat status {};
  if (file.get() < 0 || fstat(file.get(), &status) != 0) give_up(std::string(path) + ": can't be opened");
  const auto size = static_cast<std::size_t>(status.st_size);
  void* memory = mmap(nullptr, size, PROT_READ, MAP_PRIVATE | MAP_POPULATE, file.get(), 0);
  if (memory == MAP_FAILED) give_up(std::string(path) + ": can't be mapped");
  return {static_cast<const std::byte*>(memory), size};
}

// The faster of two: the first brings everything into the caches.
int report(std::uint64_t bytes, const std::function<void()>& work) {
  double best = 0;
  for (int round = 0; round < 2; ++round) {
    const auto begin = std::chrono::steady_clock::now();
    work();
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    best = round == 0 ? seconds : std::min(best, seconds);
  }
  std::printf("%llu %.6f\n", static_cast<unsigned long long>(bytes), best);
  return 0;
}

int read_all(const char* path) {
  const exhibit::base::UniqueFd file(open(path, O_RDONLY | O_CLOEXEC));
  if (file.get() < 0) give_up(std::string(path) + ": can't be opened");
  std::vector<std::byte> buffer(mebibyte);
  const auto size = static_cast<std::uint64_t>(lseek(file.get(), 0, SEEK_END));
  return report(size, [&] {
    for (std::uint64_t at = 0; at < size; at += mebibyte) {
      if (pread(file.get(), buffer.data(), mebibyte, static_cast<off_t>(at)) <= 0) give_up("read error");
    }
  });
}

std::uint64_t little(Bytes bytes, std::size_t offset, std::size_t width) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < width; ++i) value |= std::to_integer<std::uint64_t>(bytes[offset + i]) << (8 * i);
  return value;
}

struct Chunk {
  std::size_t offset = 0, end = 0;
  bool compressed = false;
};

// The tables of one EWF-E01 segment as ewfacquire writes them. Metz, "Expert Witness Compression Format (EWF)",
// sections 2.1 (file header, 13 bytes), 3.1 (section descriptor, 76 bytes), 3.5 (volume) and 3.9 (table).
struct Container {
  std::vector<Chunk> chunks;
  std::size_t chunk_size = 0;
};

void take_table(Bytes file, std::size_t section, std::size_t sectors_end, std::vector<Chunk>& chunks) {
  constexpr std::size_t descriptor = 76, header = 24;
  const Bytes table = file.subspan(section + descriptor);
  const auto count = static_cast<std::size_t>(little(table, 0, 4));
  const auto base = static_cast<std::size_t>(little(table, 8, 8));
  for (std::size_t i = 0; i < count; ++i) {
    const auto entry = little(table, header + 4 * i, 4);
    const std::size_t offset = base + (entry & 0x7fffffffU);
    if (i > 0) chunks.back().end = offset;
    chunks.push_back({offset, sectors_end, (entry & 0x80000000U) != 0});
  }
}

Container read_container(Bytes file) {
  constexpr std::size_t file_header = 13, descriptor = 76;
  Container container;
  std::size_t sectors_end = 0;
  for (std::size_t at = file_header;;) {
    const std::string type(reinterpret_cast<const char*>(file.data()) + at);
    const auto next = static_cast<std::size_t>(little(file, at + 16, 8));
    if (type == "volume") {
      container.chunk_size = static_cast<std::size_t>(little(file, at + descriptor + 8, 4) *  // sectors a chunk
                                                      little(file, at + descriptor + 12, 4));
    }
    if (type == "sectors") sectors_end = next;
    if (type == "table") take_table(file, at, sectors_end, container.chunks);
    if (next <= at || next >= file.size()) break;
    at = next;
  }
  if (container.chunks.empty()) give_up("no table of chunks; the E01 must be one segment");
  return container;
}

struct FreeDecompressor {
  void operator()(libdeflate_decompressor* decompressor) const { libdeflate_free_decompressor(decompressor); }
};

int inflate_all(const char* path) {
  const Bytes file = mapped(path);
  const Container container = read_container(file);
  const std::unique_ptr<libdeflate_decompressor, FreeDecompressor> decompressor(libdeflate_alloc_decompressor());
  std::vector<std::byte> out(container.chunk_size);
  return report(container.chunks.size() * container.chunk_size, [&] {
    for (const Chunk& chunk : container.chunks) {
      if (!chunk.compressed) {
        std::memcpy(out.data(), file.data() + chunk.offset, std::min(container.chunk_size, chunk.end - chunk.offset));
        continue;
      }
      std::size_t length = 0;
      if (libdeflate_zlib_decompress(decompressor.get(), file.data() + chunk.offset, chunk.end - chunk.offset,
                                     out.data(), out.size(), &length) != LIBDEFLATE_SUCCESS) {
        give_up("a chunk doesn't inflate");
      }
    }
  });
}

int digest_medium(const char* path) {
  const Bytes medium = mapped(path);
  return report(medium.size(), [&] {
    auto chain = take(exhibit::hash::ChainDigest::create(digests));
    for (std::size_t at = 0; at < medium.size(); at += mebibyte) {
      chain.update(medium.subspan(at, std::min(mebibyte, medium.size() - at)));
    }
    if (chain.finish().size() != digests.size()) give_up("a digest is missing");
  });
}

int digest_blocks(const char* path) {
  const Bytes medium = mapped(path);
  return report(medium.size(), [&] {
    constexpr std::size_t stretch = 16 * mebibyte;
    for (std::size_t at = 0; at < medium.size(); at += stretch) {
      if (exhibit::hash::block_digests(medium.subspan(at, std::min(stretch, medium.size() - at))).empty()) {
        give_up("no digests of blocks");
      }
    }
  });
}

Contents read_list(Bytes medium, const char* path) {
  std::ifstream list(path);
  if (!list) give_up(std::string(path) + ": can't be opened");
  Contents contents;
  for (std::string line; std::getline(list, line);) {
    std::istringstream numbers(line);
    exhibit::hash::BatchContent content;
    for (std::size_t offset = 0, length = 0; numbers >> offset >> length;) {
      if (offset > medium.size() || length > medium.size() - offset) give_up("an extent lies outside the medium");
      content.pieces.push_back(medium.subspan(offset, length));
    }
    contents.push_back(std::move(content));
  }
  return contents;
}

std::uint64_t size_of(const exhibit::hash::BatchContent& content) {
  std::uint64_t size = 0;
  for (const Bytes piece : content.pieces) size += piece.size();
  return size;
}

int digest_items(const char* raw, const char* list) {
  const Contents contents = read_list(mapped(raw), list);
  std::uint64_t bytes = 0;
  for (const auto& content : contents) bytes += size_of(content);
  return report(bytes, [&] {
    // As many at a time as a worker meets in a stretch.
    constexpr std::size_t batch = 512;
    for (std::size_t at = 0; at < contents.size(); at += batch) {
      const auto some = std::span(contents).subspan(at, std::min(batch, contents.size() - at));
      take(exhibit::hash::digest_batch(digests, some));
    }
  });
}

int ignore_match(YR_SCAN_CONTEXT*, int, void*, void*) { return CALLBACK_CONTINUE; }

int scan_items(const char* raw, const char* list, const char* rules_path, std::size_t every) {
  const exhibit::match::YaraLibrary library;
  const auto compiled = take(exhibit::match::compile_rules({rules_path}));
  const Contents all = read_list(mapped(raw), list);
  std::vector<std::string> contents;
  std::uint64_t bytes = 0;
  for (std::size_t i = 0; i < all.size(); i += every) {
    std::string& content = contents.emplace_back();
    for (const Bytes piece : all[i].pieces) content.append(reinterpret_cast<const char*>(piece.data()), piece.size());
    bytes += content.size();
  }
  return report(bytes, [&] {
    for (const std::string& content : contents) {
      yr_rules_scan_mem(compiled.rules.get(), reinterpret_cast<const std::uint8_t*>(content.data()), content.size(), 0,
                        ignore_match, nullptr, 0);
    }
  });
}

}  // namespace

int main(int count, char** words) {
  const std::string verb = count > 2 ? words[1] : "";
  if (verb == "read") return read_all(words[2]);
  if (verb == "inflate") return inflate_all(words[2]);
  if (verb == "medium") return digest_medium(words[2]);
  if (verb == "blocks") return digest_blocks(words[2]);
  if (verb == "items" && count == 4) return digest_items(words[2], words[3]);
  if (verb == "scan" && count == 6) {
    return scan_items(words[2], words[3], words[4], std::max<std::size_t>(1, std::strtoull(words[5], nullptr, 10)));
  }
  std::fputs("usage: bench_limits read|inflate|medium|blocks FILE; items RAW LIST; scan RAW LIST RULES N\n", stderr);
  return 2;
}
