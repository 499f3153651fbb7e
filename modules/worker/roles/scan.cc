// Rules over the bytes that belong to no item: unallocated space, slack, gaps, metadata. Each run is scanned as if it
// were a file; offsets of matches are the volume's.

#include "base/record.h"
#include "volume/volumes.h"
#include "worker/task.h"

namespace exhibit::worker {
namespace {

using base::Json;

struct Region {
  std::uint64_t offset = 0, length = 0;
  std::string byte_class;
};

void tell(const Region& region, const std::string& volume, const match::ScanResult& scanned, Output& output) {
  for (Match match : scanned.matches) {
    match.item = volume;
    match.region = region.byte_class;
    for (MatchPlace& place : match.where) place.offset += region.offset;
    Json line = base::to_record(match);
    if (scanned.windowed)
      line["windows"] = {{"size", match::RuleScanner::window_size}, {"overlap", match::RuleScanner::overlap}};
    output.record(line);
  }
  for (const auto& trouble : scanned.troubles) {
    output.problem({volume, "scan", trouble.cause, {{region.offset, region.length}}, trouble.detail});
  }
}

}  // namespace

Result<void> run_scan(Context& context, const Task& task, Output& output) {
  OpenVolume* volume = EXHIBIT_TRY(context.open_volume(task.arguments));
  if (context.rules == nullptr) return Error{ErrorCode::internal, "no rules were loaded", {}, {}};
  for (const Json& value : task.arguments.at("regions")) {
    const Region region{value.at("offset").get<std::uint64_t>(), value.at("length").get<std::uint64_t>(),
                        value.value("class", "")};
    // An object that is a stretch of a volume: the coordinator turns it into a problem's `where` and `extent`.
    const std::string object = volume->id() + "#" + std::to_string(region.offset) + "-" + std::to_string(region.length);
    if (task.skips(object)) continue;
    output.touch(object, region.length);
    const auto bytes = volume::slice(volume->bytes(), region.offset, region.length);
    auto scanned = context.rules->scan(*bytes, [](auto) {});
    if (!scanned.ok()) {
      const Error& error = scanned.error();
      output.problem({volume->id(), "scan", name_of(error.code), {{region.offset, region.length}}, error.message});
      continue;
    }
    tell(region, volume->id(), *scanned, output);
  }
  return {};
}

extern const Role scan_role;
const Role scan_role = {"scan", run_scan};

}  // namespace exhibit::worker
