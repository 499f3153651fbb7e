#include "manifest/findings.h"

#include "hash/multi_digest.h"
#include "manifest/file.h"
#include "manifest/lines.h"
#include "manifest/order.h"

namespace exhibit::manifest {
namespace {

using base::Json;

// Cuts a stream into lines and does with each what a findings file wants done.
class Reader {
 public:
  static Result<Reader> create(const FindingsRequest& request) {
    Reader reader(EXHIBIT_TRY(hash::MultiDigest::create(request.digests)));
    if (request.scratch) {
      reader.content_ = std::make_unique<ContentKeys>(*request.scratch);
      reader.content_trees_ = request.trees;
    }
    if (!request.salt_key) return reader;
    reader.salts_ = EXHIBIT_TRY(hash::Salts::create(*request.salt_key));
    for (const std::string& algorithm : request.trees) {
      hash::Tree tree = EXHIBIT_TRY(hash::Tree::create(algorithm));
      reader.trees_.emplace_back(algorithm, std::move(tree));
    }
    reader.reading_.summary.salt_commitment = salt_commitment(*request.salt_key);
    return reader;
  }

  void take(std::string_view piece) {
    reading_.summary.bytes += piece.size();
    digests_.update(std::as_bytes(std::span(piece)));
    lines_.take(piece, [this](const Line& line) { on_line(line); });
  }

  Result<FindingsReading> finish() {
    lines_.finish([this](const Line& line) { on_line(line); });
    if (failure_) return *failure_;
    if (auto complaint = order_.finish()) reading_.order.add(line_, *complaint);
    reading_.evidence = order_.evidence();
    reading_.summary.records = line_;
    reading_.summary.digests = digests_.finish();
    for (const auto& [algorithm, tree] : trees_) reading_.summary.trees[algorithm] = base::to_hex(tree.root());
    if (content_) reading_.summary.content = EXHIBIT_TRY(content_->summary(content_trees_));
    return std::move(reading_);
  }

 private:
  explicit Reader(hash::MultiDigest digests) : digests_(std::move(digests)) {}

  void on_line(const Line& line) {
    for (auto& [algorithm, tree] : trees_) tree.append(tree.hasher().leaf(salts_->at(line_), line.text));
    ++line_;
    if (line.is_too_long) {
      reading_.form.add(line_, "is longer than a record may be");
    } else {
      on_record(line.text);
    }
    if (!line.is_ended) reading_.form.add(line_, "isn't ended by a line feed");
  }

  void on_record(std::string_view line) {
    auto record = base::parse_json(line, limits_);
    if (!record.ok()) {
      reading_.form.add(line_, record.error().message);
      return;
    }
    if (base::canonical(*record) != line) reading_.form.add(line_, "isn't in canonical form (RFC 8785)");
    count(*record);
    if (content_ && !failure_) {
      if (const auto taken = content_->take(*record); !taken.ok()) failure_ = taken.error();
    }
    if (auto complaint = order_.next(*record, line)) reading_.order.add(line_, *complaint);
  }

  void count(const Json& record) {
    const auto kind = record.is_object() ? record.find("record") : record.end();
    if (kind == record.end() || !kind->is_string()) return;
    const auto& name = kind->get_ref<const std::string&>();
    Counts& counts = reading_.summary.counts;
    if (name == "item") ++counts.items;
    if (name == "match") ++counts.matches;
    if (name == "problem") ++counts.problems;
  }

  base::JsonLimits limits_;
  LineCutter lines_{limits_.bytes};
  hash::MultiDigest digests_;
  std::optional<hash::Salts> salts_;
  std::vector<std::pair<std::string, hash::Tree>> trees_;
  OrderChecker order_;
  FindingsReading reading_;
  std::unique_ptr<ContentKeys> content_;
  std::vector<std::string> content_trees_;
  std::optional<Error> failure_;  // of the content tree's disk
  std::uint64_t line_ = 0;        // lines so far
};

}  // namespace

void Complaints::add(std::uint64_t line, std::string text) {
  ++count;
  if (first.size() < most_kept) first.push_back({line, std::move(text)});
}

std::string Complaints::summary() const {
  std::string text;
  for (const One& one : first)
    text += (text.empty() ? "line " : "; line ") + std::to_string(one.line) + ": " + one.text;
  if (count > first.size()) text += " (" + std::to_string(count) + " in all)";
  return text;
}

std::string salt_commitment(const std::string& salt_key) { return base::to_hex(hash::digest_of("sha256", salt_key)); }

Result<FindingsReading> read_findings(const std::filesystem::path& path, const FindingsRequest& request) {
  Reader reader = EXHIBIT_TRY(Reader::create(request));
  EXHIBIT_TRY(read_pieces(path, [&](std::string_view piece) { reader.take(piece); }));
  return reader.finish();
}

Result<FindingsReading> read_sound_findings(const std::filesystem::path& path, const FindingsRequest& request) {
  if (!request.salt_key) return file_error(ErrorCode::invalid_argument, path, "can't be sealed without the salt key");
  FindingsRequest whole = request;
  if (!whole.scratch) whole.scratch = path.parent_path();
  FindingsReading reading = EXHIBIT_TRY(read_findings(path, whole));
  if (!reading.form.empty()) return file_error(ErrorCode::corrupt, path, reading.form.summary());
  if (!reading.order.empty()) return file_error(ErrorCode::corrupt, path, reading.order.summary());
  if (!reading.evidence) return file_error(ErrorCode::corrupt, path, "holds no evidence record");
  return reading;
}

}  // namespace exhibit::manifest
