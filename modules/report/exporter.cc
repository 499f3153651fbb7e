#include "report/exporter.h"

#include "base/record.h"
#include "engine/task.h"
#include "report/redactor.h"

namespace exhibit::report {
namespace {

using base::Json;

// What is gathered before the sink is asked to take it.
constexpr std::size_t piece_size = std::size_t{1} << 20;

class Stream {
 public:
  Stream(const CaseFacts& facts, const Exporter& exporter, const Sink& sink)
      : facts_(facts), writer_(exporter.open(facts, out_)), sink_(sink), redactor_(facts.redaction) {}

  Result<void> run() {
    writer_->begin();
    for (const Exhibit& exhibit : facts_.exhibits) {
      if (facts_.redaction.any()) EXHIBIT_TRY(redactor_.look_through(exhibit.findings));
      EXHIBIT_TRY(engine::for_each_line(exhibit.findings.string(), [&](std::string_view line) -> Result<void> {
        EXHIBIT_TRY(on_line(line));
        return out_.size() < piece_size ? Result<void>() : drain();
      }));
      if (facts_.redaction.any()) writer_->problem(redactor_.notice(exhibit.id));
      writer_->end_of_evidence();
    }
    writer_->end();
    return drain();
  }

 private:
  Result<void> drain() {
    EXHIBIT_TRY(sink_(out_));
    out_.clear();
    return {};
  }

  Result<void> on_line(std::string_view text) {
    EXHIBIT_TRY(line_.read_any(text));
    EXHIBIT_TRY(base::check_record(line_));
    std::string scratch;
    const std::string_view kind = line_.string("record", scratch);
    if (kind == "item") {
      Item item = EXHIBIT_TRY(base::item_from_record(line_));
      redactor_.redact(item);
      writer_->item(item);
      return {};
    }
    Json record = EXHIBIT_TRY(base::parse_json(line_.text()));
    if (redactor_.leaves_out(record)) return {};
    redactor_.redact(record);
    if (kind == "evidence") writer_->evidence(record);
    if (kind == "volume") writer_->volume(record);
    if (kind == "match") writer_->match(record);
    if (kind == "problem") writer_->problem(record);
    if (kind == "coverage") writer_->coverage(record);
    return {};
  }

  const CaseFacts& facts_;
  std::string out_;
  std::unique_ptr<Writer> writer_;
  const Sink& sink_;
  Redactor redactor_;
  base::RecordLine line_;
};

}  // namespace

Result<void> write_report(const CaseFacts& facts, const Exporter& exporter, const Sink& sink) {
  return Stream(facts, exporter, sink).run();
}

std::string text_of(const Json& record, const char* key) {
  const auto found = record.find(key);
  return found != record.end() && found->is_string() ? found->get<std::string>() : std::string();
}

std::string what_matched(const Json& match) {
  const std::string likeness = likeness_of(match);
  return text_of(match, "by") + ": " + text_of(match, "source") + ", " + text_of(match, "rule") +
         (likeness.empty() ? "" : "; " + likeness);
}

std::string likeness_of(const Json& match) {
  if (text_of(match, "by") != "perceptual") return {};
  return "alike, " + std::to_string(size_of(match, "distance")) + " of 256 bits apart: not shown to be the same";
}

std::uint64_t size_of(const Json& record, const char* key) {
  const auto found = record.find(key);
  return found != record.end() && found->is_number_unsigned() ? found->get<std::uint64_t>() : 0;
}

}  // namespace exhibit::report
