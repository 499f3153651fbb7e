// RFC 4180: a line for each item, lead and problem. Made for spreadsheets, so no cell can be a formula; the places of
// content stand in DFXML and CASE, as they may pass what a cell holds.

#include "report/escape.h"
#include "report/exporter.h"

namespace exhibit::report {

extern const Exporter csv_exporter;

namespace {

using base::Json;

constexpr const char* columns[] = {"record",      "evidence", "volume",   "item",          "path",
                                   "path_raw",    "stream",   "kind",     "state",         "tier",
                                   "size",        "modified", "accessed", "changed",       "born",
                                   "mode",        "uid",      "gid",      "type",          "extension_mismatch",
                                   "link_target", "md5",      "sha1",     "sha256",        "digests",
                                   "doubt",       "by",       "source",   "source_sha256", "rule",
                                   "category",    "severity", "places",   "stage",         "cause",
                                   "detail",      "note"};

// The values of one line by column; those that aren't set are empty.
class Row {
 public:
  void set(const char* column, std::string value) { values_[column] = std::move(value); }
  void set(const char* column, const std::optional<std::string>& value) {
    if (value) values_[column] = *value;
  }
  void set(const char* column, const std::optional<std::uint64_t>& value) {
    if (value) values_[column] = std::to_string(*value);
  }

  void append_to(std::string& out) const {
    const char* comma = "";
    for (const char* column : columns) {
      out += comma;
      comma = ",";
      if (const auto found = values_.find(column); found != values_.end()) append_csv(out, found->second);
    }
    out += "\r\n";
  }

 private:
  std::map<std::string_view, std::string> values_;
};

std::string octal(std::uint32_t mode) {
  std::string digits;
  for (; mode > 0; mode >>= 3) digits.insert(digits.begin(), static_cast<char>('0' + (mode & 7)));
  return "0" + digits;
}

class Csv : public Writer {
 public:
  using Writer::Writer;

  void begin() override {
    Row head;
    for (const char* column : columns) head.set(column, std::string(column));
    head.append_to(out());
  }

  void evidence(const Json& record) override { evidence_ = text_of(record, "id"); }

  void item(const Item& item) override {
    Row row = row_of("item");
    row.set("volume", item.volume);
    row.set("item", item.id);
    row.set("path", item.path);
    row.set("path_raw", item.path_raw);
    row.set("stream", item.stream);
    row.set("kind", std::string(name_of(item.kind)));
    row.set("state", std::string(name_of(item.state)));
    row.set("tier", item.tier);
    row.set("size", std::to_string(item.size));
    put_metadata(row, item);
    put_digests(row, item);
    std::string doubts;
    for (const Doubt& doubt : item.doubt) {
      doubts += (doubts.empty() ? "" : " ") + std::to_string(doubt.offset) + "+" + std::to_string(doubt.length) + ":" +
                name_of(doubt.cause);
    }
    row.set("doubt", doubts);
    row.append_to(out());
  }

  void match(const Json& record) override {
    Row row = row_of("lead");
    for (const char* key : {"item", "by", "source", "source_sha256", "rule", "category", "severity"})
      row.set(key, text_of(record, key));
    std::string places;
    if (const auto where = record.find("where"); where != record.end()) {
      for (const Json& place : *where)
        places += (places.empty() ? "" : " ") + std::to_string(size_of(place, "offset")) + "+" +
                  std::to_string(size_of(place, "length"));
    }
    row.set("places", places);
    const std::string likeness = likeness_of(record);
    row.set("note", lead_notice + (likeness.empty() ? "" : " By likeness: " + likeness + "."));
    row.append_to(out());
  }

  void problem(const Json& record) override {
    Row row = row_of("problem");
    row.set("item", text_of(record, "where"));
    for (const char* key : {"stage", "cause", "detail"}) row.set(key, text_of(record, key));
    row.append_to(out());
  }

 private:
  Row row_of(const char* record) const {
    Row row;
    row.set("record", std::string(record));
    row.set("evidence", evidence_);
    return row;
  }

  static void put_metadata(Row& row, const Item& item) {
    row.set("modified", item.times.modified);
    row.set("accessed", item.times.accessed);
    row.set("changed", item.times.changed);
    row.set("born", item.times.born);
    if (item.mode) row.set("mode", octal(*item.mode));
    row.set("uid", item.uid);
    row.set("gid", item.gid);
    row.set("type", item.type);
    if (item.extension_mismatch) row.set("extension_mismatch", std::string("true"));
    row.set("link_target", item.link_target);
  }

  static void put_digests(Row& row, const Item& item) {
    std::string others;
    for (const auto& [algorithm, digest] : item.digests) {
      if (algorithm == "md5" || algorithm == "sha1" || algorithm == "sha256") {
        row.set(algorithm == "md5" ? "md5" : algorithm == "sha1" ? "sha1" : "sha256", digest);
      } else {
        others += (others.empty() ? "" : " ") + algorithm + ":" + digest;
      }
    }
    row.set("digests", others);
  }

  std::string evidence_;
};

std::unique_ptr<Writer> open(const CaseFacts& /*facts*/, std::string& out) { return std::make_unique<Csv>(out); }

}  // namespace

const Exporter csv_exporter = {"csv", "items, leads and problems for a spreadsheet", open};

}  // namespace exhibit::report
