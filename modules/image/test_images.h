#pragma once
// What the tests of images share: opening the files of an image, reading it through, having ewfacquire make one.

#include <fcntl.h>
#include <gtest/gtest.h>
#include <openssl/evp.h>

#include <algorithm>
#include <filesystem>
#include <random>
#include <sstream>

#include "base/json.h"
#include "image/image.h"
#include "support/test_support.h"

namespace exhibit::image {

inline SegmentFile segment_of(const std::filesystem::path& path) {
  SegmentFile segment;
  segment.name = path.filename().string();
  segment.size = std::filesystem::file_size(path);
  segment.fd.reset(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  EXPECT_TRUE(segment.fd) << path;
  return segment;
}

inline std::vector<SegmentFile> segments_of(const std::vector<std::filesystem::path>& paths) {
  std::vector<SegmentFile> segments;
  for (const auto& path : paths) segments.push_back(segment_of(path));
  return segments;
}

inline Result<std::unique_ptr<Image>> open_paths(const std::vector<std::filesystem::path>& paths) {
  return open_image(segments_of(paths));
}

// All bytes of the medium, by reads of `step` bytes.
inline std::string bytes_of(Image& image, std::size_t step = std::size_t{1} << 20) {
  std::string all;
  std::string buffer(step, '\x55');
  while (true) {
    const auto got = image.read_at(all.size(), std::as_writable_bytes(std::span(buffer)));
    EXPECT_TRUE(got.ok());
    if (!got.ok() || *got == 0) return all;
    all.append(buffer, 0, *got);
  }
}

inline std::string medium_of(std::size_t random, std::size_t zeros, std::size_t text) {
  std::mt19937 engine(7);
  std::string bytes(random, '\0');
  for (char& c : bytes) c = static_cast<char>(engine());
  bytes.append(zeros, '\0');
  while (text > 0) {
    const std::string line = "line " + std::to_string(text) + " of a compressible text\n";
    bytes.append(line, 0, std::min(text, line.size()));
    text -= std::min(text, line.size());
  }
  return bytes;
}

inline std::string digest(const char* algorithm, const std::string& bytes) {
  unsigned char out[EVP_MAX_MD_SIZE];
  std::size_t size = 0;
  EXPECT_EQ(EVP_Q_digest(nullptr, algorithm, nullptr, bytes.data(), bytes.size(), out, &size), 1);
  return base::to_hex({reinterpret_cast<const char*>(out), size});
}

// The `media` line of a truth file, or the line of the given check.
inline base::Json truth(const std::string& name, const std::string& check = {}) {
  std::istringstream lines(test::read_file(test::corpus("truth/" + name + ".jsonl")));
  for (std::string line; std::getline(lines, line);) {
    auto record = base::Json::parse(line);
    if (check.empty() ? record["rec"] == "media" : record.value("check", "") == check) return record;
  }
  ADD_FAILURE() << name << " " << check;
  return {};
}

struct Made {
  test::TemporaryDirectory scratch;
  std::string medium;
  std::vector<std::filesystem::path> paths;
};

// ewfacquire over `medium`.
inline void acquire(Made& made, const std::string& format, const std::string& compression,
                    const std::string& segment_size, const std::string& sectors_per_chunk = "64") {
  test::write_file(made.scratch / "source.raw", made.medium);
  const auto done = test::run({"ewfacquire", "-u", "-q", "-f", format, "-c", compression, "-S", segment_size, "-b",
                               sectors_per_chunk, "-C", "case 1", "-e", "somebody", "-t",
                               (made.scratch / "image").string(), (made.scratch / "source.raw").string()});
  ASSERT_EQ(done.status, 0) << format << " " << compression << " " << done.out << done.err;
  for (const auto& entry : std::filesystem::directory_iterator(made.scratch.path()))
    if (entry.path().stem() == "image") made.paths.push_back(entry.path());
  std::sort(made.paths.begin(), made.paths.end());
}

}  // namespace exhibit::image
