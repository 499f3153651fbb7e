// One page without scripts, pictures or anything from elsewhere; its policy forbids them to a browser too. It shows the
// case, each exhibit with its coverage, and every lead and problem; items without either are counted, not shown.

#include "hash/multi_digest.h"
#include "report/escape.h"
#include "report/exporter.h"

namespace exhibit::report {

extern const Exporter html_exporter;

namespace {

using base::Json;

constexpr std::string_view style =
    "body{font:15px/1.45 sans-serif;margin:2em auto;max-width:75em;padding:0 1em;color:#111;background:#fff}"
    "table{border-collapse:collapse;width:100%;margin:.5em 0 1.5em}"
    "th,td{border:1px solid #bbb;padding:.25em .5em;text-align:left;vertical-align:top;overflow-wrap:anywhere}"
    "th{background:#eee}code{font:13px monospace}.notice{border-left:4px solid #a60;padding:.4em "
    ".8em;background:#fff6e5}";

constexpr std::string_view known_digests[] = {"md5", "sha1", "sha256", "sha512", "streebog256", "belt256"};

class Html : public Writer {
 public:
  Html(const CaseFacts& facts, std::string& out) : Writer(out), facts_(facts) {}

  void begin() override {
    const std::string style_digest = base::base64_encode(hash::digest_of("sha256", style));
    out() +=
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'sha256-" +
        style_digest +
        "'; base-uri 'none'; form-action 'none'\">\n<meta name=\"referrer\" content=\"no-referrer\">\n"
        "<title>";
    text("Exhibit: case " + facts_.field("number"));
    out() += "</title>\n<style>";
    out() += style;
    out() += "</style>\n</head>\n<body>\n<h1>";
    text("Case " + facts_.field("number"));
    out() += "</h1>\n<p class=\"notice\">";
    text(lead_notice);
    out() += " Content is never shown here: only names, digests and places.</p>\n<table>\n";
    for (const auto& [key, value] : facts_.fields.items())
      row(key, value.is_string() ? value.get<std::string>() : base::canonical(value));
    row("manifest", facts_.sealed() ? "made " + facts_.created : "none: the case isn't sealed, nothing here is signed");
    if (facts_.sealed()) row("SHA-256 of manifest.json", base::to_hex(hash::digest_of("sha256", facts_.manifest)));
    row("tool", text_of(facts_.tool, "name") + " " + text_of(facts_.tool, "version") + ", source " +
                    text_of(facts_.tool, "source_revision"));
    row("custody events", std::to_string(facts_.events.size()));
    if (!facts_.open_transfers.empty()) row("open transfers", facts_.open_transfers);
    out() += "</table>\n";
    put_inputs();
  }

  void evidence(const Json& record) override {
    evidence_ = text_of(record, "id");
    items_ = leads_ = problems_ = 0;
    out() += "<h2>";
    text("Exhibit " + evidence_);
    out() += "</h2>\n<table>\n";
    row("format", text_of(record, "format"));
    row("size", std::to_string(size_of(record, "size")) + " bytes");
    row("integrity", text_of(record, "integrity"));
    for (const char* group : {"digests", "stored_digests"}) {
      const auto digests = record.find(group);
      if (digests == record.end()) continue;
      for (const auto& [algorithm, digest] : digests->items())
        row((group == std::string_view("digests") ? "" : "stored in the image: ") + algorithm,
            digest.get<std::string>());
    }
    out() += "</table>\n";
  }

  void volume(const Json& record) override {
    close_table();
    const auto filesystem = record.find("filesystem");
    const std::string type =
        filesystem != record.end() && filesystem->is_object() ? text_of(*filesystem, "type") : std::string();
    out() += "<h3>";
    text(text_of(record, "id"));
    out() += "</h3>\n<p>";
    text(text_of(record, "kind") + " at " + std::to_string(size_of(record, "offset")) + ", " +
         std::to_string(size_of(record, "size")) + " bytes" + (type.empty() ? "" : ", " + type));
    out() += "</p>\n";
  }

  void item(const Item& item) override {
    ++items_;
    item_ = item;
  }

