#include "mount/content.h"

#include <algorithm>

#include "base/checked.h"
#include "base/text.h"
#include "base/volume_id.h"

namespace exhibit::mount {

Content::Content(Item item, const Space& space) : item_(std::move(item)), space_(space) {
  if (!item_.extents) return;
  std::uint64_t start = 0;
  for (const Extent& extent : *item_.extents) {
    starts_.push_back(start);
    start = base::checked_add(start, extent.length).value_or(UINT64_MAX);
  }
}

Result<engine::ReadRequest> Content::request(std::uint64_t offset, std::size_t length) const {
  if (item_.state == ItemState::overwritten)
    return Error{ErrorCode::not_found, "its bytes belong to another file", item_.id, {}};
  // Of what was carved the doubt is about its format: its bytes are those of its extents.
  const auto meets = [&](const Doubt& doubt) {
    return doubt.offset < offset + length &&
           offset < base::checked_add(doubt.offset, doubt.length).value_or(UINT64_MAX);
  };
  if (item_.state != ItemState::carved && std::any_of(item_.doubt.begin(), item_.doubt.end(), meets))
    return Error{ErrorCode::corrupt, "in doubt", item_.id, offset};
  if (item_.extents) return pieces(offset, length);
  auto arguments = at_address();
  if (!arguments) return Error{ErrorCode::not_found, "nobody knows where its bytes lie", item_.id, {}};
  (*arguments)["offset"] = offset;
  return engine::ReadRequest{"read", std::move(*arguments), length};
}

base::Json Content::volume() const { return {{"id", space_.id}, {"offset", space_.offset}, {"size", space_.size}}; }

// As its file system knows it.
std::optional<base::Json> Content::at_address() const {
  if (!item_.content.starts_with(space_.id + "/")) return std::nullopt;
  return base::Json{{"item", item_.id}, {"volume", volume()}, {"address", item_.content.substr(space_.id.size() + 1)}};
}

std::optional<engine::ReadRequest> Content::attributes(const char* prefix) const {
  auto arguments = space_.has_attributes ? at_address() : std::nullopt;
  if (!arguments) return std::nullopt;
  (*arguments)["prefix"] = prefix;
  return engine::ReadRequest{"attributes", std::move(*arguments), engine::largest_read};
}

std::optional<engine::ReadRequest> Content::attribute(std::string_view name) const {
  auto arguments = space_.has_attributes && base::clean_utf8(name).exact ? at_address() : std::nullopt;
  if (!arguments) return std::nullopt;
  (*arguments)["name"] = name;
  return engine::ReadRequest{"attributes", std::move(*arguments), engine::largest_read};
}

// Bytes of the medium, so that the worker need know of no volume; of a nested volume its own.
Result<engine::ReadRequest> Content::pieces(std::uint64_t offset, std::size_t length) const {
  const Error nowhere{ErrorCode::corrupt, "its extents don't hold them", item_.id, offset};
  if (starts_.empty()) return nowhere;
  const bool is_nested = base::is_nested(space_.id);
  base::Json pieces = base::Json::array();
  auto index = static_cast<std::size_t>(std::upper_bound(starts_.begin(), starts_.end(), offset) - starts_.begin()) - 1;
  std::uint64_t left = length;
  for (; left > 0 && index < starts_.size(); ++index) {
    const Extent& extent = (*item_.extents)[index];
    const std::uint64_t within = offset - starts_[index];
    if (within >= extent.length) continue;
    const std::uint64_t part = std::min(left, extent.length - within);
    if (extent.offset == sparse_run) {
      pieces.push_back({sparse_run, part});
    } else {
      const std::uint64_t place = static_cast<std::uint64_t>(extent.offset) + within;
      if (extent.offset < 0 || !base::within(place, part, space_.bytes)) return nowhere;
      pieces.push_back({is_nested ? place : space_.offset + place, part});
    }
    offset += part;
    left -= part;
  }
  if (left > 0) return nowhere;
  base::Json arguments = {{"item", item_.id}, {"pieces", std::move(pieces)}};
  if (is_nested) arguments["volume"] = volume();
  return engine::ReadRequest{"read", std::move(arguments), length};
}

}  // namespace exhibit::mount
