// What lies at the candidates of a volume: for each, a message `found` of an object that its validator believes in.
//
// Input lines: {"runs":[[offset,length],…]} adds to the space at hand, in the volume's order; {"candidates":[[offset,
// signature, is an anchor],…]} are places in it; {"space":[offset,length],"candidates":…} is a space of its own.

#include "carve/carver.h"
#include "worker/carving.h"
#include "worker/task.h"

namespace exhibit::worker {
namespace {

using base::Json;

// An object may be as long as its format allows; how long its validation may take is told by this much content.
constexpr std::uint64_t bytes_of_a_candidate = std::uint64_t{256} << 20;
constexpr std::uint64_t usual_block = 4096;  // bytes; where no file system says what its allocation unit is

carve::Run run_of(const Json& value) { return {value.at(0).get<std::uint64_t>(), value.at(1).get<std::uint64_t>()}; }

class Carve {
 public:
  Carve(const Task& task, OpenVolume& volume, const Carving& carving, std::uint64_t block, Output& output)
      : task_(task), volume_(volume), carving_(carving), carver_(carving.signatures, block), output_(output) {}

  void take(const Json& line) {
    if (line.contains("runs")) {
      for (const Json& run : line.at("runs")) runs_.push_back(run_of(run));
      space_.reset();
      return;
    }
    if (line.contains("space")) {
      const carve::Space alone(volume_.bytes(), {run_of(line.at("space"))});
      carver_.begin_space();
      carve_in(alone, line.at("candidates"));
      return;
    }
    if (!space_) {
      space_.emplace(volume_.bytes(), runs_);
      carver_.begin_space();
    }
    carve_in(*space_, line.at("candidates"));
  }

 private:
  void carve_in(const carve::Space& space, const Json& candidates) {
    for (const Json& candidate : candidates) {
      const auto offset = candidate.at(0).get<std::uint64_t>();
      const auto signature = candidate.at(1).get<std::uint32_t>();
      const auto place = space.place(offset);
      if (!place || signature >= carving_.signatures.size()) continue;
      // The coordinator makes a problem's `where` and `extent` of it.
      const std::string object =
          volume_.id() + "#" + std::to_string(offset) + "-1 " + carving_.signatures[signature].name;
      if (task_.skips(object)) continue;
      output_.touch(object, bytes_of_a_candidate);
      for (const carve::Found& found : carver_.carve(space, {signature, *place, candidate.at(2) != 0})) {
        output_.message(to_message(found, carving_));
      }
      tell_unreadable(space, offset);
    }
  }

  void tell_unreadable(const carve::Space& space, std::uint64_t offset) {
    if (!space.unreadable() || is_told_) return;
    is_told_ = true;
    output_.problem({volume_.id(),
                     "carve",
                     exhibit::name_of(space.unreadable()->code),
                     {{offset, 1}},
                     "what lies behind can't be read: " + space.unreadable()->message});
  }

  const Task& task_;
  OpenVolume& volume_;
  const Carving& carving_;
  carve::Carver carver_;
  Output& output_;
  std::vector<carve::Run> runs_;
  std::optional<carve::Space> space_;
  bool is_told_ = false;
};

}  // namespace

Result<void> run_carve(Context& context, const Task& task, Output& output) {
  OpenVolume* volume = EXHIBIT_TRY(context.open_volume(task.arguments));
  if (context.carving == nullptr) return Error{ErrorCode::internal, "no signatures were loaded", {}, {}};
  Carve carve(task, *volume, *context.carving, task.arguments.value("block", usual_block), output);
  while (const base::RecordLine* line = task.next_record()) carve.take(EXHIBIT_TRY(base::parse_json(line->text())));
  return {};
}

extern const Role carve_role;
const Role carve_role = {"carve", run_carve};

}  // namespace exhibit::worker
