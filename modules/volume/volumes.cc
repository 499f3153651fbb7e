#include "volume/volumes.h"

#include <algorithm>

#include "base/checked.h"
#include "volume/table.h"

namespace exhibit::volume {
namespace {

std::string sectors_text(std::uint64_t offset) { return "byte " + std::to_string(offset); }

// A partition laid over the medium: [offset, offset + size) lies within it, or size is 0.
Volume laid_out(const Entry& entry, const std::string& scheme, std::uint64_t media_size) {
  Volume volume;
  volume.kind = "partition";
  volume.scheme = scheme;
  volume.slot = entry.slot;
  volume.label = entry.label;
  volume.type = entry.type;
  volume.offset = entry.offset;
  volume.size = entry.offset >= media_size ? 0 : std::min(entry.length, media_size - entry.offset);
  return volume;
}

std::vector<Volume> lay_out(const Table& table, std::uint64_t media_size, const Complaint& complain) {
  std::vector<Volume> partitions;
  for (const Entry& entry : table.entries) {
    partitions.push_back(laid_out(entry, table.scheme, media_size));
    if (partitions.back().size == entry.length) continue;
    complain(entry.offset, entry.length,
             "a partition from " + sectors_text(entry.offset) + " of " + std::to_string(entry.length) +
                 " bytes reaches past the medium's end at " + std::to_string(media_size) + "; " +
                 std::to_string(partitions.back().size) + " bytes of it are there");
  }
  std::stable_sort(partitions.begin(), partitions.end(),
                   [](const Volume& a, const Volume& b) { return a.offset < b.offset; });
  return partitions;
}

void number(std::vector<Volume>& volumes, const std::string& evidence, const std::string& prefix, std::uint64_t from) {
  for (Volume& volume : volumes) {
    volume.parent = evidence;
    volume.id = evidence;
    volume.id.append("/").append(prefix).append(std::to_string(from++));
  }
}

void tell_overlaps(const std::vector<Volume>& partitions, const Complaint& complain) {
  const Volume* widest = nullptr;  // of those so far, the one that reaches furthest
  for (const Volume& volume : partitions) {
    if (volume.size == 0) continue;
    const std::uint64_t end = volume.offset + volume.size;
    if (widest != nullptr && volume.offset < widest->offset + widest->size) {
      complain(volume.offset, std::min(end, widest->offset + widest->size) - volume.offset,
               "partitions overlap: " + widest->id + " and " + volume.id);
    }
    if (widest == nullptr || end > widest->offset + widest->size) widest = &volume;
  }
}

std::vector<Volume> gaps_between(const std::vector<Volume>& partitions, const std::string& scheme,
                                 std::uint64_t media_size) {
  std::vector<Volume> gaps;
  std::uint64_t covered = 0;
  const auto close_gap = [&](std::uint64_t end) {
    if (end <= covered) return;
    Volume gap;
    gap.kind = "gap";
    gap.scheme = scheme;
    gap.offset = covered;
    gap.size = end - covered;
    gaps.push_back(std::move(gap));
  };
  for (const Volume& volume : partitions) {
    if (volume.size == 0) continue;
    close_gap(volume.offset);
    covered = std::max(covered, volume.offset + volume.size);
  }
  close_gap(media_size);
  return gaps;
}

// Sorted, without overlaps, relative to the volume.
std::vector<Range> tables_within(const Volume& volume, std::vector<Range> tables) {
  std::sort(tables.begin(), tables.end(), [](const Range& a, const Range& b) { return a.offset < b.offset; });
  std::vector<Range> found;
  const std::uint64_t volume_end = volume.offset + volume.size;
  for (const Range& table : tables) {
    const std::uint64_t table_end = base::checked_add(table.offset, table.length).value_or(UINT64_MAX);
    std::uint64_t from = std::max(table.offset, volume.offset);
    const std::uint64_t to = std::min(table_end, volume_end);
    if (!found.empty()) from = std::max(from, volume.offset + found.back().offset + found.back().length);
    if (from >= to) continue;
    if (!found.empty() && found.back().offset + found.back().length == from - volume.offset) {
      found.back().length += to - from;
    } else {
      found.push_back({from - volume.offset, to - from});
    }
  }
  return found;
}

// Volumes come by offset, so what those before one claim behind its start is one stretch.
void share_out(std::vector<Volume>& volumes) {
  std::uint64_t claimed = 0;
  for (Volume& volume : volumes) {
    const std::uint64_t end = volume.offset + volume.size;
    const std::uint64_t from = std::max(volume.offset, claimed);
    if (from < end) volume.owned.push_back({from - volume.offset, end - from});
    if (volume.size > 0) claimed = std::max(claimed, end);
  }
}

Volume unpartitioned(const std::string& evidence, std::uint64_t size) {
  Volume volume;
  volume.id = evidence + "/p0";
  volume.parent = evidence;
  volume.kind = "unpartitioned";
  volume.scheme = "none";
  volume.size = size;
  if (size > 0) volume.owned.push_back({0, size});
  return volume;
}

}  // namespace

Result<std::vector<Volume>> list_volumes(ByteSource& media, std::uint32_t sector_size, const std::string& evidence,
                                         base::Reporter& reporter) {
  const Complaint complain = [&](std::uint64_t offset, std::uint64_t length, const std::string& detail) {
    Problem problem;
    problem.where = evidence;
    problem.stage = "open";
    problem.cause = name_of(ErrorCode::corrupt);
    problem.extent = {offset, length};
    problem.detail = detail;
    reporter.problem(problem);
  };
  reporter.touch(evidence, 0);
  const Table table = EXHIBIT_TRY(find_table(media, sector_size, complain));
  if (table.scheme == "none") return std::vector<Volume>{unpartitioned(evidence, media.size())};

  std::vector<Volume> volumes = lay_out(table, media.size(), complain);
  number(volumes, evidence, "p", 1);
  tell_overlaps(volumes, complain);
  std::vector<Volume> gaps = gaps_between(volumes, table.scheme, media.size());
  number(gaps, evidence, "gap", 0);
  volumes.insert(volumes.end(), gaps.begin(), gaps.end());
  std::sort(volumes.begin(), volumes.end(),
            [](const Volume& a, const Volume& b) { return std::tie(a.offset, a.id) < std::tie(b.offset, b.id); });
  for (Volume& volume : volumes) volume.tables = tables_within(volume, table.tables);
  share_out(volumes);
  return volumes;
}

base::Json to_record(const Volume& volume) {
  base::Json record = {{"record", "volume"},  {"id", volume.id},         {"parent", volume.parent},
                       {"kind", volume.kind}, {"scheme", volume.scheme}, {"offset", volume.offset},
                       {"size", volume.size}};
  if (volume.slot) record["slot"] = *volume.slot;
  if (volume.label) record["label"] = *volume.label;
  if (volume.type) record["type"] = *volume.type;
  if (volume.transform) record["transform"] = *volume.transform;
  if (volume.facts.is_object()) record.update(volume.facts);
  return record;
}

}  // namespace exhibit::volume
