#include "manifest/make_disclosure.h"

#include <algorithm>
#include <functional>
#include <set>

#include "base/record_line.h"
#include "hash/subtrees.h"
#include "manifest/lines.h"
#include "manifest/seal.h"

namespace exhibit::manifest {
namespace fs = std::filesystem;
namespace {

using hash::LeafRange;

// Each line with its index. Error as of read_pieces and of `call`, or where the file isn't made of lines.
using LineCall = std::function<Result<void>(std::uint64_t index, std::string_view line)>;
Result<void> for_each_line(const fs::path& file, const LineCall& call) {
  LineCutter cutter(base::JsonLimits().bytes);
  std::optional<Error> failure;
  std::uint64_t index = 0;
  const auto take = [&](const Line& line) {
    if (failure) return;
    if (line.is_too_long || !line.is_ended) {
      failure = file_error(ErrorCode::corrupt, file, "line " + std::to_string(index + 1) + " is damaged");
    } else if (const auto called = call(index, line.text); !called.ok()) {
      failure = called.error();
    }
    ++index;
  };
  EXHIBIT_TRY(read_pieces(file, [&](std::string_view piece) { cutter.take(piece, take); }));
  cutter.finish(take);
  if (failure) return *failure;
  return {};
}

// Lines that stand together: an item's, or a volume's.
struct Group {
  std::string id;
  std::uint64_t first = 0;
  std::vector<std::string> lines;
};

// What is asked about one exhibit.
struct Wanted {
  std::set<std::string, std::less<>> items, volumes;
  bool is_about_content = false;
};

struct Found {
  std::vector<Group> items, volumes;  // in their order in the findings
};

// Finds the lines that are wanted.
class Finder {
 public:
  explicit Finder(const Wanted& wanted) : wanted_(wanted) {}

  Result<void> take(std::uint64_t index, std::string_view text) {
    if (!line_.read(text))
      return Error{ErrorCode::corrupt, "line " + std::to_string(index + 1) + " isn't a record", {}, {}};
    const std::string kind = line_.string("record");
    if (kind == "volume") begin(volume_, found_.volumes, wanted_.volumes, index, "id");
    if (kind == "item") begin(item_, found_.items, wanted_.items, index, "id");
    if (item_ && kind != "item" && !is_about_item(kind)) item_ = nullptr;
    for (Group* group : {item_, volume_}) {
      if (group == nullptr) continue;
      kept_ += text.size();
      if (kept_ > largest_disclosure) {
        return Error{ErrorCode::size_limit,
                     "what is asked for passes " + std::to_string(largest_disclosure) +
                         " bytes; disclose less, or give the case folder",
                     {},
                     {}};
      }
      group->lines.emplace_back(text);
    }
    if (volume_ != nullptr && kind == "coverage") volume_ = nullptr;
    return {};
  }

  Result<Found> finish() {
    EXHIBIT_TRY(has_all(found_.items, wanted_.items, "item"));
    EXHIBIT_TRY(has_all(found_.volumes, wanted_.volumes, "volume"));
    return std::move(found_);
  }

 private:
  // A new item or volume comes; whatever was before has ended.
  void begin(Group*& current, std::vector<Group>& groups, const std::set<std::string, std::less<>>& wanted,
             std::uint64_t index, const char* key) {
    current = nullptr;
    std::string id = line_.string(key);
    if (!wanted.contains(id)) return;
    groups.push_back({std::move(id), index, {}});
    current = &groups.back();
  }

  bool is_about_item(const std::string& kind) const {
    if (kind == "match") return line_.string("item") == item_->id;
    return kind == "problem" && line_.string("where") == item_->id;
  }

  static Result<void> has_all(const std::vector<Group>& found, const std::set<std::string, std::less<>>& wanted,
                              const char* what) {
    for (const std::string& id : wanted) {
      const bool has = std::any_of(found.begin(), found.end(), [&](const Group& group) { return group.id == id; });
      if (!has) return Error{ErrorCode::not_found, "the findings have no " + std::string(what) + " " + id, id, {}};
    }
    return {};
  }

