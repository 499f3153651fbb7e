#pragma once
// What a verification answers: one Check for each thing that was looked at, and the verdict over all of them.

#include <exhibit/result.h>

#include <string>
#include <vector>

namespace exhibit::manifest {

enum class Status { ok, failed, not_checked };
// `ok`, `FAILED`, `not checked` as manifest.md spells them.
const char* name_of(Status status);

// What one question came to.
struct Answer {
  Status status = Status::not_checked;
  std::string detail;
};

// One line of the answer. `detail` says what was found; for not_checked, why. Nothing is ever left out in silence:
// what can't be checked here is a Check of its own.
struct Check {
  std::string name;     // what was asked: "signature", "tree", "canonical order", …
  std::string subject;  // of what: a file of the case, an exhibit's id, "seq 3"
  Status status = Status::not_checked;
  std::string detail;
  bool needed = false;  // not checked, it forbids the verdict "verified"
};

using Checks = std::vector<Check>;

// The name of the checks that the verdict asks for: a signature over the manifest (or over --content's file).
inline constexpr const char* signature_check = "signature";

// Adds checks about one subject.
class CheckList {
 public:
  CheckList(Checks& checks, std::string subject) : checks_(checks), subject_(std::move(subject)) {}
  void ok(std::string name, std::string detail = {}) { add(std::move(name), Status::ok, std::move(detail)); }
  void failed(std::string name, std::string detail) { add(std::move(name), Status::failed, std::move(detail)); }
  void not_checked(std::string name, std::string why) { add(std::move(name), Status::not_checked, std::move(why)); }
  void add(std::string name, Answer answer) { add(std::move(name), answer.status, std::move(answer.detail)); }
  void add_needed(std::string name, Answer answer) {
    add(std::move(name), std::move(answer));
    checks_.back().needed = true;
  }
  // ok with `right`, or failed with `wrong`.
  void expect(bool holds, std::string name, std::string right, std::string wrong) {
    holds ? ok(std::move(name), std::move(right)) : failed(std::move(name), std::move(wrong));
  }

 private:
  void add(std::string name, Status status, std::string detail) {
    checks_.push_back({std::move(name), subject_, status, std::move(detail)});
  }
  Checks& checks_;
  std::string subject_;
};

struct Verdict {
  bool verified = false;
  std::string reason;  // one line
};

// Verified only if no check failed, none that is needed was left unchecked, and at least one signature_check is ok.
// What else wasn't checked doesn't change it and is to be shown beside it.
Verdict verdict(const Checks& checks);

}  // namespace exhibit::manifest
