// What lies at the candidates of a volume: for each, a message `found` of an object that its validator believes in.
//
// Input lines: {"runs":[[offset,length],…]} adds to the space at hand, in the volume's order; {"candidates":[[offset,
// signature, is an anchor],…]} are places in it; {"space":[offset,length],"candidates":…} is a space of its own.

#include <algorithm>

#include "carve/carver.h"
#include "hash/multi_digest.h"
#include "worker/carving.h"
#include "worker/found_batch.h"
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
  Carve(Context& context, const Task& task, OpenVolume& volume, Output& output)
      : context_(context),
        task_(task),
        volume_(volume),
        carving_(*context.carving),
        digests_(task.arguments.value("digests", std::vector<std::string>())),
        carver_(carving_.signatures, task.arguments.value("block", usual_block)),
        output_(output),
        room_(context.stretch_buffer.first(carve::Space::room_size + FoundBatch::room_size)),
        batch_(digests_, room_.subspan(carve::Space::room_size),
               [&](const carve::Found& found) { output_.message(to_message(found, carving_)); }) {}

  void take(const Json& line) {
    if (line.contains("runs")) {
      for (const Json& run : line.at("runs")) runs_.push_back(run_of(run));
      space_.reset();
      return;
    }
    if (line.contains("space")) {
      space_.reset();
      const carve::Space alone(volume_.bytes(), {run_of(line.at("space"))}, space_room());
      carver_.begin_space();
      carve_in(alone, line.at("candidates"));
      return;
    }
    if (!space_) {
      space_.emplace(volume_.bytes(), runs_, space_room());
      carver_.begin_space();
    }
    carve_in(*space_, line.at("candidates"));
  }

  void finish() { batch_.finish(); }

 private:
  std::span<std::byte> space_room() const { return room_.first(carve::Space::room_size); }

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
      for (carve::Found& found : carver_.carve(space, {signature, *place, candidate.at(2) != 0})) {
        if (skips_doubt(found)) continue;
        if (spans_doubt(found)) found.tier = std::min(found.tier, carve::Tier::plausible);
        const auto content = found.tier >= carving_.least ? examine(space, found) : std::span<const std::byte>();
        batch_.add(std::move(found), content);
      }
      tell_unreadable(space, offset);
      tell_left_out(offset);
    }
  }

  bool is_doubted(std::uint64_t begin, std::uint64_t end) {
    return begin < end && !volume_.bytes().doubts(begin, end - begin).empty();
  }

  // Zeros stand for bytes that can't be read: whatever a validator made of them is proved by nothing, and that they
  // don't look like the object doesn't tell of a gap.
  bool spans_doubt(const carve::Found& found) {
    return std::any_of(found.extents.begin(), found.extents.end(), [&](const Extent& extent) {
      const auto begin = static_cast<std::uint64_t>(extent.offset);
      return is_doubted(begin, begin + extent.length);
    });
  }
  bool skips_doubt(const carve::Found& found) {
    const auto doubted = [&](const Extent& before, const Extent& behind) {
      const std::uint64_t end = static_cast<std::uint64_t>(before.offset) + before.length;
      return is_doubted(end, static_cast<std::uint64_t>(behind.offset));
    };
    return found.is_joined &&
           std::adjacent_find(found.extents.begin(), found.extents.end(), doubted) != found.extents.end();
  }

  // Digests and type, while the bytes are at hand: in a packed image reading them again costs more than all the rest.
  // What rules are to scan, what may be like a set's, or what isn't whole, is examined as any other item. The bytes of
  // which digests are still to be made; none: they are made, or nothing is known.
  std::span<const std::byte> examine(const carve::Space& space, carve::Found& found) {
    if (context_.rules != nullptr || digests_.empty() || found.size == 0) return {};
    const std::span<std::byte> room = batch_.room(found.size);
    if (room.empty()) {
      examine_alone(space, found);
      return {};
    }
    std::size_t filled = 0;
    const bool is_whole = for_each_part(space, found, [&](std::span<const std::byte> part) {
      std::copy_n(part.begin(), std::min(part.size(), room.size() - filled), room.begin() + filled);
      filled += std::min(part.size(), room.size() - filled);
    });
    if (!is_whole || filled < room.size()) return {};
    tell_type(room.first(std::min(room.size(), match::TypeDetector::head_size)), found);
    return found.type.empty() ? std::span<const std::byte>() : room;
  }

  // The same for what is too long to be held.
  void examine_alone(const carve::Space& space, carve::Found& found) {
    auto digest = hash::MultiDigest::create(digests_);
    if (!digest.ok()) return;
    std::vector<std::byte> head;
    const bool is_whole = for_each_part(space, found, [&](std::span<const std::byte> part) {
      digest->update(part);
      const auto more = part.first(std::min(part.size(), match::TypeDetector::head_size - head.size()));
      head.insert(head.end(), more.begin(), more.end());
    });
    if (!is_whole) return;
    tell_type(head, found);
    if (!found.type.empty()) found.digests = digest->finish();
  }

  // None where libmagic has none, or where it is asked what the content is like: then it is examined as an item.
  void tell_type(std::span<const std::byte> head, carve::Found& found) {
    found.type = context_.types->type_of(head);
    if (match::is_perceived(found.type, context_.perceived)) found.type.clear();
  }

  // The object's bytes, one part after the other. False: some can't be had, or aren't sound.
  template <typename Take>
  bool for_each_part(const carve::Space& space, const carve::Found& found, const Take& take) {
    for (const Extent& extent : found.extents) {
      const auto begin = static_cast<std::uint64_t>(extent.offset);
      const auto place = space.place(begin);
      for (std::uint64_t done = 0; done < extent.length;) {
        const auto bytes = place ? std::as_bytes(space.at(*place + done, 1)) : std::span<const std::byte>();
        const auto part = bytes.first(std::min<std::uint64_t>(bytes.size(), extent.length - done));
        if (part.empty()) return false;
        take(part);
        done += part.size();
      }
      if (!volume_.bytes().doubts(begin, extent.length).empty()) return false;
    }
    return true;
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

  // Each once: of what follows, some may be left out as well.
  void tell_left_out(std::uint64_t offset) {
    const auto tell = [&](bool is_so, bool& is_told, const char* what) {
      if (is_so && !std::exchange(is_told, true))
        output_.problem({volume_.id(), "carve", exhibit::name_of(ErrorCode::size_limit), {{offset, 1}}, what});
    };
    tell(carver_.has_left_out(), is_left_out_told_,
         "too many objects that claim the bytes of others of their kind; not all of them are looked at");
    tell(carver_.has_left_apart(), is_left_apart_told_,
         "too many objects that look like a first fragment; not all of them are put together");
  }

  Context& context_;
  const Task& task_;
  OpenVolume& volume_;
  const Carving& carving_;
  std::vector<std::string> digests_;  // wanted of an object
  carve::Carver carver_;
  Output& output_;
  std::vector<carve::Run> runs_;
  // One memory for the space and for what was found in it.
  std::span<std::byte> room_;
  std::optional<carve::Space> space_;
  FoundBatch batch_;
  bool is_told_ = false, is_left_out_told_ = false, is_left_apart_told_ = false;
};

}  // namespace

Result<void> run_carve(Context& context, const Task& task, Output& output) {
  OpenVolume* volume = EXHIBIT_TRY(context.open_volume(task.arguments));
  if (context.carving == nullptr) return Error{ErrorCode::internal, "no signatures were loaded", {}, {}};
  Carve carve(context, task, *volume, output);
  while (const base::RecordLine* line = task.next_record()) carve.take(EXHIBIT_TRY(base::parse_json(line->text())));
  carve.finish();
  return {};
}

extern const Role carve_role;
const Role carve_role = {"carve", run_carve};

}  // namespace exhibit::worker
