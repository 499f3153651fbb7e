#include "hashset/hashset.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <future>
#include <map>

#include "base/record.h"
#include "base/text.h"
#include "hashset/index.h"
#include "hashset/index_format.h"

namespace exhibit::hashset {
namespace {

// What both kinds share: an index, and what is said of its file.
class IndexedSet : public HashSet {
 public:
  explicit IndexedSet(Index index) : index_(std::move(index)) {}

  const std::string& name() const override { return index_.header().description.name; }
  std::uint64_t entries() const override { return index_.header().entries; }
  Result<std::vector<SetMatch>> look_up(const Item& item) const override;
  bool has_pictures() const override {
    return index_.has(Algorithm::pdq) && index_.header().description.set_class == SetClass::notable;
  }
  Result<std::vector<LikenessMatch>> look_up_alike(const PictureHashes& picture) const override;

 protected:
  const Index& index() const { return index_; }
  // What an index that somebody built says of the set; nothing of a list that is used as it is.
  virtual void describe(SetMatch& match, const Label& label) const = 0;

 private:
  Index index_;
};

Result<std::vector<SetMatch>> IndexedSet::look_up(const Item& item) const {
  std::vector<SetMatch> matches;
  if (item.size == 0) return matches;
  // The table has the digests of one length weakest first.
  for (std::size_t i = digest_count; i-- > 0;) {
    const auto algorithm = static_cast<Algorithm>(i);
    const auto digest = item.digests.find(std::string(facts(algorithm).name));
    RawDigest raw;
    if (digest == item.digests.end() || !decode_digest(digest->second, algorithm, raw)) continue;
    const Index::Place first = index_.find(algorithm, raw);
    if (first == Index::nowhere) continue;
    const Index::Place rows = index_.rows_of_digest(algorithm, raw, first);
    for (Index::Place place = first; place < first + rows; ++place) {
      const std::string entry = index_.name(algorithm, place);
      SetMatch match;
      match.item = item.id;
      match.by = "hashset";
      match.source = name();
      match.source_sha256 = EXHIBIT_TRY(file_sha256());
      match.rule = entry.empty() ? digest->second : base::clean_utf8(entry).text;
      match.algorithm = digest->first;
      describe(match, index_.label(algorithm, place));
      matches.push_back(std::move(match));
    }
  }
  return matches;
}

Result<std::vector<LikenessMatch>> IndexedSet::look_up_alike(const PictureHashes& picture) const {
  std::vector<LikenessMatch> matches;
  if (!has_pictures()) return matches;
  struct Nearest {
    unsigned distance;
    std::size_t variant;
  };
  std::map<Index::Place, Nearest> nearest;
  for (std::size_t i = 0; i < picture.variants.size(); ++i) {
    for (const Index::Near& near : index_.find_near(picture.variants[i], most_pdq_distance)) {
      const auto [known, is_new] = nearest.try_emplace(near.place, Nearest{near.distance, i});
      if (!is_new && near.distance < known->second.distance) known->second = {near.distance, i};
    }
  }
  for (const auto& [place, near] : nearest) {
    LikenessMatch match;
    match.item = picture.item;
    match.by = "perceptual";
    match.source = name();
    match.source_sha256 = EXHIBIT_TRY(file_sha256());
    const RawDigest hash = index_.pdq(place);
    const std::string entry = index_.name(Algorithm::pdq, place);
    const std::string_view bytes(reinterpret_cast<const char*>(hash.data()), facts(Algorithm::pdq).bytes);
    match.rule = entry.empty() ? base::to_hex(bytes) : base::clean_utf8(entry).text;
    match.algorithm = facts(Algorithm::pdq).name;
    match.distance = near.distance;
    match.quality = picture.quality;
    match.variant = near.variant;
    describe(match, index_.label(Algorithm::pdq, place));
    matches.push_back(std::move(match));
  }
  std::ranges::stable_sort(matches, {}, &LikenessMatch::distance);
  return matches;
}

// A list that was read into memory.
class ListSet final : public IndexedSet {
 public:
  ListSet(Imported imported, Index index) : IndexedSet(std::move(index)), imported_(std::move(imported)) {}

  const std::string& version() const override { return none_; }
  const std::string& format() const override { return imported_.facts.format; }
  const std::string& identity() const override { return imported_.facts.sha256; }
  Result<std::string> file_sha256() const override { return imported_.facts.sha256; }
  const std::vector<Refused>& refused() const override { return imported_.refused; }
  std::uint64_t refused_total() const override { return imported_.facts.refused; }

