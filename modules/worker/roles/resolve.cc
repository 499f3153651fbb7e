// Which of a volume's found objects stand: one item record for each. Input: the messages `found`, in order of `place`.

#include "carve/resolve.h"

#include "base/record.h"
#include "worker/carving.h"
#include "worker/task.h"

namespace exhibit::worker {
namespace {

std::uint64_t first_byte(const carve::Found& found) { return static_cast<std::uint64_t>(found.extents.front().offset); }

std::string id_of(const carve::Found& found, const std::string& volume) {
  return volume + "/c" + std::to_string(first_byte(found)) + "-" + std::to_string(found.size);
}

// `parent`: the id of the object that it lies in; empty: none.
std::string item_line(const carve::Found& found, const std::string& parent, const std::string& volume,
                      const Carving& carving) {
  Item item;
  item.id = item.content = id_of(found, volume);
  item.volume = volume;
  item.path = "/carved/" + std::to_string(first_byte(found)) + "." + found.extension;
  item.state = ItemState::carved;
  item.size = found.size;
  item.extents = found.extents;
  item.doubt = found.doubts;
  item.tier = name_of(found.tier);
  item.digests = found.digests;
  if (!found.type.empty()) item.type = found.type;
  const std::string text = base::to_line(item);
  base::RecordLine line;
  EXHIBIT_CHECK(line.read(text));
  std::vector<std::pair<std::string_view, std::string>> members;
  if (!parent.empty()) members.emplace_back("parent", base::canonical(parent));
  members.emplace_back("signature", base::canonical(carving.signatures[found.signature].name));
  return base::with_members(line, members);
}

}  // namespace

Result<void> run_resolve(Context& context, const Task& task, Output& output) {
  if (context.carving == nullptr) return Error{ErrorCode::internal, "no signatures were loaded", {}, {}};
  const Carving& carving = *context.carving;
  const std::string volume = task.arguments.at("volume").at("id").get<std::string>();
  carve::Resolver resolver(carving.signatures, carving.least);
  const auto tell = [&](const std::vector<carve::Standing>& group) {
    for (const carve::Standing& standing : group) {
      const std::string parent = standing.parent ? id_of(group[*standing.parent].found, volume) : std::string();
      output.line(item_line(standing.found, parent, volume, carving));
    }
  };
  while (const base::RecordLine* line = task.next_record()) {
    output.touch(volume, 0);
    resolver.take(EXHIBIT_TRY(found_from_message(EXHIBIT_TRY(base::parse_json(line->text())), carving)), tell);
  }
  resolver.finish(tell);
  return {};
}

extern const Role resolve_role;
const Role resolve_role = {"resolve", run_resolve};

}  // namespace exhibit::worker
