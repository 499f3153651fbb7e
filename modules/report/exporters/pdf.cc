// The protocol for paper, as a document that exhibit-protocol makes pages of.

#include "report/exporter.h"
#include "report/protocol.h"

namespace exhibit::report {

extern const Exporter pdf_exporter;

namespace {

using base::Json;

constexpr std::size_t most_places = 12;  // of one lead

std::string places_text(const Json& record) {
  std::string text;
  const auto places = record.find("where");
  if (places == record.end()) return text;
  for (std::size_t i = 0; i < std::min(places->size(), most_places); ++i) {
    const Json& place = places->at(i);
    text += (i == 0 ? "" : ", ") + std::to_string(size_of(place, "offset")) + "+" +
            std::to_string(size_of(place, "length"));
  }
  return places->size() > most_places ? text + ", …" : text;
}

class Protocol : public Writer {
 public:
  Protocol(const CaseFacts& facts, std::string& out) : Writer(out), facts_(facts) {}

  void evidence(const Json& record) override {
    exhibits_.emplace_back();
    now().evidence = record;
  }
  void volume(const Json& record) override {
    if (!exhibits_.empty()) now().volumes.push_back(record);
  }
  void item(const Item& item) override {
    if (exhibits_.empty()) return;
    ++now().items;
    ++now().states[name_of(item.state)];
    const auto digest = item.digests.find("sha256");
    item_ = item.id;
    facts_of_item_ = digest == item.digests.end() ? "" : "SHA-256\n" + digest->second;
  }
  void match(const Json& record) override {
    if (exhibits_.empty() || ++now().leads > most_listed) return;
    const std::string item = text_of(record, "item");
    now().first_leads.push_back({item, item == item_ ? facts_of_item_ : "", what_matched(record), places_text(record)});
  }
  void problem(const Json& record) override {
    if (!exhibits_.empty() && ++now().problems <= most_listed) now().first_problems.push_back(record);
  }
  void coverage(const Json& record) override {
    if (!exhibits_.empty()) now().coverage.push_back(record);
  }
  void end() override { out() += protocol_of(facts_, exhibits_).json(); }

 private:
  ExhibitSummary& now() { return exhibits_.back(); }

  const CaseFacts& facts_;
  std::vector<ExhibitSummary> exhibits_;
  std::string item_, facts_of_item_;  // of the last item
};

std::unique_ptr<Writer> open(const CaseFacts& facts, std::string& out) {
  return std::make_unique<Protocol>(facts, out);
}

}  // namespace

const Exporter pdf_exporter = {"pdf", "the protocol for paper, by the case's profile", open, true};

}  // namespace exhibit::report
