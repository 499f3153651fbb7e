// Records as another laboratory may have written them, through every exporter: whatever they say, each format keeps its
// own form.

#include "base/record.h"
#include "fuzz/fuzz.h"
#include "report/exporter.h"

using namespace exhibit;

namespace {

// The lines that are records; the exporters are only told those.
std::string records_of(std::string_view text) {
  std::string records;
  base::RecordLine line;
  for (std::size_t start = 0; start < text.size();) {
    const std::size_t end = std::min(text.find('\n', start), text.size());
    if (line.read_any(text.substr(start, end - start)).ok() && base::check_record(line).ok())
      records.append(line.text()) += '\n';
    start = end + 1;
  }
  return records;
}

bool holds_controls(std::string_view text) {
  return std::any_of(text.begin(), text.end(), [](char c) { return (c >= 0 && c < ' ' && c != '\n') || c == 0x7f; });
}

void check_form(std::string_view format, const std::string& out) {
  base::JsonLimits limits;
  limits.bytes = SIZE_MAX;
  limits.values = SIZE_MAX;
  if (format == "case" || format == "pdf") FUZZ_CHECK(base::parse_json(out, limits).ok());
  if (format == "html") FUZZ_CHECK(!holds_controls(out) && out.find("<script") == std::string::npos);
  if (format == "dfxml") FUZZ_CHECK(!holds_controls(out) && out.ends_with("</dfxml>\n"));
  if (format != "bodyfile" && format != "csv") return;
  const char* const end = format == "csv" ? "\r\n" : "\n";
  for (std::size_t start = 0; start < out.size();) {
    const std::size_t at = out.find(end, start);
    FUZZ_CHECK(at != std::string::npos);
    const std::string_view line = std::string_view(out).substr(start, at - start);
    FUZZ_CHECK(!holds_controls(line) && line.find('\n') == std::string_view::npos);
    if (format == "bodyfile" && !line.starts_with('#')) FUZZ_CHECK(std::count(line.begin(), line.end(), '|') == 10);
    start = at + std::string_view(end).size();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const fuzz::MemoryFile file(records_of(fuzz::text_of(data, size)));
  report::CaseFacts facts;
  facts.exhibits.push_back({"E1", file.path(), std::nullopt});
  FUZZ_CHECK(report::choose_language(facts, "").ok());
  for (const report::Exporter* exporter : report::exporters()) {
    std::string out;
    FUZZ_CHECK(report::write_report(facts, *exporter, [&](std::string_view bytes) -> Result<void> {
                 out += bytes;
                 return {};
               }).ok());
    check_form(exporter->name, out);
  }
  return 0;
}
