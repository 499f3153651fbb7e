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

// A volume and whatever lies in it.
class Survey {
 public:
  // `base`: where on the medium the volumes lie that are told.
  Survey(Context& context, const Task& task, const volume::Range& base, Output& output)
      : context_(context), task_(task), base_(base), output_(output) {}

  void tell(const volume::Volume& volume) {
    // A gap may hold what was once a volume, but nothing tells where it began: it is scanned and carved, not walked.
    // What a skipped volume holds killed a worker; the volume itself is still there.
    const bool walkable = volume.kind != "gap" && volume.size > 0 && !task_.skips(volume.id);
    const volume::Holding* holding = nullptr;
    Json record = volume::to_record(volume);
    if (walkable) holding = look_into(volume, record);
    const bool is_asked = walkable && (holding == nullptr || !holding->replaces_filesystem);
    const bool has_filesystem = is_asked && describe_filesystem(volume, record);
    output_.record(record);
    Json message = {{"message", "volume"},           {"id", volume.id},
                    {"offset", volume.offset},       {"size", volume.size},
                    {"owned", ranges(volume.owned)}, {"tables", ranges(volume.tables)},
                    {"filesystem", has_filesystem},  {"rest", volume.kind == "gap" ? "gap" : "unallocated"}};
    if (holding != nullptr) {
      for (const Json& table : ranges(holding->tables)) message["tables"].push_back(table);
      message["held"] = ranges(holding->held);
    }
    output_.message(message);
    if (holding == nullptr) return;
    for (const volume::Inner& inner : holding->inner) tell(inner.volume);
  }

 private:
  Json arguments_for(const volume::Volume& volume) const {
    Json named = task_.arguments;
    named["volume"] = {{"id", volume.id}, {"offset", base_.offset}, {"size", base_.length}};
    return named;
  }

  // Its layer's share of the volume's record. nullptr: it can't be asked.
  const volume::Holding* look_into(const volume::Volume& volume, Json& record) {
    output_.touch(volume.id, 0);
    const auto holding = context_.holding(arguments_for(volume));
    if (!holding.ok()) {
      output_.problem({volume.id, "open", name_of(holding.error().code), {}, holding.error().message});
      return nullptr;
    }
    if (!(*holding)->layer.is_null()) record["layer"] = (*holding)->layer;
    for (const Error& error : (*holding)->problems)
      output_.problem({volume.id, "open", name_of(error.code), {}, error.message});
    return *holding;
  }

  // The file system's share of the volume's record. False: there is none that can be walked.
  bool describe_filesystem(const volume::Volume& volume, Json& record) {
    output_.touch(volume.id, 0);
    auto open = context_.open_volume(arguments_for(volume));
    auto filesystem = open.ok() ? (*open)->filesystem() : Result<filesystem::FileSystem*>(open.take_error());
    if (!filesystem.ok()) {
      output_.problem({volume.id, "open", name_of(filesystem.error().code), {}, filesystem.error().message});
      return false;
    }
    if (*filesystem == nullptr) return false;
    record["filesystem"] = filesystem::to_json((*filesystem)->description());
    if ((*filesystem)->description().local_times) record["time_zone"] = "local-unknown";
    return true;
  }

  Context& context_;
  const Task& task_;
  volume::Range base_;
  Output& output_;
};

}  // namespace

Result<void> run_survey(Context& context, const Task& task, Output& output) {
  image::Image* media = EXHIBIT_TRY(context.image(task.arguments));
  const std::string id = task.arguments.at("evidence").get<std::string>();
  output.record(evidence_record(id, media->description()));
  for (const std::string& notice : media->description().notices) {
    output.problem({id, "open", name_of(ErrorCode::corrupt), {}, notice});
  }
  const auto volumes = EXHIBIT_TRY(volume::list_volumes(*media, media->description().sector_size, id, output));
  for (const volume::Volume& volume : volumes) Survey(context, task, {volume.offset, volume.size}, output).tell(volume);
  return {};
}

extern const Role survey_role;
const Role survey_role = {"survey", run_survey};

}  // namespace exhibit::worker
