// hashdeep's list of known files (hashdeep, FILEFORMAT): "%%%% HASHDEEP-1.0", the columns, then a line a file. Names
// are `E1/p1/folder/file`, so that `hashdeep -a -r -l -k LIST E1` audits files laid out like that.

#include <array>

#include "base/utf8.h"
#include "report/escape.h"
#include "report/exporter.h"
#include "report/item_text.h"

namespace exhibit::report {

extern const Exporter hashdeep_exporter;

namespace {

// Of those that hashdeep knows, in the order in which it writes them.
constexpr std::array known_algorithms = {"md5", "sha1", "sha256"};

bool is_hex(const std::string& text) {
  return !text.empty() && text.find_first_not_of("0123456789abcdef") == std::string::npos;
}

// The columns are those of the first item that has digests; what has others can't stand in the same list.
class Hashdeep : public Writer {
 public:
  Hashdeep(const CaseFacts& facts, std::string& out) : Writer(out), facts_(facts) {}

  void item(const Item& item) override {
    if (item.kind != ItemKind::file || item.digests.empty()) return;
    if (columns_.empty()) put_head(item);
    std::string line = std::to_string(item.size);
    for (const char* algorithm : columns_) {
      const auto digest = item.digests.find(algorithm);
      if (digest == item.digests.end() || !is_hex(digest->second)) {
        ++left_out_;
        return;
      }
      line += "," + digest->second;
    }
    if (columns_.empty()) {
      ++left_out_;
    } else {
      out() += line + "," + visible(raw_place_of(item), true) + "\n";
    }
  }

  void end() override {
    if (columns_.empty()) put_columns();
    if (left_out_ > 0)
      out() += "## " + std::to_string(left_out_) + " item(s) have other digests than these and were left out\n";
  }

 private:
  void put_head(const Item& first) {
    for (const char* algorithm : known_algorithms) {
      if (first.digests.contains(algorithm)) columns_.push_back(algorithm);
    }
    if (!columns_.empty()) put_columns();
  }

  void put_columns() {
    out() += "%%%% HASHDEEP-1.0\n%%%% size";
    for (const char* algorithm : columns_) out() += std::string(",") + algorithm;
    out() += ",filename\n## Exhibit, case " + visible(facts_.field("number")) +
             ": files with digests; those of doubted content have none. Leads stand elsewhere: " + lead_notice + "\n";
  }

  const CaseFacts& facts_;
  std::vector<const char*> columns_;
  std::uint64_t left_out_ = 0;
};

std::unique_ptr<Writer> open(const CaseFacts& facts, std::string& out) {
  return std::make_unique<Hashdeep>(facts, out);
}

}  // namespace

const Exporter hashdeep_exporter = {"hashdeep", "known files with their digests, for hashdeep -a, -m and -x", open};

}  // namespace exhibit::report
