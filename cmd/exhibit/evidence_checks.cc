#include "exhibit/evidence_checks.h"

#include <openssl/rand.h>

#include <algorithm>
#include <set>

#include "base/volume_id.h"
#include "engine/medium.h"
#include "engine/sweep_plan.h"
#include "exhibit/case_folder.h"
#include "hash/chain_digest.h"
#include "hash/merkle.h"

namespace exhibit::cmd {
namespace {

using base::Json;
using manifest::CheckList;

constexpr std::size_t digest_size = 32;
constexpr std::size_t most_named = 100;
constexpr std::uint64_t items_per_task = 512;

// What the findings claim of one exhibit.
struct Claims {
  Json evidence;
  Json volumes = Json::object();         // id -> {offset, size}
  std::vector<engine::LineSlice> items;  // one line each: items with digests
  std::uint64_t without_digests = 0, with_likeness = 0;
  bool knows_problems = true;
  std::set<std::string> problems;  // the evidence's own, canonical
};

// Digests that are no function of the bytes alone: a picture's depends on its decoder.
bool tells_of_likeness(const Json& item) {
  const Json& digests = item.at("digests");
  return digests.contains("pdq") || digests.contains("ssdeep") || digests.contains("tlsh");
}

Result<Claims> read_claims(const std::string& findings) {
  Claims claims;
  std::uint64_t offset = 0;
  std::vector<Json> volumes;
  EXHIBIT_TRY(engine::for_each_line(findings, [&](std::string_view line) -> Result<void> {
    const Json record = EXHIBIT_TRY(base::parse_json(line));
    const std::string kind = record.value("record", "");
    if (kind == "evidence") claims.evidence = record;
    if (kind == "volume") volumes.push_back(record);
    if (kind == "problem" && record.value("where", "") == claims.evidence.value("id", ""))
      claims.problems.insert(std::string(line));
    if (kind == "item") {
      if (record.contains("digests")) {
        claims.items.push_back({findings, offset, line.size() + 1, 1});
        claims.with_likeness += tells_of_likeness(record) ? 1 : 0;
      } else {
        ++claims.without_digests;
      }
    }
    offset += line.size() + 1;
    return {};
  }));
  // Where the volume on the medium lies that each one's id begins with (worker/task.h).
  Json on_medium = Json::object();
  for (const Json& record : volumes)
    on_medium[record.value("id", "")] = {{"offset", record.at("offset")}, {"size", record.at("size")}};
  for (const Json& record : volumes) {
    const std::string id = record.value("id", "");
    const auto base = on_medium.find(std::string(base::medium_volume(id)));
    if (base != on_medium.end()) claims.volumes[id] = *base;
  }
  return claims;
}

// Which of them to read, drawn so that nobody can know beforehand.
Result<void> draw(std::vector<engine::LineSlice>& items, std::uint64_t sample) {
  if (sample >= items.size()) return {};
  for (std::size_t i = 0; i < sample; ++i) {
    std::uint64_t random = 0;
    if (RAND_bytes(reinterpret_cast<unsigned char*>(&random), sizeof random) != 1)
      return Error{ErrorCode::internal, "no random numbers", {}, {}};
    std::swap(items[i], items[i + random % (items.size() - i)]);
  }
  items.resize(static_cast<std::size_t>(sample));
  return {};
}

// What was read of the image.
struct Reading {
  Json media = Json::object();        // as the evidence's record would have it
  Json media_alone = Json::object();  // digests that took a reading of their own
  std::string blocks_file;
  std::vector<Json> failed;
  std::map<std::string, std::uint64_t> unchecked;  // reason -> items
  std::uint64_t ok = 0;
  std::vector<Json> problems;
  std::optional<Error> cannot_open;
};

Result<void> take(const Json& line, Reading& reading) {
  const std::string message = line.value("message", "");
  if (message == "media") reading.media_alone = line.value("digests", Json::object());
  if (message == "failed") reading.cannot_open = Error{ErrorCode::corrupt, line.value("detail", ""), {}, {}};
  if (line.value("record", "") == "problem") reading.problems.push_back(line);
  if (message != "reread") return {};
  const std::string status = line.value("status", "");
  if (status == "ok") ++reading.ok;
  if (status == "not checked") ++reading.unchecked[line.value("detail", "")];
  if (status == "failed") reading.failed.push_back(line);
  return {};
}

// The tasks of one reading: the medium stretch by stretch, and between them the items.
class Tasks {
 public:
  Tasks(const std::string& id, const Claims& claims, engine::SweepPlan& plan) : id_(id), claims_(claims), plan_(plan) {
    const Json digests = claims.evidence.value("digests", Json::object());
    for (const auto& [name, digest] : digests.items()) (hash::can_chain(name) ? chained_ : alone_).push_back(name);
    alone_due_ = !alone_.empty();
  }