  void match(const Json& record) override {
    ++leads_;
    std::string places;
    if (const auto where = record.find("where"); where != record.end()) {
      for (const Json& place : *where)
        places += (places.empty() ? "" : ", ") + std::to_string(size_of(place, "offset")) + "+" +
                  std::to_string(size_of(place, "length"));
    }
    const std::string id = text_of(record, "item");
    std::string facts;
    if (item_ && item_->id == id) {
      facts = std::string(name_of(item_->state)) + ", " + std::to_string(item_->size) + " bytes";
      for (const std::string_view algorithm : known_digests) {
        const auto digest = item_->digests.find(std::string(algorithm));
        if (digest != item_->digests.end()) facts += ", " + digest->first + " " + digest->second;
      }
    }
    table_row({"lead", id, facts,
               what_matched(record) + bracketed(text_of(record, "category")) + bracketed(text_of(record, "severity")),
               places});
  }

  void problem(const Json& record) override {
    ++problems_;
    table_row({"not done", text_of(record, "where"), text_of(record, "stage") + ": " + text_of(record, "cause"),
               text_of(record, "detail"), ""});
  }

  void coverage(const Json& record) override {
    item_.reset();
    close_table();
    out() += "<p>Coverage of ";
    text(text_of(record, "where"));
    out() += ": ";
    std::string classes;
    for (const char* group : {"bytes", "examined"}) {
      if (!classes.empty()) classes += "; examined: ";
      const char* comma = "";
      for (const auto& [key, count] : record.at(group).items()) {
        classes += comma + key + " " + std::to_string(count.get<std::uint64_t>());
        comma = ", ";
      }
    }
    text(classes);
    out() += "</p>\n";
  }

  void end_of_evidence() override {
    close_table();
    out() += "<p><strong>";
    text(evidence_ + ": " + std::to_string(items_) + " items, " + std::to_string(leads_) +
         " leads for a person to examine, " + std::to_string(problems_) + " things not done");
    out() += "</strong></p>\n";
  }

  void end() override {
    out() += "<p class=\"notice\">";
    text(std::string(lead_notice) +
         " What this page says is to be checked with: exhibit verify CASE --evidence E1=IMAGE");
    out() += "</p>\n</body>\n</html>\n";
  }

 private:
  void text(std::string_view shown) { append_html(out(), shown); }

  static std::string bracketed(const std::string& word) { return word.empty() ? "" : " [" + word + "]"; }

  void row(std::string_view key, std::string_view value) {
    out() += "<tr><th scope=\"row\">";
    text(key);
    out() += "</th><td>";
    text(value);
    out() += "</td></tr>\n";
  }

  void table_row(std::initializer_list<std::string> cells) {
    if (!in_table_) {
      out() +=
          "<table>\n<tr><th>what</th><th>where</th><th>of what sort</th><th>by what, or why</th><th>bytes</th></tr>\n";
    }
    in_table_ = true;
    out() += "<tr>";
    for (const std::string& cell : cells) {
      out() += "<td><bdi>";
      text(cell);
      out() += "</bdi></td>";
    }
    out() += "</tr>\n";
  }

  void close_table() {
    if (in_table_) out() += "</table>\n";
    in_table_ = false;
  }

  void put_inputs() {
    if (facts_.inputs.empty()) return;
    out() += "<h2>Hash sets, rules and settings</h2>\n<table>\n";
    for (const manifest::Input& input : facts_.inputs) {
      const auto digest = input.digests.find("sha256");
      row(input.kind, input.name + ", " + std::to_string(input.entries) + " entries, sha256 " +
                          (digest == input.digests.end() ? "" : digest->second));
    }
    out() += "</table>\n";
  }

  const CaseFacts& facts_;
  std::string evidence_;
  std::optional<Item> item_;
  std::uint64_t items_ = 0, leads_ = 0, problems_ = 0;
  bool in_table_ = false;
};

std::unique_ptr<Writer> open(const CaseFacts& facts, std::string& out) { return std::make_unique<Html>(facts, out); }

}  // namespace

const Exporter html_exporter = {"html", "one page to read: the case, leads, what was not done", open};

}  // namespace exhibit::report
