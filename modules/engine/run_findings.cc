// What a Run found, in canonical order.

#include <algorithm>

#include "engine/run.h"
#include "engine/run_state.h"

namespace exhibit::engine {
namespace {

// Findings' classes of bytes, as coverage names them (findings.md).
constexpr const char* byte_classes[] = {"allocated",   "deleted", "slack",     "metadata",
                                        "unallocated", "gap",     "unreadable"};

// The type that a volume's record tells, which a worker wrote.
std::string filesystem_of(const Json& volume) {
  const Json::json_pointer type("/filesystem/type");
  return volume.contains(type) && volume.at(type).is_string() ? volume.at(type).get<std::string>() : std::string();
}

}  // namespace

void add_numbers(Json& sum, const Json& more) {
  for (const auto& [key, value] : more.items()) {
    if (value.is_number_unsigned()) sum[key] = sum.value(key, std::uint64_t{0}) + value.get<std::uint64_t>();
  }
}

Json Run::evidence_coverage(const EvidenceState& evidence) const {
  Json bytes = Json::object(), examined = {{"hashed", 0U}, {"scanned", 0U}, {"carved", 0U}};
  for (const char* byte_class : byte_classes) bytes[byte_class] = std::uint64_t{0};
  for (const auto& volume : evidence.volumes) {
    if (volume->owned_coverage.is_null()) continue;
    add_numbers(bytes, volume->owned_coverage.at("bytes"));
    add_numbers(examined, volume->owned_coverage.at("examined"));
  }
  // What no volume's account tells of (it failed, or the survey did) was not read.
  std::uint64_t told = 0;
  for (const auto& [byte_class, count] : bytes.items()) told += count.get<std::uint64_t>();
  const std::uint64_t size = evidence.record.value("size", std::uint64_t{0});
  if (told < size) add_numbers(bytes, {{"unreadable", size - told}});
  return {{"record", "coverage"}, {"where", evidence.files->id}, {"bytes", bytes}, {"examined", examined}};
}

Result<void> Run::write_survey(const std::string& evidence_id, const LineCall& write) {
  const EvidenceState& evidence = *evidence_.at(evidence_id);
  EXHIBIT_TRY(write(base::canonical(evidence.record)));
  for (const auto& volume : evidence.volumes) {
    EXHIBIT_TRY(write(base::canonical(volume->record)));
    EXHIBIT_TRY(evidence.findings->for_each(volume->id, FindingsSorter::Part::own, write));
  }
  EXHIBIT_TRY(evidence.findings->for_each(evidence_id, FindingsSorter::Part::own, write));
  return {};
}

Result<Counts> Run::write(const std::string& evidence_id, const LineCall& write) {
  using Part = FindingsSorter::Part;
  const EvidenceState& evidence = *evidence_.at(evidence_id);
  const Given* given = options_.given;
  Counts counts;
  const auto write_part = [&](const std::string& id, Part part) -> Result<void> {
    const Counts more = EXHIBIT_TRY(evidence.findings->for_each(id, part, write));
    counts.items += more.items;
    counts.matches += more.matches;
    counts.problems += more.problems;
    return {};
  };
  if (given == nullptr) {
    EXHIBIT_TRY(write(base::canonical(evidence.record)));
  } else if (const auto found = given->evidence.find(evidence_id); found != given->evidence.end()) {
    EXHIBIT_TRY(write(base::canonical(found->second)));
  }
  std::vector<const VolumeState*> volumes;
  for (const auto& volume : evidence.volumes) volumes.push_back(volume.get());
  std::sort(volumes.begin(), volumes.end(), [](const VolumeState* a, const VolumeState* b) {
    return std::pair(a->plan.at("offset").get<std::uint64_t>(), a->id) <
           std::pair(b->plan.at("offset").get<std::uint64_t>(), b->id);
  });
  for (const VolumeState* volume : volumes) {
    const Json& record = given != nullptr ? given->volumes.at(volume->id).record : volume->record;
    if (!record.is_null()) EXHIBIT_TRY(write(base::canonical(record)));
    EXHIBIT_TRY(write_part(volume->id, Part::items));
    EXHIBIT_TRY(write_part(volume->id, Part::own));
    if (volume->coverage.is_null()) continue;
    Json coverage = volume->coverage;
    if (volume->unchanged) coverage["unchanged"] = *volume->unchanged;
    EXHIBIT_TRY(write(base::canonical(coverage)));
  }
  EXHIBIT_TRY(write_part(evidence_id, Part::own));
  const bool whole = given == nullptr || given->coverage.contains(evidence_id);
  if (whole && !options_.account && given != nullptr)
    EXHIBIT_TRY(write(base::canonical(given->coverage.at(evidence_id))));
  if (whole && options_.account) EXHIBIT_TRY(write(base::canonical(evidence_coverage(evidence))));
  return counts;
}

std::vector<Run::Volume> Run::volumes(const std::string& evidence_id) const {
  std::vector<Volume> volumes;
  for (const auto& state : evidence_.at(evidence_id)->volumes) {
    volumes.push_back({state->id, state->place.at("offset").get<std::uint64_t>(),
                       state->place.at("size").get<std::uint64_t>(), state->plan.at("size").get<std::uint64_t>(),
                       filesystem_of(state->record), state->account});
  }
  return volumes;
}

std::string Run::integrity(const std::string& evidence_id) const {
  const Json& record = evidence_.at(evidence_id)->record;
  return record.is_object() ? record.value("integrity", "") : "";
}

std::string Run::blocks_file(const std::string& evidence_id) const { return evidence_.at(evidence_id)->blocks_file; }

}  // namespace exhibit::engine
