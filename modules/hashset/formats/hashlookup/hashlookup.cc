// What CIRCL's hashlookup-forensic-analyser writes: hashlookup_result,[pid,]filename,sha-1,size. Names aren't quoted
// and may hold commas. Only what the service knows is taken.

#include "hashset/format.h"
#include "hashset/name_with_commas.h"

namespace exhibit::hashset {
namespace {

constexpr std::string_view header = "hashlookup_result,filename,sha-1,size";
constexpr std::string_view header_of_processes = "hashlookup_result,pid,filename,sha-1,size";
constexpr std::size_t after_name = 2;  // sha-1, size

class HashlookupParser final : public Parser {
 public:
  Result<Line> parse(std::string_view line) override {
    if (line == header || line == header_of_processes) {
      before_ = line == header ? 1 : 2;
      return Line(NoEntry{});
    }
    if (before_ == 0) return Line(Refusal{"it comes before the line that names the columns"});
    const std::string_view result = line.substr(0, line.find(','));
    if (result == "stats" || result == "unknown" || result == "excluded") return Line(NoEntry{});
    if (result != "known") return Line(Refusal{"its result is neither known nor unknown"});
    if (!line_.split(line, before_, after_name)) return Line(Refusal{"fewer columns than the header names"});
    Entry& entry = new_entry();
    entry[Algorithm::sha1] = line_.after()[0];
    entry.name = line_.name();
    return Line(&entry);
  }

 private:
  std::size_t before_ = 0;
  NameWithCommas line_;
};

// The digests of "a" and "b".
constexpr ExpectedEntry expected[] = {
    {"sha1", "86f7e437faa5a7fce15d1ddcb9eaeaea377667b8", "/usr/local/bin/a"},
    {"sha1", "e9d71f5ee7c92d6dc9e92ffdad17b8bd49418f98", "/srv/b, or c"},
};

}  // namespace

extern constinit const FormatRow hashlookup_row = {
    .name = "hashlookup",
    .begins_with = [](std::string_view line) { return line.starts_with("hashlookup_result,"); },
    .parser = []() -> std::unique_ptr<Parser> { return std::make_unique<HashlookupParser>(); },
    .sample = []() -> std::string {
      return std::string(header) +
             "\nknown,/usr/local/bin/a,86F7E437FAA5A7FCE15D1DDCB9EAEAEA377667B8,1\n"
             "known,/srv/b, or c,E9D71F5EE7C92D6DC9E92FFDAD17B8BD49418F98,1\n"
             "unknown,/srv/d,3C363836CF4E16666669A25DA280A1865C2D2874,1\n"
             "known,84A516841BA77A5B4648DE2CD0DFCB30EA46DBB4\n"
             "stats,Analysed directory /srv on host - Found 2\n";
    },
    .expected = expected,
    .sample_refused = 1};

}  // namespace exhibit::hashset