  const Wanted& wanted_;
  base::RecordLine line_;
  Found found_;
  Group *item_ = nullptr, *volume_ = nullptr;  // those that are wanted and whose lines come now
  std::uint64_t kept_ = 0;                     // bytes
};

// Trees by several algorithms over the same leaves, of which some nodes are kept.
class ProofTrees {
 public:
  static Result<ProofTrees> create(const std::map<std::string, std::string>& roots, std::uint64_t size,
                                   const std::vector<LeafRange>& wanted) {
    ProofTrees trees;
    trees.roots_ = roots;
    for (const auto& [algorithm, root] : roots) {
      auto hasher = hash::TreeHasher::create(algorithm);
      if (!hasher.ok()) return Error{ErrorCode::unsupported, "the manifest has a tree by " + algorithm, {}, {}};
      trees.trees_.emplace_back(algorithm, hash::Subtrees(hasher.take(), size, wanted));
    }
    return trees;
  }

  void append(std::string_view salt, std::string_view data) {
    for (auto& [algorithm, tree] : trees_) tree.append(tree.hasher().leaf(salt, data));
  }

  // Error where a root isn't the manifest's.
  Result<void> finish(const std::string& of) {
    for (auto& [algorithm, tree] : trees_) {
      const auto root = tree.finish();
      if (!root.ok() || base::to_hex(*root) != roots_.at(algorithm)) {
        return Error{ErrorCode::corrupt,
                     "the " + of + " aren't those that were sealed: their tree by " + algorithm +
                         " isn't the manifest's; run 'exhibit verify' on the case",
                     {},
                     {}};
      }
    }
    return {};
  }

  ProofHashes at(const std::vector<LeafRange>& nodes) const {
    ProofHashes proof;
    for (const auto& [algorithm, tree] : trees_) proof[algorithm] = tree.roots_of(nodes);
    return proof;
  }

 private:
  std::map<std::string, std::string> roots_;
  std::vector<std::pair<std::string, hash::Subtrees>> trees_;
};

// One exhibit's part of a disclosure.
class ExhibitDiscloser {
 public:
  ExhibitDiscloser(const fs::path& folder, const fs::path& scratch, const EvidenceClaim& claim, const Wanted& wanted)
      : folder_(folder), file_(folder / findings_file(claim.id)), claim_(claim), wanted_(wanted), content_(scratch) {}

  Result<void> disclose(const std::vector<std::string>& absent, MadeDisclosure& made) {
    if (wanted_.is_about_content && !claim_.findings.content) {
      return Error{ErrorCode::not_found,
                   "the manifest has no content tree for " + claim_.id + ": absence can't be proved; seal anew",
                   {},
                   {}};
    }
    const Found found = EXHIBIT_TRY(find());
    EXHIBIT_TRY(prove(found, made.disclosure));
    if (wanted_.is_about_content) EXHIBIT_TRY(prove_absence(absent, made));
    return {};
  }

 private:
  Result<Found> find() {
    Finder finder(wanted_);
    EXHIBIT_TRY(for_each_line(file_, [&](std::uint64_t index, std::string_view text) -> Result<void> {
      if (wanted_.is_about_content) EXHIBIT_TRY(content_.take(EXHIBIT_TRY(base::parse_json(text))));
      return finder.take(index, text);
    }));
    return finder.finish();
  }

  Result<hash::Salts> salts() const {
    const std::string key = EXHIBIT_TRY(read_whole(folder_ / salts_file(claim_.id), 2 * salt_key_size));
    auto salts = EXHIBIT_TRY(hash::Salts::create(key));
    if (salt_commitment(key) != claim_.findings.salt_commitment) {
      return Error{
          ErrorCode::corrupt, salts_file(claim_.id) + " isn't the key that the manifest commits to", claim_.id, {}};
    }
    return salts;
  }

  // The second reading: the trees, now that it is known which of their nodes are needed.
  Result<void> prove(const Found& found, Disclosure& disclosure) {
    const std::uint64_t size = claim_.findings.records;
    std::vector<LeafRange> nodes;
    for (const Group& item : found.items) {
      for (std::uint64_t i = 0; i < item.lines.size() && item.first + i < size; ++i)
        add(hash::audit_path(item.first + i, size), nodes);
    }
    for (const Group& volume : found.volumes) {
      if (range_of(volume).end <= size) add(hash::outside(range_of(volume), size), nodes);
    }
    auto salts = EXHIBIT_TRY(this->salts());
    auto trees = EXHIBIT_TRY(ProofTrees::create(claim_.findings.trees, size, nodes));
    EXHIBIT_TRY(for_each_line(file_, [&](std::uint64_t index, std::string_view line) -> Result<void> {
      trees.append(salts.at(index), line);
      return {};
    }));
    EXHIBIT_TRY(trees.finish("findings of " + claim_.id));
    for (const Group& item : found.items) disclosure.items.push_back(item_of(item, salts, trees));
    for (const Group& volume : found.volumes) disclosure.volumes.push_back(volume_of(volume, salts, trees));
    return {};
  }

