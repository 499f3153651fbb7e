#pragma once
// A findings file: form, order, sums, digests, trees (findings.md; manifest.md, "Canonical form and order", "The
// tree").

#include <map>
#include <tuple>

#include "form.h"

namespace exhibit_verify {

inline bool is_within(View id, View folder) {
  return id.starts_with(Bytes(folder) + "/") && id.size() > folder.size() + 1;
}

// The classes of a coverage record, which must add up to `size`.
inline void check_coverage(const Value& record, std::uint64_t size) {
  static const std::set<std::string> classes = {"allocated",   "deleted", "slack",     "metadata",
                                                "unallocated", "gap",     "unreadable"};
  for (const auto& [name, unused] : record.object_at("bytes")) {
    const std::uint64_t more = record.at("bytes").number_at(name);
    if (classes.count(name) == 0 || more > size)
      throw Refused{"a coverage with an unknown class, or of more than there is"};
    size -= more;
  }
  if (size != 0) throw Refused{"a coverage that leaves out " + std::to_string(size) + " bytes"};
}

// Takes one record after another and refuses the first that can't stand where it does.
class Order {
 public:
  void take(const Value& record) {
    const std::string& kind = record.text_at("record");
    if (evidence_.empty() != (kind == "evidence"))
      throw Refused{"the evidence record isn't the first, or not the only one"};
    if (done_) throw Refused{"a record after the evidence's coverage"};
    if (kind == "evidence") return on_evidence(record);
    if (kind == "volume") return on_volume(record);
    if (kind == "item") return on_item(record);
    if (kind == "match") return on_match(record);
    if (kind == "problem") return on_problem(record);
    if (kind == "coverage") return on_coverage(record);
    throw Refused{"a record of the unknown kind \"" + kind + "\""};
  }

  void finish() const {
    if (!done_) throw Refused{"it ends without the evidence's coverage"};
    for (const std::string& parent : parents_) {
      if (parent != evidence_ && volumes_.count(parent) == 0) throw Refused{"the parent " + parent + " has no record"};
    }
  }

 private:
  // Among the matches and problems of one item, volume or evidence: matches first, each kind in its own order.
  using Key = std::tuple<int, std::string, std::string, std::string, std::uint64_t>;

  void begin(const std::string& owner) {
    owner_ = owner;
    last_ = {};
  }
  // A match or problem of `owner`, which is the one whose records come, or the volume, whose own stand after its
  // items'.
  void next(const std::string& owner, const Key& key) {
    step_to(owner);
    if (key < last_) throw Refused{"matches or problems of " + owner_ + " aren't in order"};
    last_ = key;
  }
  void step_to(const std::string& owner) {
    if (owner == owner_) return;
    if (owner != volume_) throw Refused{"a record about " + owner + " among those of " + owner_};
    begin(owner);
    items_done_ = true;
  }

  void on_evidence(const Value& record) {
    evidence_ = record.text_at("id");
    size_ = record.number_at("size");
    begin(evidence_);
  }

  void on_volume(const Value& record) {
    const std::string& id = record.text_at("id");
    const std::pair key(record.number_at("offset"), id);
    if (!volume_.empty() || last_ != Key()) throw Refused{"the volume " + id + " stands among other records"};
    if (!volumes_.empty() && key <= volume_key_) throw Refused{"the volumes aren't in order of (offset, id)"};
    if (!is_within(id, evidence_) || !volumes_.insert(id).second)
      throw Refused{"the volume " + id + " is twice, or elsewhere"};
    if (record.find("parent") != nullptr) parents_.insert(record.text_at("parent"));
    volume_key_ = key;
    volume_ = id;
    volume_size_ = record.number_at("size");
    items_.clear();
    items_done_ = false;
    begin(id);
  }

  void on_item(const Value& record) {
    const std::string& id = record.text_at("id");
    if (volume_.empty() || items_done_ || (items_.empty() && last_ != Key()))
      throw Refused{"the item " + id + " stands outside a volume's items"};
    if (record.text_at("volume") != volume_ || !is_within(id, volume_) ||
        !id.starts_with(record.text_or_empty("content")))
      throw Refused{"the item " + id + " isn't named after its volume and content"};
    if (!items_.empty() && id <= items_.back()) throw Refused{"the item " + id + " stands after " + items_.back()};
    items_.push_back(id);
    begin(id);
  }

