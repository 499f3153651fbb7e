// What lies in an image: the evidence record, its volumes, their file systems. Reads no content.

#include "volume/volumes.h"
#include "worker/task.h"

namespace exhibit::worker {
namespace {

using base::Json;

Json evidence_record(const std::string& id, const image::ImageDescription& description) {
  Json record = {{"record", "evidence"},
                 {"id", id},
                 {"format", description.format},
                 {"size", description.size},
                 {"sector_size", description.sector_size}};
  if (!description.stored_digests.empty()) record["stored_digests"] = description.stored_digests;
  if (!description.acquisition.empty()) record["acquisition"] = description.acquisition;
  return record;
}

Json ranges(const std::vector<volume::Range>& ranges) {
  Json out = Json::array();
  for (const auto& range : ranges) out.push_back({range.offset, range.length});
  return out;
}

// The file system's share of the volume's record. False: there is none that can be walked.
bool describe_filesystem(Context& context, const volume::Volume& volume, const Json& arguments, Json& record,
                         Output& output) {
  output.touch(volume.id, 0);
  Json named = arguments;
  named["volume"] = {{"id", volume.id}, {"offset", volume.offset}, {"size", volume.size}};
  auto open = context.open_volume(named);
  auto filesystem = open.ok() ? (*open)->filesystem() : Result<filesystem::FileSystem*>(open.take_error());
  if (!filesystem.ok()) {
    output.problem({volume.id, "open", name_of(filesystem.error().code), {}, filesystem.error().message});
    return false;
  }
  if (*filesystem == nullptr) return false;
  record["filesystem"] = filesystem::to_json((*filesystem)->description());
  if ((*filesystem)->description().local_times) record["time_zone"] = "local-unknown";
  return true;
}

void survey_volume(Context& context, const volume::Volume& volume, const Task& task, Output& output) {
  Json record = volume::to_record(volume);
  // A gap may hold what was once a volume, but nothing tells where it began: it is scanned and carved, not walked.
  // A skipped volume's file system killed a worker; the volume itself is still there.
  const bool walkable = volume.kind != "gap" && volume.size > 0 && !task.skips(volume.id);
  const bool has_filesystem = walkable && describe_filesystem(context, volume, task.arguments, record, output);
  output.record(record);
  output.message({{"message", "volume"},
                  {"id", volume.id},
                  {"offset", volume.offset},
                  {"size", volume.size},
                  {"owned", ranges(volume.owned)},
                  {"tables", ranges(volume.tables)},
                  {"filesystem", has_filesystem},
                  {"rest", volume.kind == "gap" ? "gap" : "unallocated"}});
}

}  // namespace

Result<void> run_survey(Context& context, const Task& task, Output& output) {
  image::Image* media = EXHIBIT_TRY(context.image(task.arguments));
  const std::string id = task.arguments.at("evidence").get<std::string>();
  output.record(evidence_record(id, media->description()));
  for (const std::string& notice : media->description().notices) {
    output.problem({id, "open", name_of(ErrorCode::corrupt), {}, notice});
  }
  const auto volumes = EXHIBIT_TRY(volume::list_volumes(*media, media->description().sector_size, id, output));
  for (const volume::Volume& volume : volumes) survey_volume(context, volume, task, output);
  return {};
}

extern const Role survey_role;
const Role survey_role = {"survey", run_survey};

}  // namespace exhibit::worker