  DisclosedItem item_of(const Group& group, hash::Salts& salts, const ProofTrees& trees) const {
    DisclosedItem item = {claim_.id, group.id, {}};
    for (std::uint64_t i = 0; i < group.lines.size(); ++i) {
      const std::uint64_t index = group.first + i;
      item.records.push_back(
          {index, {group.lines[i], salts.at(index)}, trees.at(hash::audit_path(index, claim_.findings.records))});
    }
    return item;
  }

  DisclosedVolume volume_of(const Group& group, hash::Salts& salts, const ProofTrees& trees) const {
    DisclosedVolume volume = {claim_.id, group.id, group.first, {}, {}};
    for (std::uint64_t i = 0; i < group.lines.size(); ++i)
      volume.records.push_back({group.lines[i], salts.at(group.first + i)});
    volume.proofs = trees.at(hash::outside(range_of(group), claim_.findings.records));
    return volume;
  }

  static LeafRange range_of(const Group& group) { return {group.first, group.first + group.lines.size()}; }
  static void add(const std::vector<LeafRange>& more, std::vector<LeafRange>& nodes) {
    nodes.insert(nodes.end(), more.begin(), more.end());
  }

  // Where a key would stand: `index` keys are below it.
  struct Place {
    std::uint64_t index = 0;
    std::string below, above;  // its neighbours; empty where there is none
    bool is_present = false;
  };

  Result<void> prove_absence(const std::vector<std::string>& digests, MadeDisclosure& made) {
    const ContentSummary& content = *claim_.findings.content;
    const std::map<std::string, Place> places = EXHIBIT_TRY(find_places(digests));
    std::vector<LeafRange> nodes;
    for (const std::string& digest : digests) {
      const Place& place = places.at(content_key(digest));
      if (place.is_present)
        made.present.push_back("sha256:" + base::to_hex(digest) + " is in the findings of " + claim_.id);
      for (const std::uint64_t index : neighbours_of(place)) {
        if (index < content.entries) add(hash::audit_path(index, content.entries), nodes);
      }
    }
    auto trees = EXHIBIT_TRY(ProofTrees::create(content.trees, content.entries, nodes));
    EXHIBIT_TRY(content_.for_each([&](std::uint64_t, std::string_view key) -> Result<void> {
      trees.append({}, key);
      return {};
    }));
    EXHIBIT_TRY(trees.finish("contents of " + claim_.id));
    for (const std::string& digest : digests) {
      const Place& place = places.at(content_key(digest));
      if (place.is_present) continue;
      const auto neighbour = [&](std::uint64_t index, const std::string& key) {
        return ContentNeighbour{index, key, trees.at(hash::audit_path(index, content.entries))};
      };
      Absence absence = {claim_.id, digest, {}, {}};
      if (!place.below.empty()) absence.low = neighbour(place.index - 1, place.below);
      if (!place.above.empty()) absence.high = neighbour(place.index, place.above);
      made.disclosure.absent.push_back(std::move(absence));
    }
    return {};
  }

  static std::vector<std::uint64_t> neighbours_of(const Place& place) {
    std::vector<std::uint64_t> indices;
    if (!place.below.empty()) indices.push_back(place.index - 1);
    if (!place.above.empty()) indices.push_back(place.index);
    return indices;
  }

  // By key.
  Result<std::map<std::string, Place>> find_places(const std::vector<std::string>& digests) {
    std::map<std::string, Place> places;
    for (const std::string& digest : digests) places[content_key(digest)];
    auto next = places.begin();
    std::string before;
    std::uint64_t count = 0;
    EXHIBIT_TRY(content_.for_each([&](std::uint64_t index, std::string_view key) -> Result<void> {
      for (; next != places.end() && next->first <= key; ++next)
        next->second = {index, before, std::string(key), next->first == key};
      before = key;
      count = index + 1;
      return {};
    }));
    for (; next != places.end(); ++next) next->second = {count, before, {}, false};
    return places;
  }