 private:
  void describe(SetMatch& match, const Label& label) const override {
    if (!label.category.empty()) match.category = label.category;
    if (!imported_.category_profile.empty()) match.category_profile = imported_.category_profile;
  }

  std::string none_;
  Imported imported_;
};

// An .xhs file. It is digested beside whatever the process does with it.
class FileSet final : public IndexedSet {
 public:
  explicit FileSet(Index index) : IndexedSet(std::move(index)), format_("xhs") {
    identity_ = std::to_string(this->index().file_bytes()) + " " + this->index().stored_checksum();
    sha256_ = std::async(std::launch::async, [this] { return this->index().digest_file(); }).share();
  }
  // Before the index goes.
  ~FileSet() override { sha256_.wait(); }

  const std::string& version() const override { return index().header().description.version; }
  const std::string& format() const override { return format_; }
  const std::string& identity() const override { return identity_; }
  Result<std::string> file_sha256() const override { return sha256_.get(); }
  const std::vector<Refused>& refused() const override { return none_; }
  std::uint64_t refused_total() const override { return 0; }

 private:
  void describe(SetMatch& match, const Label& label) const override {
    const Description& about = index().header().description;
    match.set_class = name_of(about.set_class);
    match.entry_source = label.source;
    if (about.restricted) match.handling = "restricted";
    if (label.category.empty()) return;
    match.category = label.category;
    if (!about.category_profile.empty()) match.category_profile = about.category_profile;
  }

  std::string format_, identity_;
  std::vector<Refused> none_;
  std::shared_future<Result<std::string>> sha256_;
};

}  // namespace

base::Json to_record(const SetMatch& match) {
  base::Json record = base::to_record(match);
  if (match.set_class) record["class"] = *match.set_class;
  if (match.category_profile) record["category_profile"] = *match.category_profile;
  if (match.entry_source) record["entry_source"] = *match.entry_source;
  return record;
}

// By what pdq_variant_names (match/perceptual/pdq.h) calls them, in the order in which a record has them.
constexpr std::array variant_names = {"original", "rotate-90", "rotate-180", "rotate-270",
                                      "flip-x",   "flip-y",    "flip-plus",  "flip-minus"};

std::optional<PictureHashes> picture_of(const base::RecordLine& item) {
  const base::TextValue *digests = item.find("digests"), *facts_told = item.find("pdq");
  if (digests == nullptr || facts_told == nullptr || !digests->is_object() || !facts_told->is_object()) return {};
  const auto digest = digests->find("pdq"), quality = facts_told->find("quality"), turned = facts_told->find("turned");
  if (!digest || !digest->is_string() || !quality || !quality->is_size() || quality->size() < least_pdq_quality)
    return {};
  PictureHashes picture{item.string("id"), {}, quality->size()};
  RawDigest raw;
  if (!decode_digest(digest->string(), Algorithm::pdq, raw)) return {};
  picture.variants.push_back(raw);
  if (turned && turned->is_array()) {
    turned->each_element([&](const base::TextValue& each) {
      if (each.is_string() && decode_digest(each.string(), Algorithm::pdq, raw)) picture.variants.push_back(raw);
      return picture.variants.size() < variant_names.size();
    });
  }
  return picture;
}

base::Json to_record(const LikenessMatch& match) {
  base::Json record = to_record(static_cast<const SetMatch&>(match));
  record["distance"] = match.distance;
  record["quality"] = match.quality;
  record["variant"] = variant_names[std::min(match.variant, variant_names.size() - 1)];
  return record;
}

Result<std::unique_ptr<HashSet>> load(const std::string& path) {
  const std::string name = input_name(path);
  base::UniqueFd fd = EXHIBIT_TRY(open_input(path));
  std::array<char, index_magic.size()> beginning{};
  if (::pread(fd.get(), beginning.data(), beginning.size(), 0) == static_cast<ssize_t>(beginning.size()) &&
      Index::has_magic({beginning.data(), beginning.size()})) {
    return std::unique_ptr<HashSet>(new FileSet(EXHIBIT_TRY(Index::open(std::move(fd), name))));
  }
  Builder builder({});
  Imported imported = EXHIBIT_TRY(import({fd.get(), name}, {}, builder));
  base::UniqueFd memory = EXHIBIT_TRY(nameless_file(""));
  Description description;
  description.name = name;
  EXHIBIT_TRY(builder.write(memory.get(), description));
  Index index = EXHIBIT_TRY(Index::open(std::move(memory), name));
  return std::unique_ptr<HashSet>(new ListSet(std::move(imported), std::move(index)));
}

}  // namespace exhibit::hashset
