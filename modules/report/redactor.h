#pragma once
// Leaves out of a report what restricted leads tell, where that is asked for. The findings stay what they are.

#include <exhibit/item.h>
#include <exhibit/result.h>

#include <filesystem>
#include <set>
#include <string>

#include "base/json.h"
#include "report/case_facts.h"

namespace exhibit::report {

class Redactor {
 public:
  explicit Redactor(Redaction redaction) : redaction_(redaction) {}

  // Before an exhibit's records: which of its items have restricted leads.
  Result<void> look_through(const std::filesystem::path& findings);

  // The item's names, where they are to be left out.
  void redact(Item& item) const;
  // The same of ids in another record.
  void redact(base::Json& record) const;
  // Whether the record isn't told at all.
  bool leaves_out(const base::Json& record) const;
  // A report that leaves something out says so, whether there was something or not.
  base::Json notice(const std::string& evidence) const;

 private:
  bool is_restricted(const std::string& id) const;

  Redaction redaction_;
  std::set<std::string> restricted_;  // ids of items
};

}  // namespace exhibit::report
