#pragma once
// An exporter is a row: one file in exporters/. It turns a case's findings into another format, record by record, so
// that memory doesn't grow with them; the same case gives the same bytes.

#include <exhibit/item.h>
#include <exhibit/result.h>

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/json.h"
#include "report/case_facts.h"

namespace exhibit::report {

// Is told each record of each exhibit, in the order of the findings, and appends to `out`, which the caller empties
// between any two calls. What follows an item is about it until the next item, volume or coverage. Records are those
// that base::check_record accepts: keys that it doesn't know can be of any type.
class Writer {
 public:
  explicit Writer(std::string& out) : out_(out) {}
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;
  virtual ~Writer() = default;

  virtual void begin() {}
  virtual void evidence(const base::Json&) {}
  virtual void volume(const base::Json&) {}
  virtual void item(const Item&) {}
  virtual void match(const base::Json&) {}  // a lead
  virtual void problem(const base::Json&) {}
  virtual void coverage(const base::Json&) {}
  virtual void end_of_evidence() {}
  virtual void end() {}

 protected:
  std::string& out() { return out_; }

 private:
  std::string& out_;
};

struct Exporter {
  const char* name;     // as `report --to` names it
  const char* summary;  // one line
  // The facts and the output outlive the writer.
  std::unique_ptr<Writer> (*open)(const CaseFacts& facts, std::string& out);
  // Its output is a document (document.h) that exhibit-protocol makes pages of; it speaks the facts' language.
  bool is_document = false;
};

// The table, sorted by name.
std::span<const Exporter* const> exporters();

// Takes the output in pieces.
using Sink = std::function<Result<void>(std::string_view)>;

// Streams the case's findings through the exporter. Error where a record isn't what it must be, or the sink's.
Result<void> write_report(const CaseFacts& facts, const Exporter& exporter, const Sink& sink);

// A key of a record that is text (or a size); empty (or 0) where it is absent or something else.
std::string text_of(const base::Json& record, const char* key);
std::uint64_t size_of(const base::Json& record, const char* key);
// Of a match: by what it came, of which set or pack, and its entry or rule. One by likeness says so, and how near it
// is.
std::string what_matched(const base::Json& match);
// Empty where it isn't one by likeness.
std::string likeness_of(const base::Json& match);

}  // namespace exhibit::report
