// HashKeeper's .hsh: comma-separated, quoted, MD5 in the column `hash`. What describes the set (the .hke beside it)
// holds no digests.

#include "hashset/csv_line.h"

namespace exhibit::hashset {
namespace {

constexpr ColumnNames names = {.separator = ',', .md5 = "hash", .sha1 = {}, .name = "file_name", .category = {}};
constexpr std::string_view description = R"("hashset_id","name",)";

class HashkeeperParser final : public Parser {
 public:
  Result<Line> parse(std::string_view line) override {
    if (line.starts_with(description)) {
      return Error{ErrorCode::unsupported,
                   "HashKeeper's description of a set (.hke): give the .hsh, which has the digests",
                   {},
                   {}};
    }
    return rows_->parse(line);
  }

 private:
  std::unique_ptr<Parser> rows_ = column_parser(names);
};

// The digests of "a" and "b".
constexpr ExpectedEntry expected[] = {
    {"md5", "0cc175b9c0f1b6a831c399e269772661", "A.TXT"},
    {"md5", "92eb5ffee6ae2fec3ad71c777531578f", "b, c.txt"},
};

}  // namespace

extern constinit const FormatRow hashkeeper_row = {
    .name = "hashkeeper",
    .begins_with =
        [](std::string_view line) {
          return line.starts_with(description) || (line.starts_with(R"("file_id",)") && names_columns(line, names));
        },
    .parser = []() -> std::unique_ptr<Parser> { return std::make_unique<HashkeeperParser>(); },
    .sample = []() -> std::string {
      return R"("file_id","hashset_id","file_name","directory","hash","file_size","date_modified","time_modified",)"
             R"("time_zone","comments","date_accessed","time_accessed")"
             "\r\n"
             R"(1,671,"A.TXT","\","0CC175B9C0F1B6A831C399E269772661",1,12/7/99,12:00:00,"PST","",,)"
             "\r\n"
             R"(2,671,"b, c.txt","\","92EB5FFEE6AE2FEC3AD71C777531578F",1,12/7/99,12:00:00,"PST","",,)"
             "\r\n"
             R"(3,671,"c.txt","\","4A8A08F09D37B737",1,12/7/99,12:00:00,"PST","",,)"
             "\r\n";
    },
    .expected = expected,
    .sample_refused = 1};

}  // namespace exhibit::hashset