  std::optional<engine::Task> next() {
    std::optional<engine::Task> task;
    if (alone_due_) {
      alone_due_ = false;
      task = bare("media", "media");
      task->arguments["digests"] = alone_;
      return task;
    }
    turn_ = !turn_;
    task = turn_ ? next_stretch() : next_items();
    return task ? std::move(task) : turn_ ? next_items() : next_stretch();
  }

 private:
  engine::Task bare(const std::string& name, const char* role) const {
    engine::Task task;
    task.id = id_ + "." + name;
    task.role = role;
    task.stage = "read";
    task.evidence = task.subject = id_;
    return task;
  }

  std::optional<engine::Task> next_stretch() {
    auto task = plan_.next();
    if (task) {
      task->stage = "read";
      task->arguments["chain"]["digests"] = chained_;
    }
    return task;
  }

  std::optional<engine::Task> next_items() {
    if (first_item_ >= claims_.items.size()) return std::nullopt;
    engine::Task task = bare("reread." + std::to_string(first_item_), "reread");
    task.arguments["volumes"] = claims_.volumes;
    const auto end = std::min<std::size_t>(first_item_ + items_per_task, claims_.items.size());
    task.input.assign(claims_.items.begin() + static_cast<std::ptrdiff_t>(first_item_),
                      claims_.items.begin() + static_cast<std::ptrdiff_t>(end));
    first_item_ = end;
    return task;
  }

