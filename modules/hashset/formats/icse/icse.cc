// Interpol's ICSE export: values separated by semicolons. The entry is the Image ID; the series' name, which may tell
// who a victim is, is never taken. The category says whether the image is of the baseline; PhotoDNA isn't evaluated.

#include <algorithm>
#include <array>

#include "hashset/csv_line.h"

namespace exhibit::hashset {
namespace {

// Booleans are written in any of these ways.
std::string_view baseline(std::string_view field) {
  constexpr std::array yes = {"true", "True", "TRUE", "yes", "Yes", "1"};
  return std::ranges::find(yes, field) != yes.end() ? "baseline" : "";
}

constexpr ColumnNames names = {.separator = ';',
                               .md5 = "MD5",
                               .sha1 = "SHA1",
                               .name = "Image ID",
                               .category = "Baseline",
                               .category_of = baseline};

// The digests of "a" and "b".
constexpr ExpectedEntry expected[] = {
    {"md5", "0cc175b9c0f1b6a831c399e269772661", "17", "baseline"},
    {"sha1", "86f7e437faa5a7fce15d1ddcb9eaeaea377667b8", "17", "baseline"},
    {"md5", "92eb5ffee6ae2fec3ad71c777531578f", "18"},
};

}  // namespace

extern constinit const FormatRow icse_row = {
    .name = "icse",
    .begins_with = [](std::string_view line) { return names_columns(line, names); },
    .parser = []() -> std::unique_ptr<Parser> { return column_parser(names); },
    .sample = []() -> std::string {
      return "MD5;SHA1;PhotoDNA;Image ID;Is distributed;Victim identified;Offender identified;Series name;"
             "Number of submissions;File Available;Media Type;Baseline\r\n"
             "0CC175B9C0F1B6A831C399E269772661;86F7E437FAA5A7FCE15D1DDCB9EAEAEA377667B8;;17;True;False;False;;1;True;"
             "Image;True\r\n"
             "92eb5ffee6ae2fec3ad71c777531578f;;;18;true;false;false;\"one; or two\";1;1;Image;0\r\n"
             "4a8a08f09d37b73795649038408b5f33;;;19;true\r\n";
    },
    .expected = expected,
    .sample_refused = 1};

}  // namespace exhibit::hashset
