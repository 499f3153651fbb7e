// What a worker still must be able to do once it is sealed: the policy is wrong, too, where it stops honest work.

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <magic.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <tsk/libtsk.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <map>
#include <memory>
#include <new>
#include <random>
#include <sstream>
#include <stdexcept>
#include <vector>

#include "base/channel.h"
#include "base/json.h"
#include "image/image.h"
#include "sandbox/sanitizer.h"
#include "sandbox/test_child.h"
#include "support/test_support.h"

// Last: it defines macros that are words in other headers.
#include <yara.h>

namespace exhibit::sandbox {
namespace {

using exhibit::test::corpus;
using exhibit::test::read_file;
using exhibit::test::TemporaryDirectory;
using exhibit::test::unpack;
using test::Ended;
using test::in_sealed_child;

constexpr std::size_t mebibyte = std::size_t{1} << 20;

void expect_said(const Ended& ended, const std::string& said) {
  EXPECT_EQ(ended.said, said) << "signal " << ended.signal << ", status " << ended.status;
}

TEST(SealedWork, TakesADescriptorFromItsSocketAndReadsItByOffset) {
  const TemporaryDirectory directory;
  exhibit::test::write_file(directory / "evidence", "0123456789");
  int ends[2];
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
  const base::UniqueFd coordinator(ends[0]);
  const base::UniqueFd worker(ends[1]);
  const base::UniqueFd evidence(open((directory / "evidence").c_str(), O_RDONLY | O_CLOEXEC));
  ASSERT_TRUE(base::send_all(coordinator.get(), "task\n", {evidence.get()}).ok());
  const Ended ended = in_sealed_child([&] {
    base::LineReader reader;
    if (reader.fill(worker.get()) != base::LineReader::Fill::some || reader.next() != "task") return "no line";
    if (reader.descriptors().size() != 1) return "no descriptor";
    char bytes[4];
    if (pread(reader.descriptors()[0].get(), bytes, sizeof bytes, 3) != 4) return "no bytes";
    const auto sent = base::send_all(worker.get(), "answer " + std::string(bytes, 4) + "\n");
    return sent.ok() ? "sent" : "not sent";
  });
  expect_said(ended, "sent");
  base::LineReader answer;
  ASSERT_EQ(answer.fill(coordinator.get()), base::LineReader::Fill::some);
  EXPECT_EQ(answer.next(), "answer 3456");
}

TEST(SealedWork, HasRoomForTheDescriptorsOfALargeSplitImage) {
  int ends[2];
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
  const base::UniqueFd coordinator(ends[0]);
  const base::UniqueFd worker(ends[1]);
  const base::UniqueFd evidence(open("/dev/null", O_RDONLY | O_CLOEXEC));
  const std::vector<int> many(base::descriptors_per_message, evidence.get());
  constexpr std::size_t messages = 15;
  for (std::size_t i = 0; i < messages; ++i) ASSERT_TRUE(base::send_all(coordinator.get(), "x\n", many).ok());
  const Ended ended = in_sealed_child([&] {
    base::LineReader reader;
    for (std::size_t lines = 0; lines < messages;) {
      if (reader.fill(worker.get()) != base::LineReader::Fill::some) return std::string("no line");
      while (reader.next()) ++lines;
    }
    return std::to_string(reader.descriptors().size());
  });
  expect_said(ended, std::to_string(messages * base::descriptors_per_message));
}

TEST(SealedWork, AllocatesGrowsAndGivesBack) {
  const Ended ended = in_sealed_child([] {
    std::unique_ptr<char, decltype(&std::free)> block(static_cast<char*>(std::malloc(100 * mebibyte)), std::free);
    if (block == nullptr) return "no memory";
    std::fill_n(block.get(), 100 * mebibyte, 'x');
    std::vector<std::uint64_t> grown;  // on purpose without reserve()
    for (std::uint64_t i = 0; i < 4 * mebibyte; ++i)
      grown.push_back(i);  // NOLINT(performance-inefficient-vector-operation)
    std::map<int, std::string> nodes;
    for (int i = 0; i < 100000; ++i) nodes[i] = std::string(64, 'y');
    nodes.clear();
    block.reset(static_cast<char*>(std::realloc(block.release(), 200 * mebibyte)));
    return block != nullptr && block.get()[100 * mebibyte - 1] == 'x' && grown.back() == 4 * mebibyte - 1 ? "done"
                                                                                                          : "lost";
  });
  expect_said(ended, "done");
}

TEST(SealedWork, SortsPrintsThrowsTellsTheTimeAndDrawsChance) {
  const Ended ended = in_sealed_child([]() -> std::string {
    std::vector<std::uint64_t> numbers(3 * mebibyte);  // past qsort's limit of what it sorts without asking for memory
    std::mt19937_64 random(1);
    for (auto& number : numbers) number = random();
    std::qsort(numbers.data(), numbers.size(), sizeof numbers[0], [](const void* a, const void* b) {
      const auto x = *static_cast<const std::uint64_t*>(a);
      const auto y = *static_cast<const std::uint64_t*>(b);
      return x < y ? -1 : x > y ? 1 : 0;
    });
    if (!std::is_sorted(numbers.begin(), numbers.end())) return "not sorted";
    char text[64];
    std::snprintf(text, sizeof text, "%.3f %g", 3.14159, 1e300);
    if (std::string(text) != "3.142 1e+300") return text;
    try {
      throw std::runtime_error("thrown");
    } catch (const std::exception& error) {
      if (error.what() != std::string("thrown")) return "another exception";
    }
    if (!base::parse_json(R"({"a":[1,2.5,"x"]})").ok() || base::parse_json("{").ok()) return "no JSON";
    std::time_t now = std::time(nullptr);
    std::tm parts{};
    if (now < 1700000000 || gmtime_r(&now, &parts) == nullptr || localtime_r(&now, &parts) == nullptr) return "no time";
    timespec clock{};
    if (clock_gettime(CLOCK_MONOTONIC, &clock) != 0 || std::clock() < 0) return "no clock";
    unsigned char chance[16];
    if (getrandom(chance, sizeof chance, 0) != sizeof chance) return "no chance";
    std::random_device device;
    (void)device();
    if (std::fprintf(stderr, "a sealed process can say something on standard error: %.1f\n", 1.5) < 0) return "mute";
    return "done";
  });
  expect_said(ended, "done");
}

TEST(SealedWork, DigestsWithWhatItFetchedBefore) {
  const std::unique_ptr<EVP_MD, decltype(&EVP_MD_free)> sha256(EVP_MD_fetch(nullptr, "SHA256", nullptr), EVP_MD_free);
  ASSERT_NE(sha256, nullptr);
  const Ended ended = in_sealed_child([&]() -> std::string {
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    if (EVP_Digest("abc", 3, digest, &size, sha256.get(), nullptr) != 1) return "no digest";
    return base::to_hex({reinterpret_cast<const char*>(digest), size});
  });
  expect_said(ended, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");  // FIPS 180-4
}

// As libyara's pe module does with a signed program, on OpenSSL's default context and for the first time.
TEST(SealedWork, ReadsACertificateAndChecksItsSignature) {
  const TemporaryDirectory directory;
  const std::string file = directory / "certificate.der";
  ASSERT_EQ(exhibit::test::run({"openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout",
                                directory / "key", "-subj", "/CN=test", "-outform", "DER", "-out", file})
                .status,
            0);
  const std::string der = read_file(file);
  const Ended ended = in_sealed_child([&]() -> std::string {
    const auto* start = reinterpret_cast<const unsigned char*>(der.data());
    X509* certificate = d2i_X509(nullptr, &start, static_cast<long>(der.size()));
    if (certificate == nullptr) return "not read";
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    if (X509_digest(certificate, EVP_get_digestbyname("sha1"), digest, &size) != 1) return "no digest";
    const bool good = X509_verify(certificate, X509_get0_pubkey(certificate)) == 1;
    X509_free(certificate);
    return good ? "good" : "bad";
  });
  expect_said(ended, "good");
}

TEST(SealedWork, PastItsMemoryGetsBadAlloc) {
  if (address_sanitizer) GTEST_SKIP() << "the address space isn't limited under AddressSanitizer";
  const Ended ended = in_sealed_child(
      []() -> std::string {
        try {
          std::vector<std::unique_ptr<char[]>> blocks;
          blocks.resize(64);
          for (auto& block : blocks) block = std::make_unique<char[]>(16 * mebibyte);
          return "no limit";
        } catch (const std::bad_alloc&) {
          return "bad_alloc";
        }
      },
      {.memory_bytes = 512 * mebibyte});
  expect_said(ended, "bad_alloc");
}

TEST(SealedWork, AbortsAsAbortDoes) {
  const Ended ended = in_sealed_child([]() -> std::string { std::abort(); });
  EXPECT_EQ(ended.signal, SIGABRT);
}

TEST(SealedWork, EndsAsAProgramDoesWithAllThatLibrariesDoAtExit) {
  std::fflush(nullptr);  // or the child would print it, too
  const Ended ended = in_sealed_child([]() -> std::string {
    std::printf("%s", "");
    std::exit(7);
  });
  EXPECT_EQ(ended.signal, 0);
  EXPECT_EQ(ended.status, 7);
}

TEST(SealedWork, DiesOfABadPointerAsUsual) {
  const Ended ended = in_sealed_child([]() -> std::string {
    volatile int* nowhere = nullptr;
    *nowhere = 1;  // NOLINT(clang-analyzer-core.NullDereference): that's the point
    return "alive";
  });
  EXPECT_EQ(ended.signal, address_sanitizer ? 0 : SIGSEGV);  // AddressSanitizer reports it and exits
  EXPECT_NE(ended.status, 0);
}

// --- the libraries that a worker links, each at its work

int count_match(YR_SCAN_CONTEXT*, int message, void*, void* count) {
  if (message == CALLBACK_MSG_RULE_MATCHING) ++*static_cast<int*>(count);
  return CALLBACK_CONTINUE;
}

TEST(SealedLibraries, YaraScans) {
  ASSERT_EQ(yr_initialize(), ERROR_SUCCESS);
  YR_COMPILER* compiler = nullptr;
  ASSERT_EQ(yr_compiler_create(&compiler), ERROR_SUCCESS);
  const char* source = R"(import "pe" import "math" import "hash"
      rule known { strings: $a = "needle" $b = /n[aeiou]{2}dle/ condition: $a and #b == 2 and math.entropy(0, filesize) < 8 }
      rule sum { condition: hash.md5(0, 6) == "d6e2b2a2b8b4e0b5b2a0f0b5e9d1c3a7" or not pe.is_pe })";
  ASSERT_EQ(yr_compiler_add_string(compiler, source, nullptr), 0);
  YR_RULES* rules = nullptr;
  ASSERT_EQ(yr_compiler_get_rules(compiler, &rules), ERROR_SUCCESS);
  const Ended ended = in_sealed_child([&] {
    std::string hay(8 * mebibyte, '.');
    hay.replace(1000, 6, "needle").replace(7 * mebibyte, 6, "needle");
    int matches = 0;
    const int result = yr_rules_scan_mem(rules, reinterpret_cast<const std::uint8_t*>(hay.data()), hay.size(), 0,
                                         count_match, &matches, 60);
    return std::to_string(result) + " " + std::to_string(matches);
  });
  yr_rules_destroy(rules);
  yr_compiler_destroy(compiler);
  yr_finalize();
  expect_said(ended, "0 2");
}

TEST(SealedLibraries, MagicTellsTypesEvenThoseWithTimes) {
  const std::unique_ptr<magic_set, decltype(&magic_close)> magic(magic_open(MAGIC_MIME_TYPE), magic_close);
  ASSERT_EQ(magic_load(magic.get(), nullptr), 0);
  const TemporaryDirectory directory;
  const std::string image = read_file(unpack("images/ext4.bin.xz", directory));
  const Ended ended = in_sealed_child([&] {
    std::string said;
    const auto type_of = [&](const std::string& content) {
      const char* type = magic_buffer(magic.get(), content.data(), content.size());
      said += (type == nullptr ? "none" : type) + std::string(" ");
    };
    type_of("%PDF-1.4\n");
    type_of("plain text, nothing else\n");
    // gzip's header has a time, which libmagic prints in local time: localtime() would like to see /etc/localtime.
    type_of(std::string("\x1f\x8b\x08\x00\x00\x00\x40\x60\x00\x03", 10));
    magic_setflags(magic.get(), MAGIC_CONTINUE);
    type_of(std::string("\x1f\x8b\x08\x00\x00\x00\x40\x60\x00\x03", 10));
    type_of(image);
    return said.substr(0, said.find("application/gzip") + 16);
  });
  expect_said(ended, "application/pdf text/plain application/gzip");
}

// A file system in memory, as libtsk wants it.
struct MemoryImage {
  TSK_IMG_INFO info{};
  std::string bytes;
};

ssize_t read_memory(TSK_IMG_INFO* info, TSK_OFF_T offset, char* buffer, std::size_t length) {
  const auto& bytes = reinterpret_cast<MemoryImage*>(info)->bytes;
  const auto start = static_cast<std::size_t>(offset);
  if (start > bytes.size()) return -1;
  const std::size_t there = std::min(length, bytes.size() - start);
  bytes.copy(buffer, there, start);
  return static_cast<ssize_t>(there);
}

TSK_WALK_RET_ENUM gather_name(TSK_FS_FILE* file, const char* path, void* names) {
  *static_cast<std::string*>(names) += std::string(path) + file->name->name + " ";
  return TSK_WALK_CONT;
}

TEST(SealedLibraries, SleuthKitWalksAnImage) {
  const TemporaryDirectory directory;
  const std::filesystem::path file = unpack("images/ext4.bin.xz", directory);
  MemoryImage image;
  image.bytes = read_file(file);
  const Ended ended = in_sealed_child([&]() -> std::string {
    if (tsk_img_open_external(
            &image.info, static_cast<TSK_OFF_T>(image.bytes.size()), 512, read_memory, [](TSK_IMG_INFO*) {},
            [](TSK_IMG_INFO*, FILE*) {}) == nullptr)
      return "not taken";
    TSK_FS_INFO* fs = tsk_fs_open_img(&image.info, 0, TSK_FS_TYPE_DETECT);
    if (fs == nullptr) return std::string("not opened: ") + tsk_error_get();
    std::string names;
    const auto flags =
        static_cast<TSK_FS_DIR_WALK_FLAG_ENUM>(TSK_FS_DIR_WALK_FLAG_ALLOC | TSK_FS_DIR_WALK_FLAG_RECURSE);
    if (tsk_fs_dir_walk(fs, fs->root_inum, flags, gather_name, &names) != 0) names = tsk_error_get();
    tsk_fs_close(fs);
    return names;
  });
  EXPECT_EQ(ended.signal, 0);
  std::istringstream listed(exhibit::test::run({"fls", "-r", "-p", "-u", file.string()}).out);
  int compared = 0;
  for (std::string line; std::getline(listed, line);) {
    const std::string name = line.substr(line.find('\t') + 1);
    if (name == "$OrphanFiles") continue;  // libtsk's own folder, which a walk of allocated entries leaves out
    EXPECT_THAT(ended.said, testing::HasSubstr(name + " "));
    ++compared;
  }
  EXPECT_EQ(compared, 3);
}

// As a worker does it: the segments' descriptors, libewf over pread, everything opened after the seal.
TEST(SealedLibraries, EwfOpensAndReadsSegmentsGivenAsDescriptors) {
  std::vector<image::SegmentFile> segments;
  for (const char* name : {"email_test.E01", "email_test.E02", "email_test.E03", "email_test.E04"}) {
    const auto path = corpus(std::string("images/") + name);
    segments.push_back({name, std::filesystem::file_size(path), base::UniqueFd(open(path.c_str(), O_RDONLY))});
  }
  const Ended ended = in_sealed_child([&]() -> std::string {
    auto opened = image::open_image(std::move(segments));
    if (!opened.ok()) return "not opened: " + opened.error().message;
    image::Image& image = **opened;
    std::vector<std::byte> bytes(mebibyte);
    const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> digest(EVP_MD_CTX_new(), EVP_MD_CTX_free);
    EVP_DigestInit_ex(digest.get(), EVP_md5(), nullptr);
    for (std::uint64_t offset = 0; offset < image.size();) {
      const auto got = image.read_at(offset, bytes);
      if (!got.ok() || *got == 0) return "not read at " + std::to_string(offset);
      EVP_DigestUpdate(digest.get(), bytes.data(), *got);
      offset += *got;
    }
    const auto tail = image.tail();  // this image's source wasn't whole sectors
    if (!tail.ok()) return "no tail";
    EVP_DigestUpdate(digest.get(), tail->data(), tail->size());
    unsigned char md5[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    EVP_DigestFinal_ex(digest.get(), md5, &size);
    return base::to_hex({reinterpret_cast<const char*>(md5), size});
  });
  const auto info = exhibit::test::run({"ewfinfo", corpus("images/email_test.E01").string()});
  ASSERT_EQ(ended.said.size(), 32U) << ended.said << " signal " << ended.signal;
  EXPECT_THAT(info.out, testing::ContainsRegex("MD5:[^a-z]*" + ended.said));
}

}  // namespace
}  // namespace exhibit::sandbox
