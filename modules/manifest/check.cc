#include "manifest/check.h"

#include <algorithm>

namespace exhibit::manifest {

const char* name_of(Status status) {
  switch (status) {
    case Status::ok:
      return "ok";
    case Status::failed:
      return "FAILED";
    case Status::not_checked:
      return "not checked";
  }
  return "FAILED";
}

Verdict verdict(const Checks& checks) {
  const auto count = [&](Status status) {
    return std::count_if(checks.begin(), checks.end(), [&](const Check& check) { return check.status == status; });
  };
  if (const auto failed = count(Status::failed); failed != 0) {
    return {false, std::to_string(failed) + (failed == 1 ? " check failed" : " checks failed")};
  }
  const auto missing = std::find_if(checks.begin(), checks.end(), [](const Check& check) {
    return check.needed && check.status == Status::not_checked;
  });
  if (missing != checks.end()) return {false, missing->name + " could not be checked: " + missing->subject};
  const auto signatures = std::count_if(checks.begin(), checks.end(), [](const Check& check) {
    return check.name == signature_check && check.status == Status::ok;
  });
  if (signatures == 0) return {false, "no signature was verified"};
  const auto open = count(Status::not_checked);
  return {true, open == 0 ? "every check is ok" : std::to_string(open) + " not checked"};
}

}  // namespace exhibit::manifest