  void on_match(const Value& record) {
    if (volume_.empty()) throw Refused{"a match outside any volume"};
    const bool placed = record.find("where") != nullptr && !record.array_at("where").empty();
    const std::uint64_t first = placed ? record.array_at("where")[0].number_at("offset") : 0;
    next(record.text_at("item"), {1, record.text_at("by"), record.text_at("source"), record.text_at("rule"), first});
  }

  // A problem of what has no record of its own stands with the item's (an archive's member), the volume's or the
  // evidence's.
  void on_problem(const Value& record) {
    std::string where = record.text_at("where");
    const bool known = std::binary_search(items_.begin(), items_.end(), where);
    if (!volume_.empty() && !known && where.starts_with(owner_ + "!/")) where = owner_;
    if (!volume_.empty() && !known && where != owner_ && is_within(where, volume_)) where = volume_;
    const auto of_volume = [&](const std::string& id) { return where == id || is_within(where, id); };
    if (volume_.empty() && is_within(where, evidence_) && std::none_of(volumes_.begin(), volumes_.end(), of_volume))
      where = evidence_;
    next(where, {2, record.text_at("stage"), record.text_at("cause"), record.text_at("detail"), 0});
  }

  void on_coverage(const Value& record) {
    step_to(record.text_at("where"));
    if (owner_ != (volume_.empty() ? evidence_ : volume_)) throw Refused{"a coverage of an item"};
    check_coverage(record, volume_.empty() ? size_ : volume_size_);
    done_ = volume_.empty();
    volume_.clear();
    begin(evidence_);
  }

  std::string evidence_, volume_, owner_;  // the volume that is open; whose records come
  std::uint64_t size_ = 0, volume_size_ = 0;
  std::pair<std::uint64_t, std::string> volume_key_;
  std::set<std::string> volumes_, parents_;
  std::vector<std::string> items_;  // of the open volume, ascending
  bool items_done_ = false, done_ = false;
  Key last_;
};

// The entry of a content tree for a content's raw SHA-256.
inline Bytes content_key(View digest) { return sha256("exhibit-content" + Bytes(digest)); }

// Reads a findings file once and gathers what the manifest claims of it.
class Findings {
 public:
  Findings(const Value& claim, const std::optional<Bytes>& key) : key_(key) {
    for (const auto& [name, unused] : claim.object_at("digests")) {
      if (digest_size(name) != 0) digests_[name] = make_digest(name);
    }
    for (const auto& [name, unused] : claim.object_at("trees")) {
      if (digest_size(name) != 0) trees_.emplace(name, Tree(name));
    }
  }

  void read(const fs::path& path) {
    constexpr std::size_t longest_line = std::size_t{64} << 20;
    Bytes rest;
    read_pieces(path, [&](View piece) {
      bytes_ += piece.size();
      for (auto& [name, digest] : digests_) digest->update(piece);
      rest += piece;
      std::size_t from = 0;
      for (std::size_t end = rest.find('\n'); end != Bytes::npos; from = end + 1, end = rest.find('\n', from))
        take(View(rest).substr(from, end - from));
      rest.erase(0, from);
      if (rest.size() > longest_line) throw Refused{"a line is longer than a record may be"};
    });
    if (!rest.empty() && form_error_.empty()) form_error_ = "the last line isn't ended by a line feed";
  }

  void tell_form(const std::string& id, Report& report) {
    report.expect(form_error_.empty(), "canonical form", id, "every line", form_error_);
    report.guard("canonical order", id, [&] {
      if (!order_error_.empty()) throw Refused{order_error_};
      order_.finish();
      report.ok("canonical order", id, "every record, and every byte accounted for");
    });
  }