  fs::path folder_, file_;
  const EvidenceClaim& claim_;
  const Wanted& wanted_;
  ContentKeys content_;
};

Result<std::vector<DisclosedSignature>> read_signatures(const fs::path& file) {
  const Seals seals = EXHIBIT_TRY(find_signatures(file));
  if (!seals.strays.empty()) return Error{ErrorCode::corrupt, seals.strays.front(), {}, {}};
  if (seals.files.empty())
    return file_error(ErrorCode::not_found, file, "nobody has signed it; only a sealed case can be disclosed from");
  std::vector<DisclosedSignature> signatures;
  for (const SealFiles& seal : seals.files) {
    DisclosedSignature signature = {seal.signature.filename().string(), EXHIBIT_TRY(read_whole(seal.signature)), {}};
    if (seal.timestamp) signature.timestamp = EXHIBIT_TRY(read_whole(*seal.timestamp));
    signatures.push_back(std::move(signature));
  }
  return signatures;
}

// By exhibit: the first part of an id says which.
Result<std::map<std::string, Wanted>> wanted_by_exhibit(const DisclosureRequest& request, const Manifest& manifest) {
  std::map<std::string, Wanted> wanted;
  std::set<std::string> known;
  for (const EvidenceClaim& claim : manifest.evidence) known.insert(claim.id);
  const auto exhibit_of = [&](const std::string& id) -> Result<std::string> {
    std::string exhibit = id.substr(0, id.find('/'));
    if (!known.contains(exhibit))
      return Error{ErrorCode::not_found, "the case has no exhibit " + exhibit + " (asked for: " + id + ")", id, {}};
    return exhibit;
  };
  for (const std::string& id : request.items) wanted[EXHIBIT_TRY(exhibit_of(id))].items.insert(id);
  for (const std::string& id : request.volumes) wanted[EXHIBIT_TRY(exhibit_of(id))].volumes.insert(id);
  if (request.absent.empty()) return wanted;
  for (const std::string& id : request.evidence) wanted[EXHIBIT_TRY(exhibit_of(id))].is_about_content = true;
  if (request.evidence.empty()) {
    for (const std::string& id : known) wanted[id].is_about_content = true;
  }
  return wanted;
}

// What was made is checked before anybody is given it. Gives what it can't show.
Result<Checks> check_made(const std::string& bytes, const Manifest& manifest) {
  Checks checks;
  check_disclosure(EXHIBIT_TRY(read_disclosure(bytes)), manifest, checks);
  std::erase_if(checks, [](const Check& check) { return check.status == Status::ok; });
  for (const Check& check : checks) {
    if (check.status == Status::failed) {
      return Error{ErrorCode::corrupt,
                   "the findings changed while they were read: " + check.subject + ": " + check.detail,
                   check.subject,
                   {}};
    }
  }
  return checks;
}

}  // namespace

Result<MadeDisclosure> make_disclosure(const DisclosureRequest& request) {
  const fs::path file = request.folder / manifest_name;
  auto text = read_whole(file);
  if (!text.ok() && text.error().code == ErrorCode::not_found)
    return Error{ErrorCode::not_found, request.folder.string() + ": isn't sealed; run 'exhibit seal' first", {}, {}};
  if (!text.ok()) return text.take_error();
  const Manifest manifest = EXHIBIT_TRY(read_manifest(*text));
  const auto wanted = EXHIBIT_TRY(wanted_by_exhibit(request, manifest));
  MadeDisclosure made;
  made.disclosure.manifest = text.take();
  made.disclosure.signatures = EXHIBIT_TRY(read_signatures(file));
  for (const EvidenceClaim& claim : manifest.evidence) {
    const auto asked = wanted.find(claim.id);
    if (asked == wanted.end()) continue;
    EXHIBIT_TRY(ExhibitDiscloser(request.folder, request.scratch, claim, asked->second).disclose(request.absent, made));
  }
  if (!made.present.empty()) return made;
  made.bytes = write_disclosure(made.disclosure);
  if (made.bytes.size() > largest_disclosure)
    return Error{
        ErrorCode::size_limit, "the disclosure would be too large; disclose less, or give the case folder", {}, {}};
  made.not_checked = EXHIBIT_TRY(check_made(made.bytes, manifest));
  return made;
}

}  // namespace exhibit::manifest
