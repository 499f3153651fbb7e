#pragma once
// What the fuzzers share. Each NAME_fuzzer.cc has one LLVMFuzzerTestOneInput: hostile bytes in, and nothing may come of
// it but an answer. It is linked with libFuzzer (make fuzz), and with replay.cc for the tests.

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "base/reporter.h"
#include "base/unique_fd.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

// What must hold whatever the input.
#define FUZZ_CHECK(condition)                                                            \
  do {                                                                                   \
    if (!(condition)) {                                                                  \
      std::fprintf(stderr, "%s:%d: doesn't hold: %s\n", __FILE__, __LINE__, #condition); \
      std::abort();                                                                      \
    }                                                                                    \
  } while (false)

namespace exhibit::fuzz {

inline std::string_view text_of(const std::uint8_t* data, std::size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

// A file of the given bytes without a place in any folder.
class MemoryFile {
 public:
  explicit MemoryFile(std::string_view bytes) : fd_(memfd_create("fuzz", MFD_CLOEXEC)) {
    FUZZ_CHECK(fd_ && write(fd_.get(), bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size()));
  }
  std::string path() const { return "/proc/self/fd/" + std::to_string(fd_.get()); }
  base::UniqueFd take() { return std::move(fd_); }

 private:
  base::UniqueFd fd_;
};

// A medium that begins with the given bytes, zeros behind them.
class MemorySource final : public ByteSource {
 public:
  MemorySource(std::string_view bytes, std::uint64_t size) : bytes_(bytes), size_(size) {}
  std::uint64_t size() const override { return size_; }
  Result<std::size_t> read_at(std::uint64_t offset, std::span<std::byte> buffer) override {
    if (offset >= size_) return std::size_t{0};
    const std::size_t count = std::min<std::uint64_t>(buffer.size(), size_ - offset);
    std::memset(buffer.data(), 0, count);
    if (offset < bytes_.size()) {
      std::memcpy(buffer.data(), bytes_.data() + offset, std::min<std::uint64_t>(count, bytes_.size() - offset));
    }
    return count;
  }
  std::vector<Doubt> doubts(std::uint64_t, std::uint64_t) const override { return {}; }
  std::uint64_t damaged_reads() const override { return 0; }

 private:
  std::string_view bytes_;
  std::uint64_t size_;
};

// Takes what is told; each problem must be about the place that was given.
class Listener final : public base::Reporter {
 public:
  explicit Listener(std::string where) : where_(std::move(where)) {}
  void touch(std::string_view, std::uint64_t) override {}
  void problem(const Problem& problem) override {
    FUZZ_CHECK(problem.where == where_);
    FUZZ_CHECK(!problem.detail.empty());
    FUZZ_CHECK(!problem.extent || (*problem.extent)[0] <= UINT64_MAX - (*problem.extent)[1]);
    ++count_;
  }
  std::uint64_t count() const { return count_; }

 private:
  std::string where_;
  std::uint64_t count_ = 0;
};

}  // namespace exhibit::fuzz
