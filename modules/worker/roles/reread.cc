// A claim checked without the claimant: an item's content read again from its extents by plain reads of the medium,
// without The Sleuth Kit, and hashed. What can't be read that way is said to be unchecked, with the reason.

#include <algorithm>

#include "base/checked.h"
#include "base/record.h"
#include "base/volume_id.h"
#include "worker/task.h"

namespace exhibit::worker {
namespace {

using base::Json;

constexpr std::size_t read_size = std::size_t{1} << 20;

struct Answer {
  const char* status = "ok";  // ok, failed, not checked
  std::string detail;
};

// Why the claim can't be checked by plain reads; empty where it can.
std::string obstacle(const Item& item) {
  // A carved object's own doubt is about its format; its bytes are those that were digested.
  if (!item.doubt.empty() && item.state != ItemState::carved) return "its content is in doubt";
  if (item.transform && *item.transform != "resident") return "its content is transformed (" + *item.transform + ")";
  if (!item.extents) return "it has no extents";
  return {};
}

// No digest of the bytes alone: a picture's depends on its decoder.
bool tells_of_likeness(const std::string& digest) { return digest == "pdq" || digest == "ssdeep" || digest == "tlsh"; }

class Reader {
 public:
  Reader(ByteSource& media, std::uint64_t volume_offset, std::uint64_t volume_size)
      : media_(media), volume_offset_(volume_offset), volume_size_(volume_size), buffer_(read_size) {}

  // Feeds the extents' bytes, cut to `size`.
  Result<void> feed(const std::vector<Extent>& extents, std::uint64_t size, hash::MultiDigest& digests) {
    std::uint64_t left = size;
    for (const Extent& extent : extents) {
      const std::uint64_t length = std::min(left, extent.length);
      EXHIBIT_TRY(extent.offset == sparse_run ? zeros(length, digests)
                                              : bytes(static_cast<std::uint64_t>(extent.offset), length, digests));
      left -= length;
    }
    if (left > 0)
      return Error{ErrorCode::corrupt, "its extents end " + std::to_string(left) + " bytes before its size", {}, {}};
    return {};
  }

 private:
  Result<void> zeros(std::uint64_t length, hash::MultiDigest& digests) {
    std::fill(buffer_.begin(), buffer_.end(), std::byte{0});
    for (; length > 0; length -= std::min<std::uint64_t>(length, buffer_.size())) {
      digests.update(
          std::span(buffer_).first(static_cast<std::size_t>(std::min<std::uint64_t>(length, buffer_.size()))));
    }
    return {};
  }

  Result<void> bytes(std::uint64_t offset, std::uint64_t length, hash::MultiDigest& digests) {
    if (!base::within(offset, length, volume_size_))
      return Error{ErrorCode::corrupt, "an extent leaves its volume", {}, offset};
    while (length > 0) {
      const auto wanted = static_cast<std::size_t>(std::min<std::uint64_t>(length, buffer_.size()));
      const std::size_t got = EXHIBIT_TRY(media_.read_at(volume_offset_ + offset, std::span(buffer_).first(wanted)));
      if (got == 0) return Error{ErrorCode::io_error, "the medium ends within an extent", {}, offset};
      if (!media_.doubts(volume_offset_ + offset, got).empty()) {
        return Error{ErrorCode::io_error,
                     "the image is damaged at media offset " + std::to_string(volume_offset_ + offset),
                     {},
                     offset};
      }
      digests.update(std::span(buffer_).first(got));
      offset += got;
      length -= got;
    }
    return {};
  }

  ByteSource& media_;
  std::uint64_t volume_offset_, volume_size_;
  std::vector<std::byte> buffer_;
};

// Where the extents count from. A nested volume's bytes are made anew, with the key where there is one.
struct Beneath {
  ByteSource* bytes = nullptr;
  std::uint64_t offset = 0, size = 0;
};
Result<Beneath> beneath(Context& context, const Task& task, const Item& item, const Json& place) {
  const auto offset = place.at("offset").get<std::uint64_t>(), size = place.at("size").get<std::uint64_t>();
  if (!base::is_nested(item.volume)) return Beneath{EXHIBIT_TRY(context.image(task.arguments)), offset, size};
  Json arguments = {{"evidence", task.arguments.at("evidence")},
                    {"volume", {{"id", item.volume}, {"offset", offset}, {"size", size}}}};
  ByteSource& bytes = EXHIBIT_TRY(context.open_volume(arguments))->bytes();
  return Beneath{&bytes, 0, bytes.size()};
}

Result<Answer> check(Context& context, const Task& task, const Item& item, const Json& volumes) {
  if (const std::string why = obstacle(item); !why.empty()) return Answer{"not checked", why};
  const auto volume = volumes.find(item.volume);
  if (volume == volumes.end()) return Answer{"failed", "its volume isn't in the findings"};
  std::vector<std::string> names;
  for (const auto& [name, digest] : item.digests) {
    if (!tells_of_likeness(name)) names.push_back(name);
  }
  if (names.empty()) return Answer{"not checked", "it has digests of likeness alone"};
  auto digests = hash::MultiDigest::create(names);
  if (!digests.ok()) return Answer{"not checked", digests.error().message};
  auto under = beneath(context, task, item, *volume);
  if (!under.ok() && under.error().code == ErrorCode::encrypted)
    return Answer{"not checked", "its volume is encrypted, and no key that opens it was given (--unlock)"};
  if (!under.ok()) return Answer{"failed", under.error().message};
  Reader reader(*under->bytes, under->offset, under->size);
  if (auto fed = reader.feed(*item.extents, item.size, *digests); !fed.ok())
    return Answer{"failed", fed.error().message};
  for (const auto& [name, digest] : digests->finish()) {
    if (item.digests.at(name) != digest) return Answer{"failed", name + " of its extents is " + digest};
  }
  return Answer{};
}

// Where the item's bytes lie on the medium, so that a difference can be told by its offset.
Json places(const Item& item, const Json& volumes) {
  constexpr std::size_t most_places = 1024;
  Json out = Json::array();
  if (!item.extents || !volumes.contains(item.volume) || base::is_nested(item.volume)) return out;
  const std::uint64_t start = volumes.at(item.volume).at("offset").get<std::uint64_t>();
  std::uint64_t within = 0;
  for (const Extent& extent : *item.extents) {
    if (out.size() == most_places) break;
    if (extent.offset != sparse_run)
      out.push_back({start + static_cast<std::uint64_t>(extent.offset), extent.length, within});
    within += extent.length;
  }
  return out;
}

}  // namespace

Result<void> run_reread(Context& context, const Task& task, Output& output) {
  EXHIBIT_TRY(context.image(task.arguments));
  const Json& volumes = task.arguments.at("volumes");
  while (const base::RecordLine* record = task.next_record()) {
    const Item item = EXHIBIT_TRY(base::item_from_record(*record));
    if (item.digests.empty() || task.skips(item.id)) continue;
    output.touch(item.id, item.size);
    const Answer answer = EXHIBIT_TRY(check(context, task, item, volumes));
    Json message = {{"message", "reread"}, {"item", item.id}, {"status", answer.status}, {"detail", answer.detail}};
    if (std::string_view(answer.status) == "failed") message["places"] = places(item, volumes);
    output.message(message);
  }
  return {};
}

extern const Role reread_role;
const Role reread_role = {"reread", run_reread};

}  // namespace exhibit::worker
