// A findings file: form, order, sums, digests, trees (findings.md; manifest.md, "Canonical form and order", "The
// tree").

#include <algorithm>
#include <set>
#include <tuple>

#include "checks.h"

namespace exhibit_verify {
namespace {

bool is_within(View id, View folder) {
  return id.size() > folder.size() + 1 && id.substr(0, folder.size()) == folder && id[folder.size()] == '/';
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

  void begin(std::string owner) {
    owner_ = std::move(owner);
    last_ = {};
  }
  void next(Key key, const char* what) {
    if (key < last_) throw Refused{"the " + std::string(what) + " of " + owner_ + " aren't in order"};
    last_ = std::move(key);
  }
  // Leads and problems of the volume itself stand after its items.
  void step_to(const std::string& owner) {
    if (owner == owner_) return;
    if (volume_.empty() || owner != volume_ || owner_ == volume_)
      throw Refused{"a record about " + owner + " among those of " + owner_};
    begin(owner);
    items_done_ = true;
  }

  void on_evidence(const Value& record) {
    evidence_ = record.text_at("id");
    size_ = record.number_at("size");
    begin(evidence_);
  }

  void on_volume(const Value& record) {
    const std::pair key(record.number_at("offset"), record.text_at("id"));
    if (!volume_.empty()) throw Refused{"the volume " + volume_ + " ends without its coverage"};
    if (last_ != Key()) throw Refused{"the volume " + key.second + " stands after the evidence's own problems"};
    if (!volumes_.empty() && key <= volume_key_) throw Refused{"the volumes aren't in order of (offset, id)"};
    if (!is_within(key.second, evidence_) || !volumes_.insert(key.second).second)
      throw Refused{"the volume " + key.second + " isn't of " + evidence_ + ", or stands twice"};
    if (record.find("parent") != nullptr) parents_.insert(record.text_at("parent"));
    volume_key_ = key;
    volume_ = key.second;
    volume_size_ = record.number_at("size");
    items_.clear();
    items_done_ = false;
    begin(volume_);
  }

  void on_item(const Value& record) {
    const std::string& id = record.text_at("id");
    const std::string content = record.text_or_empty("content");
    if (volume_.empty() || items_done_ || (items_.empty() && last_ != Key()))
      throw Refused{"the item " + id + " stands outside a volume's items"};
    if (record.text_at("volume") != volume_ || !is_within(id, volume_) || id.substr(0, content.size()) != content)
      throw Refused{"the item " + id + " isn't named after its volume and content"};
    if (!items_.empty() && id <= items_.back()) throw Refused{"the item " + id + " stands after " + items_.back()};
    items_.push_back(id);
    begin(id);
  }

  void on_match(const Value& record) {
    if (volume_.empty()) throw Refused{"a match outside any volume"};
    step_to(record.text_at("item"));
    const Value* where = record.find("where");
    const bool placed = where != nullptr && !record.array_at("where").empty();
    const std::uint64_t first = placed ? record.array_at("where")[0].number_at("offset") : 0;
    next({1, record.text_at("by"), record.text_at("source"), record.text_at("rule"), first}, "matches");
  }

  void on_problem(const Value& record) {
    std::string where = record.text_at("where");
    const bool of_item =
        !items_.empty() && owner_ == items_.back() && where.substr(0, owner_.size() + 2) == owner_ + "!/";
    if (of_item) where = owner_;  // a member of the archive that has no record of its own
    if (where != owner_ && !volume_.empty() && is_within(where, volume_)) {
      if (std::binary_search(items_.begin(), items_.end(), where))
        throw Refused{"a problem of " + where + " doesn't stand after it"};
      where = volume_;
    }
    if (volume_.empty() && is_within(where, evidence_) &&
        std::none_of(volumes_.begin(), volumes_.end(),
                     [&](const auto& id) { return where == id || is_within(where, id); }))
      where = evidence_;
    step_to(where);
    next({2, record.text_at("stage"), record.text_at("cause"), record.text_at("detail"), 0}, "problems");
  }

  void on_coverage(const Value& record) {
    step_to(record.text_at("where"));
    if (!volume_.empty() && owner_ != volume_) throw Refused{"a coverage of an item"};
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

// The trees, by algorithm, and the file's digests: what an algorithm that isn't known here would claim can't be
// checked.
std::vector<std::string> known(const Object& claims) {
  std::vector<std::string> out;
  for (const auto& [algorithm, claim] : claims) {
    if (digest_size(algorithm) != 0) out.push_back(algorithm);
  }
  return out;
}

class Findings {
 public:
  Findings(const Value& claim, std::optional<Bytes> key) : claim_(claim), key_(std::move(key)) {
    for (const std::string& name : known(claim.object_at("digests"))) digests_.emplace_back(name, make_digest(name));
    for (const std::string& name : known(claim.object_at("trees"))) trees_.emplace_back(name, Tree(name));
  }

  void read(std::ifstream file) {
    constexpr std::size_t longest_line = std::size_t{64} << 20;
    Bytes rest, piece(1 << 16, '\0');
    while (file.read(piece.data(), static_cast<std::streamsize>(piece.size())), file.gcount() > 0) {
      const View got(piece.data(), static_cast<std::size_t>(file.gcount()));
      bytes_ += got.size();
      for (auto& [name, digest] : digests_) digest->update(got);
      rest += got;
      std::size_t from = 0;
      for (std::size_t end = rest.find('\n'); end != Bytes::npos; end = rest.find('\n', from)) {
        take(View(rest).substr(from, end - from));
        from = end + 1;
      }
      rest.erase(0, from);
      if (rest.size() > longest_line)
        throw Refused{"line " + std::to_string(records_ + 1) + " is longer than a record may be"};
    }
    if (!rest.empty()) form_ = "the last line isn't ended by a line feed";
    if (file.bad()) throw Refused{"it can't be read"};
  }

  void tell(const Value& evidence, Report& report) {
    const std::string& id = evidence.text_at("id");
    report.expect(form_.empty(), "canonical form", id, "every line", form_);
    if (order_error_.empty())
      report.guard("canonical order", id, [&] {
        order_.finish();
        report.ok("canonical order", id, "every record, every sum");
      });
    if (!order_error_.empty()) report.failed("canonical order", id, order_error_);
    for (auto& [name, digest] : digests_)
      compare("findings digest", id, name, claim_.object_at("digests"), digest->finish(), report);
    count("findings size", id, "bytes", claim_.number_at("bytes"), bytes_, report);
    count("record count", id, "records", claim_.number_at("records"), records_, report);
    const Value& counts = claim_.at("counts");
    count("record count", id, "items", counts.number_at("items"), items_, report);
    count("record count", id, "matches", counts.number_at("matches"), matches_, report);
    count("record count", id, "problems", counts.number_at("problems"), problems_, report);
    if (!key_)
      report.not_checked("tree", id, "no salt key to compute it with; the findings digest covers the same bytes");
    for (auto& [name, tree] : trees_) {
      if (key_) compare("tree", id, name, claim_.object_at("trees"), tree.root(), report);
    }
    if (const Value* content = claim_.find("content")) tell_content(*content, id, report);
    for (const char* name : {"digests", "trees"}) {
      for (const auto& [algorithm, claim] : claim_.object_at(name)) {
        if (digest_size(algorithm) == 0)
          report.not_checked("findings " + std::string(name), id, "this program has no " + algorithm);
      }
    }
    for (const char* name : {"id", "size", "integrity", "digests", "block_root"}) {
      const Value *stated = evidence.find(name), *own = evidence_.find(name);
      const bool same = stated == nullptr ? evidence.text_at("integrity") == "unreadable" || own == nullptr
                                          : own != nullptr && *own == *stated;
      report.expect(same, "evidence record", id, name, std::string(name) + " isn't what the manifest says");
    }
  }

 private:
  void take(View line) {
    const std::uint64_t index = records_++;
    if (key_) {
      const Bytes salt = salt_of(*key_, index);
      for (auto& [name, tree] : trees_) tree.add(leaf_hash(name, salt, line));
    }
    const std::string here = "line " + std::to_string(records_) + ": ";
    Value record;
    try {
      record = parse_canonical(line);
      record.text_at("record");
    } catch (const Refused& refused) {
      if (form_.empty()) form_ = here + refused.why;
      return;
    }
    try {
      if (order_error_.empty()) order_.take(record);
    } catch (const Refused& refused) {
      order_error_ = here + refused.why;
    }
    const Value* kind = record.find("record");
    const auto is = [&](const char* name) { return kind != nullptr && kind->held == Value{std::string(name)}.held; };
    if (is("evidence")) evidence_ = record;
    items_ += is("item");
    matches_ += is("match");
    problems_ += is("problem");
    if (is("item")) take_content(record);
  }

  void take_content(const Value& item) {
    const Value* digests = item.find("digests");
    const Value* sha256 = digests == nullptr ? nullptr : digests->find("sha256");
    const auto* text = sha256 == nullptr ? nullptr : std::get_if<std::string>(&sha256->held);
    const auto raw = text == nullptr ? std::nullopt : from_hex(*text);
    if (raw && raw->size() == 32) {
      contents_.push_back(content_key(*raw));
    } else if (const Value* kind = item.find("kind"), *size = item.find("size"); kind != nullptr && size != nullptr) {
      const bool holds =
          kind->held == Value{std::string("file")}.held || kind->held == Value{std::string("virtual")}.held;
      without_ += holds && size->held != Value{std::int64_t{0}}.held;
    }
  }

  // The content tree: which contents the findings have a digest of.
  void tell_content(const Value& content, const std::string& id, Report& report) {
    std::sort(contents_.begin(), contents_.end());
    contents_.erase(std::unique(contents_.begin(), contents_.end()), contents_.end());
    count("content tree", id, "entries", content.number_at("entries"), contents_.size(), report);
    count("content tree", id, "items with content and no SHA-256", content.number_at("without"), without_, report);
    for (const std::string& name : known(content.object_at("trees"))) {
      Tree tree(name);
      for (const Bytes& key : contents_) tree.add(leaf_hash(name, "", key));
      compare("content tree", id, name, content.object_at("trees"), tree.root(), report);
    }
  }

  static void count(const char* name, const std::string& id, const char* what, std::uint64_t claimed,
                    std::uint64_t actual, Report& report) {
    report.expect(claimed == actual, name, id, std::to_string(actual) + " " + what,
                  std::to_string(actual) + " " + what + ", the manifest says " + std::to_string(claimed));
  }
  static void compare(const char* name, const std::string& id, const std::string& algorithm, const Object& claims,
                      const Bytes& actual, Report& report) {
    for (const auto& [key, claim] : claims) {
      if (key == algorithm)
        report.expect(claim.held == Value{to_hex(actual)}.held, name, id, algorithm + " " + to_hex(actual),
                      algorithm + " is " + to_hex(actual));
    }
  }

  const Value& claim_;
  std::optional<Bytes> key_;
  std::vector<std::pair<std::string, std::unique_ptr<Digest>>> digests_;
  std::vector<std::pair<std::string, Tree>> trees_;
  Order order_;
  std::string form_, order_error_;  // the first complaint
  Value evidence_;
  std::vector<Bytes> contents_;
  std::uint64_t bytes_ = 0, records_ = 0, items_ = 0, matches_ = 0, problems_ = 0, without_ = 0;
};

}  // namespace

Bytes content_key(View sha256_of_content) { return sha256("exhibit-content" + Bytes(sha256_of_content)); }

void check_coverage(const Value& record, std::uint64_t size) {
  static const std::set<std::string> classes = {"allocated",   "deleted", "slack",     "metadata",
                                                "unallocated", "gap",     "unreadable"};
  std::uint64_t left = size;
  for (const auto& [name, unused] : record.object_at("bytes")) {
    const std::uint64_t more = record.at("bytes").number_at(name);
    if (classes.count(name) == 0 || more > left)
      throw Refused{"a coverage with an unknown class, or of more than there is"};
    left -= more;
  }
  if (left != 0) throw Refused{"a coverage that leaves out " + std::to_string(left) + " bytes"};
}

void check_findings(const fs::path& folder, const Value& evidence, Report& report) {
  const std::string& id = evidence.text_at("id");
  const Value& claim = evidence.at("findings");
  std::optional<Bytes> key;
  const fs::path salts = folder / "secret" / (id + ".salts");
  if (std::error_code error; fs::exists(salts, error)) {
    report.guard("salt commitment", id, [&] {
      key = read_file(salts, 1024);
      if (key->size() != 32) throw Refused{"the salt key has " + std::to_string(key->size()) + " bytes, not 32"};
      report.expect(to_hex(sha256(*key)) == claim.text_at("salt_commitment"), "salt commitment", id,
                    "the key is the claimed one", "the key isn't the one that the manifest commits to");
    });
  } else {
    report.not_checked("salt commitment", id, "the salt key is not here");
  }
  report.guard("findings file", id, [&] {
    Findings findings(claim, key);
    findings.read(open_file(folder / claim.text_at("file")));
    findings.tell(evidence, report);
  });
}

}  // namespace exhibit_verify
