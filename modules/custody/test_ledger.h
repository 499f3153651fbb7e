#pragma once
// For tests: a ledger in a scratch folder, its signers, and what is checked of it.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <memory>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "custody/ledger.h"
#include "custody/ledger_line.h"
#include "manifest/test_pki.h"

namespace exhibit::custody::test {

constexpr std::int64_t now = 1'800'000'000;  // 2027-01-15T08:00:00Z

inline std::string text_of(const manifest::Checks& checks) {
  std::string text;
  for (const auto& check : checks)
    text += check.name + " [" + check.subject + "] " + name_of(check.status) + ": " + check.detail + "\n";
  return text;
}

class LedgerTest : public testing::Test {
 protected:
  LedgerTest() {
    signer_ = open("signer");
    trust_ = manifest::Trust::from_pem(pki_.certificate("ca")).take();
  }
  std::unique_ptr<manifest::Signer> open(const std::string& name) const {
    return manifest::open_signer(pki_.key(name), {pki_.certificate(name)}).take();
  }
  // Another's key, with a certificate of the same authority.
  std::unique_ptr<manifest::Signer> other(const std::string& name, const std::string& common_name = {}) {
    pki_.issue(name, "signer_ext", "P-256", "20260101000000Z", "20350101000000Z", "ca", common_name);
    return open(name);
  }
  static Event event_of(const std::string& name, base::Json detail = "as usual",
                        const std::string& credential = "CN=signer") {
    Event event;
    event.time = "2027-01-15T08:00:00Z";
    event.event = name;
    event.actor = {"Ann", "examiner", "Laboratory", credential};
    event.participants = {{"Bob", "witness"}};
    event.place = "Minsk";
    event.evidence = {"E1"};
    event.detail = std::move(detail);
    return event;
  }
  Head add(const Event& event, const manifest::Signer& signer, std::int64_t at = now) {
    auto head = append(path_, event, signer, at);
    if (!head.ok()) throw std::runtime_error(head.error().message);
    return *head;
  }
  Head add(const std::string& name, base::Json detail = "as usual") {
    return add(event_of(name, std::move(detail)), *signer_);
  }
  Head three() {
    add("received");
    add("acquired");
    return add("processed", {{"command", {"exhibit", "process"}}, {"status", 0}});
  }
  // The line that `append` would refuse, chained to what is there and signed.
  std::string forged(const Event& event, const manifest::Signer& signer, std::int64_t at = now) const {
    const auto there = lines();
    auto record = unsigned_line(event, there.size() + 1, there.empty() ? manifest::no_digest : link_of(there.back()));
    return signed_by(record, signer, at);
  }
  static std::string signed_by(base::Json record, const manifest::Signer& signer, std::int64_t at = now) {
    record.erase("signature");
    record["signature"] = base::base64_encode(signer.sign(base::canonical(record), at).take());
    return base::canonical(record);
  }
  void write(const std::vector<std::string>& lines) const { exhibit::test::write_file(path_, bytes_of(lines)); }
  std::vector<std::string> lines() const {
    std::vector<std::string> found;
    if (!std::filesystem::exists(path_)) return found;
    std::istringstream in(exhibit::test::read_file(path_));
    for (std::string line; std::getline(in, line);) found.push_back(line);
    return found;
  }
  static std::string bytes_of(const std::vector<std::string>& lines) {
    std::string bytes;
    for (const auto& line : lines) bytes += line + "\n";
    return bytes;
  }
  manifest::Checks check(const std::string& bytes, const Head* head = nullptr,
                         const std::vector<std::string>& receipts = {}) const {
    manifest::Checks checks;
    const manifest::CustodyClaim claim =
        head == nullptr ? manifest::CustodyClaim{} : manifest::CustodyClaim{head->events, head->digest};
    check_ledger(bytes, head == nullptr ? nullptr : &claim, &trust_, checks, receipts);
    return checks;
  }
  manifest::Checks check() const { return check(exhibit::test::read_file(path_)); }
  // The names of the checks that failed.
  static std::vector<std::string> failures(const manifest::Checks& checks) {
    std::vector<std::string> names;
    for (const auto& one : checks) {
      if (one.status == manifest::Status::failed) names.push_back(one.name);
    }
    return names;
  }
  static manifest::Check find(const manifest::Checks& checks, const std::string& name) {
    for (const auto& one : checks) {
      if (one.name == name) return one;
    }
    return {};
  }

  manifest::test::Pki pki_;
  exhibit::test::TemporaryDirectory folder_;
  std::filesystem::path path_ = folder_ / "custody.jsonl";
  std::unique_ptr<manifest::Signer> signer_;
  manifest::Trust trust_;
};

}  // namespace exhibit::custody::test