  std::string id_;
  const Claims& claims_;
  engine::SweepPlan& plan_;
  std::vector<std::string> chained_, alone_;
  bool alone_due_ = false, turn_ = false;
  std::size_t first_item_ = 0;
};

Result<Reading> read_image(Session& session, const std::string& id, const Claims& claims) {
  Reading reading;
  const std::uint64_t size = claims.evidence.value("size", std::uint64_t{0});
  if (size == 0) return reading;
  const std::string& folder = session.folder();
  engine::SweepPlan plan(folder, id, size, 0);
  EXHIBIT_TRY(plan.finish());
  auto medium = EXHIBIT_TRY(engine::Medium::create(folder + "/" + id + ".blocks", id, size));
  Tasks tasks(id, claims, plan);
  EXHIBIT_TRY(session.execute([&] { return tasks.next(); },
                              [&](const engine::Task& task, std::string_view text) -> Result<void> {
                                const Json line = EXHIBIT_TRY(base::parse_json(text));
                                if (line.value("message", "") != "chain") return take(line, reading);
                                const Json& stretch = task.arguments.at("stretch");
                                return medium.take(stretch.at(0).get<std::uint64_t>(),
                                                   stretch.at(1).get<std::uint64_t>(), line);
                              }));
  reading.media["digests"] = reading.media_alone;
  std::vector<std::string> wanted;
  const Json digests = claims.evidence.value("digests", Json::object());
  for (const auto& [name, digest] : digests.items()) wanted.push_back(name);
  EXHIBIT_TRY(medium.finish(reading.media, wanted));
  reading.blocks_file = medium.blocks_file();
  reading.problems.insert(reading.problems.end(), medium.problems().begin(), medium.problems().end());
  return reading;
}

// Media ranges [offset, end) of the blocks that differ from those that were digested when the case was processed.
std::vector<std::pair<std::uint64_t, std::uint64_t>> differing_blocks(const std::string& before, const std::string& now,
                                                                      std::uint64_t block_size) {
  std::vector<std::pair<std::uint64_t, std::uint64_t>> ranges;
  for (std::size_t i = 0; i * digest_size < std::max(before.size(), now.size()); ++i) {
    if (before.compare(std::min(before.size(), i * digest_size), digest_size, now,
                       std::min(now.size(), i * digest_size), digest_size) == 0)
      continue;
    ranges.emplace_back(i * block_size, (i + 1) * block_size);
  }
  return ranges;
}

// Where in an item's content, and where on the medium, the first byte can stand that differs.
std::string place_of(const Json& failed, const std::vector<std::pair<std::uint64_t, std::uint64_t>>& blocks) {
  for (const Json& place : failed.value("places", Json::array())) {
    const std::uint64_t start = place.at(0).get<std::uint64_t>(), end = start + place.at(1).get<std::uint64_t>();
    for (const auto& [block_start, block_end] : blocks) {
      const std::uint64_t from = std::max(start, block_start), to = std::min(end, block_end);
      if (from >= to) continue;
      const std::uint64_t within = place.at(2).get<std::uint64_t>() + (from - start);
      return "; it differs between offset " + std::to_string(within) + " and " + std::to_string(within + to - from) +
             " of the content (media offset " + std::to_string(from) + " to " + std::to_string(to) + ")";
    }
  }
  const Json places = failed.value("places", Json::array());
  return places.empty()
             ? ""
             : "; its content begins at media offset " + std::to_string(places[0].at(0).get<std::uint64_t>());
}

void check_media(const Claims& claims, const Reading& reading, CheckList& list) {
  const Json claimed = claims.evidence.value("digests", Json::object());
  if (claimed.empty()) {
    list.not_checked("media digests",
                     "the findings claim none (integrity: " + claims.evidence.value("integrity", "") + ")");
  } else {
    list.expect(reading.media.value("digests", Json::object()) == claimed, "media digests",
                std::to_string(claimed.size()) + " digests of the whole medium",
                reading.media.contains("digests") ? "the image's digests aren't those of the findings"
                                                  : "the image can't be read whole");
  }
  const std::string root = claims.evidence.value("block_root", "");
  if (root.empty()) {
    list.not_checked("block_root", "the findings claim none");
  } else {
    list.expect(reading.media.value("block_root", "") == root, "block_root",
                "the blocks' tree has the root that is claimed", "the blocks' tree has another root");
  }
}

void check_blocks(const std::vector<std::pair<std::uint64_t, std::uint64_t>>& differing, CheckList& list) {
  for (std::size_t i = 0; i < differing.size() && i < most_named; ++i) {
    list.failed("media block", "differs at media offset " + std::to_string(differing[i].first) + " to " +
                                   std::to_string(differing[i].second));
  }
}

void check_items(const Claims& claims, const Reading& reading,
                 const std::vector<std::pair<std::uint64_t, std::uint64_t>>& differing, const std::string& id,
                 manifest::Checks& checks) {
  for (const Json& failed : reading.failed) {
    CheckList(checks, failed.value("item", ""))
        .failed("item content", failed.value("detail", "") + place_of(failed, differing));
  }
  CheckList list(checks, id);
  for (const Json& problem : reading.problems) {
    const std::string what =
        problem.value("where", "") + ": " + problem.value("cause", "") + ": " + problem.value("detail", "");
    if (claims.problems.contains(base::canonical(problem))) {
      list.not_checked("reading", "damaged as the findings say: " + what);
    } else if (!claims.knows_problems) {
      list.not_checked("reading", "damaged, and what the findings say of that isn't disclosed: " + what);
    } else {
      list.failed("reading", what);
    }
  }
  std::uint64_t answered = reading.ok + reading.failed.size();
  for (const auto& [why, count] : reading.unchecked) answered += count;
  if (answered != claims.items.size()) {
    list.failed("item content", "of " + std::to_string(claims.items.size()) + " items only " +
                                    std::to_string(answered) + " were answered for");
  }
  if (reading.ok > 0) list.ok("item content", std::to_string(reading.ok) + " items read again by their extents");
  for (const auto& [why, count] : reading.unchecked)
    list.not_checked("item content", std::to_string(count) + " items: " + why);
  if (claims.with_likeness > 0) {
    list.not_checked("likeness", std::to_string(claims.with_likeness) +
                                     " items have digests of likeness (pdq, ssdeep, tlsh), which aren't made again");
  }
  if (claims.without_digests > 0)
    list.not_checked("item content", std::to_string(claims.without_digests) + " items claim no digest");
}

// The digests of the blocks as they were when the case was processed; believed only under the claimed root.
std::string believed_blocks(const CaseFolder& folder, const std::string& id, const Claims& claims) {
  const auto stored = folder.get(folder.blocks(id));
  const auto root = hash::BlockRoot::from_digests(stored.ok() ? *stored : std::string());
  const bool is_claimed = root.ok() && base::to_hex(*root) == claims.evidence.value("block_root", "");
  return is_claimed && stored.ok() ? *stored : std::string();
}

// Reads the image and compares. `blocks`: as believed_blocks has them; empty where there are none.
Result<void> compare(Session& session, const std::string& id, const Claims& claims, const std::string& blocks,
                     manifest::Checks& checks) {
  CheckList list(checks, id);
  const Reading reading = EXHIBIT_TRY(read_image(session, id, claims));
  if (reading.cannot_open) {
    list.failed("evidence", "the image can't be read: " + reading.cannot_open->message);
    return {};
  }
  check_media(claims, reading, list);
  const auto read = CaseFolder(session.folder()).get(reading.blocks_file);
  std::vector<std::pair<std::uint64_t, std::uint64_t>> differing;
  if (!blocks.empty() && read.ok())
    differing = differing_blocks(blocks, *read, claims.evidence.value("block_size", std::uint64_t{1} << 20));
  check_blocks(differing, list);
  check_items(claims, reading, differing, id, checks);
  return {};
}

Result<void> choose(Claims& claims, std::uint64_t sample, CheckList& list) {
  const std::size_t all = claims.items.size();
  EXHIBIT_TRY(draw(claims.items, sample));
  if (claims.items.size() < all) {
    list.not_checked("item content", std::to_string(all - claims.items.size()) + " items: only a sample was asked for");
  }
  return {};
}

// The lines of one exhibit's items that are disclosed, alone or with their volume.
std::set<std::string> disclosed_items(const manifest::Disclosure& disclosure, const std::string& id) {
  std::set<std::string> lines;
  const auto take = [&](const std::string& line) {
    const auto record = base::parse_json(line);
    if (record.ok() && record->value("record", "") == "item") lines.insert(line);
  };
  for (const auto& item : disclosure.items) {
    if (item.evidence == id) take(item.records.front().salted.line);
  }
  for (const auto& volume : disclosure.volumes) {
    if (volume.evidence != id) continue;
    for (const auto& record : volume.records) take(record.line);
  }
  return lines;
}

// What the manifest claims of the medium and the disclosure of its items. Their extents count from their volumes, which
// need not be disclosed: those are where the image itself has them.
Result<Claims> disclosed_claims(Session& session, const verify::DisclosureReport& report, const std::string& id,
                                CheckList& list) {
  Claims claims;
  claims.knows_problems = false;
  for (const manifest::EvidenceClaim& claim : report.manifest->evidence) {
    if (claim.id == id) claims.evidence = manifest::media_claims(claim);
  }
  EXHIBIT_TRY(session.execute({.digests = {}, .walk = false}));
  for (const auto& volume : session.run().volumes(id))
    claims.volumes[volume.id] = {{"offset", volume.offset}, {"size", volume.size}};
  const std::string file = session.folder() + "/disclosed.jsonl";
  std::string bytes;
  std::uint64_t without_volume = 0;
  for (const std::string& line : disclosed_items(*report.disclosure, id)) {
    const Json record = EXHIBIT_TRY(base::parse_json(line));
    if (!record.contains("digests")) {
      ++claims.without_digests;
    } else if (!claims.volumes.contains(record.value("volume", ""))) {
      ++without_volume;
    } else {
      claims.items.push_back({file, bytes.size(), line.size() + 1, 1});
      claims.with_likeness += tells_of_likeness(record) ? 1 : 0;
      bytes += line + "\n";
    }
  }
  EXHIBIT_TRY(CaseFolder(session.folder()).put(file, bytes));
  if (without_volume > 0) {
    list.not_checked("item content", std::to_string(without_volume) +
                                         " items: where their volume lies isn't disclosed, nor found in the image");
  }
  return claims;
}

// None, with the reason among the checks, where the image can't be opened.
std::unique_ptr<Session> open_image(RunSettings settings, const std::string& id, const std::string& image,
                                    CheckList& list) {
  settings.images = {image};
  settings.evidence_ids = {id};
  std::erase_if(settings.unlock, [&](const Unlock& unlock) { return !unlock.volume.starts_with(id + "/"); });
  auto session = Session::open(settings);
  if (session.ok()) return session.take();
  list.failed("evidence", session.error().message);
  return nullptr;
}

}  // namespace

Result<void> check_evidence(const std::filesystem::path& target, const std::string& id, const std::string& image,
                            const RunSettings& settings, std::uint64_t sample, manifest::Checks& checks) {
  const CaseFolder folder(std::filesystem::is_directory(target) ? target.string() : target.parent_path().string());
  CheckList list(checks, id);
  auto claims = read_claims(folder.findings(id));
  if (!claims.ok() || claims->evidence.is_null()) {
    list.failed("evidence", "its findings can't be read");
    return {};
  }
  EXHIBIT_TRY(choose(*claims, sample, list));
  const auto session = open_image(settings, id, image, list);
  if (session == nullptr) return {};
  return compare(*session, id, *claims, believed_blocks(folder, id, *claims), checks);
}

Result<void> check_disclosed_evidence(const verify::DisclosureReport& report, const std::string& id,
                                      const std::string& image, const RunSettings& settings, std::uint64_t sample,
                                      manifest::Checks& checks) {
  CheckList list(checks, id);
  const bool holds = std::none_of(checks.begin(), checks.end(), [](const manifest::Check& check) {
    return check.status == manifest::Status::failed;
  });
  if (!holds || !report.manifest) {
    list.not_checked("evidence", "what the disclosure says doesn't hold, so the image isn't read for it");
    return {};
  }
  const auto session = open_image(settings, id, image, list);
  if (session == nullptr) return {};
  Claims claims = EXHIBIT_TRY(disclosed_claims(*session, report, id, list));
  EXHIBIT_TRY(choose(claims, sample, list));
  return compare(*session, id, claims, {}, checks);
}

}  // namespace exhibit::cmd