  // What the manifest should claim, as far as it can be found out here.
  Value summary(const std::string& file) {
    const auto number = [](std::uint64_t n) { return Value{static_cast<std::int64_t>(n)}; };
    Object trees, digests, content_trees;
    std::sort(contents_.begin(), contents_.end());
    contents_.erase(std::unique(contents_.begin(), contents_.end()), contents_.end());
    for (auto& [name, tree] : trees_) {
      Tree content(name);
      for (const Bytes& key : contents_) content.add(leaf_hash(name, "", key));
      content_trees.emplace_back(name, Value{to_hex(content.root())});
      if (key_) trees.emplace_back(name, Value{to_hex(tree.root())});
    }
    for (auto& [name, digest] : digests_) digests.emplace_back(name, Value{to_hex(digest->finish())});
    Value out = evidence_;
    if (!out.find("id")) out.held = Object();
    // A record that brings "findings" of its own would answer for us.
    std::erase_if(std::get<Object>(out.held), [](const auto& member) { return member.first == "findings"; });
    const Value content{Object{{"digest", {std::string("sha256")}},
                               {"entries", number(contents_.size())},
                               {"trees", {content_trees}},
                               {"without", number(without_)}}};
    const Value counts{Object{{"items", number(kinds_["item"])},
                              {"matches", number(kinds_["match"])},
                              {"problems", number(kinds_["problem"])}}};
    Object findings{{"bytes", number(bytes_)}, {"content", content}, {"counts", counts},
                    {"digests", {digests}},    {"file", {file}},     {"records", number(records_)},
                    {"trees", {trees}}};
    if (key_) findings.emplace_back("salt_commitment", Value{to_hex(sha256(*key_))});
    std::get<Object>(out.held).emplace_back("findings", Value{findings});
    return out;
  }

 private:
  void take(View line) {
    const Bytes salt = key_ ? salt_of(*key_, records_) : "";
    for (auto& [name, tree] : trees_) {
      if (key_) tree.add(leaf_hash(name, salt, line));
    }
    const std::string here = "line " + std::to_string(++records_) + ": ";
    std::string* error = &form_error_;
    try {
      const Value record = parse_canonical(line);
      const std::string& kind = record.text_at("record");
      ++kinds_[kind];
      if (kind == "evidence") evidence_ = record;
      if (kind == "item") take_content(record);
      error = &order_error_;
      if (order_error_.empty()) order_.take(record);
    } catch (const Refused& refused) {
      if (error->empty()) *error = here + refused.why;
    }
  }

  void take_content(const Value& item) {
    const Value* digests = item.find("digests");
    const auto raw = from_hex(digests == nullptr ? "" : digests->text_or_empty("sha256"));
    const std::string kind = item.text_or_empty("kind");
    if (raw && raw->size() == 32) {
      contents_.push_back(content_key(*raw));
    } else {
      without_ += (kind == "file" || kind == "virtual") && item.find("size") != nullptr && item.number_at("size") > 0;
    }
  }

  std::optional<Bytes> key_;
  std::map<std::string, std::unique_ptr<Digest>> digests_;
  std::map<std::string, Tree> trees_;
  std::map<std::string, std::uint64_t> kinds_;  // how many records of each
  Order order_;
  std::string form_error_, order_error_;  // the first of each
  Value evidence_;
  std::vector<Bytes> contents_;
  std::uint64_t bytes_ = 0, records_ = 0, without_ = 0;
};

// Every number and text of a claim against what was found: a check for each.
inline void compare(const Value& claimed, const Value* found, const std::string& name, const std::string& id,
                    Report& report) {
  // The media's digests must be all that the record has: one left out could be the one that isn't equal.
  if (const auto* members = std::get_if<Object>(&claimed.held); members != nullptr && name != "evidence digests") {
    for (const auto& [key, claim] : *members)
      compare(claim, found == nullptr ? nullptr : found->find(key), name + " " + key, id, report);
  } else if (found != nullptr) {
    report.expect(claimed == *found, name, id, canonical(*found),
                  "it is " + canonical(*found) + ", the manifest says " + canonical(claimed));
  } else if (name.starts_with("evidence findings ")) {
    report.not_checked(name, id, "the salt key isn't here, or this program has no such digest");
  } else {
    report.failed(name, id, "the evidence record doesn't say so");
  }
}

// One findings file against its claim, an element of the manifest's `evidence`.
inline void check_findings(const fs::path& folder, const Value& evidence, Report& report) {
  const std::string &id = evidence.text_at("id"), file = evidence.at("findings").text_at("file");
  report.guard("findings", id, [&] {
    std::optional<Bytes> key;
    if (const fs::path salts = folder / "secret" / (id + ".salts"); fs::exists(salts)) key = read_file(salts, 1024);
    if (key && key->size() != 32) throw Refused{"the salt key has " + std::to_string(key->size()) + " bytes, not 32"};
    Findings findings(evidence.at("findings"), key);
    findings.read(folder / file);
    findings.tell_form(id, report);
    const Value found = findings.summary(file);
    compare(evidence, &found, "evidence", id, report);
  });
}

}  // namespace exhibit_verify
