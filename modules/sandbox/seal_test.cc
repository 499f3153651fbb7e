// What a sealed process may not do: each forbidden act is tried for real, sealed and (to show that the attempt is worth
// something) unsealed.

#include "sandbox/seal.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <pthread.h>
#include <seccomp.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <set>

#include "sandbox/landlock.h"
#include "sandbox/sanitizer.h"
#include "sandbox/test_child.h"
#include "support/test_support.h"

namespace exhibit::sandbox {
namespace {

using test::Ended;
using test::in_child;
using test::in_sealed_child;
using testing::HasSubstr;
using testing::StartsWith;

std::string tried(const std::string& act) {
  const Attempt attempt = sandbox::attempt(act);
  return (attempt.refused ? "refused: " : "not refused: ") + attempt.detail;
}

// The helpers' own seals: what each may not do.
class ForbiddenToHelpers : public testing::TestWithParam<std::pair<Work, std::string>> {};

TEST_P(ForbiddenToHelpers, KillsAProcessOrIsRefused) {
  const auto& [work, act] = GetParam();
  const Ended ended = in_sealed_child([&act = act] { return tried(act); }, {.work = work, .readable = {"/usr/share"}});
  EXPECT_THAT(ended.signal == SIGSYS ? "refused: by death" : ended.said, StartsWith("refused: "))
      << "signal " << ended.signal;
}

std::vector<std::pair<Work, std::string>> acts_of_helpers() {
  std::vector<std::pair<Work, std::string>> acts;
  for (const Work work : {Work::typeset, Work::token}) {
    for (const std::string& act : forbidden_acts(work)) acts.emplace_back(work, act);
  }
  return acts;
}

INSTANTIATE_TEST_SUITE_P(All, ForbiddenToHelpers, testing::ValuesIn(acts_of_helpers()), [](const auto& parameter) {
  std::string name = (parameter.param.first == Work::token ? "token" : "typeset") + parameter.param.second;
  std::erase(name, '-');
  return name;
});

TEST(Helpers, KeepWhatTheirWorkNeedsAndNotMore) {
  using testing::IsSupersetOf;
  for (const Work work : {Work::typeset, Work::token}) {
    EXPECT_THAT(forbidden_acts(work), IsSupersetOf({"exec", "fork", "socket-inet", "connect", "ptrace", "mount", "bpf",
                                                    "kill-parent", "executable-memory", "raise-rlimit"}));
    const SealOptions options{.work = work, .readable = {"/usr/share"}};
    EXPECT_EQ(in_sealed_child([] { return tried("thread"); }, options).said, "not refused: went through");
  }
  EXPECT_THAT(forbidden_acts(Work::typeset), IsSupersetOf({"open-file", "create-file", "unlink", "socket-unix"}));
}

// Fonts are files: those below the folders that were named, and only to be read.
TEST(Helpers, ATypesetterReadsBelowItsFoldersOnly) {
  const exhibit::test::TemporaryDirectory directory;
  const std::string name = directory / "font";
  exhibit::test::write_file(name, "glyphs");
  const auto opened = [&](const std::string& folder, int flags) {
    const auto work = [&] {
      const int fd = open(name.c_str(), flags | O_CLOEXEC);
      char byte = 0;
      if (fd < 0) return std::string(strerrordesc_np(errno));
      return std::string(read(fd, &byte, 1) == 1 ? "read" : "opened");
    };
    return in_sealed_child(work, {.work = Work::typeset, .readable = {folder, "/no/such/folder"}}).said;
  };
  const std::string here = std::filesystem::path(name).parent_path();
  EXPECT_EQ(opened(here, O_RDONLY), "read");
  EXPECT_EQ(opened(here, O_RDWR), "Permission denied");
  EXPECT_EQ(opened("/usr/share", O_RDONLY), "Permission denied");
}

class ForbiddenAct : public testing::TestWithParam<std::string> {};

TEST_P(ForbiddenAct, KillsASealedProcessOrIsRefused) {
  const Ended ended = in_sealed_child([] { return tried(GetParam()); });
  std::set<std::string> politely = {"look-up-file"};
  if (address_sanitizer) politely.insert({"open-file", "open-evidence-by-name", "create-file"});
  if (politely.contains(GetParam())) {
    EXPECT_EQ(ended.said, "refused: Permission denied");
  } else {
    EXPECT_EQ(ended.signal, SIGSYS) << ended.said;
  }
}

TEST_P(ForbiddenAct, GoesThroughWithoutTheSeal) {
  // What this machine's kernel or administrator may have switched off, seal or no seal.
  const std::set<std::string> may_be_off = {"x32-syscall", "io-uring",           "bpf",   "perf",
                                            "userfaultfd", "new-user-namespace", "mount", "i386-syscall"};
  if (geteuid() != 0 && GetParam() == "signal-other") GTEST_SKIP() << "only root may signal process 1";
  const Ended ended = in_child([] { return tried(GetParam()); });
  if (may_be_off.contains(GetParam()) && ended.said != "not refused: went through")
    GTEST_SKIP() << "this machine refuses it to everybody: " << ended.said << ended.signal;
  EXPECT_EQ(ended.said, "not refused: went through") << "signal " << ended.signal;
}

INSTANTIATE_TEST_SUITE_P(All, ForbiddenAct, testing::ValuesIn(forbidden_acts()), [](const auto& parameter) {
  std::string name = parameter.param;
  name.erase(std::remove_if(name.begin(), name.end(), [](char c) { return c == '-'; }), name.end());
  return name;
});

TEST(Attempt, OfAnActThatDoesNotExistIsNotTakenForARefusal) { EXPECT_FALSE(attempt("no-such-act").refused); }

TEST(Available, TellsWhatSealThenGives) {
  const Seal could = available();
  const Ended ended = in_child([] {
    const auto got = seal({});
    return got.ok() ? to_json(*got).dump() : got.error().message;
  });
  EXPECT_EQ(ended.said, to_json(could).dump());
  EXPECT_TRUE(could.complete()) << "this machine can't seal a worker: " << ended.said;
}

TEST(Seal, IsTakenOverByNothingThatTheProcessHadBefore) {
  const Ended ended = in_sealed_child([] {
    std::string said;
    if (prctl(PR_SET_DUMPABLE, 1) == 0) said = "dumpable";  // prctl isn't in the list
    return said;
  });
  EXPECT_EQ(ended.signal, SIGSYS) << ended.said;
}

TEST(Seal, LeavesNoFileToGrow) {
  const exhibit::test::TemporaryDirectory directory;
  const std::string name = directory / "file";
  const Ended ended = in_child([&] {
    const int fd = open(name.c_str(), O_WRONLY | O_CREAT, 0600);
    if (!seal({}).ok()) return std::string("not sealed");
    return std::string(write(fd, "evidence", 8) < 0 && errno == EFBIG ? "refused" : "written");
  });
  EXPECT_EQ(ended.said, "refused") << "signal " << ended.signal;
  EXPECT_EQ(exhibit::test::read_file(name), "");
}

TEST(Seal, LimitsWhatItSaysItLimits) {
  const Ended ended = in_sealed_child(
      [] {
        std::string said;
        for (const auto resource : {RLIMIT_CORE, RLIMIT_FSIZE, RLIMIT_NPROC, RLIMIT_NOFILE, RLIMIT_AS}) {
          rlimit now{};
          getrlimit(resource, &now);
          said += std::to_string(now.rlim_cur) + "/" + std::to_string(now.rlim_max) + " ";
        }
        return said;
      },
      {.memory_bytes = std::uint64_t{1} << 30});
  EXPECT_THAT(ended.said, StartsWith("0/0 0/0 0/0 4096/4096 "));
  EXPECT_EQ(ended.said.ends_with("1073741824/1073741824 "), !address_sanitizer) << ended.said;
}

TEST(Seal, RefusesAProcessWithASecondThread) {
  const Ended ended = in_child([] {
    pthread_t thread{};
    pthread_create(
        &thread, nullptr,
        [](void*) -> void* {
          for (;;) sleep(1);
        },
        nullptr);
    const auto sealed = seal({});
    return sealed.ok() ? "sealed" : sealed.error().message;
  });
  EXPECT_THAT(ended.said, HasSubstr("several threads"));
}

// A kernel that lacks one of the parts, played by a filter that answers as such a kernel does.
void take_away(int call) {
  scmp_filter_ctx context = seccomp_init(SCMP_ACT_ALLOW);
  seccomp_rule_add(context, SCMP_ACT_ERRNO(ENOSYS), call, 0);
  seccomp_load(context);
  seccomp_release(context);
}

TEST(Seal, NamesWhatTheMachineLacksAndDoesNotGoOnWithoutIt) {
  for (const auto& [call, name] :
       {std::pair{SCMP_SYS(landlock_create_ruleset), "Landlock"}, std::pair{SCMP_SYS(seccomp), "seccomp"},
        std::pair{SCMP_SYS(capset), "no_new_privs"}, std::pair{SCMP_SYS(prlimit64), "resource limits"}}) {
    const Ended ended = in_child([call = call] {
      take_away(call);
      const auto sealed = seal({});
      return sealed.ok() ? "sealed" : sealed.error().message;
    });
    EXPECT_THAT(ended.said, HasSubstr(std::string("lacks ") + name));
    EXPECT_THAT(ended.said, HasSubstr("--sandbox=best-effort"));
  }
}

TEST(Seal, BestEffortTakesWhatThereIsAndSaysSo) {
  const Ended ended = in_child([] {
    take_away(SCMP_SYS(landlock_create_ruleset));
    const auto sealed = seal({.required = false});
    return sealed.ok() ? to_json(*sealed).dump() : sealed.error().message;
  });
  EXPECT_EQ(ended.said, R"({"landlock_abi":0,"no_new_privs":true,"rlimits":true,"seccomp":true})");
}

// The layers under the filter, which a kernel without seccomp leaves standing alone.
TEST(Layers, LandlockAloneRefusesFilesNetworkAndSignals) {
  const int abi = landlock_abi();
  ASSERT_GT(abi, 0);
  const auto with_landlock = [](const std::string& act) {
    return in_child([&] {
             prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
             restrict_by_landlock();
             return tried(act);
           })
        .said;
  };
  for (const char* act : {"open-file", "open-evidence-by-name", "open-file-otherwise", "create-file", "exec", "mount"})
    EXPECT_THAT(with_landlock(act), StartsWith("refused: ")) << act;
  EXPECT_THAT(with_landlock("connect"), StartsWith(abi >= 4 ? "refused: " : "not refused: "));
  EXPECT_THAT(with_landlock("kill-parent"), StartsWith(abi >= 6 ? "refused: " : "not refused: "));
}

TEST(Layers, BestEffortWithoutSeccompStillRefusesFilesNetworkAndPrivileges) {
  for (const char* act :
       {"open-file", "create-file", "exec", "connect", "kill-parent", "signal-other", "raise-rlimit", "bpf", "mount"}) {
    const Ended ended = in_child([&] {
      take_away(SCMP_SYS(seccomp));
      if (!seal({.required = false}).ok()) return std::string("not sealed");
      return tried(act);
    });
    EXPECT_THAT(ended.said, StartsWith("refused: ")) << act << " signal " << ended.signal;
  }
}

}  // namespace
}  // namespace exhibit::sandbox
